"""Loss terms that look at the pixels alone."""

from collections.abc import Sequence

import tensorflow as tf

from stylezoo import ops
from stylezoo.losses.base import IMAGE, Features, LossTerm, Statistics, Target

VARIATION_SCALES = ("mean", "sum")


class TotalVariationLoss(LossTerm):
    """The total variation, (dx² + dy²)^(β/2), which makes pictures smooth.

    See :func:`stylezoo.ops.total_variation`.

    Args:
        weight: Factor of the term.
        beta: 2 for squared differences, 1 for the total variation proper.
        scale: ``"mean"`` over positions and channels, or their ``"sum"``.
        name: Name in reports.

    Raises:
        ValueError: If ``beta`` is not positive, or for an unknown ``scale``.
    """

    def __init__(
        self, *, weight: float = 1.0, beta: float = 2.0, scale: str = "mean", name: str = "tv"
    ) -> None:
        super().__init__(name=name, weight=weight, taps=[IMAGE])
        if beta <= 0:
            raise ValueError(f"`beta` must be > 0. Received: beta={beta}")
        if scale not in VARIATION_SCALES:
            raise ValueError(
                f"`scale` must be one of {VARIATION_SCALES}. Received: scale={scale!r}"
            )
        self.beta = beta
        self.scale = scale

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the variation of each picture, [B]."""
        image = features[IMAGE]
        variation = ops.total_variation(image, beta=self.beta)
        if self.scale == "sum":
            variation *= tf.cast(tf.size(image[0]), tf.float32)
        return {"variation": variation}

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over the batch."""
        return tf.reduce_mean(statistics["variation"])


class L2Loss(LossTerm):
    """The mean squared difference to one colour, which keeps contrast low (Simonyan et al. 2014, section 2).

    Args:
        colour: [3] in [0, 1], the paper's zero: the mean of the images that a network was trained with.
        weight: Factor of the term.
        name: Name in reports.
    """

    def __init__(self, colour: Sequence[float], *, weight: float = 1.0, name: str = "l2") -> None:
        super().__init__(name=name, weight=weight, taps=[IMAGE])
        self.colour = tuple(colour)

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the mean square of each picture's difference, [B]."""
        difference = features[IMAGE] - tf.constant(self.colour)
        return {"square": tf.reduce_mean(tf.square(difference), axis=[1, 2, 3])}

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over the batch."""
        return tf.reduce_mean(statistics["square"])


class TemporalLoss(LossTerm):
    """The mean squared difference to a picture, weighted pixel by pixel: what a frame keeps of others.

    Source: Ruder, Dosovitskiy & Brox 2016, the temporal loss: 1/D Σ c (x - ω)², where ω is the frame
    before, warped, and c is 1 where that can be relied on. Its target is ``picture``, [1, H, W, 3], and
    ``weights``, [1, H, W, 1]; see :func:`temporal_target`.

    Args:
        weight: Factor of the term.
        name: Name in reports.
    """

    def __init__(self, *, weight: float = 1.0, name: str = "temporal") -> None:
        super().__init__(name=name, weight=weight, taps=[IMAGE])

    def target(self, features: Features) -> Target:
        """Return a picture as a target that counts everywhere."""
        picture = features[IMAGE]
        return {"picture": picture, "weights": tf.ones_like(picture[..., :1])}

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the mean weighted square of each picture's difference, [B]."""
        squares = tf.math.squared_difference(features[IMAGE], target["picture"])
        return {"square": tf.reduce_mean(target["weights"] * squares, axis=[1, 2, 3])}

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over the batch."""
        return tf.reduce_mean(statistics["square"])


def temporal_target(warped: Sequence[tf.Tensor], weights: Sequence[tf.Tensor]) -> Target:
    """Return the target of :class:`TemporalLoss` for several frames before, the nearest first.

    A frame counts where those that are nearer can't be relied on: its weights are max(c - Σ c of the nearer,
    0) (Ruder et al. 2016, long-term consistency). The sum of squares to all of them is a constant and one
    square, to their weighted mean, so that one picture stands for all.

    Args:
        warped: Each frame, warped to the one that is painted, [1, H, W, 3].
        weights: Where each can be relied on, [1, H, W, 1] in [0, 1].
    """
    picture, total = tf.zeros_like(warped[0]), tf.zeros_like(weights[0])
    nearer = tf.zeros_like(weights[0])
    for frame, reliable in zip(warped, weights, strict=True):
        share = tf.maximum(reliable - nearer, 0.0)
        nearer += reliable
        picture += share * frame
        total += share
    return {"picture": tf.math.divide_no_nan(picture, total), "weights": total}
