"""Writing of clips: H.264 with the sound of another clip, animations, frames."""

import contextlib
import fractions
import heapq
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from stylezoo import images
from stylezoo.images.codecs import to_uint8
from stylezoo.video.clips import Clip, Frame, Timing
from stylezoo.video.extras import optional

VIDEO_EXTENSIONS = (".mkv", ".mov", ".mp4")
"""The extensions of files that hold H.264 and sound."""

ANIMATION_EXTENSIONS = (".gif", ".webp")
"""The extensions of animated pictures, which hold neither H.264 nor sound."""

CLIP_EXTENSIONS = VIDEO_EXTENSIONS + ANIMATION_EXTENSIONS
"""The extensions of clips that can be written."""

DEFAULT_CRF = 18
"""Constant rate factor of H.264. Paintings are full of detail, and at x264's 23 it smears."""

_BT709 = 1
_LIMITED_RANGE = 1
_CENTISECOND = fractions.Fraction(1, 100)


def check_clip_path(path: str | os.PathLike[str], *, overwrite: bool) -> pathlib.Path:
    """Check, before hours of work, that a clip can be written to ``path`` after them.

    Args:
        path: The file to be written.
        overwrite: Whether a file that is there already may be replaced.

    Returns:
        ``path`` as a ``pathlib.Path``.

    Raises:
        ValueError, OSError: As :func:`~stylezoo.images.check_output_path`; ValueError also if there is no
            encoder for the format.
        ModuleNotFoundError: If PyAV is needed, as for all but WebP, and not installed.
    """
    path = images.check_output_path(path, overwrite=overwrite, extensions=CLIP_EXTENSIONS)
    if path.suffix.lower() != ".webp":
        _check_encoder("gif" if path.suffix.lower() == ".gif" else "libx264", path)
    return path


def _check_encoder(name: str, path: pathlib.Path) -> None:
    av = optional("av", f"A {path.suffix} file")
    try:
        av.codec.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        raise ValueError(
            f"`{path}` cannot be written: the ffmpeg of the installed PyAV has no encoder {name}. "
            "A .webp or a folder needs none."
        ) from None


def check_sound(clip: Clip, path: pathlib.Path) -> None:
    """Raise a ValueError if the sound of a clip can't be copied to a video file as it is.

    Args:
        clip: The clip whose sound is copied.
        path: The file to be written, with one of :data:`VIDEO_EXTENSIONS`.
    """
    av = optional("av", f"A {path.suffix} file")
    with av.open(str(clip.path)) as source, av.open(os.devnull, "w", format=_muxer(path)) as target:
        for stream in source.streams.audio:
            name = stream.codec_context.codec.canonical_name
            if name not in target.supported_codecs:
                raise ValueError(
                    f"`{path}` cannot hold the sound of `{clip.path}` ({name}) as it is. A .mkv can; "
                    "`sound=False` leaves it out."
                )


def write_clip(
    path: str | os.PathLike[str],
    frames: Iterable[Frame],
    timing: Timing,
    *,
    crf: int = DEFAULT_CRF,
    quality: int = images.DEFAULT_QUALITY,
    overwrite: bool = False,
) -> None:
    """Write frames as a clip without sound, whole or not at all, taking each when it is needed.

    Args:
        path: The file: .mp4, .mov or .mkv (H.264, for which an odd last row or column is left out), or an
            animated .webp or .gif (256 colours a frame).
        frames: At least one, all of one size.
        timing: The units of the frames' times, their rate, and the shape of their pixels.
        crf: Constant rate factor of H.264, 0 to 51; smaller is better and larger.
        quality: Quality of WebP, 1 to 100.
        overwrite: Whether a file that is there already may be replaced.

    Raises:
        ValueError, OSError, ModuleNotFoundError: As :func:`check_clip_path`.
    """
    path = check_clip_path(path, overwrite=overwrite)
    with images.atomic_path(path, overwrite=overwrite) as temporary:
        match path.suffix.lower():
            case ".webp":
                _write_webp(temporary, frames, timing, quality)
            case ".gif":
                _write_gif(temporary, frames, timing)
            case _:
                encode_h264(temporary, frames, timing, crf=crf, muxer=_muxer(path))


def encode_h264(
    path: pathlib.Path, frames: Iterable[Frame], timing: Timing, *, crf: int, muxer: str
) -> None:
    """Write frames as H.264 in a container, over whatever is at ``path``.

    Args:
        path: The file.
        frames: As for :func:`write_clip`.
        timing: As for :func:`write_clip`.
        crf: As for :func:`write_clip`.
        muxer: ffmpeg's name of the container.
    """
    av = optional("av", "A video file")
    # Times stay as they are: parts of a clip do not begin at 0.
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(path), "w", format=muxer, options=options) as container:
        stream = None
        for frame in frames:
            pixels = _even(to_uint8(frame.image))
            if stream is None:
                stream = _h264_stream(container, pixels.shape[:2], timing, crf)
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture = picture.reformat(
                format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED_RANGE
            )
            picture.pts, picture.time_base = frame.time, timing.time_base
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode())


def _h264_stream(container: Any, size: tuple[int, int], timing: Timing, crf: int) -> Any:
    # Without B-frames packets come in the order of their times, and segments can be joined.
    options = {"crf": str(crf), "bf": "0"}
    stream = container.add_stream("libx264", rate=timing.frame_rate, options=options)
    context = stream.codec_context
    context.height, context.width = size
    context.pix_fmt = "yuv420p"
    context.time_base = stream.time_base = timing.time_base
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED_RANGE
    context.sample_aspect_ratio = timing.pixel_aspect
    # Segments that are joined have one header for all.
    context.flags |= optional("av", "A video file").codec.context.Flags.global_header
    return stream


def _even(pixels: np.ndarray) -> np.ndarray:
    height, width = (side - side % 2 or 1 for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[:height, :width])


def _muxer(path: pathlib.Path) -> str:
    return {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}[path.suffix.lower()]


def _write_webp(path: pathlib.Path, frames: Iterable[Frame], timing: Timing, quality: int) -> None:
    durations: list[int] = []

    def pictures() -> Iterator[Image.Image]:
        for frame in frames:
            # Pillow looks a duration up once it has the frame.
            durations.append(max(round(1000 * timing.seconds(frame.duration)), 1))
            yield Image.fromarray(to_uint8(frame.image))

    following = pictures()
    next(following).save(
        path,
        "WEBP",
        save_all=True,
        append_images=following,
        duration=durations,
        loop=0,
        quality=quality,
    )


def _write_gif(path: pathlib.Path, frames: Iterable[Frame], timing: Timing) -> None:
    """Write a GIF with a palette of its own for each frame."""
    av = optional("av", "A .gif file")
    with av.open(str(path), "w", format="gif") as container:
        stream = container.add_stream("gif", rate=timing.frame_rate)
        graph = None
        for frame in frames:
            pixels = to_uint8(frame.image)
            if graph is None:
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "pal8"
                stream.codec_context.time_base = _CENTISECOND
                graph = _palette_graph(*pixels.shape[:2])
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts = round(frame.time * timing.time_base / _CENTISECOND)
            picture.time_base = _CENTISECOND
            graph.push(picture)
            container.mux(stream.encode(graph.pull()))
        container.mux(stream.encode())


def _palette_graph(height: int, width: int) -> Any:
    """Return ffmpeg's filters that give each frame the 256 colours that suit it."""
    av = optional("av", "A .gif file")
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=width, height=height, format=av.VideoFormat("rgb24"), time_base=_CENTISECOND
    )
    split = graph.add("split")
    palette = graph.add("palettegen", "stats_mode=single")
    use, sink = graph.add("paletteuse", "new=1"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(palette, 0, 0)
    split.link_to(use, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph


def join_videos(
    path: pathlib.Path, segments: Sequence[pathlib.Path], *, sound: Clip | None = None
) -> None:
    """Put encoded segments one after the other, over whatever is at ``path``, and copy a clip's sound.

    Nothing is encoded again.

    Args:
        path: The file, whose extension is one of :data:`VIDEO_EXTENSIONS`.
        segments: What :func:`encode_h264` wrote with the same settings, with times in the whole clip.
        sound: The clip whose sound is copied, as far as it goes.
    """
    av = optional("av", "A video file")
    with contextlib.ExitStack() as stack:
        container = stack.enter_context(av.open(str(path), "w", format=_muxer(path)))
        with av.open(str(segments[0])) as first:
            target = container.add_stream_from_template(first.streams.video[0])
            target.time_base = first.streams.video[0].time_base
        packets = [_video_packets(segments, target)]
        if sound is not None and sound.info.has_sound:
            source = stack.enter_context(av.open(str(sound.path)))
            copies = {
                stream.index: container.add_stream_from_template(stream)
                for stream in source.streams.audio
            }
            packets.append(_sound_packets(source, copies))
        for packet in heapq.merge(*packets, key=lambda each: each.dts * each.time_base):
            container.mux(packet)


def _video_packets(segments: Sequence[pathlib.Path], target: Any) -> Iterator[Any]:
    av = optional("av", "A video file")
    for segment in segments:
        with av.open(str(segment)) as part:
            for packet in part.demux(part.streams.video[0]):
                if packet.size:  # not the empty one at the end
                    packet.stream = target
                    yield packet


def _sound_packets(source: Any, copies: Mapping[int, Any]) -> Iterator[Any]:
    av = optional("av", "A video file")
    try:
        for packet in source.demux(*source.streams.audio):
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                yield packet
    except av.FFmpegError:
        return  # a broken file: what could be read is copied
