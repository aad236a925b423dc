"""Style losses by the names that commands and configurations use."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from stylezoo import images, losses, perceptual

STYLE_LOSSES = ("gram", "moments", "sliced", "mrf")

# How losses are scaled in the paper of Li & Wand 2016, and in its authors' code.
CNNMRF_SCALINGS = ("cnnmrf2016-paper", "cnnmrf2016-code")
_PATCH_SCALES = {"cnnmrf2016-paper": "sum", "cnnmrf2016-code": "overlaps"}
# Σ of squares of 0-255 values in the paper; the code's gradient is that of ½ Σ.
_TV_FACTORS = {"cnnmrf2016-paper": 255.0**2, "cnnmrf2016-code": 255.0**2 / 2}

# The layers that published codes take, by family: content, style, style of patches.
_VGG_LAYERS = (
    ("relu4_2",),
    ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    ("relu3_1", "relu4_1"),
)
_ALEXNET_LAYERS = (("relu3",), ("relu1", "relu2", "relu3", "relu4", "relu5"), ("relu2", "relu3"))

_MEGABYTE = 1_000_000


@dataclasses.dataclass(frozen=True)
class PatchConfig:
    """How a picture's neural patches are matched with a style's (Li & Wand 2016).

    Attributes:
        size: side of a patch, in features.
        stride: from one patch to the next, in features.
        scales: how many steps of 5 % the style is enlarged and reduced, for more patches.
        rotations: how many steps of 7.5 degrees it is rotated either way.
        every: match anew after so many steps.
        guide_weight: how much masks count beside features.
        memory: of the matching, MB (10^6 bytes).
    """

    size: int = 3
    stride: int = 2
    scales: int = 0
    rotations: int = 0
    every: int = 1
    guide_weight: float = 1.0
    memory: int = 512

    def __post_init__(self) -> None:
        for field, least in (
            ("stride", 1),
            ("scales", 0),
            ("rotations", 0),
            ("every", 1),
            ("memory", 1),
        ):
            value = getattr(self, field)
            if value < least:
                raise ValueError(f"`{field}` must be >= {least}. Received: {field}={value}")
        if self.size < 1 or self.size % 2 == 0:
            raise ValueError(f"`size` must be odd, >= 1. Received: size={self.size}")
        if not 0 < self.guide_weight < math.inf:
            raise ValueError(
                f"`guide_weight` must be finite, > 0. Received: guide_weight={self.guide_weight}"
            )

    def variants(self, picture: tf.Tensor) -> Iterator[tuple[tf.Tensor, float]]:
        """A style at every angle, and its longest side as a multiple of what it was; itself first."""
        for turns in _steps(self.rotations):
            rotated = images.rotate(picture, turns * _ROTATION_STEP)
            share = max(rotated.shape[1:3]) / max(picture.shape[1:3])
            for steps in _steps(self.scales):
                yield rotated, share * _SCALE_STEP**steps


# target_step_scale and target_step_rotation of the authors' code; the paper's 5 % and 7.5 degrees.
_SCALE_STEP = 1.05
_ROTATION_STEP = 7.5


def _steps(count: int) -> list[int]:
    """0, 1, -1, 2, -2, ..."""
    return sorted(range(-count, count + 1), key=lambda step: (abs(step), -step))


def feature_unit(scaling: str, network: keras.Model) -> float:
    """What features are multiplied by: those of a network of 0-255 inputs have more or less that size."""
    if scaling not in CNNMRF_SCALINGS:
        return 1.0
    gain: float = network.get_layer("preprocess").gain
    return 255.0 / gain


def tv_unit(scaling: str, size: tuple[int, int]) -> float:
    """What the total variation, a mean over values in [0, 1], is multiplied by."""
    return _TV_FACTORS[scaling] * 3 * math.prod(size) if scaling in _TV_FACTORS else 1.0


def default_layers(
    architecture: str, style_loss: str = "gram"
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Content and style layers of ``architecture``: those of the papers where it has them.

    Gatys et al. 2016, and for ``style_loss="mrf"`` Li & Wand 2016.

    Raises:
        ValueError: for an unknown architecture.
    """
    taps = perceptual.tap_info(architecture)
    alexnet = "relu3" in taps
    content, style, patches = _ALEXNET_LAYERS if alexnet else _VGG_LAYERS
    known = tuple(tap if alexnet or tap in taps else "relu4_1" for tap in content)
    return known, patches if style_loss == "mrf" else style


def style_loss(
    kind: str,
    taps: Sequence[str],
    *,
    seed: int = 0,
    scaling: str = "relative",
    patches: PatchConfig = PatchConfig(),
    **options: Any,
) -> losses.LayeredLoss:
    """The style loss of a name in :data:`STYLE_LOSSES`.

    Args:
        kind: the name.
        taps: the layers.
        seed: of those that draw at random.
        scaling: ``"relative"``; one of :data:`CNNMRF_SCALINGS` for patches, anything else for
            differences of statistics as they are.
        patches: of ``"mrf"``.
        **options: those of :class:`stylezoo.losses.LayeredLoss`.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    if kind == "mrf":
        return losses.MRFLoss(
            taps,
            scale=_PATCH_SCALES.get(scaling, "relative"),
            patch_size=patches.size,
            stride=patches.stride,
            guide_weight=patches.guide_weight,
            memory=patches.memory * _MEGABYTE,
            **options,
        )
    relative = scaling == "relative"
    if kind == "gram":
        return losses.GramLoss(taps, relative=relative, **options)
    if kind == "moments":
        return losses.MomentsLoss(taps, relative=relative, **options)
    if kind == "sliced":
        return losses.SlicedWassersteinLoss(taps, seed=seed, relative=relative, **options)
    raise ValueError(
        f"`style_loss` must be one of {', '.join(STYLE_LOSSES)}. Received: style_loss={kind!r}"
    )
