"""Parametrisations of a picture beside the pixels."""

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo.synthesis import LaplacianPyramid


@pytest.mark.parametrize("size", [(16, 16), (21, 34), (3, 9)])
def test_a_laplacian_pyramid_is_the_picture(size):
    picture = random_image(*size)
    pyramid = LaplacianPyramid(picture)
    np.testing.assert_allclose(pyramid.image(), picture, rtol=0, atol=1e-6)
    pyramid.project()
    np.testing.assert_allclose(pyramid.image(), picture, rtol=0, atol=1e-6)


def test_the_coarsest_level_moves_the_whole_picture():
    picture = random_image(16, 24)
    pyramid = LaplacianPyramid(picture)
    # 16x24, 8x12, 4x6 and 2x3 positions of three channels.
    assert pyramid.variable.shape == [3 * (16 * 24 + 8 * 12 + 4 * 6 + 2 * 3)]
    change = tf.concat([tf.zeros([pyramid.variable.shape[0] - 18]), tf.fill([18], 0.25)], axis=0)
    pyramid.variable.assign_add(change)
    np.testing.assert_allclose(pyramid.image(), picture + 0.25, rtol=0, atol=1e-6)
