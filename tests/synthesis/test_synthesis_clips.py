"""Style transfer on clips with an AlexNet of random weights."""

import numpy as np
import pytest
import tensorflow as tf
from configuring import with_fields

from stylezoo import images, video
from stylezoo.losses import temporal_target
from stylezoo.synthesis import (
    CLIP_PRESETS,
    LBFGS,
    Adam,
    FrameOptimizer,
    FrameTransfer,
    Schedule,
    transfer,
    transfer_in_passes,
)

RATE = video.Timing.constant(25)


def frames(count, step=2):
    """A photograph, [1, 40, 48, 3], that moves by ``step`` px to the left in each frame."""
    photo = images.resize_longest_side(images.load_sample("astronaut"), 96).numpy()
    return [photo[:, 20:60, step * index : step * index + 48] for index in range(count)]


@pytest.fixture(scope="module")
def style():
    return images.resize(images.load_sample("coffee"), (48, 60))


@pytest.fixture
def configure(random_weights):
    """A configuration with random weights and few steps."""

    def build(preset="fast", *, steps=3, **fields):
        defaults = {
            "network": "alexnet_owt",
            "weights": str(random_weights("alexnet_owt")),
            "content_layers": ("relu2",),
            "style_layers": ("relu1", "relu2"),
            "schedule": Schedule(smallest=None, initial_steps=steps, steps=steps),
            "frame_steps": steps,
            "optimizer": Adam(0.05),  # it is traced sooner
        }
        return with_fields(CLIP_PRESETS[preset], **(defaults | fields))

    return build


def paint(sources, config, style, **options):
    """Paint frames one after the other, as `video.paint_clip` does."""
    painter = FrameTransfer(FrameOptimizer([style], config=config, **options), config)
    past, painted = [], []
    for index, source in enumerate(sources):
        motion = video.motion(past[-1].source, source) if past else None
        painting = painter(video.Moment(index, source, tuple(past[-painter.reach :]), motion))
        past.append(video.Past(source, painting))
        painted.append(painting)
    return painted


def flicker(sources, painted):
    errors = []
    for index in range(1, len(sources)):
        motion = video.motion(sources[index - 1], sources[index])
        difference = painted[index] - video.remap(painted[index - 1], motion.flow)
        errors.append(np.sqrt((motion.weights * difference**2).sum() / motion.weights.sum() / 3))
    return np.mean(errors)


def test_the_first_frame_is_that_of_transfer(style, configure):
    config = configure()
    (painted,) = paint(frames(1), config, style)
    expected = transfer(frames(1)[0], [style], config=with_fields(config.transfer, size=48))
    np.testing.assert_array_equal(painted, expected.image)


def test_frames_follow_from_those_before(style, configure):
    sources = frames(4)
    schedule = Schedule(smallest=None, initial_steps=8, steps=8)
    config = configure(init="noise", schedule=schedule, optimizer=LBFGS(memory=5), frame_steps=5)
    alone = [
        transfer(
            each, [style], config=with_fields(config.transfer, size=48, seed=index)
        ).image.numpy()
        for index, each in enumerate(sources)
    ]
    painted = paint(sources, config, style)
    assert flicker(sources, painted) < 0.25 * flicker(sources, alone)
    # The temporal loss does its part, beside the start.
    free = paint(sources, with_fields(config, temporal_weight=0.0), style)
    assert flicker(sources, painted) < 0.8 * flicker(sources, free)


@pytest.mark.parametrize(("init", "start"), [("content", "source"), ("noise", "warped")])
def test_what_comes_into_view_starts_from_the_content(init, start, style, configure):
    """Without steps a frame is what it starts from: warped, but for the columns on the right."""
    sources = frames(2, step=12)
    config = configure(init=init, steps=0)
    painter = FrameTransfer(FrameOptimizer([style], config=config), config)
    past = (video.Past(sources[0], np.zeros_like(sources[0])),)
    flow = np.zeros([1, 40, 48, 2], np.float32)
    flow[..., 0] = 12
    weights = np.ones([1, 40, 48, 1], np.float32)
    weights[:, :, -12:] = 0
    weights[:, 20, 10] = 0  # a single pixel is no place that comes into view
    painted = painter(video.Moment(1, sources[1], past, video.Motion(flow, weights, is_cut=False)))
    assert not painted[:, :, :30].any()  # the painting before is black
    expected = sources[1] if start == "source" else np.zeros_like(sources[1])
    np.testing.assert_allclose(painted[:, :, -6:], expected[:, :, -6:], atol=1e-6)


def test_the_loss_falls(style, configure):
    source = frames(2)[1]
    seen = []
    optimizer = FrameOptimizer([style], config=configure(steps=6), callback=seen.append)
    target = temporal_target([tf.constant(source)], [tf.ones([1, 40, 48, 1])])
    optimizer.following(1, source, 0.5 * source + 0.2, target)
    totals = [each.losses["total"] for each in seen]
    assert len(totals) == 6
    assert totals[-1] < totals[0]
    assert set(seen[0].losses) == {"total", "content", "style", "temporal"}


def test_frames_of_a_size_share_one_trace(style, configure):
    """Another frame of the same size is painted without tracing the network again."""
    optimizer = FrameOptimizer([style], config=configure())
    sources = frames(3)
    optimizer.following(0, sources[0], sources[0])
    run = optimizer._run
    traces = run._minimizer.step.experimental_get_tracing_count()
    for index in (1, 2):
        optimizer.following(index, sources[index], sources[index])
    assert optimizer._run is run
    assert run._minimizer.step.experimental_get_tracing_count() == traces == 1


def test_a_frame_depends_on_what_it_is_given_alone(style, configure):
    """So that an interrupted run goes on as it would have."""
    sources = frames(3)
    target = temporal_target([tf.constant(sources[1])], [tf.ones([1, 40, 48, 1])])
    results = []
    for before in ((), (0, 1)):
        optimizer = FrameOptimizer([style], config=configure())
        for index in before:
            optimizer.following(index, sources[index], sources[index])
        results.append(optimizer.following(2, sources[2], sources[1], target))
    np.testing.assert_allclose(*results, atol=1e-6)


@pytest.mark.parametrize("preserve_color", ["luminance", "histogram"])
def test_colours_are_kept(preserve_color, style, configure):
    sources = frames(2)
    painted = paint(sources, configure(preserve_color=preserve_color), style)
    for source, painting in zip(sources, painted, strict=True):
        difference = painting.mean(axis=(0, 1, 2)) - source.mean(axis=(0, 1, 2))
        # Channels rise and fall together, as brightness does.
        assert np.ptp(difference) < 0.05


def test_masks_of_frames(style, configure):
    """Two styles, each in its half, in every frame after the first too."""
    sources = frames(2)
    left = np.zeros([1, 40, 48, 1], np.float32)
    left[:, :, :24] = 1
    masks = {0: (left, 1 - left), 1: (left[:, :, ::-1], left)}
    options = {"style_weights": None, "config": configure(content_weight=0.0, steps=4)}
    dark, bright = (
        np.full([1, 48, 48, 3], 0.1, np.float32),
        np.full([1, 48, 48, 3], 0.9, np.float32),
    )
    optimizer = FrameOptimizer([dark, bright], masks=masks.__getitem__, **options)
    start = np.full_like(sources[0], 0.5)
    first = optimizer.following(0, sources[0], start)
    second = optimizer.following(1, sources[1], start)
    assert first[:, :, 30:].mean() > first[:, :, :18].mean() + 0.05
    assert second[:, :, 30:].mean() < second[:, :, :18].mean() - 0.05


def test_tiles_change_nothing(style, configure):
    source = frames(1)[0]
    target = temporal_target([tf.constant(0.5 * source)], [tf.ones([1, 40, 48, 1])])
    whole, tiled = (
        FrameOptimizer([style], config=configure(steps=2, tile=tile, optimizer=LBFGS(memory=5)))
        for tile in (None, 16)
    )
    one = whole.following(0, source, source, target)
    other = tiled.following(0, source, source, target)
    np.testing.assert_allclose(one, other, atol=2e-3)


# Several passes


def clip_of(tmp_path, pictures):
    video.write_clip(tmp_path / "source.mkv", video.at_rate(pictures), RATE, crf=0)
    return video.open_clip(tmp_path / "source.mkv")


def run_passes(clip, output, config, style, *, stop=None, cuts=None):
    optimizer = FrameOptimizer([style], config=config)
    calls = []

    def callback(count):
        calls.append(count)
        if len(calls) == stop:
            raise KeyboardInterrupt

    target = video.PaintedClip(output, clip, settings={}, keep=0)
    painting = transfer_in_passes(
        clip, optimizer, target, config=config, cuts=cuts, callback=callback
    )
    return painting, [frame.image for frame in video.open_clip(output)], calls


def test_passes_make_frames_agree(style, configure, tmp_path):
    sources = frames(3)
    clip = clip_of(tmp_path, sources)
    config = configure(
        "ruder2016-multipass", steps=3, passes=4, temporal_from=2, temporal_weight=5e3
    )
    once = with_fields(config, passes=1)
    painting, painted, calls = run_passes(clip, tmp_path / "out", config, style)
    assert painting.frames == 3
    assert calls == list(range(1, 13))
    _, alone, _ = run_passes(clip, tmp_path / "alone", once, style)
    assert flicker(sources, painted) < 0.7 * flicker(sources, alone)
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.mark.parametrize("stop", [2, 5])
def test_interrupted_passes_go_on(stop, style, configure, tmp_path):
    clip = clip_of(tmp_path, frames(3))
    config = configure("ruder2016-multipass", steps=2, passes=3, temporal_from=2)
    _, expected, _ = run_passes(clip, tmp_path / "once", config, style)
    with pytest.raises(KeyboardInterrupt):
        run_passes(clip, tmp_path / "again", config, style, stop=stop)
    _, painted, _ = run_passes(clip, tmp_path / "again", config, style)
    for one, other in zip(expected, painted, strict=True):
        # Rounding to 8 bits makes a level of what is the same up to float32's rounding.
        np.testing.assert_allclose(one, other, atol=1.5 / 255)


def test_passes_stop_at_cuts(style, configure, tmp_path):
    """A frame after a cut starts from itself, whatever is before it."""
    config = configure("ruder2016-multipass", steps=2, passes=2, temporal_from=1)
    sources = frames(2)
    results = []
    for name, before in (("a", sources[0]), ("b", 1 - sources[0])):
        folder = tmp_path / name
        folder.mkdir()
        clip = clip_of(folder, [before, sources[1]])
        _, painted, _ = run_passes(clip, folder / "out", config, style, cuts=(1,))
        results.append(painted[1])
    np.testing.assert_allclose(*results, atol=1.5 / 255)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temporal_weight": -1.0}, "`temporal_weight` must be finite, >= 0"),
        ({"offsets": ()}, "`offsets` must be increasing"),
        ({"offsets": (2, 1)}, "`offsets` must be increasing"),
        ({"offsets": (0,)}, "`offsets` must be increasing"),
        ({"passes": 0}, "`passes` must be >= 1"),
        ({"frame_steps": -1}, "`frame_steps` must be >= 0"),
        ({"blend": 1.5}, "`blend` must be in"),
    ],
)
def test_what_is_no_configuration(fields, message):
    with pytest.raises(ValueError, match=message):
        with_fields(CLIP_PRESETS["fast"], **fields)
