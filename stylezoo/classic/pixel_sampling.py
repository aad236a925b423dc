"""Texture synthesis by non-parametric sampling (Efros & Leung 1999)."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from stylezoo import errors
from stylezoo.classic.gradient_domain import blend
from stylezoo.classic.pictures import (
    channels_of,
    check_holds_window,
    check_window,
    checked_sample,
    picture_of,
)
from stylezoo.classic.search import Indices
from stylezoo.images import FloatArray
from stylezoo.progress import Callback, Progress

# These are the numbers of the authors' pseudo-code: the seed's side, σ as a fraction of the window's side,
# and the largest error of an accepted match, which grows by a factor whenever no match is accepted.
_SEED = 3
_SIGMA = 1 / 6.4
_MAX_ERROR = 0.3
_MAX_ERROR_GROWTH = 1.1
# Mean squared differences below a quarter of a grey level are rounding.
_ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class EfrosLeungConfig:
    """Everything that decides a synthesis but its source.

    Attributes:
        window: Side of the neighbourhood that is compared, px; odd. A larger one makes textures more
            regular.
        epsilon: A pixel is drawn from the candidates whose error is within 1 + ε times the least one.
        at_once: Number of pixels of the frontier that are looked up together. 1 is the paper's method.
            More are faster, but do not see each other, so that fine structures meet less well.
        seed: Seed of everything random.

    Raises:
        ValueError: If a number is out of range.
    """

    window: int = 11
    epsilon: float = 0.1
    at_once: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_window(self.window)
        if not 0 <= self.epsilon < math.inf:
            raise ValueError(f"`epsilon` must be finite, >= 0. Received: epsilon={self.epsilon}")
        if self.at_once < 1:
            raise ValueError(f"`at_once` must be >= 1. Received: at_once={self.at_once}")


def efros_leung(
    source: npt.ArrayLike,
    size: tuple[int, int],
    *,
    config: EfrosLeungConfig = EfrosLeungConfig(),
    callback: Callback | None = None,
) -> FloatArray:
    """Grow a new picture from a seed, so that every neighbourhood is like one of the source.

    Args:
        source: [1, H, W, 3] in [0, 1]; a grey one gives a grey texture.
        size: Height and width of the result, px.
        config: See :class:`EfrosLeungConfig`.
        callback: Called with the numbers of pixels that are done and wanted.

    Returns:
        [1, height, width, 3] float32; every pixel is one of the source's.

    Raises:
        ValueError: If the source or ``size`` is smaller than the window.
    """
    sample = checked_sample(source, size, config.window)
    random = np.random.default_rng(config.seed)
    canvas = np.zeros([*size, sample.shape[-1]], np.float32)
    known = np.zeros(size, bool)
    top, left = (int(random.integers(side - _SEED + 1)) for side in sample.shape[:2])
    middle = tuple(slice((side - _SEED) // 2, (side - _SEED) // 2 + _SEED) for side in size)
    canvas[middle] = sample[top : top + _SEED, left : left + _SEED]
    known[middle] = True
    candidates = _Candidates(sample, np.ones(sample.shape[:2], bool), config)
    grown, _ = _grow(canvas, known, candidates, random, callback)
    return picture_of(grown)


def fill_holes(
    image: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    config: EfrosLeungConfig = EfrosLeungConfig(),
    callback: Callback | None = None,
) -> FloatArray:
    """Continue what is known of a picture into its holes, inside or at its borders.

    Windows look alike though they come from brighter or darker parts of the picture, and a plain sky shows
    the difference. Where pixels were copied to, only their differences are therefore kept in the end; see
    :func:`stylezoo.classic.gradient_domain.blend`.

    Args:
        image: [1, H, W, 3] in [0, 1].
        mask: [1, H, W, 1] in [0, 1], of the same size: 0.5 and more where there is a hole.
        config: See :class:`EfrosLeungConfig`.
        callback: Called with the numbers of pixels that are done and wanted.

    Returns:
        [1, H, W, 3] float32; outside of holes as it was.

    Raises:
        ValueError: If the sizes differ, or no whole window is known.
    """
    picture = channels_of(image)
    holes = np.asarray(mask, np.float32)[0, ..., 0] >= 0.5
    if holes.shape != picture.shape[:2]:
        raise ValueError(
            f"`mask` must have the picture's size, {picture.shape[1]}x{picture.shape[0]} px. "
            f"Received: {holes.shape[1]}x{holes.shape[0]} px"
        )
    with errors.renamed(size="source"):
        check_holds_window(picture.shape[:2], config.window)
    canvas = np.where(holes[..., np.newaxis], np.float32(0), picture)
    candidates = _Candidates(picture, ~holes, config)
    random = np.random.default_rng(config.seed)
    filled, origins = _grow(canvas, ~holes, candidates, random, callback)
    return picture_of(blend(filled, holes, origins))


class _Candidates:
    """All whole windows of a sample, which are compared with the known part of others."""

    def __init__(
        self, sample: FloatArray, known: npt.NDArray[np.bool_], config: EfrosLeungConfig
    ) -> None:
        side = (config.window, config.window)
        whole = np.lib.stride_tricks.sliding_window_view(known, side).all(axis=(2, 3))
        if not whole.any():
            raise ValueError(
                f"`mask` must leave a window of {config.window}x{config.window} px known. "
                "Received: none"
            )
        windows = np.lib.stride_tricks.sliding_window_view(sample, side, axis=(0, 1))[whole]
        windows = np.moveaxis(windows, 1, -1)  # [N, window, window, C]
        self.middles = windows[:, config.window // 2, config.window // 2].copy()
        self.places = np.argwhere(whole) + config.window // 2
        # Values are taken relative to their mean, where float32 has more digits for differences.
        self.mean = sample.mean(axis=(0, 1))
        centred = windows - self.mean
        self.values = np.ascontiguousarray(centred.reshape(len(windows), -1))
        self.squares = np.sum(centred**2, axis=-1).reshape(len(windows), -1)
        distance = np.arange(config.window) - config.window // 2
        gauss = np.exp(-0.5 * (distance / (config.window * _SIGMA)) ** 2)
        self.weights = np.outer(gauss, gauss).astype(np.float32)
        self.config = config

    def errors(self, windows: FloatArray, known: npt.NDArray[np.bool_]) -> FloatArray:
        """Return Gaussian-weighted mean squared differences, [B, N], over the known part of [B, w, w, C]."""
        weights = self.weights * known
        weights /= weights.sum(axis=(1, 2), keepdims=True)
        weighted = (weights[..., np.newaxis] * (windows - self.mean)).astype(np.float32)
        own = np.sum(weighted * (windows - self.mean), axis=(1, 2, 3))
        count = len(windows)
        if count == 1:
            # On a busy machine the threads of BLAS wait for each other up to 100 times as long as this.
            products = np.einsum("nd,d->n", self.values, weighted.ravel())[np.newaxis]
            squares = np.einsum("nd,d->n", self.squares, weights.ravel())[np.newaxis]
        else:
            products = weighted.reshape(count, -1) @ self.values.T
            squares = weights.reshape(count, -1) @ self.squares.T
        errors = np.maximum(squares - 2 * products + own[:, np.newaxis], 0)
        return errors / windows.shape[-1]

    def draw(self, errors: FloatArray, random: np.random.Generator) -> int:
        """Return the index of a candidate drawn from those about as good as the best."""
        limit = errors.min() * (1 + self.config.epsilon) + _ROUNDING
        return int(random.choice(np.flatnonzero(errors <= limit)))


def _grow(
    canvas: FloatArray,
    known: npt.NDArray[np.bool_],
    candidates: _Candidates,
    random: np.random.Generator,
    callback: Callback | None,
) -> tuple[FloatArray, Indices]:
    """Fill in the unknown pixels, layer by layer, those with the most known neighbours first.

    Returns:
        The canvas, and the row and column of the sample that each of these pixels came from, [H, W, 2].
    """
    config = candidates.config
    origins = np.zeros([*known.shape, 2], np.intp)
    half = config.window // 2
    around = ((half, half), (half, half))
    padded, seen = np.pad(canvas, (*around, (0, 0))), np.pad(known, around)
    side = (config.window, config.window)
    # These are views, which follow what is filled in.
    windows = np.lib.stride_tricks.sliding_window_view(padded, side, axis=(0, 1))
    windows = np.moveaxis(windows, 2, -1)
    masks = np.lib.stride_tricks.sliding_window_view(seen, side)
    total = int(np.sum(~known))
    remaining, max_error = total, _MAX_ERROR
    while remaining:
        layer = _frontier(seen[half:-half, half:-half], masks, random)
        filled = 0
        for start in range(0, len(layer), config.at_once):
            rows, columns = layer[start : start + config.at_once].T
            errors = candidates.errors(windows[rows, columns], masks[rows, columns])
            for row, column, each in zip(rows, columns, errors, strict=True):
                chosen = candidates.draw(each, random)
                if each[chosen] < max_error:
                    padded[row + half, column + half] = candidates.middles[chosen]
                    seen[row + half, column + half] = True
                    origins[row, column] = candidates.places[chosen]
                    filled += 1
        remaining -= filled
        if not filled:
            max_error *= _MAX_ERROR_GROWTH
        if callback:
            callback(Progress(total - remaining, total))
    return padded[half:-half, half:-half], origins


def _frontier(
    known: npt.NDArray[np.bool_], masks: npt.NDArray[np.bool_], random: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Return unknown pixels beside known ones, [N, 2]; those with most known in their window first."""
    near = np.lib.stride_tricks.sliding_window_view(np.pad(known, 1), (3, 3)).any(axis=(2, 3))
    pixels = random.permutation(np.argwhere(near & ~known))
    counts = masks[pixels[:, 0], pixels[:, 1]].sum(axis=(1, 2))
    return pixels[np.argsort(-counts, kind="stable")]
