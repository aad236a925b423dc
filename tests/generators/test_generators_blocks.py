"""The convolutions of generators against their definition, in NumPy but for the products."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylezoo.generators.blocks import Blocks

CHANNELS = 3
# A hundred products, in another order.
ATOL = 1e-5


def network(make, *, normalization="instance", padding="reflect", leak=0.0):
    """Return a network of one block, with random scales and shifts, and its weights by layer and name."""
    keras.utils.set_random_seed(0)
    x = keras.Input([None, None, CHANNELS])
    model = keras.Model(x, make(Blocks(normalization, padding=padding, leak=leak), x))
    random = np.random.default_rng(0)
    for variable in model.weights:
        if variable.ndim == 1:
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
    weights = {
        f"{layer.name}/{variable.name}": variable.numpy()
        for layer in model.layers
        for variable in layer.weights
    }
    return model, weights


def picture(seed=0):
    values = np.random.default_rng(seed).standard_normal((1, 8, 6, CHANNELS))
    return values.astype(np.float32)


def convolve(x, weights, name, *, mode="reflect", strides=1):
    kernel = weights[f"{name}/kernel"]
    side = kernel.shape[0] // 2
    if mode:
        x = np.pad(x, [(0, 0), (side, side), (side, side), (0, 0)], mode)
    return tf.nn.conv2d(x, kernel, strides, "VALID").numpy()


def normalize(x, weights, name):
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    normalized = (x - mean) / np.sqrt(variance + 1e-5)
    return normalized * weights[f"{name}/scale"] + weights[f"{name}/shift"]


def relu(x, leak=0.0):
    return np.where(x > 0, x, leak * x)


@pytest.mark.parametrize(
    ("padding", "mode"), [("reflect", "reflect"), ("wrap", "wrap"), ("zero", "constant")]
)
@pytest.mark.parametrize("strides", [1, 2])
def test_conv(padding, mode, strides):
    model, weights = network(
        lambda blocks, x: blocks.conv(x, 4, 5, strides=strides, name="a"), padding=padding, leak=0.1
    )
    expected = convolve(picture(), weights, "a", mode=mode, strides=strides)
    expected = relu(normalize(expected, weights, "a_norm"), leak=0.1)
    assert expected.shape == (1, 8 // strides, 6 // strides, 4)
    np.testing.assert_allclose(model(picture()), expected, rtol=0, atol=ATOL)


def test_bare_conv_has_a_bias():
    model, weights = network(
        lambda blocks, x: blocks.conv(x, 4, 1, activate=False, normalize=False, name="a")
    )
    assert set(weights) == {"a/kernel", "a/bias"}
    expected = convolve(picture(), weights, "a", mode=None) + weights["a/bias"]
    np.testing.assert_allclose(model(picture()), expected, rtol=0, atol=ATOL)


def test_batch_normalization_uses_what_it_has_seen():
    model, weights = network(
        lambda blocks, x: blocks.conv(x, 4, 3, name="a"), normalization="batch"
    )
    gamma, beta, mean, variance = (
        weights[f"a_norm/{name}"] for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    expected = (convolve(picture(), weights, "a") - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    np.testing.assert_allclose(model(picture()), relu(expected), rtol=0, atol=ATOL)


@pytest.mark.parametrize("padded", [True, False])
def test_residual_block_has_no_relu_after_the_sum(padded):
    model, weights = network(lambda blocks, x: blocks.residual(x, padded=padded, name="a"))
    mode = "reflect" if padded else None
    y = convolve(picture(), weights, "a_conv1", mode=mode)
    y = relu(normalize(y, weights, "a_conv1_norm"))
    y = normalize(convolve(y, weights, "a_conv2", mode=mode), weights, "a_conv2_norm")
    skip = picture() if padded else picture()[:, 2:-2, 2:-2]
    assert (skip + y).min() < 0
    np.testing.assert_allclose(model(picture()), skip + y, rtol=0, atol=ATOL)


def test_nearest_upsampling():
    model, weights = network(lambda blocks, x: blocks.upsample(x, 4, kind="nearest", name="a"))
    doubled = np.repeat(np.repeat(picture(), 2, axis=1), 2, axis=2)
    expected = relu(normalize(convolve(doubled, weights, "a"), weights, "a_norm"))
    np.testing.assert_allclose(model(picture()), expected, rtol=0, atol=ATOL)


def test_bilinear_upsampling():
    model, weights = network(lambda blocks, x: blocks.upsample(x, 4, kind="bilinear", name="a"))
    padded = np.pad(picture(), [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect")
    doubled = tf.image.resize(padded, [20, 16])[:, 1:-1, 1:-1].numpy()
    expected = relu(normalize(convolve(doubled, weights, "a", mode=None), weights, "a_norm"))
    np.testing.assert_allclose(model(picture()), expected, rtol=0, atol=ATOL)


def test_wider_view_adds_what_blocks_at_half_the_size_make():
    model, weights = network(lambda blocks, x: blocks.wider_view(x, 5, 1, kind="nearest", name="a"))

    def conv(x, name, **options):
        return normalize(convolve(x, weights, name, **options), weights, f"{name}_norm")

    half = relu(conv(picture(), "a_down", strides=2))
    assert half.shape == (1, 4, 3, 5)
    half = half + conv(relu(conv(half, "a_block1_conv1")), "a_block1_conv2")
    doubled = np.repeat(np.repeat(half, 2, axis=1), 2, axis=2)
    np.testing.assert_allclose(
        model(picture()), picture() + conv(doubled, "a_up"), rtol=0, atol=ATOL
    )


def test_transposed_convolution():
    model, weights = network(lambda blocks, x: blocks.upsample(x, 4, kind="transposed", name="a"))
    # Each pixel adds its kernel around twice its place; what lies before the first is cut off.
    kernel, pixels = weights["a/kernel"], picture()
    spread = np.zeros([1, 17, 13, 4])
    for row, column in np.ndindex(8, 6):
        added = np.einsum("yxoi,i->yxo", kernel, pixels[0, row, column])
        spread[0, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += added
    expected = relu(normalize(spread[:, :16, :12], weights, "a_norm"))
    np.testing.assert_allclose(model(picture()), expected, rtol=0, atol=ATOL)
