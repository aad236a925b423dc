"""Which of a painter's styles to paint in, and how much of each."""

import math
from collections.abc import Mapping
from typing import TypeAlias

# "name", "name:weight,name:weight" or {"name": weight}.
Style: TypeAlias = str | Mapping[str, float]


def style_shares(known: tuple[str, ...], style: Style | None = None) -> dict[str, float]:
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
    weights = _parsed(style, known) if isinstance(style, str) else _checked(style, known)
    total = sum(weights.values())
    if not (min(weights.values(), default=0) >= 0 and 0 < total < math.inf):
        raise ValueError(f"weights of `style` must be finite, >= 0, not all 0. Received: {style}")
    return {name: weight / total for name, weight in weights.items()}


def _checked(style: Mapping[str, float], known: tuple[str, ...]) -> dict[str, float]:
    unknown = [name for name in style if name not in known]
    if unknown:
        raise ValueError(
            f"`style` must be one or more of {', '.join(known)}. Received: {', '.join(unknown)}"
        )
    return dict(style)


def _parsed(style: str, known: tuple[str, ...]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in style.split(","):
        name, weight = _parse(part, known)
        if name in weights:
            raise ValueError(f"`style` must name a style once. Received: {style}")
        weights[name] = weight
    return weights


def _parse(part: str, known: tuple[str, ...]) -> tuple[str, float]:
    """Return a name and its weight; a name may have colons."""
    if part in known:
        return part, 1.0
    name, _, weight = part.rpartition(":")
    if name not in known:
        raise ValueError(
            f"`style` must be one or more of {', '.join(known)}, as NAME or NAME:WEIGHT. "
            f"Received: {part}"
        )
    try:
        return name, float(weight)
    except ValueError:
        raise ValueError(f"the weight of `{name}` must be a number. Received: {part}") from None
