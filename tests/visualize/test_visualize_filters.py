"""Filters as pictures, and where neurons respond most: networks whose answers are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylezoo import visualize
from stylezoo.classifiers import TapInfo
from stylezoo.layers import Preprocess


@pytest.mark.parametrize("mode", ["torch", "caffe", "lite", "unit"])
def test_colour_tiles_are_in_the_colours_of_the_image(mode):
    """A filter's tile is where its response to a picture rises, whatever the preprocessing."""
    kernel = np.random.default_rng(0).standard_normal((3, 5, 3, 4)).astype(np.float32)
    tiles = visualize.colour_tiles(kernel, mode)
    assert tiles.shape == (4, 3, 5, 3)
    image = tf.constant(np.full((1, 3, 5, 3), 0.5, np.float32))
    for index in range(4):
        with tf.GradientTape() as tape:
            tape.watch(image)
            seen = Preprocess(mode)(image)
            response = tf.reduce_sum(seen * kernel[None, ..., index])
        gradient = tape.gradient(response, image)[0].numpy()
        expected = 0.5 + 0.5 * gradient / np.abs(gradient).max()
        np.testing.assert_allclose(tiles[index], expected, atol=1e-5)


def test_grey_grid():
    kernel = np.zeros((1, 2, 3, 2), np.float32)
    kernel[0, 1, 2, 0], kernel[0, 0, 0, 1], kernel[0, 0, 1, 1] = -4.0, 1.0, 0.5
    grid = visualize.grey_grid(kernel)
    assert grid.shape == (2, 3, 1, 2)
    assert grid[0, 2, 0, 1] == 0
    assert grid[1, 0, 0, 0] == 1
    assert grid[1, 1, 0, 0] == 0.75
    assert np.sum(grid != 0.5) == 3


def box_network():
    """Return a network of sums of red, and of green, in squares of 3 every 2 px with a margin of 1."""
    image = keras.Input([None, None, 3])
    padded = keras.layers.ZeroPadding2D(1)(image)
    sums = keras.layers.Conv2D(2, 3, strides=2, use_bias=False, activation="relu")(padded)
    network = keras.Model(image, {"sums": sums})
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[..., 0, 0] = kernel[..., 1, 1] = 1
    network.set_weights([kernel])
    return network


INFO = TapInfo(channels=2, stride=2, receptive_field=3, offset=1, minimum_size=1)


def dotted(*dots):
    """Return a black picture with values of channels at pixels."""
    image = np.zeros((1, 20, 24, 3), np.float32)
    for row, column, channel, value in dots:
        image[0, row, column, channel] = value
    return image


def test_best_patches():
    pictures = [
        dotted((4, 6, 0, 0.5), (12, 2, 0, 0.9), (8, 8, 1, 0.3)),
        dotted((10, 10, 0, 0.7)),
    ]
    best = visualize.best_patches(
        box_network(), pictures, layer="sums", channels=[0, 1], info=INFO, top=3
    )
    found = {
        channel: [
            (each.image, each.row, each.column, round(each.activation, 3)) for each in patches
        ]
        for channel, patches in best.items()
    }
    assert found[0] == [(0, 6, 1, 0.9), (1, 5, 5, 0.7), (0, 2, 3, 0.5)]
    assert found[1][0] == (0, 4, 4, 0.3)


def test_no_two_patches_from_one_place():
    """A bright square of many neurons gives patches half a receptive field apart."""
    info = TapInfo(channels=2, stride=2, receptive_field=12, offset=1, minimum_size=1)
    image = np.ones((1, 20, 24, 3), np.float32)
    [patches] = visualize.best_patches(
        box_network(), [image], layer="sums", channels=[0], info=info, top=9
    ).values()
    assert len(patches) == 9
    for first in range(9):
        for second in range(first):
            rows = abs(patches[first].row - patches[second].row)
            columns = abs(patches[first].column - patches[second].column)
            assert max(rows, columns) * info.stride >= info.receptive_field / 2


def test_crop_is_the_receptive_field():
    picture = np.random.default_rng(0).uniform(size=(20, 24, 3)).astype(np.float32)
    network = box_network()
    features = network(picture[None])["sums"][0].numpy()
    for row, column in ((0, 0), (3, 5), (9, 11)):
        seen = visualize.crop(picture, visualize.Patch(0, row, column, 0), INFO, fill=0.0)
        assert seen.shape == (3, 3, 3)
        np.testing.assert_allclose(seen[..., 0].sum(), features[row, column, 0], rtol=1e-5)
    corner = visualize.crop(picture, visualize.Patch(0, 0, 0, 0), INFO, fill=1.0)
    np.testing.assert_array_equal(corner[0], 1)
    np.testing.assert_array_equal(corner[:, 0], 1)
    np.testing.assert_array_equal(corner[1:, 1:], picture[:2, :2])


def test_guided_backprop_stays_in_the_patch():
    image = np.full((1, 20, 24, 3), 0.5, np.float32)
    patch = visualize.Patch(0, 3, 5, 0)
    back = visualize.guided_backprop(box_network(), image, layer="sums", channel=1, patch=patch)
    expected = np.zeros_like(back)
    expected[5:8, 9:12, 1] = 1
    np.testing.assert_array_equal(back, expected)


def test_kernels():
    tensors = {
        "a/kernel": np.zeros((3, 3, 2, 4)),
        "a/bias": np.zeros(4),
        "fc/kernel": np.zeros((4, 5)),
    }
    assert list(visualize.kernels(tensors)) == ["a"]
