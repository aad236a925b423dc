"""Losses that compare features position by position."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from stylezoo.losses.base import Features, LossTerm, Statistics, Target, Window

SCALES = ("mean", "half_sum", "relative")


class ContentLoss(LossTerm):
    """Squared difference of features (Gatys et al. 2016, equation 1), averaged over its layers.

    Args:
        taps: The layers.
        weight: Factor of the whole term.
        scale: ``"mean"`` over positions and channels, as reference codes do; ``"half_sum"``, ½ Σ as
            in Gatys et al.; ``"relative"``, Σ (F - P)² / Σ P², which does not depend on size, layer and
            network (Mahendran & Vedaldi 2015, equation 2).
        name: Name in reports.

    Raises:
        ValueError: For an unknown ``scale`` or a negative weight.
    """

    reference = "content"

    def __init__(
        self,
        taps: Sequence[str],
        *,
        weight: float = 1.0,
        scale: str = "mean",
        name: str = "content",
    ) -> None:
        super().__init__(name=name, weight=weight, taps=taps)
        if scale not in SCALES:
            raise ValueError(f"`scale` must be one of {SCALES}. Received: scale={scale!r}")
        self.scale = scale

    def target(self, features: Features) -> Target:
        """Return the features themselves, and the divisors of their squared differences."""
        target = {}
        for tap in self.taps:
            values = tf.cast(features[tap], tf.float32)
            target[tap] = values
            target[f"divisor/{tap}"] = {
                "mean": tf.cast(tf.size(values[0]), tf.float32),
                "half_sum": tf.constant(2.0),
                "relative": _sum(tf.square(values)),
            }[self.scale]
        return target

    def crop(self, target: Target, windows: Mapping[str, Window]) -> Target:
        """Return the features in the tile."""
        return {
            key: windows[key].crop(value) if key in self.taps else value
            for key, value in target.items()
        }

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the sums of squared differences, [B] for each tap."""
        return {
            tap: _sum(tf.math.squared_difference(tf.cast(features[tap], tf.float32), target[tap]))
            for tap in self.taps
        }

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over layers and batch."""
        losses = [tf.reduce_mean(statistics[tap] / target[f"divisor/{tap}"]) for tap in self.taps]
        return tf.add_n(losses) / len(losses)


class ActivationLoss(LossTerm):
    """Minus the logarithm of a layer's root mean square activation, which amplifies what a layer sees.

    DeepDream (Mordvintsev et al. 2015) ascends ½ Σ F² by steps of a set length. The logarithm has
    the same direction and a length that does not grow with the activation, which is what a sum with
    other terms needs.

    Args:
        taps: The layers, whose logarithms are averaged.
        weight: Factor of the whole term.
        name: Name in reports.
    """

    def __init__(self, taps: Sequence[str], *, weight: float = 1.0, name: str = "dream") -> None:
        super().__init__(name=name, weight=weight, taps=taps)

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the sums of squares and the numbers of features, [B] for each tap."""
        statistics = {}
        for tap in self.taps:
            values = tf.cast(features[tap], tf.float32)
            statistics[tap] = _sum(tf.square(values))
            statistics[f"count/{tap}"] = tf.ones_like(statistics[tap]) * tf.cast(
                tf.size(values[0]), tf.float32
            )
        return statistics

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over layers and batch."""
        losses = [
            -0.5 * tf.math.log(statistics[tap] / statistics[f"count/{tap}"] + 1e-12)
            for tap in self.taps
        ]
        return tf.reduce_mean(tf.add_n(losses)) / len(losses)


def _sum(values: tf.Tensor) -> tf.Tensor:
    """Return the sum of each picture's features, [B]; a head's features have no positions."""
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))
