import numpy as np
import pytest
import tensorflow as tf

from stylezoo import ops

RNG = np.random.default_rng(0)
IMAGE = RNG.random([2, 6, 7, 3]).astype(np.float32)
# Some of it leads outside.
FLOW = RNG.uniform(-3, 3, [2, 6, 7, 2]).astype(np.float32)


def reference(image, flow):
    """The definition, pixel by pixel."""
    batch, height, width, _ = image.shape
    result = np.empty_like(image)
    for b, y, x in np.ndindex(batch, height, width):
        column = np.clip(x + flow[b, y, x, 0], 0, width - 1)
        row = np.clip(y + flow[b, y, x, 1], 0, height - 1)
        left, top = int(column), int(row)
        right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
        u, v = column - left, row - top
        upper = (1 - u) * image[b, top, left] + u * image[b, top, right]
        lower = (1 - u) * image[b, bottom, left] + u * image[b, bottom, right]
        result[b, y, x] = (1 - v) * upper + v * lower
    return result


def test_warp_against_numpy():
    np.testing.assert_allclose(ops.warp(IMAGE, FLOW), reference(IMAGE, FLOW), atol=1e-6)


def test_no_flow_changes_nothing():
    np.testing.assert_array_equal(ops.warp(IMAGE, np.zeros_like(FLOW)), IMAGE)


@pytest.mark.parametrize("graph", [False, True])
def test_gradients_against_differences(graph):
    image, flow = tf.constant(IMAGE), tf.constant(FLOW)
    direction = tf.constant(RNG.normal(size=IMAGE.shape).astype(np.float32))

    def loss(image, flow):
        return tf.reduce_sum(direction * ops.warp(image, flow))

    function = tf.function(loss) if graph else loss
    with tf.GradientTape() as tape:
        tape.watch([image, flow])
        value = function(image, flow)
    of_image, of_flow = tape.gradient(value, [image, flow])
    # The warp is linear in the picture, so that a difference is exact but for rounding.
    change = RNG.normal(size=IMAGE.shape).astype(np.float32)
    expected = loss(image + change, flow) - loss(image, flow)
    np.testing.assert_allclose(tf.reduce_sum(of_image * change), expected, rtol=1e-4)
    step = 1e-3 * RNG.normal(size=FLOW.shape).astype(np.float32)
    # No kink of the interpolation may lie between.
    same = np.all(np.floor(FLOW + step) == np.floor(FLOW - step), axis=-1, keepdims=True)
    step *= same
    expected = (loss(image, flow + step) - loss(image, flow - step)) / 2
    np.testing.assert_allclose(tf.reduce_sum(of_flow * step), expected, rtol=2e-2, atol=1e-4)
