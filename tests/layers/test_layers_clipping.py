"""What is cut, and which gradients pass."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylezoo.layers import Limit, UnitClip

VALUES = [-3.0, -0.5, -0.25, 0.0, 0.5, 2.0]
CUT = [0.0, 0.0, 0.25, 0.5, 1.0, 1.0]


def test_cuts_to_the_unit_interval_about_middle_grey():
    layer = UnitClip()
    np.testing.assert_array_equal(layer(tf.constant(VALUES)), CUT)
    # x + (clipped - x) rounds twice.
    np.testing.assert_allclose(layer(tf.constant(VALUES), training=True), CUT, atol=1e-6)


def test_gradients_pass_in_training():
    x = tf.constant(VALUES)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        cut, trained = UnitClip()(x), UnitClip()(x, training=True)
    np.testing.assert_array_equal(tape.gradient(trained, x), np.ones(6))
    np.testing.assert_array_equal(tape.gradient(cut, x)[0::5], [0, 0])


def test_limit():
    np.testing.assert_array_equal(Limit(0.5)(tf.constant(VALUES)), np.clip(VALUES, -0.5, 0.5))
    np.testing.assert_array_equal(Limit(0.5)(tf.constant(VALUES), training=True), VALUES)
    with pytest.raises(ValueError, match="`limit` must be > 0"):
        Limit(0)


@pytest.mark.parametrize("layer", [UnitClip(name="clip"), Limit(2.5)], ids=["unit", "limit"])
def test_loads_again(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    np.testing.assert_array_equal(again(tf.constant(VALUES)), layer(tf.constant(VALUES)))
