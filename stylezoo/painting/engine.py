"""Pictures of any size, painted by a network in bounded memory."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo.layers import PadToMultiple
from stylezoo.painting.moment_sampling import Sampler
from stylezoo.painting.rewiring import normalization_layers
from stylezoo.painting.sections import Section, Sources, input_specs, lattices
from stylezoo.painting.tiling import DEFAULT_TILE, TILINGS, Lattice, Tile, Tiling
from stylezoo.progress import Callback, Progress

# The largest pictures, px, that "auto" paints whole and exactly.
WHOLE_PIXELS = 2_100_000
EXACT_PIXELS = 16_000_000

# The largest feature map that "exact" keeps; it keeps two at a time.
_KEPT_BYTES = 512 * 2**20


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Where the positions of a network's inputs and output are in the picture.

    Attributes:
        stride: Number of px by which the picture must be shifted so that the output is shifted alike.
        reach: Distance that an output pixel sees, px of the picture, apart from the moments of
            normalisation.
        inputs: For each input that has a place in the picture, the px from one position to the next.
        factor: How many times larger than the picture the output is.
    """

    stride: int
    reach: int
    inputs: Mapping[str, int]
    factor: int = 1


class Engine:
    """Paint pictures of any size by one network.

    What a network with instance normalisation paints at a place depends on the whole picture: on the
    mean and variance of its features. Tiles are evaluated with those of the whole, and with as much of
    their surroundings as a pixel of the painting depends on, so that no seam shows.

    - ``"none"`` paints the picture whole.
    - ``"exact"`` gathers the moments over all tiles, one normalisation after the other, and gives the
      same painting. It keeps the features after each residual block, where they take at most 512 MB,
      and then takes two to three times as long as ``"fast"``; else about half as many times as there
      are normalisations.
    - ``"fast"`` evaluates each tile once, with moments estimated from a million pixels of the picture:
      patches of 48x48 px, evenly spread. Five photographs of 2048 px, painted by a light network in
      three styles, differed from ``"exact"`` by 0.8 to 2.0 of 255 on average, 39 to 47 dB PSNR;
      sixteen photographs pieced together in squares by 3.8, 33 dB. With a copy reduced to as many
      pixels, in which neighbouring pixels differ more, it was 29 to 36 dB, and 28. Texture networks,
      which see further than a patch, are far off with both.
    - ``"auto"`` takes ``"none"`` up to 2 million pixels, ``"exact"`` up to 16 million, then ``"fast"``.

    With batch normalisation there are no such moments, and ``"fast"`` is exact too.

    Args:
        network: A functional model whose inputs are a dict with ``image``, [B, H, W, 3], and whose
            output is a picture. It has a layer ``PadToMultiple``, and its residual blocks end in
            layers whose names end in ``_add``.
        geometry: See :class:`Geometry`.

    Raises:
        ValueError: From :meth:`paint`, if the network has no ``PadToMultiple`` and a picture is to be
            painted in tiles.
    """

    def __init__(self, network: keras.Model, geometry: Geometry) -> None:
        self._network = network
        self._geometry = geometry

    def mode(self, height: int, width: int, *, tiling: str, tile: int) -> str:
        """Return how a picture is painted: ``"none"``, ``"exact"`` or ``"fast"``.

        Args:
            height: Height of the picture, px.
            width: Width of the picture, px.
            tiling: One of :data:`TILINGS`.
            tile: Side of a tile of the painting, px.

        Raises:
            ValueError: If ``tiling`` is unknown or ``tile`` < 1.
        """
        if tiling not in TILINGS:
            raise ValueError(
                f"`tiling` must be one of {', '.join(TILINGS)}. Received: tiling={tiling!r}"
            )
        if tile < 1:
            raise ValueError(f"`tile` must be >= 1. Received: tile={tile}")
        if max(height, width) <= self._side(tile):
            return "none"
        if tiling != "auto":
            return tiling
        pixels = height * width * self._geometry.factor**2
        if pixels <= WHOLE_PIXELS:
            return "none"
        return "exact" if pixels <= EXACT_PIXELS else "fast"

    def paint(
        self,
        inputs: Mapping[str, Any],
        *,
        tiling: str = "auto",
        tile: int = DEFAULT_TILE,
        callback: Callback | None = None,
    ) -> np.ndarray:
        """Paint pictures of one size.

        Args:
            inputs: The network's inputs, with a row for each picture.
            tiling: One of :data:`TILINGS`.
            tile: Side of a tile of the painting without its margin, px; rounded up to a multiple of
                the network's stride.
            callback: Called after each tile; its steps are tiles.

        Returns:
            [B, factor·H, factor·W, 3], float32, in [0, 1].

        Raises:
            ValueError: If ``tiling`` is unknown or ``tile`` < 1.
        """
        count, height, width, channels = inputs["image"].shape
        mode = self.mode(height, width, tiling=tiling, tile=tile)
        if mode == "none":
            return self._whole(dict(inputs)).numpy()
        factor = self._geometry.factor
        paintings = np.empty([count, factor * height, factor * width, channels], np.float32)
        arrays = {name: np.asarray(values) for name, values in inputs.items()}
        for index in range(count):
            one = slice(index, index + 1)
            row = {name: values[one] for name, values in arrays.items()}
            self._paint_tiles(mode, row, paintings[one], self._side(tile), callback)
        return paintings

    def _side(self, tile: int) -> int:
        """Return the side of a tile, px of the picture."""
        return self._round_up(-(-tile // self._geometry.factor))

    def _round_up(self, pixels: int) -> int:
        stride = self._geometry.stride
        return -(-pixels // stride) * stride

    @functools.cached_property
    def _whole(self) -> Any:
        """The traced network."""
        return tf.function(
            lambda inputs: self._network(inputs, training=False),
            input_signature=[input_specs(self._network)],
            autograph=False,
        )

    @property
    def _padding(self) -> PadToMultiple:
        for layer in self._network.layers:
            if isinstance(layer, PadToMultiple):
                return layer
        raise ValueError("`network` must have a layer `PadToMultiple` to paint in tiles")

    def _paint_tiles(
        self,
        mode: str,
        inputs: dict[str, np.ndarray],
        painting: np.ndarray,
        side: int,
        callback: Callback | None,
    ) -> None:
        """Fill ``painting``, [1, factor·H, factor·W, 3]."""
        _, height, width, _ = self._padding.compute_output_shape(inputs["image"].shape)
        tiling = Tiling(height, width, side, self._round_up(self._geometry.reach))
        places = {name: Lattice(stride) for name, stride in self._geometry.inputs.items()}
        sources = Sources(inputs, places)
        if mode == "fast" and self._normalizations:
            moments = self._sampler.estimate(sources, height, width)
            tiles = _Watched(tiling, 1, callback)
            self._undivided.evaluate(sources, tiles, moments, painting)
            return
        *others, last = sections = self._sections(height, width)
        passes = sum(len(section.normalizations) + 1 for section in sections)
        tiles = _Watched(tiling, passes, callback)
        for section in others:
            features = np.empty(section.shape(height, width), np.float32)
            section.evaluate(sources, tiles, section.gather(sources, tiles), features)
            sources = sources.with_features(features, section.lattice)
        last.evaluate(sources, tiles, last.gather(sources, tiles), painting)

    def _sections(self, height: int, width: int) -> list[Section]:
        """Return the sections that paint a picture exactly, each from the features of the one before."""
        if not self._normalizations:
            return [self._undivided]
        kept = [4 * math.prod(each.shape(height, width)) for each in self._divided[:-1]]
        return self._divided if max(kept, default=0) <= _KEPT_BYTES else [self._undivided]

    @functools.cached_property
    def _normalizations(self) -> list[keras.layers.Layer]:
        return normalization_layers(self._network)

    @functools.cached_property
    def _sums(self) -> list[keras.layers.Layer]:
        """The last layers of the residual blocks: of what is before them, only skips are needed."""
        return [each for each in self._network.layers if each.name.endswith("_add")]

    @functools.cached_property
    def _lattices(self) -> dict[str, Lattice]:
        layers = [*self._normalizations, *self._sums]
        return lattices(self._network, layers, self._geometry.inputs)

    @functools.cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self._network, self._lattices, stride=self._geometry.stride)

    @functools.cached_property
    def _undivided(self) -> Section:
        return self._section(None, None)

    @functools.cached_property
    def _divided(self) -> list[Section]:
        ends = itertools.pairwise([None, *self._sums, None])
        return [self._section(start, end) for start, end in ends]

    def _section(self, start: keras.layers.Layer | None, end: keras.layers.Layer | None) -> Section:
        factor = self._geometry.factor
        return Section(self._network, self._lattices, start=start, end=end, factor=factor)


class _Watched:
    """The tiles of a tiling, for several passes over them; a callback is told when each is done."""

    def __init__(self, tiling: Tiling, passes: int, callback: Callback | None) -> None:
        self._tiling = tiling
        self._total = passes * len(tiling)
        self._callback = callback
        self._done = 0

    def __iter__(self) -> Iterator[Tile]:
        for tile in self._tiling:
            yield tile
            self._done += 1
            if self._callback:
                self._callback(Progress(self._done, self._total))
