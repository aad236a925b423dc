"""Scores of a network's units, of directions, and of weighted sums of them.

An objective takes the features of :meth:`stylezoo.perceptual.Perceptual.build` and gives a score of
every picture. A class is a unit of the layer :data:`~stylezoo.perceptual.SCORES`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import tensorflow as tf

from stylezoo import ops
from stylezoo.losses import Features, LossTerm
from stylezoo.losses.base import Statistics, Target

Position: TypeAlias = str | tuple[int, int]
"""A position in a layer: all (the mean over all positions), the one in the middle, the one where the
score is highest, or a row and a column.
"""

POSITIONS = ("all", "centre", "strongest")
"""The positions that have a name; see ``Position``."""


class Score(Protocol):
    """A score of pictures.

    Attributes:
        layers: Layers whose features it looks at.
    """

    @property
    def layers(self) -> tuple[str, ...]: ...  # noqa: D102

    def check(self, network_shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        """Raise a ValueError if a network with such outputs, [B, h, w, C] or [B, C], lacks the units."""

    def __call__(self, features: Features) -> tf.Tensor:
        """Return the scores, [B] float32."""


@dataclasses.dataclass(frozen=True)
class Unit:
    """A channel of a layer, or one of its neurons.

    Attributes:
        layer: Tap of the unit.
        channel: Index of the channel; several for pictures that have a channel each, by turns.
        position: Position of the neuron; ``"all"`` for the mean over the channel.
    """

    layer: str
    channel: int | tuple[int, ...]
    position: Position = "all"

    @property
    def layers(self) -> tuple[str, ...]:
        """The one layer, as a tuple."""
        return (self.layer,)

    @property
    def channels(self) -> tuple[int, ...]:
        """One channel, or one for each picture."""
        return self.channel if isinstance(self.channel, tuple) else (self.channel,)

    def check(self, network_shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        """Raise a ValueError as :meth:`Score.check` does."""
        shape = _shape(network_shapes, self.layer)
        _check_channels(self.layer, shape, self.channels)
        _check_position(self.layer, shape, self.position)

    def __call__(self, features: Features) -> tf.Tensor:
        """Return the feature, [B] float32."""
        values = tf.cast(features[self.layer], tf.float32)
        _check_position(self.layer, tuple(values.shape), self.position)
        # Several crops of each picture come one after another, so that the channels repeat.
        channels = tf.tile(self.channels, [tf.shape(values)[0] // len(self.channels)])
        if _is_flat(values):
            return tf.gather(values, channels, axis=1, batch_dims=1)
        maps = tf.gather(tf.transpose(values, [0, 3, 1, 2]), channels, axis=1, batch_dims=1)
        return _at(maps, self.position)


@dataclasses.dataclass(frozen=True)
class Direction:
    """A weighted sum of the channels of one layer.

    Attributes:
        layer: Tap of the channels.
        weights: Weight of each channel, by its index; channels without a weight don't count.
        position: Position of the neurons, as in :class:`Unit`.
    """

    layer: str
    weights: Mapping[int, float]
    position: Position = "all"

    @property
    def layers(self) -> tuple[str, ...]:
        """The one layer, as a tuple."""
        return (self.layer,)

    def check(self, network_shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        """Raise a ValueError as :meth:`Score.check` does."""
        shape = _shape(network_shapes, self.layer)
        _check_channels(self.layer, shape, tuple(self.weights))
        _check_position(self.layer, shape, self.position)

    def __call__(self, features: Features) -> tf.Tensor:
        """Return the weighted sum, [B] float32."""
        values = tf.cast(features[self.layer], tf.float32)
        _check_position(self.layer, tuple(values.shape), self.position)
        chosen = tf.gather(values, list(self.weights), axis=-1)
        sums = tf.reduce_sum(chosen * tf.constant(list(self.weights.values()), tf.float32), axis=-1)
        return sums if _is_flat(values) else _at(sums, self.position)


@dataclasses.dataclass(frozen=True)
class WeightedSum:
    """A weighted sum of objectives.

    Attributes:
        parts: Pairs of a weight and an objective.
    """

    parts: tuple[tuple[float, Score], ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of all parts, each once."""
        return tuple(dict.fromkeys(layer for _, part in self.parts for layer in part.layers))

    def check(self, network_shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        """Raise a ValueError as :meth:`Score.check` does."""
        for _, part in self.parts:
            part.check(network_shapes)

    def __call__(self, features: Features) -> tf.Tensor:
        """Return the sum, [B] float32."""
        return tf.add_n([weight * part(features) for weight, part in self.parts])


class ScoreLoss(LossTerm):
    """Minus an objective's score, averaged over the batch, which gradient ascent minimises.

    Args:
        objective: The score.
        weight: Factor of the term.
        name: Name in reports.
    """

    additive = False

    def __init__(self, objective: Score, *, weight: float = 1.0, name: str = "score") -> None:
        super().__init__(name=name, weight=weight, taps=objective.layers)
        self.objective = objective

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the scores, [B]."""
        return {"score": self.objective(features)}

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return minus the mean of the scores."""
        return -tf.reduce_mean(statistics["score"])


class DiversityLoss(LossTerm):
    """How similar the pictures of a batch are to a layer; it keeps them apart.

    It is the mean cosine of the angles between the Gram matrices of every two pictures (Olah et al. 2017, the
    section on diversity).

    Args:
        layer: A tap with positions.
        weight: Factor of the term.
        name: Name in reports.
    """

    additive = False

    def __init__(self, layer: str, *, weight: float = 1.0, name: str = "diversity") -> None:
        super().__init__(name=name, weight=weight, taps=[layer])

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the Gram matrices as unit vectors, [B, C²]."""
        grams = ops.gram(features[self.taps[0]])
        return {"gram": tf.math.l2_normalize(tf.reshape(grams, [tf.shape(grams)[0], -1]), axis=1)}

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over pairs of different pictures; 0 for a single picture."""
        cosines = tf.matmul(statistics["gram"], statistics["gram"], transpose_b=True)
        batch = tf.cast(tf.shape(cosines)[0], tf.float32)
        pairs = batch * (batch - 1.0)
        return tf.math.divide_no_nan(tf.reduce_sum(cosines) - tf.linalg.trace(cosines), pairs)


def check_score(score: Score, network_shapes: Mapping[str, Sequence[int | None]]) -> None:
    """Raise a ValueError if a network with such outputs lacks a part of a score."""
    score.check({tap: tuple(shape) for tap, shape in network_shapes.items()})


def _is_flat(values: tf.Tensor) -> bool:
    """Return whether features have no positions, as those of a head."""
    rank: int = values.shape.rank
    return rank == 2


def _at(maps: tf.Tensor, position: Position) -> tf.Tensor:
    """Return the value of [B, h, w] at a position, or the mean, [B]."""
    if position == "all":
        return tf.reduce_mean(maps, axis=[1, 2])
    if position == "strongest":
        return tf.reduce_max(maps, axis=[1, 2])
    if position == "centre":
        shape = tf.shape(maps)
        return maps[:, shape[1] // 2, shape[2] // 2]
    assert not isinstance(position, str)  # they are checked
    return maps[:, position[0], position[1]]


def _shape(
    network_shapes: Mapping[str, tuple[int | None, ...]], layer: str
) -> tuple[int | None, ...]:
    if layer not in network_shapes:
        raise ValueError(f"`layer` must be among {', '.join(network_shapes)}. Received: {layer}")
    return network_shapes[layer]


def _check_channels(layer: str, shape: tuple[int | None, ...], channels: tuple[int, ...]) -> None:
    count = shape[-1] or 0
    wrong = [channel for channel in channels if not 0 <= channel < count]
    if wrong or not channels:
        raise ValueError(
            f"`channel` of {layer} must be from 0 to {count - 1}. "
            f"Received: {', '.join(map(str, wrong)) or 'none'}"
        )


def _check_position(layer: str, shape: tuple[int | None, ...], position: Position) -> None:
    if isinstance(position, str):
        if position not in POSITIONS:
            raise ValueError(
                f"`position` must be one of {', '.join(POSITIONS)}, or a row and a column. "
                f"Received: {position}"
            )
        return
    if len(shape) == 2:
        raise ValueError(f"`position` must not be given for {layer}, which has none")
    for side, index in zip(shape[1:3], position, strict=True):
        if index < 0 or (side is not None and index >= side):
            sides = "x".join(map(str, shape[1:3]))
            raise ValueError(
                f"`position` of {layer} must be a row and a column of {sides} features. "
                f"Received: {','.join(map(str, position))}"
            )
