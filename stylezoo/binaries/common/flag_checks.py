"""What holds for every flag, whatever it is for: values that are given, finite, and within memory.

Checked once for all commands before they run. What else a value must be its configuration knows.
"""

import math
import os
from collections.abc import Iterable, Iterator
from typing import Any

from absl import flags

from stylezoo import reading

# Float32 holds numbers up to 3.4e38, and squares of these are infinite sooner.
_LARGEST_FLOAT = 1e18
_LARGEST_INTEGER = 2**31 - 1
# What takes memory has lower limits. A square picture of the largest side takes 12 GB.
_SIDE = 32_768
_LARGEST: dict[str, float] = {
    "batch_size": 65_536,
    "blur": 1000,
    "columns": 1000,
    "facets": 1000,
    "image_size": _SIDE,
    "inputs": 10_000,
    "max_pixels": 10**10,
    "max_side": _SIDE,
    "num_scales": 12,
    "octaves": 32,
    "padding": _SIDE,
    "patch_rotations": 64,
    "patch_scales": 16,
    "patch_size": 1000,
    "pictures": 10_000,
    "retries": 1000,
    "rotation": 1e6,
    "samples": 100_000,
    "size": _SIDE,
    "smallest": _SIDE,
    "source_size": _SIDE,
    "style_scale": 100,
    "style_size": _SIDE,
    "tile": _SIDE,
    "timeout": 1e6,
    "top": 100_000,
    "width": 100,
    "window": _SIDE,
    "zoom": 1000,
    "zoom_frames": 100_000,
}
_MOST_FLAG_FILES = 100
# Flags that have no effect without another.
_NEEDED = {
    "diversity_layer": "diversity_weight",
    "diversity_weight": "diversity_layer",
    "dream_weight": "dream_layer",
    "facets": "images",
    "style_masks": "masks",
}
# Flags that name folders, files or data sets of TensorFlow Datasets.
_DATA = ("content", "held_out", "styles", "dataset")


class CommandFlags(flags.FlagValues):
    """Flags of a command; flag files are regular files, few, and none includes itself."""

    _num_files = 0

    def _get_flag_file_lines(
        self, filename: str, parsed_file_stack: list[str] | None = None
    ) -> list[str]:
        # Absl itself would read a device for ever, and leave out a file that includes itself with a
        # warning. It opens files in this method and nowhere else.
        if parsed_file_stack and filename in parsed_file_stack:
            raise flags.Error(f"the flag file {filename} includes itself")
        self.__dict__["_num_files"] = self._num_files + 1
        if self._num_files > _MOST_FLAG_FILES:
            raise flags.Error(f"flag files name more than {_MOST_FLAG_FILES} others")
        if filename:
            reading.open_regular(filename).close()
        return super()._get_flag_file_lines(filename, parsed_file_stack)


def check(arguments: Iterable[str], values: flags.FlagValues) -> None:
    """Check the arguments and flags that were given.

    Raises:
        ValueError: If one is empty, has no effect without another, a number is NaN, infinite or larger
            than memory allows, or a text has a null character.
    """
    for argument in arguments:
        if not argument or "\0" in argument:
            raise ValueError(
                f"an argument must not be empty or have a null character. Received: {argument!r}"
            )
    for name in values:
        flag = values[name]
        if not flag.present:
            continue
        if flag.value in ("", [], ()):
            raise ValueError(f"`--{name}` must be given a value. Received: --{name}=")
        for value in _parts(flag.value):
            if isinstance(value, str):
                if "\0" in value:
                    raise ValueError(f"`--{name}` must have no null character")
            elif not isinstance(value, bool):
                check_number(name, value)
    for name, other in _NEEDED.items():
        if name in values and other in values:
            needs(values, name, f"`--{other}`", met=values[other].present)
    if "data_dir" in values:
        what = "a dataset of TensorFlow Datasets"
        needs(values, "data_dir", what, met=any(map(_is_dataset, _given(values, _DATA))))


def needs(values: flags.FlagValues, name: str, what: str, *, met: bool) -> None:
    """Raise a ValueError if a flag was given that has no effect.

    Args:
        values: The command's flags.
        name: The flag.
        what: What it needs to have one, for the message: "`--masks`".
        met: Whether that is there.
    """
    if values[name].present and not met:
        raise ValueError(f"`--{name}` must come with {what}")


def number(text: str) -> float:
    """Return the number that a text is.

    Raises:
        ValueError: If it is none, or NaN, infinite or larger than memory allows.
    """
    found = float(text)
    if not abs(found) <= _LARGEST_FLOAT:  # NaN is not
        raise ValueError(f"not a number that is finite and <= {_LARGEST_FLOAT:g}: {text}")
    return found


def _given(values: flags.FlagValues, names: Iterable[str]) -> Iterator[Any]:
    for name in names:
        if name in values:
            yield from _parts(values[name].value)


def _is_dataset(name: str) -> bool:
    """Return whether a text may be the name of a dataset, as there is no such folder or file."""
    return not any(map(os.path.exists, (name, name.partition(":")[0])))


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        yield from value
    elif value is not None:
        yield value


def check_number(name: str, value: float) -> None:
    """Raise a ValueError if a number is NaN, infinite or larger than memory allows.

    Args:
        name: The flag.
        value: Its value, or one of them.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"`--{name}` must be finite. Received: --{name}={value}")
    usual = _LARGEST_FLOAT if isinstance(value, float) else _LARGEST_INTEGER
    largest = _LARGEST.get(name, usual)
    if abs(value) > largest:
        raise ValueError(f"`--{name}` must be <= {largest:,}. Received: --{name}={value}")
