"""Painted frames on their way to a clip, on disk: a run that was interrupted goes on from there."""

import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import filelock
import numpy as np
from PIL import Image

from stylezoo import images
from stylezoo.images import FloatArray
from stylezoo.images.codecs import to_uint8
from stylezoo.video.clips import Clip, Frame
from stylezoo.video.writing import (
    DEFAULT_CRF,
    VIDEO_EXTENSIONS,
    check_clip_path,
    check_sound,
    encode_h264,
    join_videos,
    write_clip,
)

# Frames that become one segment of the video; x264 begins anew after as many anyway.
SEGMENT = 250
# What intermediate segments are written as: ffmpeg's own format, which keeps every time.
_SEGMENT_MUXER = "nut"
_SETTINGS, _LOCK = "settings.json", "lock"
_SEGMENTS, _FRAMES = "segment_*.nut", "[0-9]*_*.png"


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How painted frames are written.

    Attributes:
        crf: Constant rate factor of H.264, 0 to 51: smaller is better and larger.
        sound: Whether the clip's sound is copied.
    """

    crf: int = DEFAULT_CRF
    sound: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.crf <= 51:
            raise ValueError(f"`crf` must be 0 to 51. Received: crf={self.crf}")


class PaintedClip:
    """The painted frames of a clip, kept beside its output until they are all there.

    Frames are kept as PNG files in a folder, the output's name with ``.unfinished``. Of a video every
    :data:`SEGMENT` of them are encoded and deleted, but for the last few, which the next may need: disk
    space does not grow with uncompressed frames. Frames are rounded to 8 bits as soon as they come, so that
    what follows does not depend on whether the run was interrupted.

    Args:
        output: A video (.mp4, .mov, .mkv), an animation (.webp, .gif), or a folder, which is made.
        clip: The clip that is painted.
        settings: All that decides the frames, as JSON can hold it. A run goes on only with the same.
        encoding: How frames are written.
        quality: Quality of WebP, 1 to 100.
        keep: The number of frames before the next one that :meth:`painted` can give, at least.
        overwrite: Whether an output that is there already may be replaced, and the frames of a run
            with other settings deleted.

    Raises:
        ValueError, OSError, ModuleNotFoundError: If the output can't be written, can't hold the clip's
            sound, or frames of other settings are there.
    """

    def __init__(
        self,
        output: str | os.PathLike[str],
        clip: Clip,
        *,
        settings: Mapping[str, Any],
        encoding: Encoding = Encoding(),
        quality: int = images.DEFAULT_QUALITY,
        keep: int = 1,
        overwrite: bool = False,
    ) -> None:
        self.output = check_output(output, clip, sound=encoding.sound, overwrite=overwrite)
        self._clip = clip
        self._encoding = encoding
        self._quality = quality
        self._keep = keep
        self._overwrite = overwrite
        self._folder = self.output.with_name(f"{self.output.name}.unfinished")
        self._claim(json.loads(json.dumps(settings)))
        self._segments = sorted(self._folder.glob(_SEGMENTS))
        self._frames = self._read_folder()

    @property
    def count(self) -> int:
        """The number of frames that are painted."""
        return max([self._encoded, *(index + 1 for index in self._frames)])

    @property
    def _encoded(self) -> int:
        return len(self._segments) * SEGMENT

    @property
    def _is_video(self) -> bool:
        return self.output.suffix.lower() in VIDEO_EXTENSIONS

    def painted(self, index: int) -> FloatArray:
        """Return a frame that is painted, [1, H, W, 3], by its number from 0."""
        return _read(self._frames[index])

    def append(self, frame: Frame) -> Frame:
        """Add the next frame, and return it rounded to 8 bits."""
        pixels = to_uint8(frame.image)
        index = self.count
        path = self._folder / f"{index:08d}_{frame.time}_{frame.duration}.png"
        _write(path, pixels)
        self._frames[index] = path
        if self._is_video and self.count - self._encoded == SEGMENT:
            self._encode()
            self._forget()
        return dataclasses.replace(frame, image=_as_image(pixels))

    def stage(self, name: str) -> "Stage":
        """Return frames of a stage before the painted ones, which go when the clip is finished."""
        return Stage(self._folder / name)

    def has_stage(self, name: str) -> bool:
        """Return whether a stage was begun."""
        return (self._folder / name).is_dir()

    def finish(self) -> None:
        """Write the output and remove the folder of frames.

        Raises:
            ValueError: If there are no frames.
        """
        if not self.count:
            raise ValueError(f"`{self._clip.path}` has no frames that can be painted.")
        if self._is_video:
            if self.count > self._encoded:
                self._encode()
            sound = self._clip if self._encoding.sound else None
            with images.atomic_path(self.output, overwrite=self._overwrite) as temporary:
                join_videos(temporary, self._segments, sound=sound)
        elif self.output.suffix:
            write_clip(
                self.output,
                self._stored(0),
                self._clip.info,
                quality=self._quality,
                overwrite=self._overwrite,
            )
        else:
            self._move_frames()
        self._lock.release()
        shutil.rmtree(self._folder)

    def close(self) -> None:
        """Let other processes go on with the frames; without any, nothing is left behind."""
        self._lock.release()
        if {path.name for path in self._folder.glob("*")} <= {_LOCK, _SETTINGS}:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _claim(self, settings: Any) -> None:
        """Make the folder of frames, or check that it is of a run with the same settings."""
        self._folder.mkdir(exist_ok=True)
        self._lock = filelock.FileLock(self._folder / _LOCK)
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise FileExistsError(f"`{self._folder}` is in use by another process.") from None
        path = self._folder / _SETTINGS
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            if before == settings:
                return
            if not self._overwrite:
                changed = [
                    key for key in {**before, **settings} if before.get(key) != settings.get(key)
                ]
                raise FileExistsError(
                    f"`{self._folder}` has frames that were painted with another "
                    f"{', '.join(sorted(changed))}. Delete it, or give `overwrite=True`."
                )
            for each in self._folder.iterdir():
                if each.is_dir():
                    shutil.rmtree(each)
                elif each.name != _LOCK:
                    each.unlink()
        with images.atomic_path(path, overwrite=True) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def _read_folder(self) -> dict[int, pathlib.Path]:
        frames = {int(path.name.split("_")[0]): path for path in self._folder.glob(_FRAMES)}
        return dict(sorted(frames.items()))

    def _stored(self, first: int) -> Iterator[Frame]:
        """Yield the frames from a number on."""
        for index, path in self._frames.items():
            if index >= first:
                _, time, duration = path.stem.split("_")
                yield Frame(_read(path), int(time), int(duration))

    def _encode(self) -> None:
        path = self._folder / f"segment_{len(self._segments):06d}.nut"
        with images.atomic_path(path) as temporary:
            encode_h264(
                temporary,
                self._stored(self._encoded),
                self._clip.info,
                crf=self._encoding.crf,
                muxer=_SEGMENT_MUXER,
            )
        self._segments.append(path)

    def _forget(self) -> None:
        """Delete the frames that are encoded and no longer needed."""
        for index in list(self._frames):
            if index < self._encoded - self._keep:
                self._frames.pop(index).unlink()

    def _move_frames(self) -> None:
        with images.atomic_folder(self.output, overwrite=self._overwrite) as temporary:
            for index, path in self._frames.items():
                path.rename(temporary / f"frame_{index + 1:06d}.png")


class Stage:
    """Frames by their numbers, as 8-bit files in a folder, which is made.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def __contains__(self, index: int) -> bool:
        return self._path(index).exists()

    def __getitem__(self, index: int) -> FloatArray:
        return _read(self._path(index))

    def __setitem__(self, index: int, image: FloatArray) -> None:
        _write(self._path(index), to_uint8(image))

    def remove(self) -> None:
        """Delete all of its frames."""
        shutil.rmtree(self._folder)

    def _path(self, index: int) -> pathlib.Path:
        return self._folder / f"{index:08d}.png"


def check_output(
    output: str | os.PathLike[str], clip: Clip, *, sound: bool, overwrite: bool
) -> pathlib.Path:
    """Check, before hours of work, that a painted clip can be written.

    Args:
        output: See :class:`PaintedClip`.
        clip: The clip that is painted.
        sound: Whether its sound is copied.
        overwrite: Whether an output that is there already may be replaced.

    Returns:
        ``output`` as a ``pathlib.Path``.

    Raises:
        ValueError, OSError, ModuleNotFoundError: If it can't be written, or can't hold the clip's sound.
    """
    path = pathlib.Path(output)
    if path.suffix:
        check_clip_path(path, overwrite=overwrite)
    elif path.exists() and not (overwrite and path.is_dir()):
        raise FileExistsError(f"`{path}` already exists. Give another path, or `overwrite=True`.")
    elif not path.parent.is_dir():
        raise FileNotFoundError(f"`{path}` cannot be written: `{path.parent}` does not exist.")
    if sound and clip.info.has_sound:
        if path.suffix.lower() not in VIDEO_EXTENSIONS:
            what = f"a {path.suffix}" if path.suffix else "a folder"
            raise ValueError(
                f"`{path}` cannot hold the sound of `{clip.path}`: {what} has none. "
                f"{', '.join(VIDEO_EXTENSIONS)} have; `sound=False` leaves it out."
            )
        check_sound(clip, path)
    return path


def _write(path: pathlib.Path, pixels: np.ndarray) -> None:
    with images.atomic_path(path, overwrite=True) as temporary:
        # Frames are read once or twice; levels above 1 would take longer than painting them does.
        Image.fromarray(pixels).save(temporary, "PNG", compress_level=1)


def _read(path: pathlib.Path) -> FloatArray:
    with Image.open(path) as picture:
        return _as_image(np.asarray(picture))


def _as_image(pixels: np.ndarray) -> FloatArray:
    return np.divide(pixels, 255, dtype=np.float32)[np.newaxis]
