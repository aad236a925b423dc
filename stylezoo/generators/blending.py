"""Which of a generator's styles to paint in, and how much of each."""

import math

import numpy as np

from stylezoo.generators.models import Generator


def blend_weights(generator: Generator, styles: str | None = None) -> np.ndarray:
    """The weights of a generator's styles that a text asks for.

    Dumoulin et al. 2017, section 4, blend so.

    Args:
        generator: whose styles they are.
        styles: ``"name"``, or ``"name:weight,name:weight"``; a weight that is left out is 1. None for
            the only style of a generator that has one.

    Returns:
        [num_styles], float32, of sum 1: the ``style_weights`` of a conditional network.

    Raises:
        ValueError: for a name that is unknown or given twice, weights that are negative, not finite or
            all 0, and for None where there are several styles.
    """
    return blend(generator.styles, styles)


def blend(known: tuple[str, ...], styles: str | None = None) -> np.ndarray:
    """The same by the names of the styles alone."""
    if styles is None and len(known) > 1:
        raise ValueError(f"`style` must be given: one or more of {', '.join(known)}")
    given: dict[str, float] = {}
    for part in known[:1] if styles is None else styles.split(","):
        name, weight = _parse(part, known)
        if name in given:
            raise ValueError(f"`style` must name a style once. Received: {styles}")
        given[name] = weight
    total = sum(given.values())
    if not (min(given.values(), default=0) >= 0 and 0 < total < math.inf):
        raise ValueError(f"weights of `style` must be finite, >= 0, not all 0. Received: {styles}")
    shares = [given.get(name, 0.0) / total for name in known]
    return np.array(shares, np.float32)


def _parse(part: str, known: tuple[str, ...]) -> tuple[str, float]:
    """A name and its weight; a name may have colons."""
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
