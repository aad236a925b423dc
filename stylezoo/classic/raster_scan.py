"""Texture synthesis by tree-structured vector quantisation (Wei & Levoy 2000)."""

import dataclasses
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from stylezoo import images
from stylezoo.classic.pictures import (
    check_window,
    checked_sample,
    picture_of,
)
from stylezoo.classic.search import ExhaustiveSearch, Indices, Search, TreeSearch
from stylezoo.images import FloatArray
from stylezoo.progress import Callback, Progress

_Number = TypeVar("_Number", np.float32, np.intp)

SEARCHES = ("tree", "exhaustive")

# Number of times that pixels near joined borders are looked up again. What they see of the other side changes
# at the first, which the second takes up.
_BORDER_PASSES = 2

# A level's source must have room for windows that differ: its side is at least this many times the window's.
# With 2, textures of a small source lost strokes and bricks at the coarsest level.
_ROOM = 4


@dataclasses.dataclass(frozen=True)
class WeiLevoyConfig:
    """Everything that decides a synthesis but its source.

    Attributes:
        window: Side of the neighbourhood at a pixel's own level, px; odd. The neighbourhood at the
            coarser level has about half of it.
        levels: Largest number of levels of the pyramid, which has fewer where the source is small.
        search: Search for similar neighbourhoods: ``"tree"``, or ``"exhaustive"`` for the nearest of all.
        max_leaves: Number of the tree's leaves that are looked at, by backtracking from the first. More
            are better and slower.
        coherence: Tolerance in favour of coherence (κ of Hertzmann et al. 2001, section 3.2). A
            neighbourhood that continues the one a neighbour was taken from is preferred where its squared
            distance is at most 1 + coherence times the least one. The tolerance is halved at each coarser
            level, so that large pieces are not copied as they are; 0 is Wei & Levoy's own method.
        tileable: Whether opposite borders of the picture fit together.
        seed: Seed of the noise to start from.

    Raises:
        ValueError: If a number is out of range.
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
        """The number of pixels by which a neighbourhood reaches to either side."""
        return self.window // 2


def wei_levoy(
    source: npt.ArrayLike,
    size: tuple[int, int],
    *,
    config: WeiLevoyConfig = WeiLevoyConfig(),
    callback: Callback | None = None,
) -> FloatArray:
    """Make a new picture pixel by pixel from coarse to fine, by the source's most similar neighbourhood.

    A neighbourhood consists of the pixels that a raster scan has done already within the window, and of
    all pixels around at the coarser level. Pixels that do not see each other are looked up together, which
    changes nothing but the time.

    There are two differences to the paper. It joins opposite borders; here a wider picture is made and
    cut. With ``tileable`` borders are joined, and pixels near them are looked up once more, by whole
    neighbourhoods. Secondly, pixels that continue their neighbours' sources are preferred
    (``coherence``): otherwise the nearest neighbourhoods of those unlike all of the source's are the
    flattest ones, and gravel becomes mud.

    Args:
        source: [1, H, W, 3] in [0, 1]; a grey one gives a grey texture.
        size: Height and width of the result, px.
        config: See :class:`WeiLevoyConfig`.
        callback: Called with the numbers of pixels that are done and wanted.

    Returns:
        [1, height, width, 3] float32; every pixel is one of the source's.

    Raises:
        ValueError: If the source or ``size`` is smaller than the window.
    """
    sample = checked_sample(source, size, config.window)
    samples = _pyramid(sample, config)
    margin = 0 if config.tileable else config.window
    sizes = [
        _halved(tuple(side + 2 * margin for side in size), level) for level in range(len(samples))
    ]
    random = np.random.default_rng(config.seed)
    total = sum(height * width for height, width in sizes)
    done = 0
    coarser: tuple[FloatArray, FloatArray] | None = None
    for number, (height, width) in reversed(list(enumerate(sizes))):
        sample = samples[number]
        colours = sample.reshape(-1, sample.shape[-1])
        canvas = colours[random.integers(len(colours), size=(height, width))]
        coherence = config.coherence / 2**number
        level = _Level(sample, canvas, coarser, dataclasses.replace(config, coherence=coherence))
        for batch in _wavefronts(height, width, config.half):
            level.look_up(batch, causal=True)
            done += len(batch)
            if callback:
                callback(Progress(done, total))
        for _ in range(_BORDER_PASSES if config.tileable else 0):
            for batch in _near_borders(height, width, config):
                level.look_up(batch, causal=False)
        coarser = sample, canvas
    return picture_of(canvas[margin : margin + size[0], margin : margin + size[1]])


def _pyramid(sample: FloatArray, config: WeiLevoyConfig) -> list[FloatArray]:
    """Return the source at every level, the finest first."""
    samples = [sample]
    while len(samples) < config.levels:
        height, width = _halved(sample.shape[:2], len(samples))
        if min(height, width) < _ROOM * config.window:
            break
        samples.append(images.resize(sample[np.newaxis], (height, width)).numpy()[0])
    return samples


def _halved(size: tuple[int, ...], level: int) -> tuple[int, int]:
    """Halve a size as often as ``level`` says, rounding up."""
    height, width = (-(-side // 2**level) for side in size)
    return height, width


def _wavefronts(height: int, width: int, half: int) -> Iterator[Indices]:
    """Yield all pixels in batches, [B, 2], that a raster scan may do at the same time.

    A pixel sees ``half`` columns further in the rows above, which have to be done before it.
    """
    rows = np.arange(height)
    for front in range(width + (height - 1) * (half + 1)):
        columns = front - rows * (half + 1)
        here = rows[(columns >= 0) & (columns < width)]
        if len(here):
            yield np.stack([here, columns[here]], axis=1)


def _near_borders(height: int, width: int, config: WeiLevoyConfig) -> Iterator[Indices]:
    """Yield pixels that see across a border, in batches of those that do not see each other."""
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
    """A level of the pyramid: the source's neighbourhoods, and the picture, which changes in place."""

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
        # The source's neighbourhoods and a search among them, for causal ones and for whole ones.
        self._known: dict[bool, tuple[FloatArray, Search]] = {}
        half = config.half
        height, width = sample.shape[:2]
        # Only pixels whose window is inside are candidates.
        self._inside = (height - 2 * half, width - 2 * half)
        self._pixels = np.indices(self._inside).reshape(2, -1).T + half
        self._middles = sample[half : height - half, half : width - half].reshape(
            len(self._pixels), -1
        )
        # The source pixel of each of the picture's pixels, minus ``half``. Noise has none: far outside.
        self._origins = np.full([*canvas.shape[:2], 2], -canvas.size)

    def look_up(self, batch: Indices, *, causal: bool) -> None:
        """Give pixels [B, 2] the colours of the source's pixels with the most similar neighbourhoods."""
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
        """Return for each pixel and neighbour, [B, n], the source pixel that continues the latter, or -1."""
        offsets = _offsets(self._config.half, causal)
        pixels = _around(self._origins, batch, offsets).reshape(len(batch), -1, 2) - offsets
        inside = np.all((pixels >= 0) & (pixels < self._inside), axis=2)
        return np.where(inside, pixels[..., 0] * self._inside[1] + pixels[..., 1], -1)

    def _coherent(
        self, queries: FloatArray, found: Indices, vectors: FloatArray, continuations: Indices
    ) -> Indices:
        """Return the best continuation of each pixel where it is about as near as ``found``, else that."""
        limits = np.sum((vectors[found] - queries) ** 2, axis=1) * (1 + self._config.coherence)
        distances = np.sum((vectors[continuations] - queries[:, np.newaxis]) ** 2, axis=2)
        distances[continuations < 0] = np.inf
        rows = np.arange(len(queries))
        best = np.argmin(distances, axis=1)
        return np.where(distances[rows, best] <= limits, continuations[rows, best], found)

    def _neighbourhoods(self, which: int, pixels: Indices, causal: bool) -> FloatArray:
        """Return the neighbourhoods of pixels [N, 2] of the source (0) or the picture (1), as rows."""
        picture = (self._sample, self._canvas)[which]
        parts = [_around(picture, pixels, _offsets(self._config.half, causal))]
        if self._coarser is not None:
            offsets = np.concatenate([_offsets(self._config.half // 2, False), [[0, 0]]])
            parts.append(_around(self._coarser[which], pixels // 2, offsets))
        return np.concatenate(parts, axis=1)


def _offsets(half: int, causal: bool) -> Indices:
    """Return offsets to all pixels around a pixel, [n, 2], or to those that a raster scan has done."""
    offsets = np.indices((2 * half + 1, 2 * half + 1)).reshape(2, -1).T - half
    middle = len(offsets) // 2
    return offsets[:middle] if causal else np.delete(offsets, middle, axis=0)


def _around(
    picture: npt.NDArray[_Number], pixels: Indices, offsets: Indices
) -> npt.NDArray[_Number]:
    """Return the values around pixels, [N, n C]; beyond a border the picture begins again."""
    height, width = picture.shape[:2]
    rows = (pixels[:, :1] + offsets[:, 0]) % height
    columns = (pixels[:, 1:] + offsets[:, 1]) % width
    return picture[rows, columns].reshape(len(pixels), -1)
