"""What a layer remembers: a picture from its features (Mahendran & Vedaldi 2015)."""

import dataclasses
from collections.abc import Iterable

import tensorflow as tf

from stylezoo import images, losses, perceptual
from stylezoo.objectives import Reference, Targets, TotalLoss
from stylezoo.synthesis.loop import Callback
from stylezoo.synthesis.optimizers import LBFGS, OptimizerConfig
from stylezoo.synthesis.pyramid import PyramidResult, Schedule, Size, coarse_to_fine, size_of


@dataclasses.dataclass(frozen=True)
class InversionConfig:
    """Everything that decides an inversion but its picture.

    Attributes:
        size: longest side of the result, px.
        network: architecture of the perceptual network.
        weights: see :func:`stylezoo.perceptual.perceptual_network`.
        pooling: ``"max"`` or ``"avg"``.
        layer: whose features are inverted; may be of :data:`stylezoo.perceptual.HEAD`.
        tv_weight: of the total variation; None for one that grows with the layer's depth as in the
            paper: 1, 10 and 100 times a base by thirds of the network.
        tv_beta: 2 penalises steps, 1 spikes.
        optimizer: of the pixels.
        steps: of the optimiser.
        tolerance: stop when the loss changes by less than this fraction over 50 steps.
        seed: of the noise.
    """

    layer: str
    size: int = 256
    network: str = "vgg16"
    weights: str = "imagenet"
    pooling: str = "max"
    tv_weight: float | None = None
    tv_beta: float = 2.0
    optimizer: OptimizerConfig = LBFGS(memory=20, exponent=0.5)
    steps: int = 200
    tolerance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size <= 0:
            raise ValueError(f"`size` must be > 0. Received: size={self.size}")
        perceptual.check_taps(self.network, [self.layer], name="layer", head=True)

    def resolved(self) -> "InversionConfig":
        """The same with the layer's weight of the total variation written out."""
        return dataclasses.replace(self, tv_weight=self.resolved_tv_weight)

    @property
    def resolved_tv_weight(self) -> float:
        """``tv_weight``, or the one for the layer's depth."""
        if self.tv_weight is not None:
            return self.tv_weight
        taps = list(perceptual.tap_info(self.network))
        depth = len(taps) - 1 if self.layer in perceptual.HEAD else taps.index(self.layer)
        return _BASE_TV_WEIGHT * 10.0 ** (3 * depth // len(taps))


_BASE_TV_WEIGHT = 0.1  # chosen by looking: the paper's λ is in units of its images' mean norm


def invert(
    image: tf.Tensor, *, config: InversionConfig, callback: Callback | None = None
) -> PyramidResult:
    """Start from noise and find a picture with the features of ``image`` at one layer.

    A head whose images have one size is shown a square of that, whatever ``config.size``.

    Equation 1 of the paper with its normalised loss and TV^β prior. Differs in the optimiser, and in
    bounds on the pixels where the paper has an α-norm.

    Args:
        image: [1, H, W, 3] in [0, 1].
        config: see :class:`InversionConfig`.
        callback: called after every step.

    Returns:
        The picture; its loss ``content`` is the relative error of the features.

    Raises:
        ValueError: if the picture is too small for the layer.
        WeightsError: if the network's weights can't be had.
    """
    image, size = _sized(image, config)
    terms: list[losses.LossTerm] = [losses.ContentLoss([config.layer], scale="relative")]
    if config.resolved_tv_weight:
        terms.append(
            losses.TotalVariationLoss(weight=config.resolved_tv_weight, beta=config.tv_beta)
        )
    network = perceptual.perceptual_network(
        config.network, [config.layer], weights=config.weights, pooling=config.pooling
    )
    loss = TotalLoss(terms, network)

    def problem(level: Size) -> tuple[TotalLoss, Targets]:
        return loss, loss.targets({"content": Reference([images.resize(image, level)])})

    def noise(level: Size) -> tf.Tensor:
        return 0.5 + 0.1 * tf.random.stateless_normal([1, *level, 3], seed=[config.seed, 0])

    return coarse_to_fine(
        problem,
        noise,
        levels=Schedule(smallest=None, initial_steps=config.steps, steps=0).levels(*size),
        optimizer=config.optimizer,
        tolerance=config.tolerance,
        callback=callback,
    )


def check_inversion(image: tf.Tensor, configs: Iterable[InversionConfig]) -> None:
    """Raise a ValueError if a picture is too small for one of several inversions."""
    for config in configs:
        _sized(image, config)


def _sized(image: tf.Tensor, config: InversionConfig) -> tuple[tf.Tensor, Size]:
    """The picture that is inverted, and the size of the result."""
    side = perceptual.fixed_size(config.network) if config.layer in perceptual.HEAD else None
    if side:
        image = images.centre_square(image, side)
    size = images.fit_size(*size_of(image), side or config.size)
    perceptual.check_image_size(*size, architecture=config.network, taps=[config.layer])
    return image, size
