"""Strokes that grow with the picture: large ones are painted first, then smaller ones on top."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from stylezoo import images

STROKE_SIZE = 512
"""Longest side of the pictures in which networks paint as they were trained to."""


def stroke_sizes(height: int, width: int, stroke_size: int | None) -> list[tuple[int, int]]:
    """Return the sizes at which a picture is painted, px, each about twice the one before.

    The first has a longest side of 0.7 to 1.4 times ``stroke_size``, the last is that of the picture.

    Args:
        height: Height of the picture, px.
        width: Width of the picture, px.
        stroke_size: Longest side of a picture whose strokes have the size that the network paints; None
            if all have it, whatever their size.

    Raises:
        ValueError: If ``stroke_size`` < 1.
    """
    if stroke_size is not None and stroke_size < 1:
        raise ValueError(f"`stroke_size` must be >= 1. Received: stroke_size={stroke_size}")
    longest = max(height, width)
    doublings = max(round(math.log2(longest / (stroke_size or longest))), 0)
    coarser = [
        images.fit_size(height, width, round(longest / 2**level))
        for level in range(doublings, 0, -1)
    ]
    return [*coarser, (height, width)]


def coarse_to_fine(
    photographs: np.ndarray,
    sizes: Sequence[tuple[int, int]],
    paint: Callable[[np.ndarray], np.ndarray],
    *,
    strength: float = 1.0,
) -> np.ndarray:
    """Paint photographs at several sizes: after the first, the mean of photograph and painting so far.

    So a large picture has the large strokes of a small one, and smaller strokes within them, sharp at
    its own size. Without the photograph's half, what is small in it, such as the eyes of a face, would
    end in the strokes of the second painting.

    Args:
        photographs: [B, H, W, 3], float32, in [0, 1].
        sizes: The sizes, px, as :func:`stroke_sizes` gives them.
        paint: Function that paints pictures of any size.
        strength: Share of the style in what ``paint`` paints. The rest of the photograph's detail that
            only a larger size shows is added before that size is painted.

    Returns:
        [B, H, W, 3], float32, in [0, 1].
    """
    painted = paint(_resized(photographs, sizes[0]))
    for smaller, size in itertools.pairwise(sizes):
        source, photograph = _resized(painted, size), _resized(photographs, size)
        if strength != 1:
            detail = photograph - _resized(_resized(photographs, smaller), size)
            source += (1 - strength) * detail
            np.clip(source, 0, 1, out=source)
        source += photograph
        source *= 0.5
        painted = paint(source)
    return painted


def _resized(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if pictures.shape[1:3] == size:
        return pictures
    return np.array(images.resize(pictures, size))
