"""Patches against plain NumPy loops."""

import numpy as np
import pytest
import tensorflow as tf

from stylezoo import ops

# A sum of some dozens of float32 products.
FLOAT32 = 1e-5


def maps(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def starts(side, size, stride):
    """Return the starts of patches, every `stride`, and the last that fits."""
    return sorted({*range(0, side - size + 1, stride), side - size})


def cut(features, size, stride):
    """Return all patches of [B, H, W, C], [N, size² C], and the slices that they are."""
    batch, height, width, _ = features.shape
    slices = [
        (index, slice(top, top + size), slice(left, left + size))
        for index in range(batch)
        for top in starts(height, size, stride)
        for left in starts(width, size, stride)
    ]
    return np.stack([features[each].reshape(-1) for each in slices]), slices


def copies(patches, size):
    rows, corners, widths = (np.asarray(each) for each in patches)
    offsets = [(y, x) for y in range(size) for x in range(size)]
    return np.stack(
        [
            np.concatenate([rows[corner + y * width + x] for y, x in offsets])
            for corner, width in zip(corners, widths, strict=True)
        ]
    )


@pytest.mark.parametrize("shape", [(1, 3, 3, 2), (1, 6, 8, 3), (2, 7, 5, 1)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_patches_reach_every_border(shape, stride):
    features = maps(*shape)
    patches = ops.patches_of(tf.constant(features), size=3, stride=stride)
    np.testing.assert_array_equal(copies(patches, 3), cut(features, 3, stride)[0])
    rows, corners, widths = (np.asarray(each) for each in patches)
    covered = np.zeros(len(rows), bool)
    for y, x in np.ndindex(3, 3):
        covered[corners + y * widths + x] = True
    assert covered.all()


def test_patches_of_several_maps_are_all_of_theirs():
    features = [maps(1, 4, 5, 2), maps(1, 7, 3, 2, seed=1), maps(2, 3, 3, 2, seed=2)]
    each = [ops.patches_of(tf.constant(f), size=3, stride=2) for f in features]
    expected = np.concatenate([cut(f, 3, 2)[0] for f in features])
    together = ops.concat_patches(each)
    np.testing.assert_array_equal(copies(together, 3), expected)
    np.testing.assert_allclose(
        ops.patch_squares(together, size=3), np.sum(expected**2, axis=1), rtol=FLOAT32
    )


def nearest(queries, keys, gains):
    return np.argmax(queries @ (keys * gains[:, None]).T, axis=1)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("memory", [1, 10_000, 10**9])
def test_nearest_equals_numpy_whatever_the_memory(stride, memory):
    """The memory may allow one pair at a time, or all at once."""
    pictures, styles = maps(2, 4, 5, 4), maps(1, 5, 6, 4, seed=1)
    queries, keys = (
        ops.patches_of(tf.constant(each), size=3, stride=stride) for each in (pictures, styles)
    )
    wanted, candidates = cut(pictures, 3, stride)[0], cut(styles, 3, stride)[0]
    gains = 1 / np.linalg.norm(candidates, axis=1)
    got = ops.nearest_patches(queries, keys, tf.constant(gains), size=3, memory=memory)
    assert got.dtype == tf.int32
    np.testing.assert_array_equal(got, nearest(wanted, candidates, gains))


def test_a_patch_is_nearest_to_itself_and_the_first_of_equals_is_taken():
    features = np.abs(maps(1, 5, 5, 3))
    twice = ops.concat_patches(
        [ops.patches_of(tf.constant(features), size=3, stride=1) for _ in range(2)]
    )
    once = ops.Patches(twice.rows[:25], twice.corners[:9], twice.widths[:9])
    gains = 1 / tf.sqrt(ops.patch_squares(twice, size=3))
    for memory in (1, 10**9):
        got = ops.nearest_patches(once, twice, gains, size=3, memory=memory)
        np.testing.assert_array_equal(got, np.arange(9))


def test_blocks_keep_to_the_memory():
    for entries in (9, 2304, 4608):
        for memory in (10**6, 64 * 10**6, 512 * 10**6):
            side = ops.patches._block(entries, memory)
            needed = 4 * (side**2 + 4 * side * entries)
            assert side == 1 or needed <= memory
            assert 4 * ((side + 1) ** 2 + 4 * (side + 1) * entries) > memory


@pytest.mark.parametrize("stride", [1, 2])
def test_overlaps_equal_numpy(stride):
    pictures, styles = maps(2, 6, 7, 4), maps(1, 5, 8, 4, seed=1)
    queries = ops.patches_of(tf.constant(pictures), size=3, stride=stride)
    keys = ops.patches_of(tf.constant(styles), size=3, stride=1)
    _, places = cut(pictures, 3, stride)
    candidates = cut(styles, 3, 1)[0]
    chosen = np.random.default_rng(2).integers(0, len(candidates), len(places)).astype(np.int32)
    piles = {}
    for key, (index, rows, columns) in zip(chosen, places, strict=True):
        patch = candidates[key].reshape(3, 3, 4)
        for y in range(3):
            for x in range(3):
                place = (index, rows.start + y, columns.start + x)
                piles.setdefault(place, []).append(patch[y, x])
    means, counts, spread = ops.overlap_patches(queries, keys, tf.constant(chosen), size=3)
    for row, place in enumerate(np.ndindex(2, 6, 7)):
        pile = np.array(piles[place], np.float64)
        assert counts[row] == len(pile)
        np.testing.assert_allclose(means[row], pile.mean(axis=0), rtol=FLOAT32, atol=1e-6)
        np.testing.assert_allclose(
            spread[row], np.sum((pile - pile.mean(axis=0)) ** 2), rtol=FLOAT32, atol=1e-6
        )


def test_what_no_patch_covers_is_zero():
    """Three queries of one position leave out the last of four positions in a row."""
    queries = ops.Patches(tf.zeros([4, 2]), tf.constant([0, 1, 2]), tf.constant([4, 4, 4]))
    keys = ops.Patches(tf.ones([1, 2]), tf.constant([0]), tf.constant([1]))
    means, counts, spread = ops.overlap_patches(queries, keys, tf.constant([0, 0, 0]), size=1)
    np.testing.assert_array_equal(means, [[1, 1], [1, 1], [1, 1], [0, 0]])
    np.testing.assert_array_equal(counts, [1, 1, 1, 0])
    np.testing.assert_array_equal(spread, [0, 0, 0, 0])
