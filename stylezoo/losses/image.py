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
