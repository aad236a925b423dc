"""The loss of neural neighbours, which compares each feature vector with the style's most similar one."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from stylezoo import ops
from stylezoo.losses.base import (
    IMAGE,
    Features,
    LayeredLoss,
    Statistics,
    Target,
    check_weights,
    mask_key,
)
from stylezoo.losses.mrf import guided, guides_of

# Hypercolumns have a feature vector for every so many pixels.
_STRIDE = 4
_HYPERCOLUMNS = "hypercolumns"


class NeighborLoss(LayeredLoss):
    """Cosine distance of each feature vector to the style's nearest one (Kolkin et al. 2022, NNST).

    The nearest vector is the one at the least cosine distance after both sides' mean vectors are taken
    away; with masks that of features and mask channels together, as in :class:`MRFLoss`. :meth:`match`
    chooses it, and the gradient does not go through the choice.

    - With ``hypercolumns`` the features of all layers at a place are one vector, for every fourth pixel
      either way, each layer divided by the number of its channels. Vectors are compared as they are.
    - Without them each layer is matched by itself, at its own resolution, and vectors are compared without
      the mean vectors. Those of the last match are kept until the next, where the authors' code
      differentiates them.

    Args:
        taps: The layers.
        weight: Factor of the whole term.
        layer_weights: Factors of the layers, one a tap; 1/len(taps) each by default. In hypercolumns they
            are factors of the features.
        hypercolumns: Whether all layers are matched together.
        key_grid: Most feature vectors of a style picture along its longer side; None for all.
        query_grid: Most feature vectors of the picture along its longer side, drawn anew at each match;
            None for all. The authors' code takes 64 layer by layer, and draws the style's anew too.
        guide_weight: Ratio of the mean squares of masks and of features, by which masks count.
        memory: Memory that matching may take, bytes; see :func:`stylezoo.ops.nearest_patches`.
        seed: Seed of the draws.
        name: Name in reports.
        reference: Role of its reference pictures; the same as ``name`` by default.

    Raises:
        ValueError: As :class:`LayeredLoss`.
    """

    additive = False
    takes_masks = True
    matches = True

    def __init__(
        self,
        taps: Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | None = None,
        hypercolumns: bool = True,
        key_grid: int | None = None,
        query_grid: int | None = None,
        guide_weight: float = 1.0,
        memory: int = 512_000_000,
        seed: int = 0,
        name: str = "style",
        reference: str | None = None,
    ) -> None:
        super().__init__(
            taps, weight=weight, layer_weights=layer_weights, name=name, reference=reference
        )
        self.hypercolumns = hypercolumns
        self.key_grid = key_grid
        self.query_grid = query_grid
        self.guide_weight = guide_weight
        self.memory = memory
        self._random = tf.random.Generator.from_seed(seed)

    def target(self, features: Features) -> Target:
        """Return the reference picture's feature vectors, and its masks at the same places if it has any."""
        target: Target = {}
        for group, values in self._maps(features).items():
            values = _every(values, _stride(values, self.key_grid), tf.constant([0, 0]))
            target[f"rows/{group}"] = _rows(values)
            target[f"weights/{group}"] = tf.ones_like(target[f"rows/{group}"][:, 0])
            if mask_key(self.taps[0]) in features:
                target[f"guides/{group}"] = _guides(features, self._tap(group), values)
        return target

    def combine(self, targets: Sequence[Target], weights: Sequence[float]) -> Target:
        """Return the vectors of all pictures; similarity counts in proportion to the weights."""
        check_weights(targets, weights)
        pairs = [(t, w / max(weights)) for t, w in zip(targets, weights, strict=True) if w > 0]
        return {
            key: tf.concat(
                [w * t[key] if key.startswith("weights/") else t[key] for t, w in pairs], axis=0
            )
            for key in targets[0]
        }

    def match(self, features: Features, target: Target) -> Target:
        """Return for each group of layers the nearest vectors, with unit length, and what is compared.

        The keys are the group's name, [B, h, w, C]; ``centre/``, [C], which is taken from the picture's
        vectors; and ``offset/``, [2], the first place of the grid.
        """
        if any(group in target for group in self._groups):
            return target
        matched: Target = {}
        for group, values in self._maps(features).items():
            stride = _stride(values, self.query_grid)
            offset = self._random.uniform([2], maxval=stride, dtype=tf.int32)
            seen = self._seen(tf.stop_gradient(values), offset)
            rows = target[f"rows/{group}"]
            key_centre = tf.reduce_mean(rows, axis=0)
            query_centre = tf.reduce_mean(seen, axis=[0, 1, 2])
            chosen = self._nearest(group, seen, query_centre, key_centre, target)
            if self.hypercolumns:
                key_centre, query_centre = tf.zeros_like(key_centre), tf.zeros_like(query_centre)
            nearest = tf.math.l2_normalize(tf.gather(rows, chosen) - key_centre, axis=1)
            matched[group] = tf.reshape(nearest, tf.shape(seen))
            matched[f"centre/{group}"] = query_centre
            matched[f"offset/{group}"] = offset
        return matched

    def _nearest(
        self,
        group: str,
        values: tf.Tensor,
        query_centre: tf.Tensor,
        key_centre: tf.Tensor,
        target: Target,
    ) -> tf.Tensor:
        """Return for each vector of [B, h, w, C] the index of the style's nearest, [B h w]."""
        keys = _vectors(target[f"rows/{group}"] - key_centre)
        queries = _vectors(_rows(values) - query_centre)
        if mask_key(self.taps[0]) in target:
            guides = _guides(target, self._tap(group), values)
            queries, keys = guided(
                queries, keys, guides, target[f"guides/{group}"], weight=self.guide_weight
            )
        norms = tf.norm(keys.rows, axis=1)
        gains = tf.math.divide_no_nan(target[f"weights/{group}"], norms)
        return ops.nearest_patches(queries, keys, gains, size=1, memory=self.memory)

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return the mean cosine distances, [B] for each group of layers.

        Raises:
            ValueError: If the target has not been matched.
        """
        self.check_matched(target, self._groups)
        distances = {}
        for group, values in self._maps(features).items():
            seen = self._seen(values, target[f"offset/{group}"])
            # Features may be 0 everywhere, where a norm has no gradient.
            unit = tf.math.l2_normalize(seen - target[f"centre/{group}"], axis=-1, epsilon=1e-8)
            similarity = tf.reduce_sum(unit * target[group], axis=-1)
            distances[group] = tf.reduce_mean(1.0 - similarity, axis=[1, 2])
        return distances

    def _seen(self, values: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
        """Return the vectors of the picture that are compared, all of them without a grid."""
        if self.query_grid is None:
            return values
        return _every(values, _stride(values, self.query_grid), offset)

    def compare(self, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean distance of hypercolumns, or the weighted sum of the layers'."""
        if self.hypercolumns:
            return tf.reduce_mean(statistics[_HYPERCOLUMNS])
        return super().compare(statistics, target)

    def compare_layer(self, tap: str, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over the batch."""
        return tf.reduce_mean(statistics[tap])

    @property
    def _groups(self) -> tuple[str, ...]:
        return (_HYPERCOLUMNS,) if self.hypercolumns else self.taps

    def _tap(self, group: str) -> str:
        """Return the layer whose masks a group of layers takes."""
        return self.taps[0] if self.hypercolumns else group

    def _maps(self, features: Features) -> dict[str, tf.Tensor]:
        """Return the feature vectors of each group of layers, [B, h, w, C] float32."""
        layers = {tap: tf.cast(features[tap], tf.float32) for tap in self.taps}
        if not self.hypercolumns:
            return layers
        size = tf.maximum(tf.shape(features[IMAGE])[1:3] // _STRIDE, 1)
        scaled = [
            tf.image.resize(len(layers) * self.layer_weights[tap] / values.shape[-1] * values, size)
            for tap, values in layers.items()
        ]
        return {_HYPERCOLUMNS: tf.concat(scaled, axis=-1)}


def _stride(values: tf.Tensor, grid: int | None) -> tf.Tensor:
    """Return the distance of the places in [B, h, w, C] of which the longer side has ``grid`` at most."""
    if grid is None:
        return tf.constant(1)
    return tf.maximum(-(-tf.reduce_max(tf.shape(values)[1:3]) // grid), 1)


def _every(values: tf.Tensor, stride: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Return every so many vectors of [B, h, w, C] from ``offset`` on, either way."""
    chosen = values[:, offset[0] :: stride, offset[1] :: stride]
    return tf.ensure_shape(chosen, [None, None, None, values.shape[-1]])


def _rows(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1, values.shape[-1]])


def _vectors(rows: tf.Tensor) -> ops.Patches:
    """Return vectors as patches of one position."""
    corners = tf.range(tf.shape(rows)[0])
    return ops.Patches(rows, corners, tf.ones_like(corners))


def _guides(masks: Mapping[str, tf.Tensor], tap: str, values: tf.Tensor) -> tf.Tensor:
    """Return the masks of a layer at the places of [B, h, w, C], as rows."""
    return guides_of(tf.image.resize(masks[mask_key(tap)], tf.shape(values)[1:3], method="area"))
