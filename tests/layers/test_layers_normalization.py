"""Instance normalisation, plain and conditional, against NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf
from networks import assert_gradient

from stylezoo.layers import (
    ConditionalInstanceNormalization,
    InstanceNormalization,
    instance_moments,
)

EPSILON = 1e-5
STYLE_WEIGHTS = tf.constant([[1, 0], [0.25, 0.75]])
# Half a unit in the last place of the type, and as much of each of the two numbers added.
ROUNDING = {"float16": 2**-9, "bfloat16": 2**-6}


def random(*shape, seed=0, mean=3.0, deviation=2.0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return tf.constant(mean + deviation * values, tf.float32)


def trained(layer, *inputs):
    """Return the layer with a scale and a shift that change something."""
    layer(*inputs)
    for seed, variable in enumerate(layer.weights):
        variable.assign(random(*variable.shape, seed=seed, mean=1, deviation=0.5))
    return layer


def plain():
    return trained(InstanceNormalization(), random(1, 2, 2, 3))


def conditional():
    return trained(ConditionalInstanceNormalization(2), random(2, 2, 2, 3), STYLE_WEIGHTS)


def reference(x, scale, shift):
    """`scale` and `shift`: [B or 1, C]."""
    x = np.asarray(x, np.float64)
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    normalized = (x - mean) / np.sqrt(variance + EPSILON)
    return normalized * np.asarray(scale)[:, None, None] + np.asarray(shift)[:, None, None]


def test_moments_equal_numpy():
    x = random(2, 5, 4, 3)
    mean, variance = instance_moments(x)
    assert mean.shape == variance.shape == [2, 1, 1, 3]
    np.testing.assert_allclose(mean[:, 0, 0], x.numpy().mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance[:, 0, 0], x.numpy().var(axis=(1, 2)), rtol=1e-5)


def test_moments_keep_their_digits_where_the_mean_is_large():
    x = random(1, 64, 64, 1, mean=1000, deviation=1)
    # The pixels' own rounding, 3e-5, in a deviation of 1; E[x²] - E[x]² would be off by 0.1.
    expected = np.asarray(x, np.float64).var()
    np.testing.assert_allclose(instance_moments(x)[1].numpy().item(), expected, rtol=1e-4)


@pytest.mark.parametrize("size", [(5, 4), (1, 7), (16, 16)])
def test_plain_equals_numpy(size):
    x, layer = random(2, *size, 3), plain()
    expected = reference(x, layer.scale[None], layer.shift[None])
    np.testing.assert_allclose(layer(x), expected, rtol=0, atol=1e-5)


def test_conditional_is_the_blend_of_the_styles_parameters():
    x, layer = random(2, 5, 4, 3), conditional()
    weights = STYLE_WEIGHTS.numpy()
    expected = reference(x, weights @ layer.scale.numpy(), weights @ layer.shift.numpy())
    np.testing.assert_allclose(layer(x, STYLE_WEIGHTS), expected, rtol=0, atol=1e-5)


def test_a_one_hot_row_is_the_style_alone():
    x, layer = random(1, 5, 4, 3), conditional()
    single = plain()
    single.scale.assign(layer.scale[1])
    single.shift.assign(layer.shift[1])
    np.testing.assert_allclose(layer(x, tf.constant([[0.0, 1]])), single(x), rtol=0, atol=1e-6)


def test_new_layers_only_normalize():
    x = random(1, 8, 8, 3)
    for y in (
        InstanceNormalization()(x),
        ConditionalInstanceNormalization(2)(x, tf.constant([[0.5, 0.5]])),
    ):
        mean, variance = instance_moments(y)
        np.testing.assert_allclose(mean, np.zeros_like(mean), atol=1e-6)
        # ε takes 1e-5 of a variance of 4.
        np.testing.assert_allclose(variance, np.ones_like(variance), rtol=1e-5)


def test_a_constant_picture_becomes_the_shift():
    layer = plain()
    y = layer(tf.fill([1, 3, 4, 3], 0.3))
    # The mean's rounding, 3e-8, divided by the root of ε.
    np.testing.assert_allclose(y, tf.broadcast_to(layer.shift, y.shape), rtol=0, atol=1e-4)


def test_of_a_batch_is_that_of_each_picture():
    x = random(2, 5, 4, 3) * tf.constant([1.0, 10])[:, None, None, None]
    layer, styled = plain(), conditional()
    for index in (0, 1):
        one = slice(index, index + 1)
        np.testing.assert_allclose(layer(x)[one], layer(x[one]), rtol=0, atol=1e-6)
        both = styled(x, STYLE_WEIGHTS)[one]
        np.testing.assert_allclose(both, styled(x[one], STYLE_WEIGHTS[one]), rtol=0, atol=1e-6)


def test_given_moments_make_it_affine():
    layer = plain()
    mean, variance = random(1, 1, 1, 3, seed=1), tf.constant([[[[0.5, 1, 2]]]])
    x = random(2, 5, 4, 3)
    factor = layer.scale / tf.sqrt(variance + EPSILON)
    expected = (x - mean) * factor + layer.shift
    np.testing.assert_allclose(layer(x, moments=(mean, variance)), expected, rtol=0, atol=1e-5)


def test_its_own_moments_given_change_nothing():
    x = random(2, 5, 4, 3)
    moments = instance_moments(x)
    layer, styled = plain(), conditional()
    np.testing.assert_allclose(layer(x, moments=moments), layer(x), rtol=0, atol=2e-6)
    got = styled(x, STYLE_WEIGHTS, moments=moments)
    np.testing.assert_allclose(got, styled(x, STYLE_WEIGHTS), rtol=0, atol=2e-6)


def test_a_tile_with_the_moments_of_the_whole_is_a_part_of_the_whole():
    x, layer = random(1, 8, 8, 3), plain()
    tile = layer(x[:, 2:5, 3:7], moments=instance_moments(x))
    np.testing.assert_allclose(tile, layer(x)[:, 2:5, 3:7], rtol=0, atol=2e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradients(jit_compile):
    layer = plain()
    call = tf.function(layer.__call__, jit_compile=jit_compile)
    # Σ y³, as Σ y and Σ y² hardly depend on what is normalised.
    assert_gradient(lambda x: tf.reduce_sum(call(x) ** 3), random(2, 4, 3, 3))


@pytest.mark.parametrize("name", ["scale", "shift"])
def test_gradients_of_the_parameters(name):
    x, layer = random(2, 4, 3, 3), conditional()
    variable = getattr(layer, name)

    def loss(value):
        variable.assign(value)
        return tf.reduce_sum(layer(x, STYLE_WEIGHTS) ** 2)

    start = tf.identity(variable)
    with tf.GradientTape() as tape:
        got = tf.reduce_sum(layer(x, STYLE_WEIGHTS) ** 2)
    gradient = tape.gradient(got, variable.value)
    for index in np.ndindex(*variable.shape):
        step = np.zeros(variable.shape, np.float32)
        step[index] = 1e-2
        slope = (float(loss(start + step)) - float(loss(start - step))) / 2e-2
        # Sums of dozens of float32 squares, 1e-5, divided by the step; quadratic, no truncation.
        np.testing.assert_allclose(slope, gradient[index], rtol=2e-3, atol=2e-2)


@pytest.mark.parametrize("given", [False, True], ids=["own", "given"])
@pytest.mark.parametrize("dtype", ROUNDING)
def test_mixed_policies_compute_moments_in_float32(dtype, given):
    """The square of 300 is more than float16 can hold, and 300 and 301 are one in bfloat16."""
    x = tf.cast(random(1, 16, 16, 3, mean=300, deviation=8), dtype)
    layer = InstanceNormalization(dtype=f"mixed_{dtype}")
    y = layer(x, moments=instance_moments(x) if given else None)
    assert y.dtype == dtype
    assert layer.scale.dtype == "float32"
    expected = reference(tf.cast(x, tf.float64), np.ones([1, 3]), np.zeros([1, 3]))
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, rtol=0, atol=4 * ROUNDING[dtype])


def test_mixed_policy_casts_its_input_only():
    styled = ConditionalInstanceNormalization(2, dtype="mixed_bfloat16")
    x = random(1, 4, 4, 3)
    styled(x, STYLE_WEIGHTS[:1])
    styled.scale.assign([[1.0] * 3, [1.004] * 3])
    got = styled(
        x, tf.constant([[0.0, 1]]), moments=(tf.zeros([1, 1, 1, 3]), tf.ones([1, 1, 1, 3]))
    )
    # 1.004 would be 1.0078 in bfloat16.
    expected = tf.cast(tf.cast(tf.cast(x, tf.bfloat16), tf.float32) * 1.004, tf.bfloat16)
    difference = tf.cast(got, tf.float32) - tf.cast(expected, tf.float32)
    # Where ε of the variance, 5e-6, tips the rounding.
    assert np.mean(difference != 0) < 0.05


@pytest.mark.parametrize("num_styles", [0, -1])
def test_no_styles_is_an_error(num_styles):
    with pytest.raises(ValueError, match=f"`num_styles` must be >= 1. .*num_styles={num_styles}"):
        ConditionalInstanceNormalization(num_styles)
