"""Plots of figures over time."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylezoo.images import FloatArray

# Okabe and Ito's colours, which people with any vision can tell apart.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000")
_SIZE = (900, 360)
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 40
_TICKS = 5


def plot_lines(lines: Mapping[str, Sequence[float]], *, title: str, x_title: str) -> FloatArray:
    """Draw values over their numbers.

    Args:
        lines: Up to five lines by name, with a value for each number from 0; a NaN is a gap.
        title: What the values are.
        x_title: What the numbers are.

    Returns:
        [1, H, W, 3] in [0, 1].
    """
    picture = Image.new("RGB", _SIZE, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    values = np.concatenate([np.asarray(line, float) for line in lines.values()])
    top = _round_up(float(np.nanmax(values)) if np.isfinite(values).any() else 1.0)
    longest = max(max(map(len, lines.values())) - 1, 1)

    def place(number: float, value: float) -> tuple[float, float]:
        x = _LEFT + (_SIZE[0] - _LEFT - _RIGHT) * number / longest
        return x, _SIZE[1] - _BOTTOM - (_SIZE[1] - _TOP - _BOTTOM) * value / top

    for tick in range(_TICKS + 1):
        value, number = top * tick / _TICKS, longest * tick / _TICKS
        draw.line([place(0, value), place(longest, value)], "#dddddd")
        draw.text((_LEFT - 8, place(0, value)[1]), f"{value:.3g}", "black", font, anchor="rm")
        at = (place(number, 0)[0], _SIZE[1] - _BOTTOM + 6)
        draw.text(at, f"{number:.0f}", "black", font, anchor="ma")
    draw.text((_SIZE[0] / 2, _SIZE[1] - 4), x_title, "black", font, anchor="md")
    draw.text((_LEFT, 8), title, "black", font)
    right = float(_SIZE[0] - _RIGHT)
    colours = dict(zip(lines, _COLOURS, strict=False))
    for name, colour in reversed(colours.items()):
        draw.text((right, 8), name, colour, font, anchor="ra")
        right -= font.getlength(name) + 20
        for run in _runs(lines[name]):
            points = [place(number, value) for number, value in run]
            draw.line(points if points[1:] else points * 2, colour, width=2)
    return np.divide(np.asarray(picture), 255, dtype=np.float32)[np.newaxis]


def _runs(line: Sequence[float]) -> list[list[tuple[int, float]]]:
    """Return the parts of a line between its gaps, as pairs of number and value."""
    runs: list[list[tuple[int, float]]] = [[]]
    for number, value in enumerate(line):
        if math.isfinite(value):
            runs[-1].append((number, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _round_up(value: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value)
