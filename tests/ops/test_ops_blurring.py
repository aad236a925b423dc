"""The Gaussian against SciPy, at borders of either kind."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from stylezoo import ops


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.5])
@pytest.mark.parametrize(("border", "mode"), [("SYMMETRIC", "reflect"), ("REFLECT", "mirror")])
def test_gaussian_equals_scipy(sigma, border, mode):
    image = np.random.default_rng(0).standard_normal((2, 11, 9, 3)).astype(np.float32)
    radius = max(int(3 * sigma + 0.5), 1)
    expected = scipy.ndimage.gaussian_filter(
        image.astype(np.float64), sigma, axes=(1, 2), mode=mode, radius=radius
    )
    blurred = ops.gaussian_blur(tf.constant(image), sigma, border=border)
    np.testing.assert_allclose(blurred, expected, rtol=0, atol=1e-6)


def test_gaussian_keeps_what_is_flat_and_the_mean_of_a_spot():
    flat = ops.gaussian_blur(tf.fill([1, 8, 8, 2], 0.7), 1.0)
    np.testing.assert_allclose(flat, np.full((1, 8, 8, 2), 0.7), rtol=1e-6)
    spot = tf.one_hot([[[5 * 11 + 5]]], 121, axis=1)
    blurred = ops.gaussian_blur(tf.reshape(spot, [1, 11, 11, 1]), 1.0)
    assert float(tf.reduce_sum(blurred)) == pytest.approx(1.0, rel=1e-6)
    assert float(tf.reduce_max(blurred)) == float(blurred[0, 5, 5, 0])
