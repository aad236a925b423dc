import fractions
import itertools
import struct
import sys

import av
import numpy as np
import pytest
from PIL import Image
from video_helpers import HEIGHT, WIDTH, frames, scene, sound_packets, write_with_sound

from stylezoo import images, video
from stylezoo.video import painted

RATE = video.Timing.constant(25)


def read(path, **options):
    return list(video.open_clip(path, **options))


def error_of(picture, other):
    return np.abs(picture - other).mean()


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "clip.webp", "clip.gif"])
def test_what_was_written_is_read(name, tmp_path):
    path = tmp_path / name
    written = frames(5)
    video.write_clip(path, iter(written), RATE)
    clip = video.open_clip(path)
    assert (clip.info.height, clip.info.width) == (HEIGHT, WIDTH)
    assert clip.info.frame_rate == 25
    assert not clip.info.has_sound
    again = list(clip)
    assert len(again) == 5
    for before, after in zip(written, again, strict=True):
        assert clip.info.seconds(after.time) == pytest.approx(before.time / 25, abs=1e-3)
        assert clip.info.seconds(after.duration) == pytest.approx(1 / 25, abs=1e-3)
        assert after.image.dtype == np.float32
        # Half the colour resolution, or 256 colours: a few of 255 levels. Swapped matrices are 8.
        assert error_of(before.image, after.image) < 4 / 255
    assert error_of(again[0].image, again[4].image) > 5 / 255


def test_colours_survive(tmp_path):
    """Another matrix than the one that is written down would shift pure green by 10 levels and more."""
    for name, colour in (("red", (0.8, 0.1, 0.1)), ("green", (0.1, 0.8, 0.1))):
        picture = np.broadcast_to(np.float32(colour), [1, 32, 32, 3])
        path = tmp_path / f"{name}.mp4"
        video.write_clip(path, video.at_rate([picture] * 2), RATE)
        assert np.abs(read(path)[0].image - picture).max() < 3 / 255


def test_times_of_a_variable_rate_are_kept(tmp_path):
    times = [0, 40, 120, 130, 400]
    written = [video.Frame(scene(index), time, 40) for index, time in enumerate(times)]
    timing = video.Timing(time_base=fractions.Fraction(1, 1000), frame_rate=fractions.Fraction(10))
    for name in ("clip.mp4", "clip.mkv"):
        video.write_clip(tmp_path / name, written, timing)
        clip = video.open_clip(tmp_path / name)
        assert [round(1000 * clip.info.seconds(frame.time)) for frame in clip] == times
        durations = [round(1000 * clip.info.seconds(frame.duration)) for frame in clip]
        assert durations[:4] == [40, 80, 10, 270]


def test_a_broadcast_rate_is_kept_exactly(tmp_path):
    video.write_clip(tmp_path / "clip.mp4", frames(3), video.Timing.constant(30000 / 1001))
    info = video.open_clip(tmp_path / "clip.mp4").info
    assert info.frame_rate == fractions.Fraction(30000, 1001)


def test_odd_sizes_lose_a_row_and_a_column(tmp_path):
    pictures = [scene(index)[:, :-1, :-1] for index in range(2)]
    video.write_clip(tmp_path / "clip.mp4", video.at_rate(pictures), RATE)
    info = video.open_clip(tmp_path / "clip.mp4").info
    assert (info.height, info.width) == (HEIGHT - 2, WIDTH - 2)


def turned(data, degrees):
    """Return an .mp4 whose header says that it is shown turned, as telephones write it."""
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix is the eleventh word
    matrix = {
        90: (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30),
        180: (-1 << 16, 0, 0, 0, -1 << 16, 0, 0, 0, 1 << 30),
        270: (0, -1 << 16, 0, 1 << 16, 0, 0, 0, 0, 1 << 30),
    }[degrees]
    return data[:at] + struct.pack(">9i", *matrix) + data[at + 36 :]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_clip_is_read_upright(degrees, tmp_path):
    path = tmp_path / "clip.mp4"
    video.write_clip(path, frames(2), RATE)
    path.write_bytes(turned(path.read_bytes(), degrees))
    clip = video.open_clip(path)
    # The matrix (0, 1, -1, 0) turns by 90 degrees clockwise (ISO 14496-12, section 8.3.2).
    expected = np.rot90(scene(0)[0], -degrees // 90)
    assert (clip.info.height, clip.info.width) == expected.shape[:2]
    assert error_of(next(iter(clip)).image[0], expected) < 5 / 255


def test_folders_and_patterns(tmp_path):
    for index in (0, 2, 10):
        images.write_image(tmp_path / f"frame_{index}.png", scene(index))
    (tmp_path / "notes.txt").write_text("no picture")
    for path in (tmp_path, tmp_path / "frame_*.png"):
        clip = video.open_clip(path, frame_rate=10)
        assert clip.info.num_frames == 3
        assert clip.info.seconds(1) == pytest.approx(0.1)
        for index, frame in zip((0, 2, 10), clip, strict=True):
            assert error_of(frame.image, scene(index)) < 1 / 255


def test_transparent_frames_are_over_white(tmp_path):
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 4, 8))
    picture.save(tmp_path / "clip.webp", save_all=True, append_images=[picture], lossless=True)
    frame = read(tmp_path / "clip.webp")[0].image[0]
    np.testing.assert_allclose(frame[0, 0], (0, 0, 1))
    np.testing.assert_allclose(frame[0, 7], (1, 1, 1))


# What is no clip, or not all of one


def test_what_is_no_clip(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        video.open_clip(tmp_path / "nothing.mp4")
    for name in ("text.mp4", "text.gif"):
        (tmp_path / name).write_text("no clip at all" * 100)
        with pytest.raises(ValueError, match="not a clip that can be read"):
            video.open_clip(tmp_path / name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="must hold pictures"):
        video.open_clip(tmp_path / "empty")
    write_with_sound(tmp_path / "clip.mkv", [scene(0)] * 4)
    with (
        av.open(str(tmp_path / "sound.mkv"), "w") as target,
        av.open(str(tmp_path / "clip.mkv")) as source,
    ):
        copy = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    with pytest.raises(ValueError, match="no video in it"):
        video.open_clip(tmp_path / "sound.mkv")
    with pytest.raises(ValueError, match="above the limit of 100"):
        video.open_clip(tmp_path / "clip.mkv", max_pixels=100)
    with pytest.raises(ValueError, match="frame_rate"):
        video.open_clip(tmp_path / "empty", frame_rate=0)


def test_pictures_of_several_sizes(tmp_path):
    images.write_image(tmp_path / "a.png", scene(0))
    images.write_image(tmp_path / "b.png", scene(0)[:, :20])
    with pytest.raises(ValueError, match=r"`b\.png` of 64x20 px and `a\.png` of 64x48 px"):
        video.open_clip(tmp_path)


def read_until_it_breaks(path):
    clip, found = video.open_clip(path), []
    with pytest.raises(video.BrokenClipError, match=r"up to frame \d+ \(.* s\) only") as error:
        found.extend(iter(clip))
        # `extend` keeps what came before the error.
    assert f"frame {len(found)} " in str(error.value)
    return found


@pytest.mark.parametrize("name", ["clip.mkv", "clip.gif"])
def test_a_clip_that_is_cut_off_is_read_up_to_there(name, tmp_path):
    path = tmp_path / name
    video.write_clip(path, frames(20), RATE)
    whole = read(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 8 // 10])
    found = read_until_it_breaks(path)
    assert 5 < len(found) < 20
    for one, other in zip(whole[: len(found) - 1], found[:-1], strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_a_damaged_clip_is_read_up_to_there(tmp_path):
    path = tmp_path / "clip.mkv"
    video.write_clip(path, [video.Frame(scene(i % 9, seed=i), i, 1) for i in range(20)], RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :: 3] = bytes(len(data[len(data) // 2 :: 3]))
    path.write_bytes(data)
    assert 3 < len(read_until_it_breaks(path)) < 19


def test_a_broken_picture_ends_a_folder(tmp_path):
    for index in range(3):
        images.write_image(tmp_path / f"{index}.png", scene(index))
    data = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes(data[:200])
    assert len(read_until_it_breaks(tmp_path)) == 2


def test_extras_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "clip.mp4").write_bytes(b"")
    for call in (
        lambda: video.open_clip(tmp_path / "clip.mp4"),
        lambda: video.check_clip_path(tmp_path / "out.mp4", overwrite=False),
    ):
        with pytest.raises(ModuleNotFoundError, match=r'PyAV.*pip install "stylezoo\[video\]"'):
            call()
    assert video.check_clip_path(tmp_path / "out.webp", overwrite=False)


# Painted clips


def paint_all(clip, output, *, until=None, settings=None, **options):
    """Append the clip's frames from where an earlier run stopped; return the number of new ones."""
    target = video.PaintedClip(output, clip, settings=settings or {}, **options)
    new = 0
    for index, frame in enumerate(clip):
        if index < target.count:
            continue
        if index == until:
            target.close()
            return new
        target.append(frame)
        new += 1
    target.finish()
    return new


@pytest.fixture
def small_segments(monkeypatch):
    monkeypatch.setattr(painted, "SEGMENT", 5)


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("extension", [".mp4", ".mov", ".mkv"])
def test_segments_sound_and_times(extension, tmp_path):
    source = tmp_path / f"source{extension}"
    times = [0, 40, 80, 120, 170, 230, 235, 280, 320, 360, 400, 440, 480]
    write_with_sound(source, [scene(index % 10) for index in range(13)], times=times)
    clip = video.open_clip(source)
    output = tmp_path / f"painted{extension}"
    assert paint_all(clip, output) == 13
    again = video.open_clip(output)
    assert [round(1000 * again.info.seconds(each.time)) for each in again] == times
    assert sound_packets(output) == sound_packets(source)
    for before, after in zip(clip, again, strict=True):
        assert error_of(before.image, after.image) < 6 / 255  # encoded twice
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([output.name, source.name])


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("output", ["painted.mp4", "painted.webp", "painted"])
def test_an_interrupted_run_gives_the_same_clip(output, tmp_path):
    video.write_clip(tmp_path / "source.mp4", frames(13), RATE)
    clip = video.open_clip(tmp_path / "source.mp4")
    for folder in ("once", "again"):
        (tmp_path / folder).mkdir()
    assert paint_all(clip, tmp_path / "once" / output) == 13
    for until, new in ((3, 3), (7, 4), (8, 1)):
        assert paint_all(clip, tmp_path / "again" / output, until=until, keep=2) == new
    work = tmp_path / "again" / f"{output}.unfinished"
    kept = len(list(work.glob("*.png")))
    assert kept == (5 if output.endswith("mp4") else 8)  # 3 of this segment, and 2 before it
    assert paint_all(clip, tmp_path / "again" / output) == 5
    first, second = tmp_path / "once" / output, tmp_path / "again" / output
    if first.is_dir():
        assert [path.name for path in sorted(first.iterdir())][:1] == ["frame_000001.png"]
        pairs = zip(sorted(first.iterdir()), sorted(second.iterdir()), strict=True)
        assert all(one.read_bytes() == other.read_bytes() for one, other in pairs)
    else:
        assert first.read_bytes() == second.read_bytes()
    assert not work.exists()


def test_frames_of_another_run_are_not_taken(tmp_path):
    video.write_clip(tmp_path / "source.mp4", frames(4), RATE)
    clip = video.open_clip(tmp_path / "source.mp4")
    output = tmp_path / "painted.webp"
    paint_all(clip, output, until=2, settings={"style": "udnie", "size": 3})
    with pytest.raises(FileExistsError, match="painted with another style"):
        paint_all(clip, output, settings={"style": "the_scream", "size": 3})
    assert paint_all(clip, output, settings={"style": "the_scream"}, overwrite=True) == 4


def test_two_processes_do_not_share_frames(tmp_path):
    video.write_clip(tmp_path / "source.mp4", frames(2), RATE)
    clip = video.open_clip(tmp_path / "source.mp4")
    first = video.PaintedClip(tmp_path / "painted.webp", clip, settings={})
    with pytest.raises(FileExistsError, match="in use by another process"):
        video.PaintedClip(tmp_path / "painted.webp", clip, settings={})
    first.close()


def test_a_run_that_painted_nothing_leaves_nothing(tmp_path):
    video.write_clip(tmp_path / "source.mp4", frames(2), RATE)
    clip = video.open_clip(tmp_path / "source.mp4")
    for count in (0, 1):
        target = video.PaintedClip(tmp_path / "painted.webp", clip, settings={})
        for frame in itertools.islice(clip, count):
            target.append(frame)
        target.close()
        assert (tmp_path / "painted.webp.unfinished").exists() == bool(count)


def test_sound_that_fits_nowhere(tmp_path):
    write_with_sound(tmp_path / "source.mov", [scene(0)] * 3, codec="pcm_s16le")
    clip = video.open_clip(tmp_path / "source.mov")
    assert clip.info.has_sound
    options = {"sound": True, "overwrite": False}
    for name in ("out.gif", "out.webp", "out"):
        with pytest.raises(ValueError, match="cannot hold the sound"):
            video.check_output(tmp_path / name, clip, **options)
        video.check_output(tmp_path / name, clip, sound=False, overwrite=False)
    video.check_output(tmp_path / "out.mkv", clip, **options)
    write_with_sound(tmp_path / "flac.mkv", [scene(0)] * 3, codec="pcm_s16le")
    with pytest.raises(FileNotFoundError):
        video.check_output(tmp_path / "no" / "out", clip, **options)


def test_encoding_is_checked():
    with pytest.raises(ValueError, match="`crf` must be 0 to 51"):
        video.Encoding(crf=52)
