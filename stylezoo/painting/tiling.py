"""Where the tiles of a picture are, in it and in its feature maps."""

import dataclasses
import itertools
import math
from collections.abc import Iterator

import numpy as np


@dataclasses.dataclass(frozen=True)
class Lattice:
    """Where the positions of a feature map are in the picture.

    Attributes:
        stride: px from one position to the next.
        border: positions before the picture's first px, and as many after its last one.
    """

    stride: int = 1
    border: int = 0

    def positions(self, side: int) -> int:
        """How many there are along a side of a picture, px."""
        return side // self.stride + 2 * self.border


@dataclasses.dataclass(frozen=True)
class Span:
    """What a tile covers along one axis, px: all multiples of the network's stride.

    Attributes:
        begin: first px of what the tile is for.
        end: the px after its last one.
        outer_begin: as ``begin``, with the margin, which ends where the picture does.
        outer_end: likewise.
        side: of the picture.
    """

    begin: int
    end: int
    outer_begin: int
    outer_end: int
    side: int

    def seen(self, lattice: Lattice) -> slice:
        """The positions that the tile with its margin has, among the picture's."""
        length = self.outer_end - self.outer_begin
        first = self.outer_begin // lattice.stride
        return slice(first, first + lattice.positions(length))

    def owned(self, lattice: Lattice) -> slice:
        """The positions that this tile answers for, and no other one."""
        inner = slice(
            self.begin // lattice.stride + lattice.border,
            self.end // lattice.stride + lattice.border,
        )
        first = 0 if self.begin == 0 else inner.start
        last = lattice.positions(self.side) if self.end == self.side else inner.stop
        return slice(first, last)


@dataclasses.dataclass(frozen=True)
class Tile:
    """A part of a picture.

    Attributes:
        rows: that it covers.
        columns: likewise.
    """

    rows: Span
    columns: Span

    def seen(self, lattice: Lattice) -> tuple[slice, slice]:
        """As :meth:`Span.seen`, of rows and of columns."""
        return self.rows.seen(lattice), self.columns.seen(lattice)

    def owned(self, lattice: Lattice) -> tuple[slice, slice]:
        """As :meth:`Span.owned`, of rows and of columns."""
        return self.rows.owned(lattice), self.columns.owned(lattice)

    def window(self, lattice: Lattice) -> np.ndarray:
        """Top, left, bottom and right of the owned positions among the seen ones, [4], int32."""
        pairs = list(zip(self.owned(lattice), self.seen(lattice), strict=True))
        begins = [owned.start - seen.start for owned, seen in pairs]
        ends = [owned.stop - seen.start for owned, seen in pairs]
        return np.array(begins + ends, np.int32)


@dataclasses.dataclass(frozen=True)
class Tiling:
    """A picture cut into tiles.

    Attributes:
        height: of the picture, px, a multiple of the network's stride like all that follow.
        width: likewise.
        tile: side of a tile.
        margin: how much more of the picture a tile sees on each side.
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
    """A part of [B, H, W, C], mirrored beyond the bottom and the right as ``PadToMultiple`` does."""
    for axis, wanted in ((1, rows), (2, columns)):
        side = values.shape[axis]
        if wanted.stop <= side:
            values = values[(slice(None),) * axis + (wanted,)]
        else:
            positions = np.arange(wanted.start, wanted.stop) % (2 * side)
            values = np.take(values, np.minimum(positions, 2 * side - 1 - positions), axis=axis)
    return values
