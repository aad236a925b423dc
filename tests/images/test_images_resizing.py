"""Sizes by arithmetic; resizing against analytic cases, NumPy and Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stylezoo import images

# Weighted sums of some tens of values in float32.
FLOAT32 = 2e-6


def random_image(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "longest_side", "expected"),
    [
        ((400, 600), 300, (200, 300)),
        ((600, 400), 300, (300, 200)),
        ((100, 50), 400, (400, 200)),
        ((512, 512), 256, (256, 256)),
        ((1, 1000), 100, (1, 100)),
        ((333, 1000), 100, (33, 100)),
        ((335, 1000), 100, (34, 100)),  # a half goes up
        ((7, 7), 7, (7, 7)),
    ],
)
def test_fit_size(size, longest_side, expected):
    assert images.fit_size(*size, longest_side) == expected


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0, 5, 5), r"`height` must be >= 1\. Received: height=0"),
        ((5, -1, 5), r"`width` must be >= 1\. Received: width=-1"),
        ((5, 5, 0), r"`longest_side` must be >= 1\. Received: longest_side=0"),
    ],
)
def test_fit_size_refuses(arguments, match):
    with pytest.raises(ValueError, match=match):
        images.fit_size(*arguments)


def test_area_is_the_mean_of_blocks():
    image = random_image(2, 8, 12, 3)
    expected = image.reshape(2, 4, 2, 4, 3, 3).mean(axis=(2, 4))
    resized = images.resize(image, (4, 4), method="area")
    np.testing.assert_allclose(resized, expected, rtol=0, atol=FLOAT32)


@pytest.mark.parametrize(
    ("method", "resample"),
    [("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)],
)
@pytest.mark.parametrize("size", [(9, 13), (40, 64), (25, 80)])
def test_kernels_are_pillows(method, resample, size):
    # Pillow's resampling is antialiased, with the same kernels, in float for mode F.
    image = random_image(1, 32, 48, 1)
    picture = Image.fromarray(image[0, ..., 0]).resize(size[::-1], resample)
    expected = np.clip(np.asarray(picture), image.min(), image.max())
    resized = images.resize(image, size, method=method)
    # Both compute the kernels' weights in their own way: float32 against fixed tables.
    np.testing.assert_allclose(resized[0, ..., 0], expected, rtol=0, atol=1e-4)


def test_downscaling_is_antialiased():
    checkerboard = np.indices((64, 64)).sum(axis=0)[np.newaxis, ..., np.newaxis] % 2
    resized = images.resize(checkerboard.astype(np.float32), (16, 16)).numpy()
    # Every output pixel covers as much black as white; bicubic's weights leave a small ripple.
    np.testing.assert_allclose(resized, 0.5, rtol=0, atol=0.02)


def test_bicubic_does_not_overshoot():
    step = np.zeros((1, 8, 8, 2), np.float32)
    step[:, :, 4:, 0] = 1
    step[:, :, :, 1] = 0.25
    step[:, :, 4:, 1] = 0.75
    unclipped = tf.image.resize(step, (32, 32), method="bicubic", antialias=True)
    assert tf.reduce_max(unclipped) > 1.01  # what is to be avoided
    resized = images.resize(step, (32, 32)).numpy()
    assert resized[..., 0].min() == 0
    assert resized[..., 0].max() == 1
    assert resized[..., 1].min() == 0.25  # every channel keeps its own range
    assert resized[..., 1].max() == 0.75


def test_longest_side():
    image = random_image(1, 30, 60, 3)
    assert images.resize_longest_side(image, 20).shape == (1, 10, 20, 3)
    assert images.resize_longest_side(image, 90).shape == (1, 45, 90, 3)
    np.testing.assert_array_equal(images.resize_longest_side(image, 60), image)


def test_same_in_a_graph_with_a_size_that_is_a_tensor():
    image = random_image(1, 20, 30, 3)
    function = tf.function(images.resize)
    expected = images.resize(image, (11, 17))
    resized = function(image, tf.constant([11, 17]))
    np.testing.assert_allclose(resized, expected, rtol=0, atol=FLOAT32)


@pytest.mark.parametrize(
    ("image", "size", "method", "match"),
    [
        (np.zeros((4, 4, 3), np.float32), (2, 2), "area", r"`image` must be float.*\(4, 4, 3\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), (2, 2), "area", r"`image` must be float.*uint8"),
        (np.zeros((1, 4, 4, 3), np.float32), (0, 2), "area", r"`size` must be .*\(0, 2\)"),
        (np.zeros((1, 4, 4, 3), np.float32), (2, 2), "cubic", "`method` must be .*'cubic'"),
    ],
)
def test_refuses(image, size, method, match):
    with pytest.raises(ValueError, match=match):
        images.resize(image, size, method=method)


@pytest.mark.parametrize(("height", "width"), [(8, 14), (14, 8), (8, 8), (9, 8)])
def test_centre_square(height, width):
    image = random_image(1, height, width, 3)
    square = images.centre_square(image, 8)
    assert square.shape == (1, 8, 8, 3)
    top, left = (height - 8) // 2, (width - 8) // 2
    np.testing.assert_array_equal(square, image[:, top : top + 8, left : left + 8])


@pytest.mark.parametrize(("height", "width"), [(8, 14), (7, 1), (3, 4)])
def test_centre_crop_of_arrays_and_tensors(height, width):
    image = random_image(2, 8, 14, 3)
    top, left = (8 - height) // 2, (14 - width) // 2
    expected = image[:, top : top + height, left : left + width]
    for each in (image, tf.constant(image)):
        cut = images.centre_crop(each, height, width)
        assert type(cut) is type(each)
        np.testing.assert_array_equal(cut, expected)
    np.testing.assert_array_equal(images.centre_crop(image[0], height, width), expected[0])


def test_centre_square_of_another_size():
    image = random_image(1, 6, 20, 3)
    np.testing.assert_array_equal(
        images.centre_square(image, 11), images.resize(image[:, :, 7:13], (11, 11))
    )


@pytest.mark.parametrize("degrees", [7.5, -15.0, 40.0, 45.0, 90.0])
@pytest.mark.parametrize("size", [(40, 64), (64, 40), (50, 50)])
def test_rotate_is_pillows_without_what_was_outside(size, degrees):
    y, x = np.mgrid[: size[0], : size[1]]
    smooth = np.stack([np.sin(y / 9), np.cos(x / 7), y / 64 * x / 64], axis=-1)
    picture = (127.5 * (smooth + 1)).astype(np.uint8)
    rotated = images.rotate(tf.constant(picture[None] / 255.0, tf.float32), degrees).numpy()[0]
    whole = Image.fromarray(picture).rotate(degrees, Image.Resampling.BILINEAR, expand=True)
    inside = Image.new("L", size[::-1], 255).rotate(degrees, expand=True)
    height, width = rotated.shape[:2]
    top, left = (whole.height - height) / 2, (whole.width - width) / 2
    box = (left, top, left + width, top + height)
    window = {"size": (width, height), "method": Image.Transform.EXTENT, "data": box}
    expected = np.asarray(whole.transform(**window, resample=Image.Resampling.BILINEAR)) / 255
    # Pillow rounds to 8 bits, and interpolates twice where sizes differ by an odd number.
    np.testing.assert_allclose(rotated[2:-2, 2:-2], expected[2:-2, 2:-2], atol=0.03)
    corners = np.asarray(inside.transform(**window))[1:-1, 1:-1]
    assert np.mean(corners == 255) > 0.98
    assert height * width > 0.3 * size[0] * size[1]


def test_rotate_by_nothing_is_nothing():
    picture = random_image(1, 5, 6, 3)
    np.testing.assert_array_equal(images.rotate(picture, 0.0), picture)
    np.testing.assert_array_equal(images.rotate(picture, 360.0), picture)
    half = images.rotate(picture, 180.0)
    np.testing.assert_allclose(half, picture[:, ::-1, ::-1], atol=1e-4)


def test_centre_square_of_a_size_that_only_the_traced_step_knows():
    signature = [tf.TensorSpec([None, None, None, 3], tf.float32)]
    traced = tf.function(lambda image: images.centre_square(image, 5), input_signature=signature)
    for shape in ((2, 9, 8, 3), (1, 6, 20, 3)):
        image = random_image(*shape)
        np.testing.assert_allclose(traced(image), images.centre_square(image, 5), atol=1e-6)
