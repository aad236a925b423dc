"""Statistics of feature maps against NumPy in float64, and what their definitions imply."""

import numpy as np
import pytest
import tensorflow as tf
from networks import assert_gradient

from stylezoo import ops

# Sums of some dozens of float32 products.
FLOAT32 = 1e-5


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype(np.float32)


def positions(features):
    batch, height, width, channels = features.shape
    return np.asarray(features, np.float64).reshape(batch, height * width, channels)


def half_mask(height, width, half):
    mask = np.zeros([1, height, width, 1], np.float32)
    mask[:, :half] = 1
    return mask


def test_gram_equals_numpy():
    features = random(2, 5, 7, 4)
    flat = positions(features)
    expected = np.stack([each.T @ each / 35 for each in flat])
    np.testing.assert_allclose(ops.gram(features), expected, atol=FLOAT32)


def test_gram_is_symmetric_and_positive_semidefinite():
    gram = ops.gram(random(1, 3, 3, 16)).numpy()[0]  # 9 positions: rank 9 of 16
    np.testing.assert_allclose(gram, gram.T, atol=FLOAT32)
    assert np.linalg.eigvalsh(gram).min() > -FLOAT32


def test_gram_of_a_tiled_image_is_the_tiles():
    tile = random(1, 4, 3, 5)
    np.testing.assert_allclose(ops.gram(np.tile(tile, (1, 3, 2, 1))), ops.gram(tile), atol=FLOAT32)


def test_masked_gram_equals_numpy():
    features, mask = random(2, 5, 7, 4), uniform(2, 5, 7, 1, seed=1)
    flat, share = positions(features), positions(mask)
    expected = np.stack([f.T @ (m * f) / m.sum() for f, m in zip(flat, share, strict=True)])
    np.testing.assert_allclose(ops.gram(features, mask), expected, atol=FLOAT32)


def test_gram_of_a_half_mask_is_the_halfs():
    features = random(2, 6, 5, 3)
    masked = ops.gram(features, half_mask(6, 5, 2))  # one mask for both of the batch
    np.testing.assert_allclose(masked, ops.gram(features[:, :2]), atol=FLOAT32)


def test_outer_product_sums_add_up():
    features, mask = random(1, 6, 5, 3), uniform(1, 6, 5, 1)
    whole = ops.outer_product_sums(features, mask)
    parts = [
        ops.outer_product_sums(features[:, rows], mask[:, rows])
        for rows in (slice(0, 2), slice(2, 6))
    ]
    for total, *addends in zip(whole, *parts, strict=True):
        np.testing.assert_allclose(sum(addends), total, rtol=FLOAT32, atol=FLOAT32)


@pytest.mark.parametrize("masked", [False, True])
def test_moments_equal_numpy(masked):
    features = random(2, 5, 7, 4) * [0.1, 1, 2, 3] + [0, -1, 2, 0]
    mask = uniform(1, 5, 7, 1) if masked else np.ones([1, 5, 7, 1], np.float32)
    flat, share = positions(features), positions(mask) / positions(mask).sum()
    mean = (share * flat).sum(axis=1, keepdims=True)
    variance = (share * (flat - mean) ** 2).sum(axis=1, keepdims=True)
    got = ops.mean_and_std(*ops.moment_sums(features, mask if masked else None))
    np.testing.assert_allclose(got[0], mean, atol=FLOAT32)
    np.testing.assert_allclose(got[1], np.sqrt(variance + 1e-8), rtol=1e-4)  # E[x²] − E[x]²


def test_moment_sums_equal_numpy():
    features = random(2, 5, 7, 4)
    first, second, mass = ops.moment_sums(features)
    np.testing.assert_allclose(first, positions(features).sum(1, keepdims=True), atol=FLOAT32)
    np.testing.assert_allclose(
        second, (positions(features) ** 2).sum(1, keepdims=True), rtol=FLOAT32
    )
    np.testing.assert_array_equal(mass, np.full([2, 1, 1], 35))


def test_std_of_a_constant_channel_is_epsilons_and_its_gradient_finite():
    features = tf.ones([1, 4, 4, 2])
    with tf.GradientTape() as tape:
        tape.watch(features)
        _, std = ops.mean_and_std(*ops.moment_sums(features), epsilon=1e-4)
    np.testing.assert_allclose(std, np.full([1, 1, 2], 1e-2), rtol=FLOAT32)
    assert np.all(np.isfinite(tape.gradient(std, features)))


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
@pytest.mark.parametrize("statistic", ["gram", "moments", "sliced"])
def test_half_precision_gives_float32_without_overflow(dtype, statistic):
    # A position's outer product is 1e4 and more; the sum over 1024 of them is above 65504.
    features = tf.cast(100 + 100 * uniform(1, 32, 32, 4), dtype)
    compute = {
        "gram": ops.gram,
        "moments": lambda f: tf.concat(ops.mean_and_std(*ops.moment_sums(f)), 1),
        "sliced": lambda f: ops.sliced_quantiles(f, ops.random_directions(4, 4, 0)),
    }[statistic]
    got = compute(features)
    assert got.dtype == tf.float32
    # The same numbers in float32 from the start: only the cast's place may differ, exactly nothing.
    np.testing.assert_array_equal(got, compute(tf.cast(features, tf.float32)))
    assert np.all(np.isfinite(got))


@pytest.mark.parametrize(("channels", "count"), [(8, 8), (8, 3), (5, 13), (1, 4)])
def test_random_directions_are_orthonormal_in_blocks(channels, count):
    directions = ops.random_directions(channels, count, seed=3).numpy()
    assert directions.shape == (channels, count)
    for start in range(0, count, channels):
        block = directions[:, start : start + channels]
        np.testing.assert_allclose(block.T @ block, np.eye(block.shape[1]), atol=FLOAT32)


def test_random_directions_follow_the_seed_wherever_they_are_drawn():
    directions = ops.random_directions(6, 9, seed=1)
    np.testing.assert_array_equal(directions, ops.random_directions(6, 9, seed=1))
    assert np.abs(directions - ops.random_directions(6, 9, seed=2)).max() > 0.1
    # The second block is not the first again.
    assert np.abs(directions[:, :3] - directions[:, 6:]).max() > 0.1
    for jit_compile in (False, True):
        compiled = tf.function(lambda: ops.random_directions(6, 9, seed=1), jit_compile=jit_compile)
        np.testing.assert_array_equal(directions, compiled())


def test_sliced_quantiles_equal_numpy():
    features, directions = random(2, 4, 5, 3), ops.random_directions(3, 7, 0)
    expected = np.sort(np.swapaxes(positions(features) @ directions.numpy(), 1, 2), axis=-1)
    got = ops.sliced_quantiles(features, directions)
    assert got.shape == (2, 7, 20)
    np.testing.assert_allclose(got, expected, atol=FLOAT32)


def test_sliced_quantiles_forget_positions():
    features, directions = random(1, 4, 5, 3), ops.random_directions(3, 3, 0)
    shuffled = np.random.default_rng(1).permutation(features.reshape(20, 3)).reshape(1, 4, 5, 3)
    np.testing.assert_allclose(
        ops.sliced_quantiles(shuffled, directions),
        ops.sliced_quantiles(features, directions),
        atol=FLOAT32,  # the projections' sums may be ordered differently
    )


def test_interpolate_quantiles_to_the_same_count_is_the_identity():
    quantiles = np.sort(random(2, 3, 11), axis=-1)
    np.testing.assert_array_equal(ops.interpolate_quantiles(quantiles, 11), quantiles)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [1.5]),
        (2, [0.5, 2.5]),
        (3, [1 / 6, 1.5, 17 / 6]),
        (8, [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]),
    ],
)
def test_interpolate_quantiles_known_values(count, expected):
    got = ops.interpolate_quantiles(tf.constant([0.0, 1, 2, 3]), count)
    np.testing.assert_allclose(got, expected, atol=1e-6)  # one float32 position


@pytest.mark.parametrize("count", [1, 5, 12, 13, 40])
def test_interpolate_quantiles_equals_numpy(count):
    quantiles = np.sort(random(2, 3, 12), axis=-1)
    position = np.clip((np.arange(count) + 0.5) * 12 / count - 0.5, 0, 11)
    expected = np.apply_along_axis(
        lambda row: np.interp(position, np.arange(12), row), 2, quantiles
    )
    got = tf.function(ops.interpolate_quantiles)(quantiles, tf.constant(count))
    np.testing.assert_allclose(got, expected, atol=FLOAT32)
    assert np.all(np.diff(got, axis=-1) >= 0)


FUNCTIONS = {
    "gram": ops.gram,
    "masked gram": lambda f: ops.gram(f, uniform(1, 3, 4, 1)),
    "mean": lambda f: ops.mean_and_std(*ops.moment_sums(f))[0],
    "std": lambda f: ops.mean_and_std(*ops.moment_sums(f))[1],
    "sliced": lambda f: ops.sliced_quantiles(f, ops.random_directions(3, 3, 0)),
    "interpolated": lambda f: ops.interpolate_quantiles(
        ops.sliced_quantiles(f, ops.random_directions(3, 3, 0)), 7
    ),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_gradient(function):
    features = random(1, 3, 4, 3)
    weights = uniform(*function(features).shape, seed=1)  # a scalar that sees every entry
    # A smaller step for the sorted ones: none of the 12 samples may overtake another.
    assert_gradient(lambda f: tf.reduce_sum(weights * function(f)), features, step=1e-3)
