"""Where the tiles of a picture are, in it and in its feature maps."""

import dataclasses
import itertools
import math
from collections.abc import Iterator

import numpy as np

TILINGS = ("auto", "none", "exact", "fast")
"""The ways to paint a large picture; see ``stylezoo.painting.Engine``."""

DEFAULT_TILE = 768
"""Usual side of a tile of the painting, px."""


@dataclasses.dataclass(frozen=True)
class Lattice:
    """Where the positions of a feature map are in the picture.

    Attributes:
        stride: Number of px from one position to the next.
        border: Number of positions before the picture's first px, and after its last one.
        factor: Number of positions to a px, where they are finer than the picture.
    """

    stride: int = 1
    border: int = 0
    factor: int = 1

    def positions(self, side: int) -> int:
        """Return how many there are along a side of a picture, px."""
        return self.at(side) + 2 * self.border

    def at(self, pixel: int) -> int:
        """Return the position at a px that is a multiple of the stride, without the border."""
        return pixel * self.factor // self.stride


@dataclasses.dataclass(frozen=True)
class Span:
    """What a tile covers along one axis, px: all multiples of the network's stride.

    Attributes:
        begin: First px that the tile answers for.
        end: The px after the last one that the tile answers for.
        outer_begin: First px that the tile sees: its margin ends where the picture does.
        outer_end: The px after the last one that the tile sees.
        side: Side of the picture.
    """

    begin: int
    end: int
    outer_begin: int
    outer_end: int
    side: int

    def seen(self, lattice: Lattice) -> slice:
        """Return the positions that the tile with its margin has, among the picture's."""
        length = self.outer_end - self.outer_begin
        first = lattice.at(self.outer_begin)
        return slice(first, first + lattice.positions(length))

    def owned(self, lattice: Lattice) -> slice:
        """Return the positions that this tile answers for, and no other one."""
        inner = slice(
            lattice.at(self.begin) + lattice.border, lattice.at(self.end) + lattice.border
        )
        first = 0 if self.begin == 0 else inner.start
        last = lattice.positions(self.side) if self.end == self.side else inner.stop
        return slice(first, last)


@dataclasses.dataclass(frozen=True)
class Tile:
    """A part of a picture.

    Attributes:
        rows: The rows that it covers.
        columns: The columns that it covers.
    """

    rows: Span
    columns: Span

    def seen(self, lattice: Lattice) -> tuple[slice, slice]:
        """Return the rows and the columns of :meth:`Span.seen`."""
        return self.rows.seen(lattice), self.columns.seen(lattice)

    def owned(self, lattice: Lattice) -> tuple[slice, slice]:
        """Return the rows and the columns of :meth:`Span.owned`."""
        return self.rows.owned(lattice), self.columns.owned(lattice)

    def window(self, lattice: Lattice) -> np.ndarray:
        """Return top, left, bottom and right of the owned among the seen positions, [4], int32."""
        pairs = list(zip(self.owned(lattice), self.seen(lattice), strict=True))
        begins = [owned.start - seen.start for owned, seen in pairs]
        ends = [owned.stop - seen.start for owned, seen in pairs]
        return np.array(begins + ends, np.int32)


@dataclasses.dataclass(frozen=True)
class Tiling:
    """A picture cut into tiles.

    Attributes:
        height: Height of the picture, px, a multiple of the network's stride like all that follow.
        width: Width of the picture.
        tile: Side of a tile.
        margin: How much more of the picture a tile sees on each side.
    """

    height: int
    width: int
    tile: int
    margin: int

    def __len__(self) -> int:
        return math.prod(-(-side // self.tile) for side in (self.height, self.width))

    def __iter__(self) -> Iterator[Tile]:
        for rows, columns in itertools.product(self._spans(self.height), self._spans(self.width)):
            yield Tile(rows, columns)

    def _spans(self, side: int) -> Iterator[Span]:
        for begin in range(0, side, self.tile):
            end = min(begin + self.tile, side)
            outer_end = min(end + self.margin, side)
            yield Span(begin, end, max(begin - self.margin, 0), outer_end, side)


def cut(values: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """Cut a part of [B, H, W, C], mirrored beyond bottom and right as ``PadToMultiple`` does."""
    for axis, wanted in ((1, rows), (2, columns)):
        side = values.shape[axis]
        if wanted.stop <= side:
            values = values[(slice(None),) * axis + (wanted,)]
        else:
            positions = np.arange(wanted.start, wanted.stop) % (2 * side)
            values = np.take(values, np.minimum(positions, 2 * side - 1 - positions), axis=axis)
    return values
