"""Total variation against NumPy loops and pictures whose variation is known."""

import numpy as np
import pytest
import tensorflow as tf
from networks import assert_gradient, random_image

from stylezoo import ops

# Means of some hundred float32 products and powers.
FLOAT32 = 1e-5


def reference(image, beta, epsilon):
    """Return the total variation, pixel by pixel."""
    image = np.asarray(image, np.float64)
    batch, height, width, channels = image.shape
    total = np.zeros(batch)
    for y in range(height):
        for x in range(width):
            dy = image[:, y + 1, x] - image[:, y, x] if y + 1 < height else np.zeros(1)
            dx = image[:, y, x + 1] - image[:, y, x] if x + 1 < width else np.zeros(1)
            total += np.broadcast_to(
                ((dx**2 + dy**2 + (epsilon if beta != 2 else 0)) ** (beta / 2)), (batch, channels)
            ).sum(axis=-1)
    return total / (height * width * channels)


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("size", [(5, 7), (1, 4), (4, 1), (1, 1)])
def test_equals_numpy(beta, size):
    image = random_image(*size, batch=2)
    got = ops.total_variation(image, beta=beta, epsilon=1e-4)
    np.testing.assert_allclose(got, reference(image, beta, 1e-4), rtol=FLOAT32)


def test_checkerboard():
    height, width = 6, 9
    board = (np.indices((height, width)).sum(axis=0) % 2)[None, :, :, None].astype(np.float32)
    # Every pixel differs by 1 from its lower and its right neighbour, where it has one.
    inner, edge = (height - 1) * (width - 1), height + width - 2
    np.testing.assert_allclose(
        ops.total_variation(board), [(2 * inner + edge) / (height * width)], rtol=FLOAT32
    )
    np.testing.assert_allclose(
        ops.total_variation(board, beta=1.0),
        [(np.sqrt(2) * inner + edge) / (height * width)],
        rtol=1e-4,  # epsilon in the roots that should be 0 gives 1e-4 there
    )


def test_flat_and_ramp():
    assert float(ops.total_variation(tf.fill([1, 4, 4, 3], 0.7))[0]) == 0
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[None, None, :, None], (1, 3, 8, 1))
    np.testing.assert_allclose(ops.total_variation(ramp), [7 / 8], rtol=FLOAT32)


def test_gradient_at_a_flat_picture_is_finite():
    flat = tf.fill([1, 4, 4, 3], 0.5)
    with tf.GradientTape() as tape:
        tape.watch(flat)
        value = ops.total_variation(flat, beta=1.0)
    np.testing.assert_array_equal(tape.gradient(value, flat), np.zeros([1, 4, 4, 3]))


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_gives_float32_without_overflow(dtype):
    board = tf.cast((np.indices((8, 8)).sum(axis=0) % 2)[None, :, :, None] * 300.0, dtype)
    got = ops.total_variation(board)  # 300² > 65504
    assert got.dtype == tf.float32
    expected = ops.total_variation(tf.cast(board, tf.float32))
    np.testing.assert_array_equal(got, expected)
    assert np.all(np.isfinite(got))


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.0])
def test_gradient(beta):
    # A small step: the square root bends where differences are small.
    function = lambda image: ops.total_variation(image, beta=beta, epsilon=1e-2)[0]  # noqa: E731
    assert_gradient(function, random_image(4, 5), step=2e-3)


@pytest.mark.parametrize("beta", [0, -1.0])
def test_beta_must_be_positive(beta):
    with pytest.raises(ValueError, match=r"`beta` must be > 0. Received: beta="):
        ops.total_variation(tf.zeros([1, 2, 2, 3]), beta=beta)
