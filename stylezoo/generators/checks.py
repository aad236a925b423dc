"""Checks of the fields of painters' configurations."""

from collections.abc import Collection
from typing import Any

# Limits of what may be asked for by a file: each block adds to the time that it takes to build a network,
# each style has a name, and each scale of a texture network halves the size.
MOST_BLOCKS = 100
MOST_STYLES = 10_000
MOST_SCALES = 12


def check_choice(config: Any, field: str, known: Collection[Any]) -> None:
    """Raise a ValueError unless a field is one of ``known``."""
    value = getattr(config, field)
    if value not in known:
        names = ", ".join(map(str, known))
        raise ValueError(f"`{field}` must be one of {names}. Received: {field}={value!r}")


def check_at_least(config: Any, field: str, minimum: int) -> None:
    """Raise a ValueError unless a field is a number >= ``minimum``."""
    value = getattr(config, field)
    if not value >= minimum:  # NaN neither
        raise ValueError(f"`{field}` must be >= {minimum}. Received: {field}={value}")


def check_count(config: Any, field: str, minimum: int, maximum: int) -> None:
    """Raise a ValueError unless a field, a number of layers or the like, is within limits.

    A configuration from a file may ask for more layers than anybody has the time to build.
    """
    check_at_least(config, field, minimum)
    value = getattr(config, field)
    if value > maximum:
        raise ValueError(f"`{field}` must be <= {maximum}. Received: {field}={value}")


def check_odd(config: Any, field: str) -> None:
    """Raise a ValueError unless a field is an odd number >= 1."""
    value = getattr(config, field)
    if value < 1 or value % 2 == 0:
        raise ValueError(f"`{field}` must be odd, >= 1. Received: {field}={value}")


def check_widths(config: Any, field: str, count: int) -> None:
    """Raise a ValueError unless a field is ``count`` widths >= 1."""
    widths = getattr(config, field)
    if len(widths) != count or min(widths) < 1:
        raise ValueError(f"`{field}` must be {count} numbers >= 1. Received: {field}={widths}")


def check_one_style(num_styles: int) -> None:
    """Raise a ValueError if several styles are asked of a network that paints one."""
    if num_styles != 1:
        raise ValueError(
            "`num_styles` must be 1 without conditional normalisation. "
            f"Received: num_styles={num_styles}"
        )


def scaled(channels: int, width: float) -> int:
    """Return ``width`` times as many channels, at least one."""
    return max(round(width * channels), 1)


def check_eighth(config: Any) -> None:
    """Raise a ValueError unless the blocks at an eighth of the size and the margin are possible."""
    check_count(config, "eighth_blocks", 0, MOST_BLOCKS)
    check_at_least(config, "eighth_width", 1)
    if config.margin < 0 or config.margin % config.stride:
        raise ValueError(
            f"`margin` must be a multiple of {config.stride}, >= 0. Received: margin={config.margin}"
        )
