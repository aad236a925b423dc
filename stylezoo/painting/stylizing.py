"""Photographs of any size painted by a generator, in bounded memory."""

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from stylezoo import images
from stylezoo.generators.blending import blend_weights
from stylezoo.generators.models import Generator
from stylezoo.generators.super_resolution import SuperResolutionConfig
from stylezoo.generators.texture_network import TextureNetworkConfig, texture_noise
from stylezoo.painting.moment_sampling import Sampler
from stylezoo.painting.rewiring import normalization_layers
from stylezoo.painting.sections import Section, Sources, input_lattices, input_specs, lattices
from stylezoo.painting.tiling import Lattice, Tile, Tiling

TILINGS = ("auto", "none", "exact", "fast")

# Up to so many px a picture is painted whole, and up to so many exactly, when "auto" chooses.
WHOLE_PIXELS = 2_100_000
EXACT_PIXELS = 16_000_000

# Of a feature map that "exact" keeps; it keeps two at a time.
_KEPT_BYTES = 512 * 2**20

# Rows whose colours are changed at once.
_BAND = 256

# Called with how many tiles have been evaluated, and of how many.
Callback: TypeAlias = Callable[[int, int], None]


class Stylizer:
    """Paints photographs of any size with one generator.

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
    - ``"auto"``: ``"none"`` up to 2 million pixels, ``"exact"`` up to 16 million, then ``"fast"``.

    With batch normalisation there are no such moments, and ``"fast"`` is exact too.

    Args:
        generator: one that paints photographs.
        tiling: one of :data:`TILINGS`.
        tile: side of a tile without its margin, px; rounded up to a multiple of the network's stride.
        preserve_color: take the painting's luminance only, and the photograph's colours (Gatys et al.
            2017, section 5).
        seed: of the noise that a texture network mixes in.

    Raises:
        ValueError: for another kind of generator, an unknown ``tiling`` or a ``tile`` < 1.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        tiling: str = "auto",
        tile: int = 768,
        preserve_color: bool = False,
        seed: int = 0,
    ) -> None:
        _check_paints_photographs(generator)
        if tiling not in TILINGS:
            raise ValueError(
                f"`tiling` must be one of {', '.join(TILINGS)}. Received: tiling={tiling!r}"
            )
        if tile < 1:
            raise ValueError(f"`tile` must be >= 1. Received: tile={tile}")
        self._generator = generator
        self._network = generator.network
        self._tiling = tiling
        self._tile = self._round_up(tile)
        self._preserve_color = preserve_color
        self._seed = seed

    def _round_up(self, pixels: int) -> int:
        stride = self._generator.config.stride
        return -(-pixels // stride) * stride

    def mode(self, height: int, width: int) -> str:
        """How a picture of a size, px, is painted: ``"none"``, ``"exact"`` or ``"fast"``."""
        if max(height, width) <= self._tile:
            return "none"
        if self._tiling != "auto":
            return self._tiling
        if height * width <= WHOLE_PIXELS:
            return "none"
        return "exact" if height * width <= EXACT_PIXELS else "fast"

    def __call__(
        self, pictures: Any, style_weights: Any = None, *, callback: Callback | None = None
    ) -> np.ndarray:
        """Paint pictures of one size.

        Args:
            pictures: [B, H, W, 3] float, RGB, in [0, 1].
            style_weights: [num_styles], of the kind that :func:`blend_weights` gives; by default what
                it gives for the generator's only style.
            callback: called after each tile with the number of those done, and of all.

        Returns:
            [B, H, W, 3], float32, in [0, 1].

        Raises:
            ValueError: for another shape or dtype, or no style where there are several.
        """
        pictures = _checked_pictures(pictures)
        weights = self._checked_weights(style_weights)
        mode = self.mode(*pictures.shape[1:3])
        if mode == "none":
            paintings = self._whole(self._inputs(pictures, weights)).numpy()
        else:
            paintings = np.empty_like(pictures)
            for index in range(len(pictures)):
                one = slice(index, index + 1)
                inputs = self._inputs(pictures[one], weights)
                self._paint_tiles(mode, inputs, paintings[one], callback)
        if self._preserve_color:
            _recolor(paintings, pictures)
        return paintings

    def _checked_weights(self, style_weights: Any) -> np.ndarray | None:
        """[num_styles], or None for a network without."""
        if style_weights is None:
            style_weights = blend_weights(self._generator)
        num_styles = self._generator.config.num_styles
        if not num_styles:
            return None
        if np.shape(style_weights) != (num_styles,):
            raise ValueError(
                f"`style_weights` must be [{num_styles}]. Received: shape={np.shape(style_weights)}"
            )
        return np.asarray(style_weights, np.float32)

    def _inputs(self, pictures: np.ndarray, weights: np.ndarray | None) -> dict[str, np.ndarray]:
        """What the network takes, with a row a picture."""
        config, rows = self._generator.config, len(pictures)
        inputs = {"image": pictures}
        if weights is not None:
            inputs["style_weights"] = np.tile(weights, [rows, 1])
        if isinstance(config, TextureNetworkConfig):
            noise = texture_noise(config, pictures.shape[1:3], seed=self._seed)
            inputs |= {
                name: np.broadcast_to(each, [rows, *each.shape[1:]]) for name, each in noise.items()
            }
        return inputs

    @functools.cached_property
    def _whole(self) -> Any:
        """The network."""
        return tf.function(
            lambda inputs: self._network(inputs, training=False),
            input_signature=[input_specs(self._network)],
            autograph=False,
        )

    def _paint_tiles(
        self,
        mode: str,
        inputs: dict[str, np.ndarray],
        painting: np.ndarray,
        callback: Callback | None,
    ) -> None:
        """Fill ``painting``, [1, H, W, 3]."""
        pad = self._network.get_layer("pad_to_multiple")
        _, height, width, _ = pad.compute_output_shape(painting.shape)
        tiling = Tiling(height, width, self._tile, self._round_up(self._generator.config.reach))
        sources = Sources(inputs, input_lattices(self._network))
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
        """Those that paint a picture exactly, each from the features that the one before leaves."""
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
        return lattices(self._network, [*self._normalizations, *self._sums])

    @functools.cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self._network, self._lattices, stride=self._generator.config.stride)

    @functools.cached_property
    def _undivided(self) -> Section:
        return Section(self._network, self._lattices)

    @functools.cached_property
    def _divided(self) -> list[Section]:
        return [
            Section(self._network, self._lattices, start=start, end=end)
            for start, end in itertools.pairwise([None, *self._sums, None])
        ]


class _Watched:
    """The tiles of a tiling, as often as they are asked for; says when each is done."""

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
                self._callback(self._done, self._total)


def stylize(
    generator: Generator,
    image: Any,
    *,
    style_weights: Any = None,
    tiling: str = "auto",
    tile: int = 768,
    preserve_color: bool = False,
    seed: int = 0,
    callback: Callback | None = None,
) -> np.ndarray:
    """Paint pictures of one size, once: see :class:`Stylizer`, which doesn't trace the network anew.

    Args and errors as there.

    Returns:
        [B, H, W, 3], float32, in [0, 1].
    """
    stylizer = Stylizer(
        generator, tiling=tiling, tile=tile, preserve_color=preserve_color, seed=seed
    )
    return stylizer(image, style_weights, callback=callback)


def _check_paints_photographs(generator: Generator) -> None:
    config = generator.config
    if isinstance(config, SuperResolutionConfig):
        kind = "super-resolution"
    elif isinstance(config, TextureNetworkConfig) and not config.stylize:
        kind = "textures"
    else:
        return
    raise ValueError(f"`model` must be one that paints photographs. Received: one of {kind}")


def _checked_pictures(pictures: Any) -> np.ndarray:
    pictures = np.asarray(pictures)
    fits = pictures.ndim == 4 and pictures.shape[-1] == 3 and pictures.size
    if not (fits and np.issubdtype(pictures.dtype, np.floating)):
        raise ValueError(
            "`pictures` must be float, [batch, height, width, 3]. "
            f"Received: shape={pictures.shape}, dtype={pictures.dtype}"
        )
    return pictures.astype(np.float32, copy=False)


def _recolor(paintings: np.ndarray, pictures: np.ndarray) -> None:
    """Give paintings the colours of pictures, in place."""
    for top in range(0, paintings.shape[1], _BAND):
        rows = slice(top, top + _BAND)
        luminance = images.luminance(paintings[:, rows])
        paintings[:, rows] = images.replace_luminance(pictures[:, rows], luminance)
