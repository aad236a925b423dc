"""Style losses, which compare statistics of features whatever their positions."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from stylezoo import ops
from stylezoo.losses.base import (
    Features,
    Statistics,
    StatisticsLoss,
    Target,
    mask_key,
    weighted_mean,
)


class GramLoss(StatisticsLoss):
    """Squared difference of Gram matrices (Gatys et al. 2016, equations 3 to 5).

    With ``relative=False`` a layer's loss is the mean over the C² entries; the paper's
    1/(4 N² M²) Σ (G - A)² is ¼ of it.
    """

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the sums of outer products, and their masses."""
        statistics = {}
        for tap in self.taps:
            sums, mass = ops.outer_product_sums(features[tap], target.get(mask_key(tap)))
            statistics[tap], statistics[f"mass/{tap}"] = sums, mass
        return statistics

    def summarize(self, statistics: Statistics) -> Target:
        """Return the Gram matrices, [B, C, C]."""
        return {tap: statistics[tap] / statistics[f"mass/{tap}"] for tap in self.taps}


class MomentsLoss(StatisticsLoss):
    """Squared differences of each channel's mean and standard deviation.

    Source: Li et al. 2017, "Demystifying Neural Style Transfer", section 4.3 (batch normalisation
    statistics); also the style loss of Huang & Belongie 2017.
    """

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the sums, the sums of squares, and their masses."""
        statistics = {}
        for tap in self.taps:
            first, second, mass = ops.moment_sums(features[tap], target.get(mask_key(tap)))
            statistics[tap] = tf.concat([first, second], axis=1)
            statistics[f"mass/{tap}"] = mass
        return statistics

    def summarize(self, statistics: Statistics) -> Target:
        """Return the means and standard deviations, [B, 2, C]."""
        summary = {}
        for tap in self.taps:
            first, second = tf.split(statistics[tap], 2, axis=1)
            moments = ops.mean_and_std(first, second, statistics[f"mass/{tap}"])
            summary[tap] = tf.concat(moments, axis=1)
        return summary


class SlicedWassersteinLoss(StatisticsLoss):
    """Sliced Wasserstein distance of the feature distributions (Heitz et al. 2021, equation 5).

    It compares the whole distribution where a Gram matrix compares second moments. Heitz et al. draw
    new directions at every step; here they are drawn once from ``seed`` (as many as channels,
    orthogonal), because L-BFGS needs the same function at every step. It does not add up over tiles and
    takes no masks, because sorting needs all positions at once.

    Args:
        taps: The layers.
        seed: Seed of the directions.
        **options: Arguments of :class:`StatisticsLoss`.
    """

    additive = False

    def __init__(self, taps: Sequence[str], *, seed: int = 0, **options: Any) -> None:
        super().__init__(taps, **options)
        self.seed = seed

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the sorted projections, [B, C, H·W]."""
        if any(mask_key(tap) in target for tap in self.taps):
            raise ValueError("`style_loss` must not be 'sliced' with masks. Received: 'sliced'")
        quantiles = {}
        for tap in self.taps:
            channels = features[tap].shape[-1]
            directions = ops.random_directions(channels, channels, self.seed)
            quantiles[tap] = ops.sliced_quantiles(features[tap], directions)
        return quantiles

    def summarize(self, statistics: Statistics) -> Target:
        """Return the sorted projections."""
        return statistics

    def combine(self, targets: Sequence[Target], weights: Sequence[float]) -> Target:
        """Return the mean of the quantile functions, which is each slice's Wasserstein barycentre."""
        return weighted_mean(self._of_one_size(targets), weights)

    def stack(self, targets: Sequence[Target]) -> Target:
        """Return the quantiles of several pictures, as many each as the largest has."""
        return super().stack(self._of_one_size(targets))

    def _of_one_size(self, targets: Sequence[Target]) -> list[Target]:
        """Return the same distributions with as many quantiles each."""
        counts = {tap: max(target[tap].shape[-1] for target in targets) for tap in self.taps}
        return [
            {tap: ops.interpolate_quantiles(target[tap], counts[tap]) for tap in self.taps}
            for target in targets
        ]

    def _compare_summaries(self, summary: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        count = tf.shape(summary)[-1]
        return super()._compare_summaries(summary, ops.interpolate_quantiles(target, count))
