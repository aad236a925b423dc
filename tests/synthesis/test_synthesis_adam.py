"""Adam: the updates of Keras's, and what is carried to a larger picture."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylezoo.synthesis import Adam, Pixels


def wavy(image, _=None):
    total = tf.reduce_mean(tf.sin(5 * image) * tf.linspace(0.1, 1.0, image.shape[2])[:, None])
    return total, {"term": total}


def test_updates_are_those_of_keras():
    start = np.random.default_rng(0).uniform(0.4, 0.6, (1, 5, 6, 3)).astype(np.float32)
    parameter = Pixels(start, bounds=(-10.0, 10.0))
    minimizer = Adam(learning_rate=0.03, beta_1=0.8, beta_2=0.95).start(parameter, wavy)
    variable = keras.Variable(start)
    reference = keras.optimizers.Adam(0.03, beta_1=0.8, beta_2=0.95, epsilon=1e-8)
    for _ in range(20):
        with tf.GradientTape() as tape:
            expected, _ = wavy(tf.convert_to_tensor(variable.value))
        reference.apply([tape.gradient(expected, variable.value)], [variable])
        total, terms, evaluations = minimizer.step()
        # The loss where the step began: a mean of float32 values up to one that may cancel.
        np.testing.assert_allclose([total, terms["term"]], [expected] * 2, rtol=1e-5, atol=1e-6)
        assert evaluations == 1
        # Keras adds epsilon before the bias correction: it counts 1e-8 against the smallest gradients,
        # 1e-4. The rest is float32 rounding of steps of 0.03.
        np.testing.assert_allclose(parameter.variable, variable, atol=1e-5)


def test_stays_within_bounds():
    parameter = Pixels(tf.fill([1, 4, 4, 3], 0.5))
    minimizer = Adam(learning_rate=0.2).start(
        parameter, lambda image: (tf.reduce_sum((image - 2) ** 2), {})
    )
    for _ in range(10):
        minimizer.step()
    np.testing.assert_array_equal(parameter.variable, np.ones([1, 4, 4, 3]))


def test_moments_are_carried_to_a_larger_picture():
    slope = tf.constant([1.0, -2.0, 0.5])

    def linear(image):
        return tf.reduce_mean(slope * image), {}

    smaller = Adam().start(Pixels(tf.fill([1, 8, 8, 3], 0.5)), linear)
    for _ in range(5):
        smaller.step()
    parameter = Pixels(tf.fill([1, 16, 12, 3], 0.5))
    larger = Adam().start(parameter, linear, smaller)
    alone = Adam().start(Pixels(tf.fill([1, 16, 12, 3], 0.5)), linear)
    for _ in range(5):
        alone.step()
    # The gradient of a mean is the same everywhere, and shrinks with the number of pixels: five
    # steps at the smaller size leave the moments of five steps at this one. Float32 resizing: 1e-5.
    np.testing.assert_allclose(larger._first, alone._first, rtol=1e-5)
    np.testing.assert_allclose(larger._second, alone._second, rtol=1e-5)
    larger.step()
    # So the step after is a full one, 0.02 against each slope.
    np.testing.assert_allclose(
        parameter.variable - 0.5,
        np.broadcast_to(-0.02 * np.sign(slope), parameter.variable.shape),
        rtol=1e-3,  # epsilon, 1e-8 of 1e-4 gradients
    )


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_bad_learning_rate(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be > 0"):
        Adam(learning_rate=rate)
