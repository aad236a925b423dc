"""What holds for every flag, whatever it is for: values that are given, finite, and within memory.

Checked once for all commands before they run. What else a value must be its configuration knows.
"""

import math
from collections.abc import Iterator
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
    "diversity_weight": "diversity_layer",
    "dream_weight": "dream_layer",
    "facets": "images",
    "style_masks": "masks",
}


class CommandFlags(flags.FlagValues):
    """Flags of a command; flag files are regular files, and few."""

    _num_files = 0

    def _get_flag_file_lines(self, filename: str, parsed_file_stack: Any = None) -> list[str]:
        # Absl itself would read a device for ever. It opens files in this method and nowhere else.
        self.__dict__["_num_files"] = self._num_files + 1
        if self._num_files > _MOST_FLAG_FILES:
            raise flags.Error(f"flag files name more than {_MOST_FLAG_FILES} others")
        if filename:
            reading.open_regular(filename).close()
        return super()._get_flag_file_lines(filename, parsed_file_stack)


def check(values: flags.FlagValues) -> None:
    """Check the flags that were given.

    Raises:
        ValueError: If one is empty, has no effect without another, a number is NaN, infinite or larger
            than memory allows, or a text has a null character.
    """
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
                _check_number(name, value)
    for name, other in _NEEDED.items():
        if name in values and other in values:
            needs(values, name, f"`--{other}`", met=values[other].present)


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


def finite(text: str) -> float:
    """Return the number that a text is.

    Raises:
        ValueError: If it is none, or NaN, or infinite.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"not a finite number: {text}")
    return number


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        yield from value
    elif value is not None:
        yield value


def _check_number(name: str, value: float) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"`--{name}` must be finite. Received: --{name}={value}")
    usual = _LARGEST_FLOAT if isinstance(value, float) else _LARGEST_INTEGER
    largest = _LARGEST.get(name, usual)
    if abs(value) > largest:
        raise ValueError(f"`--{name}` must be <= {largest:,}. Received: --{name}={value}")
