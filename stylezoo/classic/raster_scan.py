"""Texture synthesis by tree-structured vector quantisation (Wei & Levoy 2000)."""

import dataclasses
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from stylezoo import images
from stylezoo.classic.pictures import (
    Callback,
    channels_of,
    check_holds_window,
    check_window,
    picture_of,
)
from stylezoo.classic.search import ExhaustiveSearch, Indices, Search, TreeSearch
from stylezoo.images import FloatArray

_Number = TypeVar("_Number", np.float32, np.intp)

SEARCHES = ("tree", "exhaustive")

# A level's source has room for windows to differ: at least so many times the window's side. With 2,
# textures of a small source lost strokes and bricks at the coarsest level.
_ROOM = 4


@dataclasses.dataclass(frozen=True)
class WeiLevoyConfig:
    """Everything that decides a synthesis but its source.

    Attributes:
        window: side of the neighbourhood at a pixel's own level, px; odd. That at the level below has
            about half of it.
        levels: of the pyramid, at most; fewer where the source is small.
        search: ``"tree"``, or ``"exhaustive"`` for the nearest of all neighbourhoods.
        max_leaves: how many leaves of the tree are looked at, backtracking from the first; the more,
            the better and slower.
        coherence: how much farther than the neighbourhood found, as a share of its squared distance,
            one may be that goes on with what a neighbour was taken from, to be preferred (κ of
            Hertzmann et al. 2001, section 3.2); 0 for Wei & Levoy's own method.
        tileable: make borders fit those on the other side.
        seed: of the noise to start from.

    Raises:
        ValueError: if a number is out of range.
    """

    window: int = 9
    levels: int = 4
    search: str = "tree"
    max_leaves: int = 4
    coherence: float = 1.0
    tileable: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_window(self.window)
        for field in ("levels", "max_leaves"):
            if getattr(self, field) < 1:
                raise ValueError(
                    f"`{field}` must be >= 1. Received: {field}={getattr(self, field)}"
                )
        if not self.coherence >= 0:
            raise ValueError(f"`coherence` must be >= 0. Received: coherence={self.coherence}")
        if self.search not in SEARCHES:
            raise ValueError(
                f"`search` must be one of {', '.join(SEARCHES)}. Received: search={self.search!r}"
            )

    @property
    def half(self) -> int:
        """How far a neighbourhood reaches."""
        return self.window // 2


def wei_levoy(
    source: npt.ArrayLike,
    size: tuple[int, int],
    *,
    config: WeiLevoyConfig = WeiLevoyConfig(),
    callback: Callback | None = None,
) -> FloatArray:
    """A new picture, pixel by pixel from coarse to fine, each after the neighbourhood most like its own.

    A neighbourhood is what a raster scan has done already within the window, and all around the pixel at
    the coarser level. Pixels that do not see each other are looked up together, which changes nothing
    but the time. Differs from the paper in two things. Opposite borders are joined there, here a wider
    picture is made and cut; with ``tileable`` they are joined, and pixels near them are looked up once
    more, after whole neighbourhoods. And what continues its neighbours' sources is preferred
    (``coherence``): without, neighbourhoods unlike all of the source's take its flattest ones for the
    nearest, and gravel becomes mud.

    Args:
        source: [1, H, W, 3] in [0, 1]; a grey one gives a grey texture.
        size: height and width of the result, px.
        config: see :class:`WeiLevoyConfig`.
        callback: called with the numbers of pixels that are done and wanted.

    Returns:
        [1, height, width, 3] float32; every pixel is one of the source's.

    Raises:
        ValueError: if the source or ``size`` is smaller than the window.
    """
    sample = channels_of(source)
    check_holds_window("source", sample.shape[:2], config.window)
    check_holds_window("size", size, config.window)
    samples = _pyramid(sample, config)
    margin = 0 if config.tileable else config.window
    sizes = [
        _halved(tuple(side + 2 * margin for side in size), level) for level in range(len(samples))
    ]
    random = np.random.default_rng(config.seed)
    total = sum(height * width for height, width in sizes)
    done = 0
    coarser: tuple[FloatArray, FloatArray] | None = None
    for sample, (height, width) in reversed(list(zip(samples, sizes, strict=True))):
        colours = sample.reshape(-1, sample.shape[-1])
        canvas = colours[random.integers(len(colours), size=(height, width))]
        level = _Level(sample, canvas, coarser, config)
        for batch in _wavefronts(height, width, config.half):
            level.look_up(batch, causal=True)
            done += len(batch)
            if callback:
                callback(done, total)
        if config.tileable:
            for batch in _near_borders(height, width, config):
                level.look_up(batch, causal=False)
        coarser = sample, canvas
    return picture_of(canvas[margin : margin + size[0], margin : margin + size[1]])


def _pyramid(sample: FloatArray, config: WeiLevoyConfig) -> list[FloatArray]:
    """The source at every level, itself first."""
    samples = [sample]
    while len(samples) < config.levels:
        height, width = _halved(sample.shape[:2], len(samples))
        if min(height, width) < _ROOM * config.window:
            break
        samples.append(images.resize(sample[np.newaxis], (height, width)).numpy()[0])
    return samples


def _halved(size: tuple[int, ...], level: int) -> tuple[int, int]:
    height, width = (-(-side // 2**level) for side in size)
    return height, width


def _wavefronts(height: int, width: int, half: int) -> Iterator[Indices]:
    """All pixels, in batches [B, 2] of those that a raster scan may do at the same time.

    A pixel sees ``half`` columns further in the rows above: what is there has to be done.
    """
    rows = np.arange(height)
    for front in range(width + (height - 1) * (half + 1)):
        columns = front - rows * (half + 1)
        here = rows[(columns >= 0) & (columns < width)]
        if len(here):
            yield np.stack([here, columns[here]], axis=1)


def _near_borders(height: int, width: int, config: WeiLevoyConfig) -> Iterator[Indices]:
    """Pixels that see across a border, in batches of those that do not see each other."""
    rows, columns = np.indices((height, width))
    from_row = np.minimum(rows, height - 1 - rows)
    from_column = np.minimum(columns, width - 1 - columns)
    near = np.minimum(from_row, from_column) < config.half
    step = config.half + 1
    for row in range(step):
        for column in range(step):
            batch = np.argwhere(near & (rows % step == row) & (columns % step == column))
            if len(batch):
                yield batch


class _Level:
    """One level: the source's neighbourhoods, and those of the picture, which changes in place."""

    def __init__(
        self,
        sample: FloatArray,
        canvas: FloatArray,
        coarser: tuple[FloatArray, FloatArray] | None,
        config: WeiLevoyConfig,
    ) -> None:
        self._sample, self._canvas = sample, canvas
        self._coarser = coarser
        self._config = config
        # By whether neighbourhoods are causal: those of the source, and a search among them.
        self._known: dict[bool, tuple[FloatArray, Search]] = {}
        half = config.half
        height, width = sample.shape[:2]
        # The pixels whose window is inside; none reads what is not there.
        self._inside = (height - 2 * half, width - 2 * half)
        self._pixels = np.indices(self._inside).reshape(2, -1).T + half
        self._middles = sample[half : height - half, half : width - half].reshape(
            len(self._pixels), -1
        )
        # Where the picture's pixels were taken from, less ``half``; noise from nowhere near.
        self._origins = np.full([*canvas.shape[:2], 2], -canvas.size)

    def look_up(self, batch: Indices, *, causal: bool) -> None:
        """Give pixels [B, 2] the colours of the source's whose neighbourhoods are most like theirs."""
        if causal not in self._known:
            vectors = self._neighbourhoods(0, self._pixels, causal)
            self._known[causal] = vectors, self._search(vectors)
        vectors, search = self._known[causal]
        queries = self._neighbourhoods(1, batch, causal)
        chosen = search.nearest(queries)
        if self._config.coherence:
            chosen = self._coherent(queries, chosen, vectors, self._continuations(batch, causal))
        self._canvas[batch[:, 0], batch[:, 1]] = self._middles[chosen]
        self._origins[batch[:, 0], batch[:, 1]] = self._pixels[chosen] - self._config.half

    def _search(self, vectors: FloatArray) -> Search:
        if self._config.search == "exhaustive":
            return ExhaustiveSearch(vectors)
        return TreeSearch(vectors, max_leaves=self._config.max_leaves)

    def _continuations(self, batch: Indices, causal: bool) -> Indices:
        """Of pixels [B, 2], by each neighbour [n]: the source's pixel that goes on with it; -1 for none."""
        offsets = _offsets(self._config.half, causal)
        pixels = _around(self._origins, batch, offsets).reshape(len(batch), -1, 2) - offsets
        inside = np.all((pixels >= 0) & (pixels < self._inside), axis=2)
        return np.where(inside, pixels[..., 0] * self._inside[1] + pixels[..., 1], -1)

    def _coherent(
        self, queries: FloatArray, found: Indices, vectors: FloatArray, continuations: Indices
    ) -> Indices:
        """The best of [B, n] continuations where it is about as near as what was found [B]."""
        limits = np.sum((vectors[found] - queries) ** 2, axis=1) * (1 + self._config.coherence)
        distances = np.sum((vectors[continuations] - queries[:, np.newaxis]) ** 2, axis=2)
        distances[continuations < 0] = np.inf
        rows = np.arange(len(queries))
        best = np.argmin(distances, axis=1)
        return np.where(distances[rows, best] <= limits, continuations[rows, best], found)

    def _neighbourhoods(self, which: int, pixels: Indices, causal: bool) -> FloatArray:
        """Of pixels [N, 2] of the source (0) or the picture (1), as rows."""
        picture = (self._sample, self._canvas)[which]
        parts = [_around(picture, pixels, _offsets(self._config.half, causal))]
        if self._coarser is not None:
            offsets = np.concatenate([_offsets(self._config.half // 2, False), [[0, 0]]])
            parts.append(_around(self._coarser[which], pixels // 2, offsets))
        return np.concatenate(parts, axis=1)


def _offsets(half: int, causal: bool) -> Indices:
    """What is around a pixel, [n, 2], without itself; or of that what a raster scan has done."""
    offsets = np.indices((2 * half + 1, 2 * half + 1)).reshape(2, -1).T - half
    middle = len(offsets) // 2
    return offsets[:middle] if causal else np.delete(offsets, middle, axis=0)


def _around(
    picture: npt.NDArray[_Number], pixels: Indices, offsets: Indices
) -> npt.NDArray[_Number]:
    """[N, n C]; beyond a border the picture begins again at the other."""
    height, width = picture.shape[:2]
    rows = (pixels[:, :1] + offsets[:, 0]) % height
    columns = (pixels[:, 1:] + offsets[:, 1]) % width
    return picture[rows, columns].reshape(len(pixels), -1)
