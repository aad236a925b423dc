"""The base classes of all loss terms.

A term looks at a picture in three steps, *encode -> represent -> compare*: the perceptual network
encodes it as features, the term represents them (a Gram matrix, a difference to the content), and
compares the representation with a target's. Terms hold no state: targets are tensors that are
passed in, so a traced step serves every new target of the same shape.
"""

import abc
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

Features = Mapping[str, tf.Tensor]
"""The features of a picture by tap, ``[B, h, w, c]`` each."""

Target = dict[str, tf.Tensor]
"""What a term compares a picture with, by names that the term chooses."""

Statistics = dict[str, tf.Tensor]

IMAGE = "image"
"""The name of the picture itself among the features: the tap of terms that look at pixels."""


@dataclasses.dataclass(frozen=True)
class Window:
    """A rectangle of a feature map.

    Attributes:
        top: First row, a scalar integer tensor, in features.
        left: First column.
        height: Number of rows.
        width: Number of columns.
    """

    top: tf.Tensor
    left: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor

    def crop(self, features: tf.Tensor) -> tf.Tensor:
        """Return the rectangle of [B, H, W, C]."""
        bottom, right = self.top + self.height, self.left + self.width
        return features[:, self.top : bottom, self.left : right]


def weighted_mean(targets: Sequence[Target], weights: Sequence[float]) -> Target:
    """Return the weighted mean of several targets, key by key; weights need not sum to one.

    Raises:
        ValueError: As :func:`check_weights`.
    """
    check_weights(targets, weights)
    shares = [weight / sum(weights) for weight in weights]
    return {
        key: tf.add_n([share * target[key] for share, target in zip(shares, targets, strict=True)])
        for key in targets[0]
    }


def check_weights(targets: Sequence[Target], weights: Sequence[float]) -> None:
    """Raise a ValueError if a weight is negative, all are zero, or there are not as many as targets."""
    if not targets or len(targets) != len(weights):
        raise ValueError(
            f"`weights` must be one a target. Received: {len(weights)} for {len(targets)} targets"
        )
    if not (min(weights) >= 0 and 0 < sum(weights) < math.inf):
        raise ValueError(
            f"`weights` must be finite, >= 0, not all 0. Received: weights={list(weights)}"
        )


class LossTerm(abc.ABC):
    """One weighted term of a loss.

    Attributes:
        name: Name of its value in reports; unique in a :class:`~stylezoo.objectives.TotalLoss`.
        weight: Factor of its value.
        taps: Layers that it looks at; :data:`IMAGE` alone for a term of the pixels.
        reference: Role of the pictures that its target comes from (``"content"``, ``"style"``);
            None for a term without a target.
        additive: Whether :meth:`represent` gives sums over positions, so that those of a picture's
            tiles add up to the picture's.
        takes_masks: Whether its target may have masks; see :func:`mask_key`.
        matches: Whether its target is to be matched; see :meth:`match`.
    """

    name: str
    weight: float
    taps: tuple[str, ...]
    reference: str | None = None
    additive: bool = True
    takes_masks: bool = False
    matches: bool = False

    def __init__(self, *, name: str, weight: float, taps: Sequence[str]) -> None:
        if not weight >= 0:
            raise ValueError(f"`{name}_weight` must be >= 0. Received: {name}_weight={weight}")
        if not taps or len(set(taps)) < len(taps):
            raise ValueError(f"`taps` must be one or more different layers. Received: {list(taps)}")
        self.name = name
        self.weight = float(weight)
        self.taps = tuple(taps)

    def target(self, features: Features) -> Target:
        """Return the target, from a reference picture's features, which may include masks."""
        del features
        return {}

    def combine(self, targets: Sequence[Target], weights: Sequence[float]) -> Target:
        """Return one target made of those of several reference pictures."""
        return weighted_mean(targets, weights)

    def stack(self, targets: Sequence[Target]) -> Target:
        """Return the targets of several pictures as those of a batch, [B, ...] for each key.

        Raises:
            ValueError: If the term can't compare each picture of a batch with a target of its own.
        """
        if len(targets) == 1:
            return targets[0]
        raise ValueError(
            f"`targets` of the term {self.name} must be one. Received: {len(targets)} targets"
        )

    def match(self, features: Features, target: Target) -> Target:
        """Return the part of the target that a picture with these features is compared with.

        Gradients treat it as a constant. It serves as target for other features too, until the target
        is matched anew. A target that has been matched is returned as it is.
        """
        del features
        return target

    def check_matched(self, target: Target, keys: Sequence[str]) -> None:
        """Raise a ValueError unless a target has the keys that :meth:`match` gives it."""
        if not all(key in target for key in keys):
            raise ValueError(f"`target` of {self.name} must be matched first")

    def crop(self, target: Target, windows: Mapping[str, Window]) -> Target:
        """Return the part of a target that belongs to a tile, with a window for each tap."""
        del windows
        return target

    @abc.abstractmethod
    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the statistics that :meth:`compare` needs; sums over positions if ``additive``."""

    @abc.abstractmethod
    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the unweighted loss, a float32 scalar, from a whole picture's statistics."""

    def __call__(self, features: Features, target: Target) -> tf.Tensor:
        """Return the unweighted loss of pictures, a float32 scalar: the mean over the batch."""
        target = self.match(features, target)
        return self.compare(self.represent(features, target), target)


class LayeredLoss(LossTerm):
    """A style loss: the weighted sum of its layers' losses.

    Args:
        taps: The layers.
        weight: Factor of the whole term.
        layer_weights: Factors of the layers, one a tap, beside ``weight``; 1/len(taps) each by default.
        name: Name in reports; several regions or styles need names of their own.
        reference: Role of its reference pictures; the same as ``name`` by default.

    Raises:
        ValueError: If there are no ``taps`` or two are the same, if ``layer_weights`` are not one a tap,
            or if a weight is negative.
    """

    def __init__(
        self,
        taps: Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | None = None,
        name: str = "style",
        reference: str | None = None,
    ) -> None:
        super().__init__(name=name, weight=weight, taps=taps)
        self.reference = name if reference is None else reference
        if layer_weights is None:
            layer_weights = [1.0 / len(self.taps)] * len(self.taps)
        if len(layer_weights) != len(self.taps):
            raise ValueError(
                f"`layer_weights` must be one a layer. Received: {len(layer_weights)} for "
                f"{', '.join(self.taps)}"
            )
        if not all(layer_weight >= 0 for layer_weight in layer_weights):
            raise ValueError(f"`layer_weights` must be >= 0. Received: {list(layer_weights)}")
        self.layer_weights = dict(zip(self.taps, map(float, layer_weights), strict=True))

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the weighted sum of the layers' losses."""
        return tf.add_n(
            [
                weight * self.compare_layer(tap, statistics, target)
                for tap, weight in self.layer_weights.items()
            ]
        )

    @abc.abstractmethod
    def compare_layer(self, tap: str, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the unweighted loss of one layer, a float32 scalar."""


class StatisticsLoss(LayeredLoss):
    """A style loss: a summary of each layer's statistics, compared layer by layer.

    Args:
        taps: The layers.
        relative: Whether each layer's squared difference is divided by the target's mean square,
            which makes layers, sizes and networks comparable.
        **options: Arguments of :class:`LayeredLoss`.

    Raises:
        ValueError: As :class:`LayeredLoss`.
    """

    takes_masks = True

    def __init__(self, taps: Sequence[str], *, relative: bool = True, **options: Any) -> None:
        super().__init__(taps, **options)
        self.relative = relative

    @abc.abstractmethod
    def summarize(self, statistics: Statistics) -> Target:
        """Return a tensor for each tap, which is compared, from a whole picture's statistics."""

    def target(self, features: Features) -> Target:
        """Return the summary of the reference picture."""
        return self.summarize(self.represent(features, self.masks_of(features)))

    def stack(self, targets: Sequence[Target]) -> Target:
        """Return the summaries of several pictures, [B, ...] for each tap."""
        return {key: tf.concat([target[key] for target in targets], axis=0) for key in targets[0]}

    def masks_of(self, features: Features) -> Target:
        """Return the masks of a reference picture, which are among its features."""
        return {key: features[key] for key in map(mask_key, self.taps) if key in features}

    def crop(self, target: Target, windows: Mapping[str, Window]) -> Target:
        """Return the target with the masks' part; summaries have no positions."""
        masks = {mask_key(tap): tap for tap in self.taps}
        return {
            key: windows[masks[key]].crop(value) if key in masks else value
            for key, value in target.items()
        }

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the weighted sum of the layers' squared differences, means over batch and entries."""
        return super().compare(self.summarize(statistics), target)

    def compare_layer(self, tap: str, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the squared difference of summaries."""
        return self._compare_summaries(statistics[tap], target[tap])

    def _compare_summaries(self, summary: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        entries = tf.range(1, tf.rank(target))
        loss = tf.reduce_mean(tf.math.squared_difference(summary, target), axis=entries)
        if self.relative:
            # Each picture of a batch may have a style of its own.
            loss /= tf.reduce_mean(tf.square(target), axis=entries)
        return tf.reduce_mean(loss)


def mask_key(tap: str) -> str:
    """Return the key of a tap's masks among a target or among a reference picture's features.

    Masks are [1, h, w, K] in [0, 1]; statistics take one, K = 1.
    """
    return f"mask/{tap}"
