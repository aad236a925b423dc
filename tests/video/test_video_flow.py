import numpy as np
import pytest
from video_helpers import HEIGHT, SQUARE, WIDTH, scene, texture

from stylezoo import ops, video


def shifted(dx, dy):
    """A picture, and the same scene with everything moved by (dx, dy)."""
    large = texture(HEIGHT + 20, WIDTH + 20, 3)
    before = large[10 : 10 + HEIGHT, 10 : 10 + WIDTH]
    after = large[10 - dy : 10 - dy + HEIGHT, 10 - dx : 10 - dx + WIDTH]
    return before[np.newaxis], after[np.newaxis]


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, -4), (5, 2)])
def test_the_flow_of_a_translation(dx, dy):
    before, after = shifted(dx, dy)
    flow = video.optical_flow(before, after)
    assert flow.shape == (1, HEIGHT, WIDTH, 2)
    inner = flow[0, 10:-10, 10:-10]
    # Sub-pixel flow of smooth noise; DIS is off by a few hundredths there.
    np.testing.assert_allclose(np.median(inner, axis=(0, 1)), (dx, dy), atol=0.1)
    assert np.linalg.norm(inner - (dx, dy), axis=-1).mean() < 0.25


def test_small_pictures_have_a_flow_too():
    picture = texture(5, 9, 0)[np.newaxis]
    np.testing.assert_allclose(
        video.optical_flow(picture, picture), np.zeros([1, 5, 9, 2]), atol=0.1
    )
    with pytest.raises(ValueError, match="shape"):
        video.optical_flow(picture, picture[:, :4])


def test_the_equations_of_consistency():
    """The condition of Ruder et al. 2016, evaluated by hand where the flow leads to whole pixels."""
    flow = np.zeros([1, 4, 8, 2], np.float32)
    flow[0, :, :, 0] = 2  # everything comes from two columns to the right
    other = np.zeros_like(flow)
    other[0, :, :, 0] = -2
    other[0, 1, 5, 0] = -1.2  # |0.8|² = 0.64 > 0.01 (4 + 1.44) + 0.5
    other[0, 2, 5, 0] = -1.35  # |0.65|² = 0.42 < 0.01 (4 + 1.82) + 0.5
    expected = np.ones([4, 8], np.float32)
    expected[1, 3] = 0
    expected[:, 6:] = 0  # beyond the right edge
    np.testing.assert_array_equal(video.consistency(flow, other)[0, ..., 0], expected)


def test_the_equation_of_boundaries():
    flow = np.zeros([1, 6, 10, 2], np.float32)
    flow[0, :, 5:] = (1.0, 0.0)
    # Central differences: 0.5² = 0.25 at columns 4 and 5, above 0.01 · 1 + 0.002.
    expected = np.zeros([6, 10])
    expected[:, 4:6] = 1
    np.testing.assert_array_equal(video.motion_boundaries(flow)[0, ..., 0], expected)
    slope = np.zeros([1, 6, 10, 2], np.float32)
    slope[0, ..., 1] = 0.04 * np.arange(10)  # 0.0016 is below 0.002
    assert not video.motion_boundaries(slope).any()


def test_the_square_that_moves_uncovers_what_was_behind_it():
    """True flows: 6 px to the right for the square, none for the ground."""
    step, left = 6, 8
    backward = np.zeros([1, HEIGHT, WIDTH, 2], np.float32)
    backward[0, 16 : 16 + SQUARE, left + step : left + step + SQUARE, 0] = -step
    forward = np.zeros_like(backward)
    forward[0, 16 : 16 + SQUARE, left : left + SQUARE, 0] = step
    uncovered = np.zeros([HEIGHT, WIDTH], bool)
    uncovered[16 : 16 + SQUARE, left : left + step] = True
    np.testing.assert_array_equal(video.consistency(backward, forward)[0, ..., 0] == 0, uncovered)
    # The estimated flow finds most of it, and little else that is not at the square's rim.
    motion = video.motion(scene(0, step=step), scene(1, step=step))
    assert not motion.is_cut
    assert 1 - motion.weights[0, ..., 0][uncovered].mean() > 0.8
    far = np.ones_like(uncovered)
    far[8:40, :44] = False
    assert motion.weights[0, ..., 0][far].mean() > 0.9


def test_a_cut_is_noticed():
    assert video.motion(scene(0), scene(0, seed=7)).is_cut
    assert not video.motion(scene(0), scene(1)).is_cut


def test_remap_keeps_what_whole_pixels_move():
    before, after = shifted(3, -2)
    flow = np.broadcast_to(np.float32([-3, 2]), [1, HEIGHT, WIDTH, 2])
    moved = video.remap(before, flow)
    np.testing.assert_allclose(moved[:, 4:-4, 4:-4], after[:, 4:-4, 4:-4], atol=1e-5)
    linear = ops.warp(before, flow).numpy()
    np.testing.assert_allclose(moved[:, 4:-4, 4:-4], linear[:, 4:-4, 4:-4], atol=1e-5)
