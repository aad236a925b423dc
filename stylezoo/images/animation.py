"""Animations: several pictures in one file."""

import contextlib
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image

from stylezoo.images import codecs, files

# The extensions of animations that can be written.
ANIMATION_EXTENSIONS = (".mp4", ".webp")


def check_animation_path(path: str | os.PathLike[str], *, overwrite: bool) -> pathlib.Path:
    """Check, before hours of work, that an animation can be written to ``path`` after them.

    Args:
        path: The file to be written.
        overwrite: Whether a file that is there already may be replaced.

    Returns:
        ``path`` as a ``pathlib.Path``.

    Raises:
        ValueError, OSError: As :func:`~stylezoo.images.check_output_path`.
        ModuleNotFoundError: If it is to be an .mp4 and imageio-ffmpeg is not installed.
    """
    path = codecs.check_output_path(path, overwrite=overwrite, extensions=ANIMATION_EXTENSIONS)
    if path.suffix.lower() == ".mp4":
        _ffmpeg()
    return path


def write_animation(
    path: str | os.PathLike[str],
    frames: Iterable[np.ndarray],
    *,
    frame_rate: int,
    quality: int = codecs.DEFAULT_QUALITY,
    overwrite: bool = False,
) -> None:
    """Write frames as an animation, whole or not at all, taking each frame when it is needed.

    Args:
        path: The file: .webp, or .mp4 (H.264, for which an odd last row or column is left out).
        frames: Float arrays ``[1, height, width, 3]`` in ``[0, 1]``, all of one size; at least one.
        frame_rate: Frames a second.
        quality: Quality of WebP, 1 to 100.
        overwrite: Whether a file that is there already may be replaced.

    Raises:
        ValueError, OSError, ModuleNotFoundError: As :func:`check_animation_path`.
    """
    path = check_animation_path(path, overwrite=overwrite)
    with files.atomic_path(path, overwrite=overwrite) as temporary:
        pixels = map(codecs.to_uint8, frames)
        if path.suffix.lower() == ".mp4":
            _write_mp4(temporary, pixels, frame_rate)
        else:
            pictures = map(Image.fromarray, pixels)
            next(pictures).save(
                temporary,
                "WEBP",
                save_all=True,
                append_images=pictures,
                duration=round(1000 / frame_rate),
                loop=0,
                quality=quality,
            )


def _write_mp4(path: pathlib.Path, frames: Iterator[np.ndarray], frame_rate: int) -> None:
    first = next(frames)
    height, width = (side - side % 2 for side in first.shape[:2])
    writer = _ffmpeg().write_frames(
        str(path),
        (width, height),
        fps=frame_rate,
        quality=8,
        macro_block_size=2,
        ffmpeg_log_level="error",
    )
    with contextlib.closing(writer):
        writer.send(None)
        writer.send(np.ascontiguousarray(first[:height, :width]))
        for frame in frames:
            writer.send(np.ascontiguousarray(frame[:height, :width]))


def _ffmpeg():  # type: ignore[no-untyped-def]
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "A video file needs imageio-ffmpeg, which is not installed; a folder and .webp don't. "
            'Run: pip install "stylezoo[video]"',
            name="imageio_ffmpeg",
        ) from None
    return imageio_ffmpeg
