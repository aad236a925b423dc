"""Objectives by the names that commands and configurations use."""

import dataclasses

from stylezoo.objectives.objective import NeighborConfig, Objective, PatchConfig
from stylezoo.perceptual.configuration import Perceptual

# The layers and weights of Li & Wand 2016.
_CNNMRF = Objective(
    Perceptual("vgg19"),
    style_layers=("relu3_1", "relu4_1"),
    scaling="cnnmrf2016-paper",
    style_loss="mrf",
    style_weight=1.0,
    tv_weight=1e-3,
    patches=PatchConfig(patch_stride=1, patch_scales=3, patch_rotations=2),
)

_JOHNSON = Objective(
    Perceptual(weights="vgg16.keras"),
    content_layers=("relu3_3",),
    style_layers=("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
    scaling="johnson2016",
    style_weight=5.0,
    tv_weight=1e-6,
)

OBJECTIVES = {
    # Gatys et al. 2016 with losses that are relative to their targets.
    "relative": Objective(),
    # Average pooling, equal layer weights, α/β = 1e-3.
    "gatys2016-paper": Objective(
        Perceptual("vgg19", pooling="avg"),
        scaling="gatys2016-paper",
        content_weight=1e-3,
        style_weight=1.0,
    ),
    # github.com/leongatys/PytorchNeuralStyleTransfer.
    "gatys2016-code": Objective(Perceptual("vgg19"), scaling="gatys2016-code", style_weight=1.0),
    # Li & Wand 2016 with losses that are relative to their targets.
    "cnnmrf": Objective(
        style_loss="mrf",
        style_weight=4.0,
        tv_weight=1.0,
        patches=PatchConfig(patch_scales=1, patch_rotations=1, match_every=5),
    ),
    # relu3_1 and relu4_1 with weights of 1, all patches of 7 scales and 5 rotations.
    "cnnmrf2016-paper": _CNNMRF,
    # github.com/chuanli11/CNNMRF, run_trans.lua.
    "cnnmrf2016-code": dataclasses.replace(
        _CNNMRF,
        scaling="cnnmrf2016-code",
        content_weight=20.0,
        style_weight=1e-4,
        patches=PatchConfig(patch_scales=1, patch_rotations=1),
    ),
    # Kolkin et al. 2022 with one layer a block, fewer vectors of the style and matches of several steps.
    "nnst": Objective(
        content_layers=(),
        style_loss="neighbors",
        style_weight=1.0,
        patches=PatchConfig(match_every=10, match_memory=128),
        neighbors=NeighborConfig(key_grid=64),
    ),
    # Kolkin et al. 2022, github.com/nkolkin13/NeuralNeighborStyleTransfer: every ReLU but those of block 5.
    "nnst2022-paper": Objective(
        content_layers=(),
        style_layers=(
            *("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3"),
            *("relu4_1", "relu4_2", "relu4_3"),
        ),
        style_loss="neighbors",
        style_weight=1.0,
        neighbors=NeighborConfig(layer_grid=64),
    ),
    # github.com/jcjohnson/neural-style, as github.com/manuelruder/artistic-videos has it.
    "neural-style": Objective(
        Perceptual("vgg19"),
        scaling="neural-style",
        content_weight=5.0,
        style_weight=100.0,
        tv_weight=1e-3,
    ),
    # github.com/jcjohnson/fast-neural-style, whose network takes 0-255 inputs.
    "johnson2016": _JOHNSON,
    # github.com/magenta/magenta, image_stylization: the last ReLU of each of four blocks, 0-255 inputs.
    "dumoulin2017": dataclasses.replace(
        _JOHNSON, scaling="dumoulin2017", style_weight=1e-4, tv_weight=0.0
    ),
    # Gatys et al. 2015: a texture, with average pooling and losses that are relative to their targets.
    "texture": Objective(Perceptual(pooling="avg"), content_layers=(), style_weight=1.0),
}
"""Objectives by name."""
