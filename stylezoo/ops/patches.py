"""Square patches of feature maps: their positions, the most similar ones, and their overlaps.

Patches are kept as positions in their maps, not as copies: neighbours share nearly all they have.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf


class Patches(NamedTuple):
    """Patches of one or several maps, of any sizes.

    Attributes:
        rows: [T, C] float32, the features of all positions, row by row, map after map.
        corners: [N] int32, the index in ``rows`` of each patch's upper left corner.
        widths: [N] int32, the width of each patch's map, by which neighbours of a column are apart in
            ``rows``.
    """

    rows: tf.Tensor
    corners: tf.Tensor
    widths: tf.Tensor


def patches_of(features: tf.Tensor, *, size: int, stride: int) -> Patches:
    """Return the patches of ``size`` every ``stride`` positions; the last ones end at the borders.

    Args:
        features: [B, H, W, C] of any float dtype, with H and W >= ``size``.
        size: Side of a patch, positions.
        stride: Distance from one patch to the next, positions.
    """
    batch, height, width = tf.unstack(tf.shape(features)[:3])
    tops, lefts = (_starts(side - size, stride) for side in (height, width))
    corners = tops[:, None] * width + lefts[None, :]
    corners = tf.range(batch)[:, None] * (height * width) + tf.reshape(corners, [1, -1])
    corners = tf.reshape(corners, [-1])
    rows = tf.reshape(tf.cast(features, tf.float32), [-1, features.shape[-1]])
    return Patches(rows, corners, tf.fill(tf.shape(corners), width))


def _starts(last: tf.Tensor, stride: int) -> tf.Tensor:
    return tf.minimum(tf.range(0, last + stride, stride), last)


def concat_patches(each: Sequence[Patches]) -> Patches:
    """Return all patches of several sets as one set."""
    firsts = tf.cumsum([tf.shape(patches.rows)[0] for patches in each], exclusive=True)
    corners = [patches.corners + firsts[index] for index, patches in enumerate(each)]
    return Patches(
        tf.concat([patches.rows for patches in each], axis=0),
        tf.concat(corners, axis=0),
        tf.concat([patches.widths for patches in each], axis=0),
    )


def nearest_patches(
    queries: Patches, keys: Patches, gains: tf.Tensor, *, size: int, memory: int
) -> tf.Tensor:
    """Return for each query the key with the largest ``gain · <query, key>``; the first of equals.

    With gains of 1 / |key| this is the normalised cross-correlation of Li & Wand 2016, equation 3, whose
    division by |query| changes no choice. It equals convolving the queries' maps with the keys and
    looking at the queries' positions, but multiplies blocks of queries with blocks of keys, so that all
    pairs are never in memory at once.

    Args:
        queries: N patches.
        keys: M patches of as many channels.
        gains: [M] float32.
        size: Side of the patches, positions.
        memory: Bytes that a block of products and the copies of its patches may take; at least one
            query and one key are compared at a time.

    Returns:
        [N] int32, indices of keys.
    """
    side = _block(size * size * queries.rows.shape[-1], memory)
    key_blocks = _blocks(side, keys.corners, keys.widths, gains)

    def best_of_block(query_block: tuple[tf.Tensor, ...]) -> tf.Tensor:
        wanted = _copies(queries.rows, *query_block, size=size)

        def compare(index: tf.Tensor, best: tf.Tensor, chosen: tf.Tensor) -> tuple[tf.Tensor, ...]:
            corners, widths, gain = (tf.gather(block, index) for block in key_blocks)
            candidates = _copies(keys.rows, corners, widths, size=size) * gain[:, None]
            scores = tf.matmul(wanted, candidates, transpose_b=True)
            first = tf.argmax(scores, axis=1, output_type=tf.int32)
            score = tf.reduce_max(scores, axis=1)
            better = score > best
            here = first + index * tf.shape(corners)[0]
            return index + 1, tf.where(better, score, best), tf.where(better, here, chosen)

        count = tf.shape(wanted)[0]
        start = (tf.constant(0), tf.fill([count], -math.inf), tf.zeros([count], tf.int32))
        _, _, chosen = tf.while_loop(
            lambda index, *_: index < tf.shape(key_blocks[0])[0],
            compare,
            start,
            parallel_iterations=1,
        )
        return chosen

    chosen = tf.map_fn(
        best_of_block,
        _blocks(side, queries.corners, queries.widths),
        fn_output_signature=tf.int32,
        parallel_iterations=1,
    )
    return tf.reshape(chosen, [-1])[: tf.shape(queries.corners)[0]]


def _block(entries: int, memory: int) -> int:
    """Return how many patches of ``entries`` floats may be compared with as many others at a time.

    Their products are n² floats; gathering and scaling take two copies of each patch.
    """
    floats = memory / 4
    return max(int(math.sqrt(4 * entries**2 + floats) - 2 * entries), 1)


def _blocks(side: int, *values: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Reshape each [N] to [blocks, side or N]; the last value fills the last block up."""
    count = tf.shape(values[0])[0]
    side = tf.minimum(side, count)
    blocks = (count + side - 1) // side
    index = tf.minimum(tf.range(blocks * side), count - 1)
    return tuple(tf.reshape(tf.gather(each, index), [blocks, side]) for each in values)


def _copies(rows: tf.Tensor, corners: tf.Tensor, widths: tf.Tensor, *, size: int) -> tf.Tensor:
    """Return the patches' features, [N, size² C]."""
    places = tf.stack(list(_places(corners, widths, size)), axis=1)
    return tf.reshape(tf.gather(rows, places), [-1, size * size * rows.shape[-1]])


def _places(corners: tf.Tensor, widths: tf.Tensor, size: int) -> Iterator[tf.Tensor]:
    """Yield the indices in the rows of each patch's first position, of its second, and so on, [N] each."""
    for row in range(size):
        for column in range(size):
            yield corners + row * widths + column


def patch_squares(patches: Patches, *, size: int) -> tf.Tensor:
    """Return the sum of squares of each patch, [N] float32."""
    squares = tf.reduce_sum(tf.square(patches.rows), axis=1)
    return tf.add_n(
        [tf.gather(squares, place) for place in _places(patches.corners, patches.widths, size)]
    )


def overlap_patches(
    queries: Patches, keys: Patches, chosen: tf.Tensor, *, size: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the queries' maps as they would be if the key chosen for each query replaced it.

    Args:
        queries: N patches in maps of T positions together.
        keys: M patches with C channels.
        chosen: [N] int32, the index of a key for each query.
        size: Side of the patches, positions.

    Returns:
        For each of the T positions: the mean, over the queries that cover it, of what their keys have
        there, [T, C] float32; the number of these queries, [T] float32; the sum of their keys' squared
        differences to the mean, [T] float32. All are 0 where no query covers a position.
    """
    positions = tf.shape(queries.rows)[0]
    key_corners, key_widths = tf.gather(keys.corners, chosen), tf.gather(keys.widths, chosen)
    pairs = list(
        zip(
            _places(queries.corners, queries.widths, size),
            _places(key_corners, key_widths, size),
            strict=True,
        )
    )

    def add(values: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        return tf.math.unsorted_segment_sum(values, place, positions)

    counts = tf.add_n([add(tf.ones_like(place, tf.float32), place) for place, _ in pairs])
    sums = tf.zeros([positions, keys.rows.shape[-1]])
    for place, source in pairs:  # one after the other, so that one set of values is there at a time
        sums += add(tf.gather(keys.rows, source), place)
    means = tf.math.divide_no_nan(sums, counts[:, None])
    spread = tf.zeros([positions])
    for place, source in pairs:
        difference = tf.gather(keys.rows, source) - tf.gather(means, place)
        spread += add(tf.reduce_sum(tf.square(difference), axis=1), place)
    return means, counts, spread
