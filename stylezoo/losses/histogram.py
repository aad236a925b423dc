"""The loss of histograms, which holds each channel's distribution where a Gram matrix leaves it free."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from stylezoo import ops
from stylezoo.losses.base import Features, LayeredLoss, Statistics, Target, Window

# Points at which the distribution of a channel is kept.
_NUM_QUANTILES = 256


class HistogramLoss(LayeredLoss):
    """Squared difference of features to what the match of their histograms makes of them.

    Source: Risser, Wilmot & Barnes 2017, "Stable and Controllable Neural Texture Synthesis and Style
    Transfer Using Histogram Losses", section 4. Different distributions may have one Gram matrix, so that
    contrast is washed out in one place and comes back in another; each has its own histogram. As there, the
    gradient does not go through the match. Differs in that a match serves several steps, so that L-BFGS
    sees one function, that histograms are 256 quantiles, and that the loss is relative: to the mean square
    of the style's features.

    Args:
        taps: The layers.
        name: Name in reports.
        reference: Role of its reference pictures.
        **options: Arguments of :class:`LayeredLoss`.

    Raises:
        ValueError: As :class:`LayeredLoss`.
    """

    matches = True

    def __init__(
        self,
        taps: Sequence[str],
        *,
        name: str = "histogram",
        reference: str = "style",
        **options: Any,
    ) -> None:
        super().__init__(taps, name=name, reference=reference, **options)

    def target(self, features: Features) -> Target:
        """Return the quantiles of each channel, [B, C, 256], of which several pictures have the mean."""
        return {
            f"quantiles/{tap}": ops.channel_quantiles(features[tap], _NUM_QUANTILES)
            for tap in self.taps
        }

    def match(self, features: Features, target: Target) -> Target:
        """Return the features with the histograms of the style, [B, h, w, C], and the style's mean square."""
        if self.taps[0] in target:
            return target
        matched: Target = {}
        for tap in self.taps:
            quantiles = target[f"quantiles/{tap}"]
            matched[tap] = ops.match_quantiles(tf.stop_gradient(features[tap]), quantiles)
            matched[f"square/{tap}"] = tf.reduce_mean(tf.square(quantiles))
        return matched

    def crop(self, target: Target, windows: Mapping[str, Window]) -> Target:
        """Return the part of a matched target in the tile."""
        return {
            key: windows[key].crop(value) if key in self.taps else value
            for key, value in target.items()
        }

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the sums of squared differences and the numbers of features, [B] for each tap.

        Raises:
            ValueError: If the target has not been matched.
        """
        self.check_matched(target, self.taps)
        statistics = {}
        for tap in self.taps:
            values = tf.cast(features[tap], tf.float32)
            squares = tf.math.squared_difference(values, target[tap])
            statistics[tap] = tf.reduce_sum(squares, axis=[1, 2, 3])
            count = tf.cast(tf.size(values[0]), tf.float32)
            statistics[f"count/{tap}"] = tf.ones_like(statistics[tap]) * count
        return statistics

    def compare_layer(self, tap: str, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over the batch."""
        means = statistics[tap] / statistics[f"count/{tap}"]
        return tf.reduce_mean(means) / target[f"square/{tap}"]
