"""Response normalisation against its formula, grouped convolutions against Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylezoo.layers import GroupedConv2D, LocalResponseNormalization


def paper(x, radius, bias, alpha, beta):
    """Krizhevsky et al. 2012, section 3.3, channel by channel."""
    result = np.empty_like(x)
    channels = x.shape[-1]
    for i in range(channels):
        around = x[..., max(0, i - radius) : min(channels - 1, i + radius) + 1]
        result[..., i] = x[..., i] / (bias + alpha * np.sum(around**2, axis=-1)) ** beta
    return result


@pytest.mark.parametrize(
    "options",
    [{}, {"bias": 1.0, "alpha": 1e-4 / 5}, {"radius": 1, "bias": 0.5, "alpha": 0.3, "beta": 0.5}],
    ids=["paper", "googlenet", "strong"],
)
def test_response_normalization_is_the_papers(options):
    defaults = {"radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75}
    # As large as AlexNet's features, so that alpha matters.
    x = np.random.default_rng(0).uniform(-100, 100, (2, 3, 4, 7))
    got = LocalResponseNormalization(**options)(tf.constant(x, tf.float32))
    # float32 sums and powers.
    np.testing.assert_allclose(got, paper(x, **defaults | options), rtol=1e-5)


def test_response_normalization_of_half_floats_is_computed_in_single():
    x = tf.fill([1, 1, 1, 5], tf.constant(400, tf.float16))  # 5 x 400^2 is infinite in float16
    layer = LocalResponseNormalization(dtype="float16")
    expected = 400 / (2 + 1e-4 * np.array([3, 4, 5, 4, 3]) * 400**2) ** 0.75
    np.testing.assert_allclose(layer(x)[0, 0, 0], expected, rtol=2**-10)


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 2, "padding": "same"},
        {"groups": 3, "strides": 2, "activation": "relu"},
        {"groups": 6, "padding": "same", "use_bias": False},
    ],
    ids=str,
)
def test_grouped_convolution_is_keras_own(options):
    x = tf.random.stateless_normal([2, 9, 8, 6], seed=(0, 0))
    ours, theirs = GroupedConv2D(12, 3, **options), keras.layers.Conv2D(12, 3, **options)
    outputs, gradients = [], []
    for layer in (ours, theirs):
        layer.build(x.shape)
        layer.set_weights(
            [
                np.random.default_rng(index).standard_normal(each.shape)
                for index, each in enumerate(layer.weights)
            ]
        )
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs.append(layer(x))
            value = tf.reduce_sum(outputs[-1] ** 2)
        gradients.append(tape.gradient(value, [x, *(each.value for each in layer.weights)]))
    assert [each.shape for each in ours.weights] == [each.shape for each in theirs.weights]
    # The same products summed in another order: absolute, for sums that are close to 0.
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=0, atol=1e-4)
    for got, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_grouped_convolution_refuses_channels_that_do_not_divide():
    with pytest.raises(ValueError, match="divisible by the number of groups"):
        GroupedConv2D(4, 3, groups=2)(tf.zeros([1, 5, 5, 3]))
