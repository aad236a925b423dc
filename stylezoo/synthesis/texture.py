"""Texture synthesis with a convolutional network (Gatys, Ecker & Bethge 2015)."""

import dataclasses

import tensorflow as tf

from stylezoo import images, perceptual
from stylezoo.objectives import Reference, Targets, TotalLoss
from stylezoo.synthesis.loop import Callback
from stylezoo.synthesis.optimizers import LBFGS, OptimizerConfig
from stylezoo.synthesis.pyramid import PyramidResult, Schedule, Size, coarse_to_fine
from stylezoo.synthesis.style_losses import style_loss

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
        layers: whose statistics are matched; None for the paper's conv1_1, pool1 to pool4.
        style_loss: ``"gram"`` (the paper's), ``"moments"`` or ``"sliced"``.
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
    optimizer: OptimizerConfig = LBFGS(memory=20)
    schedule: Schedule = Schedule(smallest=64, initial_steps=200, steps=200)
    match_histogram: bool = False
    tolerance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        perceptual.check_taps(self.network, self.taps, name="layers")

    def resolved(self) -> "TextureConfig":
        """The same with the paper's layers written out."""
        return dataclasses.replace(self, layers=self.taps)

    @property
    def taps(self) -> tuple[str, ...]:
        """``layers``, or the paper's."""
        known = perceptual.tap_info(self.network)
        return self.layers or (_VGG_LAYERS if _VGG_LAYERS[0] in known else _ALEXNET_LAYERS)


def synthesize_texture(
    source: tf.Tensor,
    size: Size,
    *,
    config: TextureConfig = TextureConfig(),
    callback: Callback | None = None,
) -> PyramidResult:
    """A new picture, from noise, with the feature statistics of ``source``.

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
            height, width, architecture=config.network, taps=config.taps, name=name
        )
    network = perceptual.perceptual_network(
        config.network, config.taps, weights=config.weights, pooling=config.pooling
    )
    infos = perceptual.tap_info(config.network)
    minimum = max(infos[tap].minimum_size for tap in config.taps)
    term = style_loss(config.style_loss, config.taps, seed=config.seed)
    loss = TotalLoss([term], network)

    def problem(level: Size) -> tuple[TotalLoss, Targets]:
        scale = level[0] / size[0]
        height, width = (max(round(scale * side), minimum) for side in source.shape[1:3])
        reduced = images.resize(source, (height, width))
        return loss, loss.targets({"style": Reference([reduced])})

    bounds = (tf.reduce_min(source, axis=[0, 1, 2]), tf.reduce_max(source, axis=[0, 1, 2]))

    def noise(level: Size) -> tf.Tensor:
        uniform = tf.random.stateless_uniform([1, *level, 3], seed=[config.seed, 0])
        return bounds[0] + uniform * (bounds[1] - bounds[0])

    result = coarse_to_fine(
        problem,
        noise,
        levels=config.schedule.levels(*size, minimum=minimum),
        optimizer=config.optimizer,
        bounds=bounds,
        tolerance=config.tolerance,
        callback=callback,
    )
    if not config.match_histogram:
        return result
    return dataclasses.replace(result, image=images.match_histogram(result.image, source))
