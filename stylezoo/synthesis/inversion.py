"""What a layer remembers: a picture from its features (Mahendran & Vedaldi 2015)."""

from collections.abc import Iterable

import tensorflow as tf

from stylezoo import images, losses
from stylezoo.objectives import Reference, Targets, TotalLoss
from stylezoo.progress import Callback
from stylezoo.synthesis.configurations import (
    InversionConfig,
    Schedule,
    Size,
)
from stylezoo.synthesis.pyramid import PyramidResult, coarse_to_fine, size_of


def invert(
    image: tf.Tensor, *, config: InversionConfig, callback: Callback | None = None
) -> PyramidResult:
    """Start from noise and find a picture with the features of ``image`` at one layer.

    A head whose images have one size is shown a square of that, whatever ``config.size``.

    Equation 1 of the paper with its normalised loss and TV^β prior. Differs in the optimiser, and in
    bounds on the pixels where the paper has an α-norm.

    Args:
        image: [1, H, W, 3] in [0, 1].
        config: See :class:`InversionConfig`.
        callback: Called after every step.

    Returns:
        The picture; its loss ``content`` is the relative error of the features.

    Raises:
        ValueError: If the picture is too small for the layer.
        WeightsError: If the network's weights can't be had.
    """
    config = config.resolved()
    size = config.sized(*size_of(image))
    if config.fixed_side:
        image = images.centre_square(image, config.fixed_side)
    terms: list[losses.LossTerm] = [losses.ContentLoss([config.layer], scale="relative")]
    if config.tv_weight:
        terms.append(losses.TotalVariationLoss(weight=config.tv_weight, beta=config.tv_beta))
    loss = TotalLoss(terms, config.perceptual.build([config.layer]))

    def problem(level: Size) -> tuple[TotalLoss, Targets]:
        return loss, loss.targets({"content": Reference([images.resize(image, level)])})

    def noise(level: Size) -> tf.Tensor:
        return 0.5 + 0.1 * tf.random.stateless_normal([1, *level, 3], seed=[config.seed, 0])

    return coarse_to_fine(
        problem,
        noise,
        levels=Schedule(smallest=None, initial_steps=config.steps, steps=0).levels(*size),
        config=config.optimization,
        callback=callback,
    )


def check_inversion(image: tf.Tensor, configs: Iterable[InversionConfig]) -> None:
    """Raise a ValueError if a picture is too small for one of several inversions."""
    for config in configs:
        config.sized(*size_of(image))
