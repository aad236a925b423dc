"""Padding, cropping and upsampling against NumPy: pixels are moved, so results are exact."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image, value_and_gradient

from stylezoo.layers import (
    BilinearUpsampling,
    CropTo,
    MirrorPadding,
    NearestUpsampling,
    PadToMultiple,
)

SIZES = [(5, 8), (4, 4), (7, 3)]


def padded(image, bottom, right, mode, *, top=0, left=0):
    return np.pad(image, [(0, 0), (top, bottom), (left, right), (0, 0)], mode)


def dynamic(layer):
    """The layer where no size is known while it is traced."""
    return tf.function(layer.__call__, input_signature=[tf.TensorSpec([None, None, None, 3])])


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("mode", ["reflect", "wrap"])
@pytest.mark.parametrize("size", SIZES)
def test_mirror_padding_equals_numpy(size, mode, padding):
    image, layer = random_image(*size, batch=2), MirrorPadding(padding, mode)
    expected = padded(image, padding, padding, mode, top=padding, left=padding)
    np.testing.assert_array_equal(layer(image), expected)
    np.testing.assert_array_equal(dynamic(layer)(image), expected)


# As large as fits; one row or column; far smaller than what is added.
PADDED_SIZES = [*SIZES, (1, 1), (2, 9), (1, 5)]


@pytest.mark.parametrize(("multiple", "minimum"), [(4, 0), (4, 8), (1, 5), (3, 12)])
@pytest.mark.parametrize("size", PADDED_SIZES)
def test_pad_to_multiple_equals_numpy(size, multiple, minimum):
    image, layer = random_image(*size, batch=2), PadToMultiple(multiple, minimum)
    bottom, right = (max(-side % multiple, minimum - side) for side in size)
    expected = padded(image, bottom, right, "symmetric")
    assert all(side % multiple == 0 and side >= minimum for side in expected.shape[1:3])
    np.testing.assert_array_equal(layer(image), expected)
    np.testing.assert_array_equal(dynamic(layer)(image), expected)


def test_pad_to_multiple_leaves_a_fitting_static_shape_alone():
    image = random_image(8, 4)
    assert PadToMultiple(4).call(image) is image


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_crop_to_keeps_the_top_left_corner(size, factor):
    height, width = (factor * side for side in size)
    x, like = random_image(height + 3, width + 1), tf.zeros([1, *size, 4])
    layer = CropTo(factor)
    expected = x[:, :height, :width]
    np.testing.assert_array_equal(layer(x, like), expected)
    shape = tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([None, None, None, 4])
    traced = tf.function(layer.__call__, input_signature=shape)
    np.testing.assert_array_equal(traced(x, like), expected)


def test_crop_to_leaves_a_fitting_static_shape_alone():
    x = random_image(8, 4)
    assert CropTo().call(x, tf.zeros([1, 8, 4, 1])) is x
    assert CropTo(2).call(x, tf.zeros([1, 4, 2, 1])) is x


def test_crop_undoes_pad_to_multiple():
    image = random_image(13, 7)
    np.testing.assert_array_equal(CropTo()(PadToMultiple(8)(image), image), image)


@pytest.mark.parametrize("size", SIZES)
def test_nearest_upsampling_repeats(size):
    image, layer = random_image(*size, batch=2), NearestUpsampling()
    expected = np.repeat(np.repeat(image, 2, axis=1), 2, axis=2)
    np.testing.assert_array_equal(layer(image), expected)
    np.testing.assert_array_equal(dynamic(layer)(image), expected)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "jit"])
def test_nearest_upsampling_gradient_is_the_sum_of_the_four(jit_compile):
    image, weights = random_image(3, 5), random_image(6, 10, seed=1)

    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        return value_and_gradient(lambda x: tf.reduce_sum(weights * NearestUpsampling()(x)), x)[1]

    expected = weights.numpy().reshape(1, 3, 2, 5, 2, 3).sum(axis=(2, 4))
    np.testing.assert_allclose(gradient(image), expected, rtol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_bilinear_upsampling_is_that_of_tensorflow(size):
    image, layer = random_image(*size, batch=2), BilinearUpsampling()
    expected = tf.image.resize(image, [2 * side for side in size])
    # Two roundings of float32 numbers below 1.
    np.testing.assert_allclose(layer(image), expected, rtol=0, atol=3e-7)
    np.testing.assert_array_equal(dynamic(layer)(image), layer(image))


@pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "jit"])
def test_bilinear_upsampling_gradient_is_that_of_tensorflow(jit_compile):
    image, weights = random_image(3, 5), random_image(6, 10, seed=1)

    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        return value_and_gradient(lambda x: tf.reduce_sum(weights * BilinearUpsampling()(x)), x)[1]

    expected = value_and_gradient(
        lambda x: tf.reduce_sum(weights * tf.image.resize(x, [6, 10])), image
    )[1]
    np.testing.assert_allclose(gradient(image), expected, rtol=1e-5)


@pytest.mark.parametrize("layer", [MirrorPadding(1), MirrorPadding(1, "wrap"), PadToMultiple(4)])
def test_padding_gradient_counts_the_copies(layer):
    image = random_image(3, 5)
    gradient = value_and_gradient(lambda x: tf.reduce_sum(layer(x) ** 2) / 2, image)[1]
    copies = value_and_gradient(lambda x: tf.reduce_sum(layer(x)), image)[1]
    assert float(tf.reduce_sum(copies)) == np.prod(layer(image).shape)
    np.testing.assert_allclose(gradient, copies * image, rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shapes", "expected"),
    [
        (MirrorPadding(2), [(None, None, 8, 3)], (None, None, 12, 3)),
        (PadToMultiple(4), [(None, None, 7, 3)], (None, None, 8, 3)),
        (PadToMultiple(4, 12), [(2, 5, 7, 3)], (2, 12, 12, 3)),
        (NearestUpsampling(), [(None, None, 7, 3)], (None, None, 14, 3)),
        (BilinearUpsampling(), [(1, 4, None, 3)], (1, 8, None, 3)),
        (CropTo(), [(None, None, 8, 3), (None, None, 7, 4)], (None, None, 7, 3)),
        (CropTo(4), [(1, 40, 40, 3), (1, 9, None, 4)], (1, 36, None, 3)),
    ],
)
def test_symbolic_shapes(layer, shapes, expected):
    assert layer(*(keras.Input(batch_shape=shape) for shape in shapes)).shape == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MirrorPadding(-1), r"`padding` must be >= 0.*padding=-1"),
        (lambda: MirrorPadding(1, "symmetric"), r"`mode` must be reflect or wrap.*'symmetric'"),
        (lambda: PadToMultiple(0), r"`multiple` must be >= 1.*multiple=0"),
        (lambda: PadToMultiple(4, -4), r"`minimum` must be a multiple of 4, >= 0.*minimum=-4"),
        (lambda: PadToMultiple(4, 6), r"`minimum` must be a multiple of 4.*minimum=6"),
        (lambda: CropTo(0), r"`factor` must be >= 1.*factor=0"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
