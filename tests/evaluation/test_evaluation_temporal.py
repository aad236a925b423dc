import numpy as np
import pytest
from PIL import Image

from stylezoo import evaluation, images, video


def still(count, *, seed=0):
    """Frames of a photograph that does not move, [1, 40, 48, 3]."""
    photo = images.resize_longest_side(images.load_sample("astronaut"), 64).numpy()
    return [photo[:, seed : 40 + seed, seed : 48 + seed]] * count


def test_the_error_of_an_offset():
    picture = still(1)[0]
    motion = video.motion(picture, picture)
    assert evaluation.temporal_error(picture, picture, motion) < 1e-3  # the flow is hardly 0
    offset = np.float32(0.1)
    error = evaluation.temporal_error(picture * 0 + 0.4 + offset, picture * 0 + 0.4, motion)
    assert error == pytest.approx(0.1, abs=1e-6)


def test_only_visible_pixels_count():
    picture = np.zeros([1, 4, 4, 3], np.float32)
    earlier = picture.copy()
    earlier[0, 0] = 1.0
    earlier[0, 1, 0] = 0.5
    weights = np.ones([1, 4, 4, 1], np.float32)
    weights[0, 0] = 0
    motion = video.Motion(np.zeros([1, 4, 4, 2], np.float32), weights, is_cut=False)
    error = evaluation.temporal_error(picture, earlier, motion)
    assert error == pytest.approx(np.sqrt(0.5**2 / 12))
    nowhere = video.Motion(motion.flow, 0 * weights, is_cut=False)
    assert np.isnan(evaluation.temporal_error(picture, earlier, nowhere))


def test_figures_of_a_clip():
    """Brightness rises by 0.02 a frame; there is a cut after the seventh."""
    sources = still(7) + [np.flip(each, axis=(1, 2)) for each in still(2)]
    painted = [np.full_like(each, 0.3 + 0.02 * index) for index, each in enumerate(sources)]
    figures = list(evaluation.frame_figures(zip(sources, painted, strict=True)))
    short, long = ([getattr(each, name) for each in figures] for name in ("short", "long"))
    nan = np.nan
    np.testing.assert_allclose(short, [nan, *[0.02] * 6, nan, 0.02], atol=1e-6)
    np.testing.assert_allclose(long, [*[nan] * 5, 0.1, 0.1, nan, nan], atol=1e-6)
    assert evaluation.mean_figure(figures, "clip_short") < 1e-3
    np.testing.assert_allclose(figures[2].brightness, 0.34, atol=1e-6)
    assert figures[2].sharpness == pytest.approx(0, abs=1e-7)
    table = evaluation.temporal_table(figures)
    assert "| temporal error, 1 frame | 0.0200 |" in table
    assert "| brightness | 0.3800 |" in table


def test_sharpness_of_stripes():
    """Neighbours in a row differ by 0.5, in a column by nothing: 0.25 on average."""
    picture = np.zeros([1, 8, 8, 3], np.float32)
    picture[:, :, ::2] = 0.5
    (figures,) = evaluation.frame_figures([(picture, picture)])
    assert figures.sharpness == pytest.approx(0.25, abs=1e-6)


def test_plot_lines():
    lines = {"rising": [0.0, 1.0, 2.0], "gap": [1.0, np.nan, 1.0]}
    plot = evaluation.plot_lines(lines, title="error", x_title="frame")
    assert plot.shape == (1, 360, 900, 3)
    pixels = Image.fromarray(np.uint8(255 * plot[0] + 0.5))
    below_title = np.asarray(pixels)[30:]
    rows, columns = np.nonzero(np.all(below_title == (0x00, 0x72, 0xB2), axis=-1))
    # From the lower left corner to the upper right one, where the axis ends: 70 to 880, 320 to 40 px.
    expected = 320 - (columns - 70) * 280 / 810
    assert np.abs(rows + 30 - expected).max() < 3
    assert columns.max() - columns.min() > 700
    # The gap leaves two dots of the other line, at a height of 1.
    rows, columns = np.nonzero(np.all(below_title == (0xD5, 0x5E, 0x00), axis=-1))
    assert np.abs(rows + 30 - 180).max() < 3
    assert set(np.round((columns - 70) / 810).tolist()) == {0, 1}
