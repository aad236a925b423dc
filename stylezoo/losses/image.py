"""Losses of the pixels alone."""

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
