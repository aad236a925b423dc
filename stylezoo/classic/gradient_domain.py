"""Filled holes without seams: colours that follow the differences of neighbours (Pérez et al. 2003)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from stylezoo.classic.search import Indices
from stylezoo.images import FloatArray

_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1))
# The solution is left alone when its residual is this part of the first one.
_TOLERANCE = 1e-5
_MOST_STEPS = 2000


def blend(picture: FloatArray, holes: npt.NDArray[np.bool_], origins: Indices) -> FloatArray:
    """Shift the colours of filled holes so that they meet what is around them.

    Every pixel of a hole was copied from somewhere. In the result neighbours differ as they do at the
    places that they were copied from (by the mean of both differences, where these places are apart), and
    what surrounds the holes is kept.

    Source: Pérez, Gangnet & Blake 2003, "Poisson Image Editing", equation 7. Conjugate gradients solve it.

    Args:
        picture: [H, W, C] in [0, 1], with the holes filled.
        holes: [H, W], where it had holes.
        origins: [H, W, 2], row and column in the picture that each pixel of a hole was copied from; all
            four neighbours of these places are known.

    Returns:
        [H, W, C] float32 in [0, 1]; outside of holes as it was.
    """
    if not holes.any():
        return picture
    unknown = holes[..., np.newaxis]
    counts = np.zeros(unknown.shape, np.float32)
    wanted = np.zeros_like(picture)
    for offset in _NEIGHBOURS:
        inside = _shifted(np.ones(unknown.shape, np.float32), offset)
        counts += inside
        wanted += inside * _differences(picture, holes, origins, offset)
        wanted += _shifted(np.where(unknown, 0, picture), offset)

    def laplacian(values: FloatArray) -> FloatArray:
        around = sum(_shifted(values, offset) for offset in _NEIGHBOURS)
        return np.where(unknown, counts * values - around, 0)

    start = np.where(unknown, picture, 0)
    solution = _solve(laplacian, np.where(unknown, wanted, 0), start)
    return np.where(unknown, np.clip(solution, 0, 1), picture).astype(np.float32)


def _differences(
    picture: FloatArray,
    holes: npt.NDArray[np.bool_],
    origins: Indices,
    offset: tuple[int, int],
) -> FloatArray:
    """Return how much a pixel of a hole should exceed its neighbour at ``offset``, [H, W, C]."""
    forth = _step(picture, holes, origins, offset)
    back = -_shifted(_step(picture, holes, origins, (-offset[0], -offset[1])), offset)
    both = _shifted(holes[..., np.newaxis].astype(np.float32), offset)
    return forth + np.float32(0.5) * both * (back - forth)


def _step(
    picture: FloatArray,
    holes: npt.NDArray[np.bool_],
    origins: Indices,
    offset: tuple[int, int],
) -> FloatArray:
    """Return the differences, where pixels were copied from, to what was at ``offset`` there."""
    steps = np.zeros_like(picture)
    rows, columns = origins[holes].T
    steps[holes] = picture[rows, columns] - picture[rows + offset[0], columns + offset[1]]
    return steps


def _shifted(values: FloatArray, offset: tuple[int, int]) -> FloatArray:
    """Return the values at ``offset`` from each pixel, 0 beyond the border."""
    height, width = values.shape[:2]
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    return padded[1 + offset[0] :, 1 + offset[1] :][:height, :width]


def _solve(
    operator: Callable[[FloatArray], FloatArray], wanted: FloatArray, start: FloatArray
) -> FloatArray:
    """Solve a symmetric positive definite system, channel by channel (Nocedal & Wright, algorithm 5.2)."""

    def dot(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.sum(a * b, axis=(0, 1), dtype=np.float64)

    solution = start
    residual = wanted - operator(solution)
    direction, square = residual, dot(residual, residual)
    limit = _TOLERANCE**2 * square
    for _ in range(_MOST_STEPS):
        if np.all(square <= limit):
            break
        image = operator(direction)
        size = np.divide(square, dot(direction, image), out=np.zeros_like(square), where=square > 0)
        solution = solution + (size * direction).astype(np.float32)
        residual = residual - (size * image).astype(np.float32)
        before, square = square, dot(residual, residual)
        ratio = np.divide(square, before, out=np.zeros_like(square), where=before > 0)
        direction = residual + (ratio * direction).astype(np.float32)
    return solution
