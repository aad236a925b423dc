"""The styles to paint in, and the share of each."""

import dataclasses
import math
import pathlib
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class StyleMix:
    """Styles that a painter has looked up, to paint any number of photographs in their blend.

    Attributes:
        shares: The share of each style by name, of sum 1; empty for a painter without styles.
        code: The input of the painter's network for these styles, [n], float32.
    """

    shares: Mapping[str, float]
    code: np.ndarray


Style: TypeAlias = str | Mapping[str, float] | np.ndarray | StyleMix
"""A style's name, a blend (``"name:weight,name:weight"`` or ``{"name": weight}``), or a picture where
a painter takes any style.
"""


def style_shares(
    known: tuple[str, ...], style: str | Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the share of each style that is asked for.

    Args:
        known: The names of a painter's styles.
        style: ``"name"``, ``"name:weight,name:weight"`` (a weight that is left out is 1) or
            ``{"name": weight}``; None for the only style of a painter that has one.

    Returns:
        Numbers of sum 1 by name; none if there are no styles.

    Raises:
        ValueError: If a name is unknown or given twice, if weights are negative, not finite or all
            0, or if ``style`` is None although there are several.
    """
    if style is None:
        if len(known) > 1:
            raise ValueError(f"`style` must be given: one or more of {', '.join(known)}")
        return dict.fromkeys(known, 1.0)
    if not known:
        raise ValueError(
            f"`style` must not be given to a painter without styles. Received: {style}"
        )
    return _shares(style, known.__contains__, ", ".join(known))


def picture_shares(style: str | Mapping[str, float]) -> dict[str, float]:
    """Return the share of each picture whose style is asked for; see :func:`style_shares`.

    Args:
        style: Like names of styles, with the paths of pictures for names.

    Raises:
        ValueError: As :func:`style_shares`; a path is unknown if there is no such file.
    """
    return _shares(style, lambda path: pathlib.Path(path).is_file(), "the files of pictures")


def _shares(
    style: str | Mapping[str, float], is_known: Callable[[str], bool], known: str
) -> dict[str, float]:
    parse: Callable[..., dict[str, float]] = _parsed if isinstance(style, str) else _checked
    weights = parse(style, is_known, known)
    total = sum(weights.values())
    if not (min(weights.values(), default=0) >= 0 and 0 < total < math.inf):
        raise ValueError(f"weights of `style` must be finite, >= 0, not all 0. Received: {style}")
    return {name: weight / total for name, weight in weights.items()}


def _checked(
    style: Mapping[str, float], is_known: Callable[[str], bool], known: str
) -> dict[str, float]:
    unknown = [name for name in style if not is_known(name)]
    if unknown:
        raise ValueError(f"`style` must be one or more of {known}. Received: {', '.join(unknown)}")
    return dict(style)


def _parsed(style: str, is_known: Callable[[str], bool], known: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in [style] if is_known(style) else style.split(","):
        name, weight = _parse(part, is_known, known)
        if name in weights:
            raise ValueError(f"`style` must name a style once. Received: {style}")
        weights[name] = weight
    return weights


def _parse(part: str, is_known: Callable[[str], bool], known: str) -> tuple[str, float]:
    """Return a name and its weight; a name may have colons."""
    if is_known(part):
        return part, 1.0
    name, _, weight = part.rpartition(":")
    if not is_known(name):
        raise ValueError(
            f"`style` must be one or more of {known}, as NAME or NAME:WEIGHT. Received: {part}"
        )
    try:
        number = float(weight)
    except ValueError:
        raise ValueError(f"the weight of `{name}` must be a number. Received: {part}") from None
    return name, number
