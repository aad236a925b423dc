import numpy as np
import pytest
from video_helpers import HEIGHT, SQUARE, WIDTH, frames, scene

from stylezoo import video

RATE = video.Timing.constant(25)


def flickering(amount=0.2):
    """A painter that paints each call brighter or darker, by turns."""
    calls = []

    def paint(image):
        calls.append(image)
        return np.clip(image + (-1) ** len(calls) * amount / 2, 0, 1).astype(np.float32)

    return paint, calls


def written(tmp_path, pictures, name="source.mkv"):
    path = tmp_path / name
    video.write_clip(path, video.at_rate(pictures), RATE, crf=0)
    return video.open_clip(path)


def paint(clip, painter, output, **options):
    target = video.PaintedClip(output, clip, settings={}, keep=painter.reach)
    painting = video.paint_clip(clip, painter, target, **options)
    return painting, list(video.open_clip(output)) if output.exists() else []


def flicker(pictures):
    """Mean change from frame to frame far from the square, where nothing moves."""
    still = np.concatenate([each.image[:, 40:, :] for each in pictures])
    return np.abs(np.diff(still.mean(axis=(1, 2, 3)))).mean()


def test_steady_painting_flickers_less(tmp_path):
    clip = written(tmp_path, [scene(index) for index in range(8)])
    paint_frame, _ = flickering()
    _, bare = paint(clip, video.Unsteady(paint_frame), tmp_path / "bare.webp")
    paint_frame, _ = flickering()
    _, steady = paint(clip, video.Steady(paint_frame), tmp_path / "steady.webp")
    # A blend with a share of 0.8 leaves a fifth of each step, and the decay of the first frame's offset.
    assert flicker(steady) < 0.3 * flicker(bare)


def test_blends_are_as_told(tmp_path):
    """Against the formula, with a scene that stands still: a source's share of 0.5, a painting's of 0.8."""
    pictures = [scene(0), np.clip(scene(0) + 0.1, 0, 1)]
    seen = []

    def paint_frame(image):
        seen.append(image)
        return np.full_like(image, 0.2 if len(seen) == 1 else 0.7)

    steady = video.Steady(paint_frame, stability=0.8)
    motion = video.motion(*pictures)
    assert motion.weights.mean() > 0.95
    first = steady(video.Moment(0, pictures[0]))
    second = steady(video.Moment(1, pictures[1], (video.Past(pictures[0], first),), motion))
    everywhere = motion.soft_weights[..., 0] == 1
    np.testing.assert_allclose(second[everywhere], 0.8 * 0.2 + 0.2 * 0.7, atol=1e-6)
    expected = (pictures[0] + pictures[1]) / 2
    assert np.abs(seen[1] - expected)[everywhere].mean() < 0.01  # the flow is nearly 0


def test_what_is_uncovered_is_painted_anew():
    """Nothing of the square is left where it was: no ghost."""
    step = 6
    sources = [scene(0, step=step), scene(1, step=step)]
    marks = [
        np.zeros([1, HEIGHT, WIDTH, 3], np.float32),
        np.zeros([1, HEIGHT, WIDTH, 3], np.float32),
    ]
    for index, mark in enumerate(marks):
        left = 8 + step * index
        mark[:, 16 : 16 + SQUARE, left : left + SQUARE] = 1
    painted = iter(marks)
    steady = video.Steady(lambda _: next(painted))
    first = steady(video.Moment(0, sources[0]))
    second = steady(
        video.Moment(1, sources[1], (video.Past(sources[0], first),), video.motion(*sources))
    )
    uncovered = second[0, 18 : 14 + SQUARE, 8 : 8 + step - 1, 0]
    assert uncovered.mean() < 0.2  # 0.8 would be left of it
    assert second[0, 20:28, 20:26, 0].mean() > 0.95


def test_scenes_begin_anew(tmp_path):
    clip = written(tmp_path, [scene(i) for i in range(3)] + [scene(i, seed=9) for i in range(3)])
    pasts = []

    class Painter:
        reach = 2

        def __call__(self, moment):
            pasts.append((len(moment.past), moment.motion is None))
            return moment.source

    expected = [(0, True), (1, False), (2, False)]
    painting, _ = paint(clip, Painter(), tmp_path / "a.webp")
    assert pasts == expected * 2
    assert painting.cuts == [3]
    for cuts, found in (((1,), [1]), ((), [])):
        pasts.clear()
        painting, _ = paint(clip, Painter(), tmp_path / f"{len(cuts)}.webp", cuts=cuts)
        assert painting.cuts == found
        assert [index for index, (_, begins) in enumerate(pasts) if begins] == [0, *found]


def test_frames_are_resized(tmp_path):
    clip = written(tmp_path, [scene(0)])
    _, calls = flickering()
    _, result = paint(
        clip,
        video.Unsteady(lambda image: calls.append(image) or image),
        tmp_path / "o.webp",
        size=32,
    )
    assert calls[0].shape == result[0].image.shape == (1, 24, 32, 3)


@pytest.mark.parametrize("stop", [1, 3, 4, 5])
def test_a_painter_that_looks_back_goes_on_as_before(stop, tmp_path):
    """Interrupted at any frame, the first after a cut too, the frames are the same."""
    clip = written(tmp_path, [scene(i) for i in range(4)] + [scene(i, seed=9) for i in range(3)])

    class TiredError(Exception):
        pass

    class Painter:
        reach = 3

        def __init__(self, stop=None):
            self.stop = stop

        def __call__(self, moment):
            if self.stop is not None:
                self.stop -= 1
                if self.stop < 0:
                    raise TiredError
            blend = moment.source.copy()
            for each in moment.past:
                blend = 0.5 * blend + 0.3 * each.painted + 0.2 * each.source
            motion = moment.motion
            return blend if motion is None else video.remap(blend, motion.flow)

    _, once = paint(clip, Painter(), tmp_path / "once.webp")
    output = tmp_path / "again.webp"
    with pytest.raises(TiredError):
        paint(clip, Painter(stop), output)
    painting, again = paint(clip, Painter(), output)
    assert painting.frames == 7 - stop
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_a_broken_clip_is_painted_up_to_there(tmp_path):
    path = tmp_path / "clip.mkv"
    video.write_clip(path, frames(20), RATE)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 8 // 10])
    painting, result = paint(
        video.open_clip(path), video.Unsteady(lambda image: image), tmp_path / "out.webp"
    )
    assert "up to frame" in painting.broken
    assert 5 < len(result) == painting.frames < 20


def test_stability_is_checked():
    with pytest.raises(ValueError, match="`stability` must be in"):
        video.Steady(lambda image: image, stability=1.0)
