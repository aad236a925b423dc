"""Reading of clips: video files, animations, and folders of pictures."""

import contextlib
import fractions
import glob
import itertools
import os
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from stylezoo import images
from stylezoo.images import FloatArray
from stylezoo.video.clips import Clip, ClipInfo, Frame, Timing
from stylezoo.video.extras import optional

DEFAULT_FRAME_RATE = 25.0
"""Frames a second of a folder of pictures."""

_ANIMATIONS = (".gif", ".webp", ".png", ".apng")
_MILLISECOND = fractions.Fraction(1, 1000)
# Browsers show frames of less than 20 ms for 100 ms.
_SHORTEST_MS, _USUAL_MS = 20, 100
# Video without a matrix of its own is BT.601 below this many rows, and BT.709 from it on.
_HD_ROWS = 720
_UNSPECIFIED, _BT709, _BT601 = 2, 1, 5
_EXIF_ORIENTATION = 0x0112
# Sound that goes on for as long after the last frame is nothing unusual.
_LONGER_SOUND_US = 1_000_000


def open_clip(
    path: str | os.PathLike[str],
    *,
    frame_rate: float = DEFAULT_FRAME_RATE,
    max_pixels: int = images.DEFAULT_MAX_PIXELS,
) -> Clip:
    """Open a clip, and read its first frame.

    Args:
        path: A video file of any kind that ffmpeg reads; an animated GIF, WebP or PNG; a folder of
            pictures; or a pattern of them such as ``"shot/*.png"``. Numbers in names are sorted as numbers.
        frame_rate: Frames a second of a folder or pattern; the others know theirs.
        max_pixels: Frames of more pixels are refused.

    Raises:
        FileNotFoundError: If there is nothing.
        ModuleNotFoundError: If it is a video file and PyAV is not installed.
        ValueError: If it is no clip, has no frames, has too large ones, or pictures of several sizes.
    """
    timing = Timing.constant(frame_rate)
    path = pathlib.Path(path)
    if path.is_dir():
        pictures: Iterable[pathlib.Path] = path.iterdir()
    elif glob.has_magic(str(path)) and not path.exists():
        # Not Path.glob, which takes no absolute patterns.
        pictures = map(pathlib.Path, glob.glob(str(path)))  # noqa: PTH207
    elif not path.is_file():
        raise FileNotFoundError(f"`{path}` does not exist.")
    elif path.suffix.lower() in _ANIMATIONS:
        return _Animation(path, max_pixels)
    else:
        return _Video(path, max_pixels)
    return _Pictures(path, pictures, timing, max_pixels)


def _check_size(path: pathlib.Path, height: int, width: int, max_pixels: int) -> None:
    if height * width > max_pixels:
        raise ValueError(
            f"`{path}` has {width}x{height} = {height * width} pixels, above the limit of {max_pixels}. "
            "If that is right, raise `max_pixels`."
        )


class _Pictures(Clip):
    """The pictures of a folder or of a pattern."""

    def __init__(
        self,
        path: pathlib.Path,
        pictures: Iterable[pathlib.Path],
        timing: Timing,
        max_pixels: int,
    ) -> None:
        super().__init__(path)
        self._max_pixels = max_pixels
        self._pictures = sorted(
            (each for each in pictures if each.suffix.lower() in images.IMAGE_EXTENSIONS),
            key=_natural,
        )
        if not self._pictures:
            raise ValueError(
                f"`{path}` must hold pictures ({' '.join(images.IMAGE_EXTENSIONS)}). Received: none"
            )
        size = _picture_size(self._pictures[0])
        if size is None:
            raise ValueError(f"`{self._pictures[0]}` is not an image that can be decoded.")
        for picture in self._pictures:
            other = _picture_size(picture) or size  # a broken one ends the clip
            if other != size:
                raise ValueError(
                    f"`{path}` must hold pictures of one size. Received: `{picture.name}` of "
                    f"{_shown(other)} px and `{self._pictures[0].name}` of {_shown(size)} px"
                )
        _check_size(path, *size, max_pixels)
        height, width = size
        self.info = ClipInfo(
            height=height,
            width=width,
            num_frames=len(self._pictures),
            time_base=timing.time_base,
            frame_rate=timing.frame_rate,
        )

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self._pictures):
            try:
                picture = images.read_image(path, max_pixels=self._max_pixels)
            except (OSError, ValueError) as error:
                raise self.broken(index, str(error)) from error
            yield Frame(picture, index, 1)


def _natural(path: pathlib.Path) -> list[tuple[int, str]]:
    """Return a key by which frame_10 comes after frame_9."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _shown(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


def _picture_size(path: pathlib.Path) -> tuple[int, int] | None:
    """Return height and width, px, of a picture as it is shown, from its header; None for a broken one."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_EXIF_ORIENTATION, 1) >= 5
    except Exception:
        return None
    return (width, height) if turned else (height, width)


class _Animation(Clip):
    """An animated picture file, or one that does not move."""

    def __init__(self, path: pathlib.Path, max_pixels: int) -> None:
        super().__init__(path)
        try:
            with Image.open(path) as animation:
                width, height = animation.size
                _check_size(path, height, width, max_pixels)
                animation.load()
                duration = _duration_ms(animation)
                count = _count(animation)
        except Image.DecompressionBombError as error:
            raise ValueError(f"`{path}` is too large: {error}") from error
        except (OSError, SyntaxError) as error:
            raise ValueError(f"`{path}` is not a clip that can be read: {error}") from error
        rate = fractions.Fraction(1000, duration)
        self.info = ClipInfo(
            height=height, width=width, num_frames=count, time_base=_MILLISECOND, frame_rate=rate
        )

    def __iter__(self) -> Iterator[Frame]:
        time = 0
        with Image.open(self.path) as animation:
            for index in itertools.count():
                try:
                    animation.seek(index)
                    pixels = _over_white(animation)
                except EOFError:
                    return
                except Exception as error:  # Pillow raises whatever a broken file leads to
                    raise self.broken(index, str(error) or "it is cut off") from error
                duration = _duration_ms(animation)
                yield Frame(pixels, time, duration)
                time += duration


def _count(animation: Image.Image) -> int | None:
    """Return the number of frames; None for a broken file."""
    try:
        return int(getattr(animation, "n_frames", 1))
    except Exception:
        return None


def _duration_ms(animation: Image.Image) -> int:
    duration = round(animation.info.get("duration", 0))
    return duration if duration >= _SHORTEST_MS else _USUAL_MS


def _over_white(picture: Image.Image) -> FloatArray:
    opaque = picture.convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque)
    return _as_image(np.asarray(opaque.convert("RGB")))


def _as_image(pixels: np.ndarray) -> FloatArray:
    return np.divide(pixels, 255, dtype=np.float32)[np.newaxis]


class _Video(Clip):
    """A file that ffmpeg reads."""

    def __init__(self, path: pathlib.Path, max_pixels: int) -> None:
        super().__init__(path)
        self._av = optional("av", "A video file")
        try:
            with self._av.open(str(path)) as container:
                if not container.streams.video:
                    raise ValueError(f"`{path}` has no frames: there is no video in it.")
                stream = container.streams.video[0]
                first = next(container.decode(stream), None)
                if first is None:
                    raise ValueError(f"`{path}` has no frames that can be decoded.")
                self.info = _info(container, stream, first)
                self._end = _end(container, stream)
        except self._av.FFmpegError as error:
            reason = error.strerror or error
            raise ValueError(f"`{path}` is not a clip that can be read: {reason}") from error
        _check_size(path, self.info.height, self.info.width, max_pixels)

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames with the time until the next as their duration, as players show them."""
        count, held = 0, None
        size = (self.info.height, self.info.width)
        for decoded in self._decoded():
            if isinstance(decoded, str):
                if held is not None:
                    yield held
                raise self.broken(count, decoded)
            time = decoded.pts
            if time is None or (held and time <= held.time):
                time = held.time + held.duration if held else 0
            if held is not None:
                yield Frame(held.image, held.time, time - held.time)
            pixels = _upright(_rgb(decoded), decoded.rotation)
            if pixels.shape[:2] != size:
                raise self.broken(
                    count,
                    f"frame {count + 1} has {_shown(pixels.shape[:2])} px, not {_shown(size)} px",
                )
            held = Frame(_as_image(pixels), time, decoded.duration or self._usual_duration)
            count += 1
        if held is not None:
            yield held
            if self._end is not None and held.time + 2.5 * held.duration < self._end:
                raise self.broken(count, "the file is cut off")

    @property
    def _usual_duration(self) -> int:
        return max(round(1 / (self.info.frame_rate * self.info.time_base)), 1)

    def _decoded(self) -> Iterator[Any]:
        """Yield decoded frames and, where that fails, the reason as the last."""
        with self._av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            try:
                yield from container.decode(stream)
            except self._av.FFmpegError as error:
                reason = str(error.strerror or error)
                with contextlib.suppress(self._av.FFmpegError):
                    yield from stream.codec_context.decode(None)
                yield reason


def _info(container: Any, stream: Any, first: Any) -> ClipInfo:
    rate = stream.average_rate or stream.guessed_rate or fractions.Fraction(25)
    height, width = first.height, first.width
    aspect = stream.sample_aspect_ratio or fractions.Fraction(1)
    if first.rotation % 180:
        height, width, aspect = width, height, 1 / aspect
    count = stream.frames
    if not count and container.duration:
        count = round(container.duration / 1_000_000 * rate)
    return ClipInfo(
        height=height,
        width=width,
        time_base=stream.time_base,
        frame_rate=rate,
        num_frames=count or None,
        has_sound=bool(container.streams.audio),
        pixel_aspect=aspect,
    )


def _end(container: Any, stream: Any) -> int | None:
    """Return when the frames end by what the file says of itself, in the stream's units."""
    if stream.duration is not None:
        return int(stream.duration + (stream.start_time or 0))
    if container.duration:
        end = container.duration + (container.start_time or 0)
        # The file's duration is that of the longest stream.
        end -= _LONGER_SOUND_US if container.streams.audio else 0
        return int(fractions.Fraction(end, 1_000_000) / stream.time_base)
    return None


def _rgb(frame: Any) -> np.ndarray:
    matrix = int(frame.colorspace)
    if matrix == _UNSPECIFIED:
        matrix = _BT709 if frame.height >= _HD_ROWS else _BT601
    return np.asarray(frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray())


def _upright(pixels: np.ndarray, degrees: int) -> np.ndarray:
    """Return pixels turned by a multiple of 90 degrees, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(pixels, round(degrees / 90)))
