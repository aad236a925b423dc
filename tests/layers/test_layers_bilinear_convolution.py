"""Linear interpolation and a convolution in one step, against both one after the other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo.layers import BilinearConv2D


def separate(x, kernel, bias):
    """Interpolate, cut what the padding made, convolve without padding."""
    height, width = x.shape[1:3]
    doubled = tf.image.resize(x, [2 * height, 2 * width])[:, 1:-1, 1:-1]
    return tf.nn.conv2d(doubled, kernel, 1, "VALID") + bias


@pytest.mark.parametrize("size", [(3, 3), (8, 11)])
def test_is_interpolation_and_convolution(size):
    x, layer = random_image(*size, batch=2), BilinearConv2D(5)
    layer.build(x.shape)
    layer.bias.assign(np.arange(5))
    expected = separate(x, layer.kernel, layer.bias)
    assert expected.shape == (2, 2 * size[0] - 4, 2 * size[1] - 4, 5)
    # Some dozens of float32 products in another order.
    np.testing.assert_allclose(layer(x), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "jit"])
def test_gradients_are_those_of_both(jit_compile):
    x, layer = random_image(6, 5), BilinearConv2D(4)
    layer.build(x.shape)
    upstream = random_image(8, 6)[..., :1] * tf.range(1.0, 5.0)

    @tf.function(jit_compile=jit_compile)
    def gradients(apply):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(upstream * apply())
        return tape.gradient(total, [x, layer.kernel.value])

    found = gradients(lambda: layer(x))
    expected = gradients(lambda: separate(x, layer.kernel, layer.bias))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_symbolic_shape():
    assert BilinearConv2D(4)(keras.Input([None, 9, 3])).shape == (None, None, 14, 4)


def test_filters_must_be_positive():
    with pytest.raises(ValueError, match=r"`filters` must be >= 1.*filters=0"):
        BilinearConv2D(0)
