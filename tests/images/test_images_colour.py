"""Colours against scikit-image, NumPy, and what the definitions imply."""

import numpy as np
import pytest
import tensorflow as tf

from stylezoo import images

# A few products and powers in float32.
FLOAT32 = 2e-6

ROUNDING_VARIANCE = 1 / (12 * 255**2)


def random_image(*shape, seed=0, low=0.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def correlated_image(*shape, seed, spread=0.05):
    """Colours around grey whose covariance is neither diagonal nor singular; never clipped."""
    random = np.random.default_rng(seed)
    mix = np.eye(3) + random.uniform(-0.5, 0.5, size=(3, 3))
    noise = np.clip(random.normal(size=shape) @ mix, -3, 3)
    return (0.5 + spread * noise).astype(np.float32)


def moments(image):
    pixels = np.asarray(image, np.float64).reshape(-1, image.shape[-1])
    return pixels.mean(axis=0), np.cov(pixels.T, bias=True)


# The edges of RGB's cube, both pieces of every curve, and colours in between.
COLOURS = np.concatenate(
    [
        np.stack(np.meshgrid(*[[0, 0.001, 0.04, 0.05, 0.3, 0.7, 1]] * 3), axis=-1).reshape(-1, 3),
        random_image(500, 3),
    ]
).astype(np.float32)


# --- spaces -----------------------------------------------------------------------------------


def test_round_trip_of_lab():
    result = images.lab_to_rgb(images.rgb_to_lab(COLOURS))
    assert result.dtype == tf.float32
    # The sRGB curve is 12.92 steep near black, and L* has 100 times the range.
    np.testing.assert_allclose(result, COLOURS, rtol=0, atol=1e-5)


def test_lab():
    color = pytest.importorskip("skimage.color")
    expected = color.rgb2lab(COLOURS.astype(np.float64))
    # The matrices have 6 and 7 digits: 3e-6 of a primary, times 500/3 and more near black.
    np.testing.assert_allclose(images.rgb_to_lab(COLOURS), expected, rtol=0, atol=0.01)
    np.testing.assert_allclose(
        images.lab_to_rgb(expected.astype(np.float32)), COLOURS, rtol=0, atol=1e-4
    )


def test_lab_of_known_colours():
    # Lindbloom's calculator, sRGB, D65: white, and the three primaries.
    known = {
        (1, 1, 1): (100, 0, 0),
        (1, 0, 0): (53.2408, 80.0925, 67.2032),
        (0, 1, 0): (87.7347, -86.1827, 83.1793),
        (0, 0, 1): (32.2970, 79.1875, -107.8602),
        (0, 0, 0): (0, 0, 0),
    }
    lab = images.rgb_to_lab(np.array(list(known), np.float32))
    # The calculator's white point has 5 digits.
    np.testing.assert_allclose(lab, list(known.values()), rtol=0, atol=2e-3)


def test_grey_is_neutral_in_lab():
    grey = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, np.newaxis], 3, axis=-1)
    # Rounding of 1e-7 times 500.
    np.testing.assert_allclose(images.rgb_to_lab(grey)[:, 1:], 0, rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", ["rgb_to_lab", "lab_to_rgb"])
def test_gradients_are_finite_everywhere(name):
    values = tf.constant([[0.0, 0, 0], [1, 1, 1], [0, 1, 0], [1e-8, 0.5, 1], [-0.1, 0, 1.1]])
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = getattr(images, name)(values)
    gradient = tape.gradient(result, values).numpy()
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).sum(axis=-1) > 0).all()


@pytest.mark.parametrize("name", ["rgb_to_lab", "lab_to_rgb"])
def test_lab_gradient_is_that_of_finite_differences(name):
    rgb = random_image(20, 3, low=0.06, high=0.94)
    points = rgb if name == "rgb_to_lab" else np.asarray(images.rgb_to_lab(rgb))
    scale = 1.0 if name == "rgb_to_lab" else 100.0
    function = getattr(images, name)
    weights = random_image(20, 3, seed=1)
    direction = random_image(20, 3, seed=2, low=-1) * scale
    variable = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        total = tf.reduce_sum(weights * function(variable), axis=-1)
    analytic = tf.reduce_sum(tape.gradient(total, variable) * direction, axis=-1)
    step = 2e-3

    def value(sign):
        moved = tf.cast(function(points + sign * step * direction), tf.float64)
        return tf.reduce_sum(weights * moved, axis=-1)

    numeric = (value(1) - value(-1)) / (2 * step)
    # Second-order error of the step and float32's rounding divided by it: a part in a thousand
    # of the largest component.
    tolerance = 2e-3 * np.abs(analytic).max()
    np.testing.assert_allclose(numeric, analytic, rtol=0, atol=tolerance)


# --- luminance --------------------------------------------------------------------------------


def test_luma_of_arrays_is_luminance():
    image = random_image(4, 5, 3)
    np.testing.assert_allclose(images.luma(image), images.luminance(image), rtol=0, atol=FLOAT32)
    grey = np.repeat(random_image(50, 1), 3, axis=-1)
    np.testing.assert_array_equal(images.luma(grey), grey[..., :1])


def test_luminance_is_y_of_yiq():
    color = pytest.importorskip("skimage.color")
    image = random_image(2, 5, 7, 3)
    expected = color.rgb2yiq(image.astype(np.float64))[..., :1]
    result = images.luminance(image)
    assert result.shape == (2, 5, 7, 1)
    np.testing.assert_allclose(result, expected, rtol=0, atol=FLOAT32)


def test_replace_luminance_keeps_i_and_q():
    color = pytest.importorskip("skimage.color")
    image = random_image(1, 6, 6, 3, low=0.4, high=0.6)  # so that nothing is clipped
    wanted = random_image(1, 6, 6, 1, seed=1, low=0.3, high=0.7)
    expected = color.rgb2yiq(image.astype(np.float64))
    expected[..., :1] = wanted
    result = color.rgb2yiq(images.replace_luminance(image, wanted).numpy().astype(np.float64))
    np.testing.assert_allclose(result, expected, rtol=0, atol=FLOAT32)


def test_replace_luminance_is_clipped():
    image = np.array([[[[1, 0, 0]]]], np.float32)
    result = images.replace_luminance(image, np.ones((1, 1, 1, 1), np.float32))
    np.testing.assert_allclose(result, [[[[1, 0.701, 0.701]]]], rtol=0, atol=FLOAT32)


def test_match_luminance_gives_mean_and_deviation():
    image = random_image(2, 20, 30, 1, low=0.2, high=0.4)
    reference = random_image(1, 25, 10, 1, seed=1, low=0.3, high=0.8)
    for matched in np.asarray(images.match_luminance(image, reference)):
        # The 8-bit rounding variance is a part in 10^4 of these variances.
        np.testing.assert_allclose(matched.mean(), reference.mean(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(matched.std(), reference.std(), rtol=5e-4)


def test_match_luminance_is_affine():
    image = random_image(1, 4, 4, 1, low=0.4, high=0.6)
    reference = random_image(1, 4, 4, 1, seed=1, low=0.4, high=0.6)
    scale = np.sqrt(
        (reference.var() + ROUNDING_VARIANCE) / (image.var() + ROUNDING_VARIANCE), dtype=np.float64
    )
    expected = (image - image.mean()) * scale + reference.mean()
    np.testing.assert_allclose(images.match_luminance(image, reference), expected, atol=1e-5)


def test_match_luminance_of_a_flat_picture_stays_flat():
    image = np.full((1, 5, 5, 1), 0.3, np.float32)
    reference = random_image(1, 9, 9, 1)
    matched = images.match_luminance(image, reference)
    # Rounding of 1e-8 times the largest scale, 260.
    np.testing.assert_allclose(matched, np.full_like(matched, reference.mean()), atol=1e-5)


# --- colour transfer --------------------------------------------------------------------------


def test_match_colour_gives_mean_and_covariance():
    image = correlated_image(2, 40, 50, 3, seed=1, spread=0.03)
    reference = correlated_image(1, 30, 20, 3, seed=2, spread=0.04)
    mean, covariance = moments(reference)
    # Two things follow from the variance added to both: that much of it can be left, and every
    # direction falls short by its share in the image's variance there.
    smallest, largest = np.linalg.eigvalsh(moments(image)[1])[0], np.linalg.eigvalsh(covariance)[-1]
    tolerance = ROUNDING_VARIANCE * (1 + largest / smallest)
    assert tolerance < 0.01 * largest
    for matched in np.asarray(images.match_colour(image, reference)):
        assert matched.min() > 0  # or clipping would change the moments
        assert matched.max() < 1
        matched_mean, matched_covariance = moments(matched)
        np.testing.assert_allclose(matched_mean, mean, rtol=0, atol=1e-6)
        np.testing.assert_allclose(matched_covariance, covariance, rtol=0, atol=tolerance)


def test_match_colour_is_the_papers_map():
    image, reference = (
        correlated_image(1, 20, 20, 3, seed=1, spread=0.03),
        correlated_image(1, 20, 20, 3, seed=2, spread=0.03),
    )
    linalg = pytest.importorskip("scipy.linalg")
    image_mean, image_covariance = moments(image)
    mean, covariance = moments(reference)
    image_covariance += ROUNDING_VARIANCE * np.eye(3)
    covariance += ROUNDING_VARIANCE * np.eye(3)
    matrix = linalg.sqrtm(covariance) @ linalg.inv(linalg.sqrtm(image_covariance))
    expected = (image - image_mean) @ matrix.T + mean
    matched = images.match_colour(image, reference)
    np.testing.assert_allclose(matched, np.clip(expected, 0, 1), rtol=0, atol=FLOAT32)


def test_match_colour_to_itself_is_the_identity():
    image = random_image(2, 10, 12, 3)
    matched = images.match_colour(image, image)
    np.testing.assert_allclose(matched, image, rtol=0, atol=FLOAT32)


def test_match_colour_of_a_grey_picture():
    grey = np.repeat(random_image(1, 30, 30, 1), 3, axis=-1)
    reference = correlated_image(1, 30, 30, 3, seed=2)
    matched = np.asarray(images.match_colour(grey, reference))
    np.testing.assert_allclose(moments(matched)[0], moments(reference)[0], rtol=0, atol=1e-3)
    # One grey value is still one colour: rounding did not become colour noise.
    order = np.argsort(grey[0, ..., 0].ravel())
    steps = np.abs(np.diff(matched.reshape(-1, 3)[order], axis=0))
    grey_steps = np.diff(grey[0, ..., 0].ravel()[order])[:, np.newaxis]
    assert (steps < 2 * grey_steps + 1e-4).all()


def test_match_colour_to_a_grey_picture():
    image = random_image(1, 30, 30, 3)
    grey = np.repeat(random_image(1, 30, 30, 1, seed=1, low=0.3, high=0.7), 3, axis=-1)
    matched = np.asarray(images.match_colour(image, grey))
    # What is left of the colours has the variance of 8-bit rounding: five deviations.
    chroma = matched - matched.mean(axis=-1, keepdims=True)
    assert np.abs(chroma).max() < 5 * np.sqrt(ROUNDING_VARIANCE)


def test_match_colour_of_a_flat_picture():
    flat = np.full((1, 8, 8, 3), 0.25, np.float32)
    reference = correlated_image(1, 9, 9, 3, seed=3)
    matched = images.match_colour(flat, reference)
    expected = np.broadcast_to(moments(reference)[0], flat.shape)
    np.testing.assert_allclose(matched, expected, rtol=0, atol=1e-5)


def test_match_colour_keeps_detail_where_the_map_leaves_the_range():
    """A bright picture with a dark corner gets the moments of one that is mostly black."""
    image = random_image(1, 40, 40, 3, low=0.4, high=1.0)
    image[:, :12, :12] *= 0.3
    reference = random_image(1, 40, 40, 3, seed=1, low=0.0, high=0.05)
    reference[:, :, :12] = random_image(1, 40, 12, 3, seed=2, low=0.8, high=1.0)
    matched = np.asarray(images.match_colour(image, reference))
    outside = np.any((matched <= 0) | (matched >= 1), axis=-1)
    assert outside.mean() <= 0.011  # the plain map: 0.09, all of the corner
    np.testing.assert_allclose(moments(matched)[0], moments(reference)[0], rtol=0, atol=2e-3)


def test_match_colour_distribution_matches_along_every_direction():
    """Two pictures of one mean and covariance: the linear map is the identity, this one is not."""
    random = np.random.default_rng(0)
    image = (0.5 + 0.1 * random.standard_normal([1, 60, 50, 3])).astype(np.float32)
    signs = np.where(random.random([1, 50, 60, 3]) < 0.5, -0.1, 0.1)
    # Eight clouds at the corners of a cube.
    reference = (0.5 + signs + 0.01 * random.standard_normal(signs.shape)).astype(np.float32)
    directions = np.linalg.qr(np.random.default_rng(1).standard_normal([3, 3])).Q

    def distance(matched):
        """The Wasserstein distance to the reference, the mean over directions."""
        projected = [np.sort(each.reshape(-1, 3) @ directions, axis=0) for each in matched]
        return np.abs(projected[0] - projected[1]).mean()

    linear = distance([np.asarray(images.match_colour(image, reference)), reference])
    whole = distance([np.asarray(images.match_colour_distribution(image, reference)), reference])
    assert linear > 0.01
    assert whole < 0.15 * linear


def test_match_colour_distribution_to_itself_is_the_identity():
    image = random_image(2, 10, 12, 3)
    matched = images.match_colour_distribution(image, image)
    np.testing.assert_allclose(matched, image, rtol=0, atol=1e-5)


# --- histograms -------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [None, 16], ids=["continuous", "ties"])
def test_match_histogram(levels):
    exposure = pytest.importorskip("skimage.exposure")
    image = random_image(1, 20, 30, 3)
    reference = random_image(1, 17, 11, 3, seed=1) ** 2
    if levels:
        image, reference = (np.round(picture * levels) / levels for picture in (image, reference))
    expected = exposure.match_histograms(image[0], reference[0], channel_axis=-1)
    matched = images.match_histogram(image, reference)
    assert matched.dtype == tf.float32
    np.testing.assert_allclose(matched[0], expected, rtol=0, atol=FLOAT32)


def test_match_histogram_of_the_same_size_is_exact():
    image, reference = random_image(2, 16, 16, 3), random_image(2, 16, 16, 3, seed=1) ** 3
    matched = np.asarray(images.match_histogram(image, reference)).reshape(2, -1, 3)
    np.testing.assert_allclose(
        np.sort(matched, axis=1), np.sort(reference.reshape(2, -1, 3), axis=1), rtol=0, atol=FLOAT32
    )
    # And the order of the pixels is that of the image.
    np.testing.assert_array_equal(
        np.argsort(matched, axis=1), np.argsort(image.reshape(2, -1, 3), axis=1)
    )


# --- shapes, graphs, errors -------------------------------------------------------------------


def test_matching_in_a_graph_of_unknown_sizes():
    image, reference = random_image(2, 10, 12, 3), random_image(1, 7, 5, 3, seed=1)
    signature = [tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([1, None, None, 3])]

    @tf.function(input_signature=signature)
    def match(image, reference):
        return images.match_colour(image, reference)

    expected = images.match_colour(image, reference)
    np.testing.assert_allclose(match(image, reference), expected, rtol=0, atol=FLOAT32)


RGB = np.zeros((2, 4, 4, 3), np.float32)
GREY = np.zeros((2, 4, 4, 1), np.float32)


@pytest.mark.parametrize(
    ("name", "arguments", "match"),
    [
        ("rgb_to_lab", [GREY], r"`image` must have 3 channels.*\(2, 4, 4, 1\)"),
        ("lab_to_rgb", [GREY], r"`lab` must have 3 channels.*\(2, 4, 4, 1\)"),
        ("luminance", [RGB.astype(np.uint8)], "`image` must be float.*uint8"),
        ("rgb_to_lab", [RGB.astype(np.uint8)], "`image` must be float.*uint8"),
        ("replace_luminance", [RGB, RGB], "`luminance_image` must have 1 channels"),
        ("match_luminance", [RGB, GREY], "`image` must have 1 channels"),
        ("match_colour", [RGB, GREY], "`reference` must have 3 channels"),
        ("match_colour", [RGB[0], RGB], r"`image` must be \[batch, .*\(4, 4, 3\)"),
        ("match_colour", [RGB, RGB[:, :0]], r"`reference` must be \[batch, .*\(2, 0, 4, 3\)"),
        ("match_colour", [np.zeros((3, 4, 4, 3), np.float32), RGB], "be one image or as many"),
        ("match_histogram", [RGB, GREY], "`reference` must have the channels of `image`"),
    ],
)
def test_refuses(name, arguments, match):
    with pytest.raises(ValueError, match=match):
        getattr(images, name)(*arguments)


def test_names_are_those_of_all():
    for name in images.__all__:
        assert getattr(images, name) is not None
    assert sorted(images.__all__) == sorted(dir(images))
    with pytest.raises(AttributeError, match=r"No stylezoo\.images attribute color"):
        _ = images.color
