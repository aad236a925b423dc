import numpy as np
import pytest
import tensorflow as tf

from stylezoo import images, ops
from stylezoo.training import motions

SHAPE = tf.TensorShape([3, 40, 56, 3])


def test_motions_are_small_different_and_repeatable():
    seed = tf.constant([1, 2])
    flow, visible = motions.random_motion(SHAPE, seed)
    assert flow.shape == (3, 40, 56, 2)
    # 10 px of shift, 5 % zoom and 4 degrees over half a diagonal of 34 px, 3 px of local motion (a cubic
    # kernel overshoots by up to a quarter).
    limit = 10 * np.sqrt(2) + 34 * (0.05 + np.radians(4)) + 3 * 1.25 * np.sqrt(2)
    assert np.linalg.norm(flow, axis=-1).max() < limit
    again, _ = motions.random_motion(SHAPE, seed)
    np.testing.assert_array_equal(flow, again)
    other, _ = motions.random_motion(SHAPE, tf.constant([1, 3]))
    assert np.abs(flow - other).mean() > 1
    assert np.abs(flow[0] - flow[1]).mean() > 1
    assert set(np.unique(visible)) <= {0.0, 1.0}


def test_where_a_motion_leads_out_of_the_picture():
    flow, visible = motions.random_motion(SHAPE, tf.constant([5, 6]))
    rows, columns = np.mgrid[:40, :56]
    to_x, to_y = columns + flow[..., 0], rows + flow[..., 1]
    to_x, to_y = to_x.numpy(), to_y.numpy()
    inside = (to_x >= 0) & (to_x <= 55) & (to_y >= 0) & (to_y <= 39)
    np.testing.assert_array_equal(visible[..., 0] == 1, inside)
    assert 0.3 < inside.mean() < 1


def test_the_motion_is_smooth():
    flow, _ = motions.random_motion(SHAPE, tf.constant([7, 8]))
    for axis in (1, 2):
        # A twentieth by zoom, a fourteenth by rotation, and a local slope of 6 px over a dozen.
        assert np.abs(np.diff(flow, axis=axis)).max() < 1.5


def test_a_photograph_seen_later():
    photo = images.resize(images.load_sample("astronaut"), (40, 56))
    batch = tf.repeat(photo, 3, axis=0)
    later = motions.as_seen_later(batch, tf.constant([1, 2]))
    ratio = later.numpy().mean(axis=(1, 2, 3)) / batch.numpy().mean(axis=(1, 2, 3))
    assert np.abs(ratio - 1).max() < 0.035
    noise = (later - batch * ratio[:, None, None, None]).numpy()
    assert noise.std() == pytest.approx(0.01, rel=0.15)  # clipping at black takes some


def test_painting_what_is_moved_and_moving_what_is_painted():
    """A painter that looks at each pixel alone has no temporal error but rounding and noise."""
    photo = images.resize(images.load_sample("astronaut"), (40, 56))
    flow, _ = motions.random_motion(tf.TensorShape([1, 40, 56, 3]), tf.constant([3, 4]))
    moved_first = 0.5 * ops.warp(photo, flow) + 0.2
    painted_first = ops.warp(0.5 * photo + 0.2, flow)
    np.testing.assert_allclose(moved_first, painted_first, atol=1e-6)
