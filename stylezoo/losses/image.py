"""Losses of the pixels alone."""

from collections.abc import Sequence

import tensorflow as tf

from stylezoo import ops
from stylezoo.losses.base import IMAGE, Features, LossTerm, Statistics, Target


class TotalVariationLoss(LossTerm):
    """Smoothness: the mean of (dx² + dy²)^(β/2); see :func:`stylezoo.ops.total_variation`.

    Args:
        weight: of the term.
        beta: 2 for squared differences, 1 for the total variation proper.

    Raises:
        ValueError: if ``beta`` is not positive.
    """

    def __init__(self, *, weight: float = 1.0, beta: float = 2.0, name: str = "tv") -> None:
        super().__init__(name=name, weight=weight, taps=[IMAGE])
        if beta <= 0:
            raise ValueError(f"`beta` must be > 0. Received: beta={beta}")
        self.beta = beta

    def represent(self, features: Features, target: Target) -> Statistics:
        """The variation of each picture, [B]."""
        return {"variation": ops.total_variation(features[IMAGE], beta=self.beta)}

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """The mean over the batch."""
        return tf.reduce_mean(statistics["variation"])


class L2Loss(LossTerm):
    """Contrast: the mean squared difference to one colour (Simonyan et al. 2014, section 2).

    Args:
        colour: [3] in [0, 1], the paper's zero: the mean of the images that a network was trained with.
        weight: of the term.
    """

    def __init__(self, colour: Sequence[float], *, weight: float = 1.0, name: str = "l2") -> None:
        super().__init__(name=name, weight=weight, taps=[IMAGE])
        self.colour = tuple(colour)

    def represent(self, features: Features, target: Target) -> Statistics:
        """The mean square of each picture, [B]."""
        difference = features[IMAGE] - tf.constant(self.colour)
        return {"square": tf.reduce_mean(tf.square(difference), axis=[1, 2, 3])}

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """The mean over the batch."""
        return tf.reduce_mean(statistics["square"])
