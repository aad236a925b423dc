"""Patterns on a grid: what counts, what does not, and by how much."""

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import ops


def tiled(pattern, size):
    repeats = [-(-side // len(pattern)) for side in size]
    return np.tile(pattern, repeats)[: size[0], : size[1]]


def picture(values):
    return tf.constant(np.repeat(values[None, :, :, None], 3, axis=-1), tf.float32)


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("size", [(128, 192), (140, 90), (24, 40)])
def test_pattern_of_a_divisor_of_the_period_counts_with_its_variance(period, size):
    pattern = 0.1 * np.random.default_rng(period).standard_normal([period, period])
    energy = ops.grid_energy(picture(0.5 + tiled(pattern, size)))
    assert energy.shape == [1]
    # At the picture's border the mean that is subtracted is that of fewer pixels.
    np.testing.assert_allclose(energy, [np.var(pattern)], rtol=0.15)


def test_what_does_not_repeat_counts_little():
    noise = 0.1 * np.random.default_rng(0).standard_normal([128, 128])
    # The mean of 64 pixels has a 64th of their variance.
    np.testing.assert_allclose(ops.grid_energy(picture(noise)), [0.01 / 64], rtol=0.2)
    other = 0.1 * tiled(np.random.default_rng(0).standard_normal([7, 7]), (128, 128))
    assert float(ops.grid_energy(picture(other))[0]) < 0.01 / 16
    rows, columns = np.mgrid[:128, :128] / 128
    assert float(ops.grid_energy(picture(rows + columns))[0]) < 1e-5


def test_pictures_of_a_batch_count_for_themselves():
    image = random_image(64, 72, batch=3)
    each = [ops.grid_energy(image[index : index + 1])[0] for index in range(3)]
    np.testing.assert_allclose(ops.grid_energy(image), each, rtol=1e-5)


def test_window_must_hold_periods():
    with pytest.raises(ValueError, match=r"`window` must be a multiple of `period`.*12"):
        ops.grid_energy(random_image(64, 64), period=8, window=12)
