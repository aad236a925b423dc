"""Texture synthesis with a convolutional network (Gatys et al. 2015; Li & Wand 2016)."""

import dataclasses
import math

import keras
import tensorflow as tf

from stylezoo import images, losses, perceptual
from stylezoo.objectives import Reference, Targets, TotalLoss
from stylezoo.synthesis.loop import Callback
from stylezoo.synthesis.optimizers import LBFGS, OptimizerConfig
from stylezoo.synthesis.pyramid import PyramidResult, Schedule, Size, coarse_to_fine, size_of
from stylezoo.synthesis.style_losses import (
    CNNMRF_SCALINGS,
    PatchConfig,
    default_layers,
    feature_unit,
    style_loss,
    tv_unit,
)

# conv1_1 and pool1 to pool4 in the paper; its conv1_1 is after the ReLU.
_VGG_LAYERS = ("relu1_1", "pool1", "pool2", "pool3", "pool4")
_ALEXNET_LAYERS = ("relu1", "pool1", "pool2", "relu3", "relu4")


@dataclasses.dataclass(frozen=True)
class TextureConfig:
    """Everything that decides a synthesis but its source.

    Attributes:
        network: architecture of the perceptual network.
        weights: see :func:`stylezoo.perceptual.perceptual_network`.
        pooling: ``"max"`` or ``"avg"`` (the paper's).
        layers: whose statistics or patches are matched; None for the paper's: conv1_1, pool1 to pool4;
            relu3_1 and relu4_1 for patches.
        style_loss: ``"gram"`` (the paper's), ``"moments"``, ``"sliced"``, or ``"mrf"`` for patches.
        patches: of ``"mrf"``.
        scaling: ``"relative"`` to each layer's target; or, for patches, as in the paper or the code of
            Li & Wand 2016; see :class:`~stylezoo.synthesis.TransferConfig`.
        tv_weight: of the total variation.
        optimizer: of the pixels.
        schedule: sizes and steps.
        match_histogram: give the result the source's histogram in each channel at the end, as the
            authors' code does.
        tolerance: stop a level when its loss changes by less than this fraction over 50 steps.
        seed: of the noise and of random directions.
    """

    network: str = "vgg16"
    weights: str = "imagenet"
    pooling: str = "avg"
    layers: tuple[str, ...] | None = None
    style_loss: str = "gram"
    patches: PatchConfig = PatchConfig()
    scaling: str = "relative"
    tv_weight: float = 0.0
    optimizer: OptimizerConfig = LBFGS(memory=20)
    schedule: Schedule = Schedule(smallest=64, initial_steps=200, steps=200)
    match_histogram: bool = False
    tolerance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        perceptual.check_taps(self.network, self.taps, name="layers")
        known = ("relative", *(CNNMRF_SCALINGS if self.uses_patches else ()))
        if self.scaling not in known:
            raise ValueError(
                f"`scaling` must be one of {', '.join(known)} with style_loss={self.style_loss!r}. "
                f"Received: scaling={self.scaling!r}"
            )
        if not 0 <= self.tv_weight < math.inf:
            raise ValueError(
                f"`tv_weight` must be finite, >= 0. Received: tv_weight={self.tv_weight}"
            )

    def resolved(self) -> "TextureConfig":
        """The same with the paper's layers written out."""
        return dataclasses.replace(self, layers=self.taps)

    @property
    def uses_patches(self) -> bool:
        """Whether patches are matched."""
        return self.style_loss == "mrf"

    @property
    def taps(self) -> tuple[str, ...]:
        """``layers``, or the paper's."""
        if self.layers or self.uses_patches:
            return self.layers or default_layers(self.network, self.style_loss)[1]
        known = perceptual.tap_info(self.network)
        return _VGG_LAYERS if _VGG_LAYERS[0] in known else _ALEXNET_LAYERS

    @property
    def features(self) -> int:
        """How many features every layer needs either way."""
        return self.patches.size if self.uses_patches else 1

    def variants(self, source: tf.Tensor) -> list[tuple[tf.Tensor, float]]:
        """The source as it is looked at, and how large then beside itself."""
        return list(self.patches.variants(source)) if self.uses_patches else [(source, 1.0)]


TEXTURE_PRESETS = {
    "gatys": TextureConfig(),
    "cnnmrf": TextureConfig(
        style_loss="mrf",
        pooling="max",
        patches=PatchConfig(every=5),
        schedule=Schedule(smallest=64, initial_steps=100, steps=100),
    ),
    # As `transfer` has it, without content.
    "cnnmrf2016-paper": TextureConfig(
        scaling="cnnmrf2016-paper",
        network="vgg19",
        style_loss="mrf",
        pooling="max",
        tv_weight=1e-3,
        patches=PatchConfig(stride=1, scales=3, rotations=2),
        optimizer=LBFGS(),
        schedule=Schedule(smallest=64, initial_steps=200, steps=200),
    ),
    # github.com/chuanli11/CNNMRF, run_syn.lua: weights of 1e-4, and TV of 1e-3, times 1e4.
    "cnnmrf2016-code": TextureConfig(
        scaling="cnnmrf2016-code",
        network="vgg19",
        style_loss="mrf",
        pooling="max",
        tv_weight=10.0,
        patches=PatchConfig(scales=1, rotations=1),
        optimizer=LBFGS(memory=25),
        schedule=Schedule(smallest=96, initial_steps=100, steps=100),
    ),
}


def synthesize_texture(
    source: tf.Tensor,
    size: Size,
    *,
    config: TextureConfig = TextureConfig(),
    callback: Callback | None = None,
) -> PyramidResult:
    """A new picture, from noise, with the feature statistics of ``source``, or with its patches.

    A grey source gives a grey texture.

    Differs from the paper in that each layer's loss is relative to its target (a layer counts the same
    whatever its scale), in the coarse-to-fine schedule, which gives structures larger than a receptive
    field at full size, and in the network unless it is VGG-19 with average pooling.

    Args:
        source: [1, H, W, 3] in [0, 1].
        size: height and width of the result, px; not bound to the source's.
        config: see :class:`TextureConfig`.
        callback: called after every step.

    Returns:
        The texture and how it came about. Values stay in the source's range, channel by channel.

    Raises:
        ValueError: if a layer is unknown, or the source or the size too small for the layers.
        WeightsError: if the network's weights can't be had.
    """
    source = tf.convert_to_tensor(source)
    for name, (height, width) in (("source", source.shape[1:3]), ("size", size)):
        perceptual.check_image_size(
            height,
            width,
            architecture=config.network,
            taps=config.taps,
            name=name,
            features=config.features,
        )
    network = perceptual.perceptual_network(
        config.network, config.taps, weights=config.weights, pooling=config.pooling
    )
    infos = perceptual.tap_info(config.network)
    minimum = max(infos[tap].side(config.features) for tap in config.taps)
    variants = config.variants(source)

    def problem(level: Size) -> tuple[TotalLoss, Targets]:
        loss = TotalLoss(_terms(config, network, level), network)
        scale = level[0] / size[0]
        reduced = []
        for picture, zoom in variants:
            factor = scale * zoom * max(size_of(source)) / max(size_of(picture))
            sides = tuple(max(round(factor * side), minimum) for side in size_of(picture))
            reduced.append(images.resize(picture, sides))
        return loss, loss.targets({"style": Reference(reduced)})

    bounds = (tf.reduce_min(source, axis=[0, 1, 2]), tf.reduce_max(source, axis=[0, 1, 2]))

    grey = images.is_grey(source)

    def noise(level: Size) -> tf.Tensor:
        uniform = tf.random.stateless_uniform([1, *level, 3], seed=[config.seed, 0])
        return bounds[0] + uniform * (bounds[1] - bounds[0])

    result = coarse_to_fine(
        problem,
        noise,
        levels=config.schedule.levels(*size, minimum=minimum),
        optimizer=config.optimizer,
        bounds=bounds,
        grey=grey,
        tolerance=config.tolerance,
        match_every=config.patches.every if config.uses_patches else None,
        callback=callback,
    )
    if not config.match_histogram:
        return result
    return dataclasses.replace(result, image=images.match_histogram(result.image, source))


def _terms(config: TextureConfig, network: keras.Model, size: Size) -> list[losses.LossTerm]:
    shares = None
    if config.scaling in CNNMRF_SCALINGS:
        shares = [feature_unit(config.scaling, network) ** 2] * len(config.taps)
    terms: list[losses.LossTerm] = [
        style_loss(
            config.style_loss,
            config.taps,
            seed=config.seed,
            scaling=config.scaling,
            patches=config.patches,
            layer_weights=shares,
        )
    ]
    if config.tv_weight:
        weight = config.tv_weight * tv_unit(config.scaling, size)
        terms.append(losses.TotalVariationLoss(weight=weight))
    return terms
