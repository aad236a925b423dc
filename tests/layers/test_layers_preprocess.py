"""Preprocess against keras.applications' own functions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.applications import imagenet_utils
from networks import random_image

from stylezoo.layers import PREPROCESSINGS, Preprocess


@pytest.mark.parametrize("mode", ["caffe", "torch"])
def test_equals_keras_applications(mode):
    image = random_image(5, 7, batch=2)
    expected = imagenet_utils.preprocess_input(255 * image.numpy(), "channels_last", mode)
    # One float32 rounding of a product and one of a difference, of numbers up to 255 or 7.
    atol = {"caffe": 5e-5, "torch": 2e-6}[mode]
    np.testing.assert_allclose(Preprocess(mode)(image), expected, rtol=0, atol=atol)


def test_unit_changes_nothing():
    image = random_image(5, 7)
    np.testing.assert_array_equal(Preprocess("unit")(image), image)


def test_known_colours():
    # ImageNet's mean colour is 0 in both; white is known by hand.
    mean = tf.reshape(tf.constant([0.485, 0.456, 0.406]), [1, 1, 1, 3])
    np.testing.assert_allclose(Preprocess("torch")(mean), np.zeros([1, 1, 1, 3]), atol=1e-6)
    white = Preprocess("caffe")(tf.ones([1, 1, 1, 3]))
    np.testing.assert_allclose(white[0, 0, 0], [151.061, 138.221, 131.32], rtol=1e-6)
    red = Preprocess("caffe")(tf.constant([[[[1.0, 0, 0]]]]))  # BGR: red is last
    np.testing.assert_allclose(red[0, 0, 0], [-103.939, -116.779, 131.32], rtol=1e-6)


def test_gradient_undoes_the_channel_order():
    image = tf.zeros([1, 1, 1, 3])
    with tf.GradientTape() as tape:
        tape.watch(image)
        blue = Preprocess("caffe")(image)[0, 0, 0, 0]
    np.testing.assert_array_equal(tape.gradient(blue, image)[0, 0, 0], [0, 0, 255])


@pytest.mark.parametrize("mode", PREPROCESSINGS)
def test_is_rebuilt_from_its_config(mode):
    layer = Preprocess(mode, name="first")
    rebuilt = keras.layers.deserialize(keras.layers.serialize(layer))
    assert isinstance(rebuilt, Preprocess)
    assert (rebuilt.mode, rebuilt.name) == (mode, "first")


def test_symbolic_shape_is_the_inputs():
    assert Preprocess("torch")(keras.Input([None, 8, 3])).shape == (None, None, 8, 3)


def test_unknown_mode_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"`mode` must be one of .*caffe.*torch.*unit.*'tf'"):
        Preprocess("tf")


@pytest.mark.parametrize(
    ("mode", "black", "white"), [("symmetric", -1, 1), ("lite", -127 / 128, 1)]
)
def test_modes_of_one_scale_for_all_channels(mode, black, white):
    for value, expected in ((0.0, black), (1.0, white)):
        image = tf.fill([1, 1, 1, 3], value)
        np.testing.assert_allclose(Preprocess(mode)(image)[0, 0, 0], [expected] * 3, rtol=1e-6)
