"""Flags that several commands have in common, and the functions that read them."""

import glob
import itertools
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import flag_checks


def define_output_flags(values: flags.FlagValues, *, output: str, report: str) -> None:
    """Define the flags of every command that writes pictures.

    Args:
        values: The command's flags.
        output: Help of ``--output``.
        report: Help of ``--report``.
    """
    flags.DEFINE_string("output", None, output, flag_values=values)
    define_file_flags(values, report=report)


def define_file_flags(values: flags.FlagValues, *, report: str) -> None:
    """Define the flags of every command that reads pictures and may write some.

    Args:
        values: The command's flags.
        report: Help of ``--report``.
    """
    flags.DEFINE_string("report", None, report, flag_values=values)
    define_writing_flags(values)


def define_writing_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that reads and writes pictures, without that of a report."""
    flags.DEFINE_integer(
        "quality",
        images.DEFAULT_QUALITY,
        "Quality of JPEG and WebP files, 1 to 100.",
        1,
        100,
        flag_values=values,
    )
    flags.DEFINE_bool("overwrite", False, "Replace existing outputs.", flag_values=values)
    define_reading_flags(values)


def define_batch_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that gives many pictures to a network."""
    flags.DEFINE_enum(
        "format",
        None,
        [extension[1:] for extension in images.IMAGE_EXTENSIONS],
        "Format of the pictures in a folder; by default that of each photograph.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "batch_size",
        1,
        "Number of pictures of one size that the network takes at once, which pays on GPUs only.",
        1,
        flag_values=values,
    )


def define_reading_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that reads pictures."""
    flags.DEFINE_integer(
        "max_pixels",
        images.DEFAULT_MAX_PIXELS,
        "Refuse to read pictures of more pixels, which may be decompression bombs.",
        1,
        flag_values=values,
    )


def require(values: flags.FlagValues, *names: str) -> None:
    """Raise a ValueError that names the first of some flags that is missing."""
    for name in names:
        if not values[name].value:
            raise ValueError(f"`--{name}` must be given")


def pictures(arguments: list[str]) -> list[pathlib.Path]:
    """Return the files that positional arguments stand for, each of them once.

    Args:
        arguments: Pictures, folders of pictures, or patterns.

    Raises:
        ValueError: If there are no arguments, or no pictures in a folder.
        FileNotFoundError: If a path does not exist, or a pattern matches nothing.
    """
    if not arguments:
        raise ValueError("expected photographs: pictures, folders or patterns")
    return list(dict.fromkeys(itertools.chain(*map(_pictures, arguments))))


def _pictures(argument: str) -> list[pathlib.Path]:
    """Return the pictures that an argument stands for."""
    path = pathlib.Path(argument)
    if path.is_dir():
        found = [
            each
            for each in sorted(path.iterdir())
            if each.suffix.lower() in images.IMAGE_EXTENSIONS and each.is_file()
        ]
        if not found:
            raise ValueError(
                f"`{argument}` must hold pictures ({' '.join(images.IMAGE_EXTENSIONS)})"
            )
        return found
    if path.exists():
        return [path]
    if not glob.has_magic(argument):
        raise FileNotFoundError(f"`{argument}` does not exist.")
    # Not Path.glob, which takes no absolute patterns.
    matches = map(pathlib.Path, sorted(glob.glob(argument, recursive=True)))  # noqa: PTH207
    found = [each for each in matches if each.is_file()]
    if not found:
        raise FileNotFoundError(f"`{argument}` matches no file.")
    return found


def reject_arguments(arguments: list[str]) -> None:
    """Raise a ValueError if a command that has only flags is given positional arguments."""
    if arguments:
        raise ValueError(f"expected flags only. Received: {' '.join(arguments)}")


def longest_side(image: images.Image, asked: int | None, *, most: int) -> int:
    """Return the longest side in which a picture is taken: that asked for, or its own up to a limit.

    Args:
        image: [1, H, W, 3].
        asked: Value of the flag, px; None if it was not given.
        most: The largest side that nobody has to ask for, px.
    """
    own: int = max(image.shape[1:3])
    return asked or min(own, most)


def numbers(name: str, texts: Sequence[str]) -> tuple[float, ...]:
    """Return the numbers of a list flag.

    Args:
        name: The flag's name.
        texts: What was given, one text a number.

    Raises:
        ValueError: If a text is no number that a flag may have; the message names the flag.
    """
    try:
        return tuple(map(flag_checks.number, texts))
    except ValueError:
        raise ValueError(f"`--{name}` must be numbers. Received: {','.join(texts)}") from None


def given(values: flags.FlagValues, fields: Sequence[str]) -> dict[str, Any]:
    """Return a configuration's fields whose flags, of the same names, were given."""
    chosen = {field: values[field].value for field in fields}
    return {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in chosen.items()
        if value is not None
    }
