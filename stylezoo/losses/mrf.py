"""The loss of patches, which compares each neural patch of a picture with the style's most similar one."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from stylezoo import ops
from stylezoo.losses.base import (
    Features,
    LayeredLoss,
    Statistics,
    Target,
    Window,
    check_weights,
    mask_key,
)

SCALES = ("relative", "sum", "overlaps")


class MRFLoss(LayeredLoss):
    """Squared distance of each patch to its nearest style patch (Li & Wand 2016, equation 2).

    The nearest patch is the one with the largest normalised cross-correlation (equation 3); with masks
    the correlation is that of features and mask channels together (Champandard 2016, "Semantic Style
    Transfer", section 3). The distance is that of features alone. The gradient goes through the patches,
    not through the choice, which :meth:`match` makes: a target that has been matched once may serve
    several steps.

    For fixed choices the sum over patches is Σ n (F - T)² over positions plus a constant, where n patches
    cover a position and T is the mean of what their nearest patches have there. The loss is computed so,
    and adds up over tiles.

    Args:
        taps: The layers.
        weight: Factor of the whole term.
        layer_weights: Factors of the layers, one a tap, beside ``weight``; 1/len(taps) each by default.
        scale: ``"relative"``, the mean over patches and their entries, divided by the style's mean square;
            ``"sum"``, as in the paper; ``"overlaps"``, ½ Σ over positions of the squared difference to
            T, whose gradient is that of the authors' code.
        patch_size: Side of a patch, in features.
        stride: Distance from one patch to the next, in features, in the picture and in the style alike.
            The last patches end at the border.
        guide_weight: Ratio of the mean squares of masks and of features, by which masks count.
        memory: Memory that matching may take, bytes; see :func:`stylezoo.ops.nearest_patches`.
        name: Name in reports.
        reference: Role of its reference pictures; the same as ``name`` by default.

    Raises:
        ValueError: As :class:`LayeredLoss`; for an unknown ``scale``; if ``patch_size`` is not odd, or if
            a number is not positive.
    """

    takes_masks = True
    matches = True

    def __init__(
        self,
        taps: Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | None = None,
        scale: str = "relative",
        patch_size: int = 3,
        stride: int = 1,
        guide_weight: float = 1.0,
        memory: int = 512_000_000,
        name: str = "style",
        reference: str | None = None,
    ) -> None:
        super().__init__(
            taps, weight=weight, layer_weights=layer_weights, name=name, reference=reference
        )
        if scale not in SCALES:
            raise ValueError(f"`scale` must be one of {SCALES}. Received: scale={scale!r}")
        if patch_size < 1 or patch_size % 2 == 0:
            raise ValueError(f"`patch_size` must be odd, >= 1. Received: patch_size={patch_size}")
        for field, value in (("stride", stride), ("memory", memory)):
            if value < 1:
                raise ValueError(f"`{field}` must be >= 1. Received: {field}={value}")
        if not guide_weight > 0:
            raise ValueError(f"`guide_weight` must be > 0. Received: guide_weight={guide_weight}")
        self.scale = scale
        self.patch_size = patch_size
        self.stride = stride
        self.guide_weight = guide_weight
        self.memory = memory

    def target(self, features: Features) -> Target:
        """Return the reference picture's features, its patches, and its masks' channels if it has any."""
        target: Target = {}
        for tap in self.taps:
            patches = self._patches(features[tap])
            target |= _keys(tap, patches, tf.ones_like(patches.corners, tf.float32))
            if mask_key(tap) in features:
                target[f"guides/{tap}"] = guides_of(features[mask_key(tap)])
        return target

    def combine(self, targets: Sequence[Target], weights: Sequence[float]) -> Target:
        """Return the patches of all pictures; similarity counts in proportion to the weights."""
        check_weights(targets, weights)
        pairs = [(t, w / max(weights)) for t, w in zip(targets, weights, strict=True) if w > 0]
        combined: Target = {}
        for tap in self.taps:
            patches = ops.concat_patches([_patches_in(target, tap) for target, _ in pairs])
            gains = [weight * target[f"weights/{tap}"] for target, weight in pairs]
            combined |= _keys(tap, patches, tf.concat(gains, axis=0))
            key = f"guides/{tap}"
            if key in targets[0]:
                combined[key] = tf.concat([target[key] for target, _ in pairs], axis=0)
        return combined

    def match(self, features: Features, target: Target) -> Target:
        """Return T for each tap, [B, h, w, C], and the number of patches at a position, [1, h, w, 1]."""
        if self.taps[0] in target:
            return target
        matched: Target = {}
        for tap in self.taps:
            matched |= self._match_layer(tap, tf.stop_gradient(features[tap]), target)
        return matched

    def _match_layer(self, tap: str, values: tf.Tensor, target: Target) -> Target:
        queries, keys = self._patches(values), _patches_in(target, tap)
        chosen = self._nearest(tap, queries, keys, target)
        means, counts, spread = ops.overlap_patches(queries, keys, chosen, size=self.patch_size)
        shape = tf.shape(values)
        counts = tf.reshape(counts, [*tf.unstack(shape[:3]), 1])[:1]
        spread = tf.reduce_sum(tf.reshape(spread, [shape[0], -1]), axis=1)
        mean_square = tf.reduce_mean(tf.square(keys.rows))
        divisor = {
            "relative": tf.reduce_sum(counts) * values.shape[-1] * mean_square,
            "sum": 1.0,
            "overlaps": 2.0,
        }[self.scale]
        if self.scale == "overlaps":
            counts, spread = tf.minimum(counts, 1.0), tf.zeros_like(spread)
        return {
            tap: tf.reshape(means, shape),
            f"count/{tap}": counts,
            f"spread/{tap}": spread,
            f"divisor/{tap}": tf.convert_to_tensor(divisor),
        }

    def _nearest(
        self, tap: str, queries: ops.Patches, keys: ops.Patches, target: Target
    ) -> tf.Tensor:
        if mask_key(tap) in target:
            queries, keys = guided(
                queries,
                keys,
                guides_of(target[mask_key(tap)]),
                target[f"guides/{tap}"],
                weight=self.guide_weight,
            )
        norms = tf.sqrt(ops.patch_squares(keys, size=self.patch_size))
        gains = tf.math.divide_no_nan(target[f"weights/{tap}"], norms)
        return ops.nearest_patches(queries, keys, gains, size=self.patch_size, memory=self.memory)

    def _patches(self, features: tf.Tensor) -> ops.Patches:
        return ops.patches_of(features, size=self.patch_size, stride=self.stride)

    def crop(self, target: Target, windows: Mapping[str, Window]) -> Target:
        """Return the part of a matched target in the tile."""
        positions = {key: tap for tap in self.taps for key in (tap, f"count/{tap}")}
        return {
            key: windows[positions[key]].crop(value) if key in positions else value
            for key, value in target.items()
        }

    def represent(self, features: Features, target: Target) -> Statistics:
        """Return Σ n (F - T)², [B] for each tap.

        Raises:
            ValueError: If the target has not been matched.
        """
        self.check_matched(target, self.taps)
        return {
            tap: tf.reduce_sum(
                target[f"count/{tap}"]
                * tf.math.squared_difference(tf.cast(features[tap], tf.float32), target[tap]),
                axis=[1, 2, 3],
            )
            for tap in self.taps
        }

    def compare_layer(self, tap: str, statistics: Statistics, target: Target) -> tf.Tensor:
        """Return the mean over the batch."""
        sums = statistics[tap] + target[f"spread/{tap}"]
        return tf.reduce_mean(sums / target[f"divisor/{tap}"])


def _keys(tap: str, patches: ops.Patches, weights: tf.Tensor) -> Target:
    return {
        f"rows/{tap}": patches.rows,
        f"corners/{tap}": patches.corners,
        f"widths/{tap}": patches.widths,
        f"weights/{tap}": weights,
    }


def _patches_in(target: Target, tap: str) -> ops.Patches:
    return ops.Patches(*(target[f"{field}/{tap}"] for field in ops.Patches._fields))


def guided(
    queries: ops.Patches,
    keys: ops.Patches,
    query_guides: tf.Tensor,
    key_guides: tf.Tensor,
    *,
    weight: float,
) -> tuple[ops.Patches, ops.Patches]:
    """Return queries and keys with mask channels (Champandard 2016, "Semantic Style Transfer", section 3).

    Args:
        queries: Patches of a batch of pictures of one size.
        keys: Patches of the style.
        query_guides: Mask channels of one picture's positions, [T, K], which serve for the whole batch.
        key_guides: Mask channels of all positions of ``keys``, [U, K].
        weight: Ratio of the mean squares of masks and of features.
    """
    copies = tf.shape(queries.rows)[0] // tf.shape(query_guides)[0]
    squares = tf.reduce_mean(tf.reduce_sum(tf.square(keys.rows), axis=1))
    gain = tf.sqrt(weight * squares / (query_guides.shape[-1] / 2))

    def with_guides(patches: ops.Patches, guides: tf.Tensor) -> ops.Patches:
        return patches._replace(rows=tf.concat([patches.rows, gain * guides], axis=1))

    return with_guides(queries, tf.tile(query_guides, [copies, 1])), with_guides(keys, key_guides)


def guides_of(masks: tf.Tensor) -> tf.Tensor:
    """Return masks [B, h, w, K] as rows, with a channel for each mask and one for its complement."""
    rows = tf.reshape(masks, [-1, masks.shape[-1]])
    return tf.concat([rows, 1.0 - rows], axis=1)
