"""A loss of a picture that is too large for its features to fit in memory."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from stylezoo.classifiers import TapInfo
from stylezoo.images import Image
from stylezoo.losses import IMAGE, Features, LossTerm, StatisticsLoss, Target, Window
from stylezoo.losses.base import Statistics
from stylezoo.objectives.total_loss import Targets, TotalLoss

_PIXELS = TapInfo(channels=3, stride=1, receptive_field=1, offset=0, minimum_size=1)


class TiledLoss(TotalLoss):
    """A :class:`TotalLoss` that sees a large picture tile by tile; value and gradient are as if whole.

    A picture that is no larger than a tile is evaluated whole.

    A first pass adds up the terms' statistics over the tiles; the loss and its gradient with
    respect to the statistics follow; a second pass carries that back to the pixels. Each tile is
    evaluated with a margin of half a receptive field, whose features are dropped. So memory depends
    on the tile alone, and a step takes about 1.5 (1 + 2·margin/tile)² times as long. Terms that are
    matched keep the whole maps of their taps, which are small beside those of early layers.

    Args:
        terms: The terms, all of them additive; see :class:`~stylezoo.losses.LossTerm`.
        network: The network that gives the taps of all terms.
        infos: The geometry of the network's taps, by name.
        tile: Side of a tile without its margin, px; it is rounded up to a multiple of the deepest stride.

    Raises:
        ValueError: If a term is not additive, or ``tile`` is not positive.
    """

    def __init__(
        self,
        terms: Sequence[LossTerm],
        network: keras.Model,
        *,
        infos: Mapping[str, TapInfo],
        tile: int,
    ) -> None:
        super().__init__(terms, network)
        whole = [term.name for term in terms if not term.additive]
        if whole:
            raise ValueError(
                f"`tile` must not be set with {', '.join(whole)} (needs all positions)"
            )
        if tile <= 0:
            raise ValueError(f"`tile` must be > 0. Received: tile={tile}")
        self._pixel_terms = [term for term in terms if term.taps == (IMAGE,)]
        self._tiled_terms = [term for term in terms if term not in self._pixel_terms]
        self._infos = {IMAGE: _PIXELS, **{tap: infos[tap] for tap in network.output}}
        self._alignment = max(info.stride for info in self._infos.values())
        reach = max(
            max(info.offset, info.receptive_field - info.offset - info.stride)
            for info in self._infos.values()
        )
        self._margin = self._round_up(reach)
        self._tile = self._round_up(tile)
        self._longest_whole = tile

    def _round_up(self, pixels: int) -> int:
        return -(-pixels // self._alignment) * self._alignment

    def _fits(self, image: Image) -> bool:
        """Return whether a picture is evaluated whole."""
        height, width = image.shape[1:3]
        return None not in (height, width) and max(height, width) <= self._longest_whole

    def _boxes(self, size: tf.Tensor) -> tf.Tensor:
        """Return top, left, bottom and right of every tile of a picture of ``size``, [T, 4]."""
        tops, lefts = tf.meshgrid(
            tf.range(0, size[0], self._tile), tf.range(0, size[1], self._tile), indexing="ij"
        )
        bottoms = tf.minimum(tops + self._tile, size[0])
        rights = tf.minimum(lefts + self._tile, size[1])
        return tf.reshape(tf.stack([tops, lefts, bottoms, rights], axis=-1), [-1, 4])

    def _outer(self, box: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        """Return the tile with its margin, as far as the picture reaches."""
        begin = tf.maximum(box[:2] - self._margin, 0)
        return tf.concat([begin, tf.minimum(box[2:] + self._margin, size)], axis=0)

    def _windows(self, box: tf.Tensor, size: tf.Tensor) -> dict[str, Window]:
        """Return which of the whole picture's features a tile owns, for each tap."""
        windows = {}
        for tap, info in self._infos.items():
            features = (size - info.minimum_size) // info.stride + 1
            begin = tf.minimum(box[:2] // info.stride, features)
            # The last tile owns what is left; pooling may leave less than a stride there.
            end = tf.where(box[2:] == size, features, box[2:] // info.stride)
            shape = tf.maximum(end - begin, 0)
            windows[tap] = Window(begin[0], begin[1], shape[0], shape[1])
        return windows

    def _owned(
        self, pixels: tf.Tensor, outer: tf.Tensor, windows: Mapping[str, Window]
    ) -> Features:
        """Return the features of a tile with margin, without those of the margin."""
        assert self.network is not None
        features = {IMAGE: pixels, **self.network(pixels)}
        owned = {}
        for tap, window in windows.items():
            stride = self._infos[tap].stride
            local = dataclasses.replace(
                window, top=window.top - outer[0] // stride, left=window.left - outer[1] // stride
            )
            owned[tap] = local.crop(features[tap])
        return owned

    def _targets_of(
        self, term: LossTerm, images: Sequence[Image], masks: Sequence[Target]
    ) -> list[Target]:
        fitting = [index for index, image in enumerate(images) if self._fits(image)]
        whole = super()._targets_of(
            term, [images[index] for index in fitting], [masks[index] for index in fitting]
        )
        targets = dict(zip(fitting, whole, strict=True))
        return [
            targets[index] if index in targets else self._target_of(term, images[index], mask)
            for index, mask in enumerate(masks)
        ]

    def _target_of(self, term: LossTerm, image: Image, masks: Target) -> Target:
        if not isinstance(term, StatisticsLoss):
            return term.target({**self._assemble(term, image), **masks})

        def represent(owned: Features, windows: Mapping[str, Window]) -> Statistics:
            cropped = term.crop(masks, windows)
            return term.represent({**owned, **cropped}, cropped)

        rows = self._over_tiles(represent, image)
        return term.summarize(_add(*itertools.chain(*rows)))

    def _assemble(self, term: LossTerm, image: Image) -> Features:
        """Return the whole picture's features, put together from those of its tiles."""
        # The term's own taps only: early layers of a large picture are what does not fit.
        rows = self._over_tiles(lambda owned, _: {tap: owned[tap] for tap in term.taps}, image)
        return _concat([_concat(row, axis=2) for row in rows], axis=1)

    def _over_tiles(
        self, function: Callable[[Features, Mapping[str, Window]], Features], image: Image
    ) -> list[list[Features]]:
        """Return what a function makes of each tile's features and their windows, in rows of tiles."""
        image = tf.convert_to_tensor(image)
        size = tf.shape(image)[1:3]

        @tf.function(autograph=False, reduce_retracing=True)
        def of_tile(pixels: tf.Tensor, box: tf.Tensor, outer: tf.Tensor) -> Features:
            windows = self._windows(box, size)
            return function(self._owned(pixels, outer, windows), windows)

        rows: dict[int, list[Features]] = {}
        for box in self._boxes(size):
            outer = self._outer(box, size)
            rows.setdefault(int(box[0]), []).append(of_tile(_cut(image, outer), box, outer))
        return list(rows.values())

    def match(self, image: tf.Tensor, targets: Targets) -> Targets:
        """Match as :meth:`TotalLoss.match`, eagerly; whole maps of the matching terms' taps are kept."""
        if self._fits(image):
            return super().match(image, targets)
        return targets | {
            term.name: term.match(self._assemble(term, image), targets[term.name])
            for term in self.terms
            if term.matches
        }

    def _tile_statistics(
        self, pixels: tf.Tensor, box: tf.Tensor, outer: tf.Tensor, size: tf.Tensor, targets: Targets
    ) -> dict[str, Statistics]:
        windows = self._windows(box, size)
        owned = self._owned(pixels, outer, windows)
        return {
            term.name: term.represent(owned, term.crop(targets[term.name], windows))
            for term in self._tiled_terms
        }

    def _statistics(self, image: tf.Tensor, targets: Targets) -> dict[str, Statistics]:
        """Return the statistics of the whole picture: the first pass."""
        size = tf.shape(image)[1:3]
        boxes = self._boxes(size)

        def of_tile(index: tf.Tensor | int) -> dict[str, Statistics]:
            outer = self._outer(boxes[index], size)
            return self._tile_statistics(_cut(image, outer), boxes[index], outer, size, targets)

        _, statistics = tf.while_loop(
            lambda index, _: index < tf.shape(boxes)[0],
            lambda index, sums: (index + 1, tf.nest.map_structure(tf.add, sums, of_tile(index))),
            (1, of_tile(0)),
            parallel_iterations=1,
        )
        return statistics

    def _pull_back(
        self, image: tf.Tensor, targets: Targets, cotangents: dict[str, Statistics]
    ) -> tf.Tensor:
        """Return the gradient with respect to the pixels from that to the statistics: the second pass."""
        size = tf.shape(image)[1:3]
        boxes = self._boxes(size)

        def of_tile(index: tf.Tensor) -> tf.Tensor:
            outer = self._outer(boxes[index], size)
            pixels = _cut(image, outer)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(pixels)
                statistics = self._tile_statistics(pixels, boxes[index], outer, size, targets)
            gradient = tape.gradient(statistics, pixels, output_gradients=cotangents)
            after = size - outer[2:]
            return tf.pad(gradient, [[0, 0], [outer[0], after[0]], [outer[1], after[1]], [0, 0]])

        _, gradient = tf.while_loop(
            lambda index, _: index < tf.shape(boxes)[0],
            lambda index, total: (index + 1, total + of_tile(index)),
            (0, tf.zeros_like(image)),
            parallel_iterations=1,
        )
        return gradient

    def __call__(
        self, image: tf.Tensor, targets: Targets
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return what :meth:`TotalLoss.__call__` returns.

        In tiles, the total alone is differentiable, once, in ``image``; and targets that are to be
        matched have to be matched already.
        """
        if self._fits(image):
            return super().__call__(image, targets)
        return self._evaluate_tiles(image, targets)

    def _evaluate_tiles(
        self, image: tf.Tensor, targets: Targets
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        names = [term.name for term in self.terms]

        @tf.custom_gradient
        def evaluate(image: tf.Tensor) -> Any:
            statistics = self._statistics(image, targets)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch((image, statistics))
                pixelwise = {
                    term.name: term.represent({IMAGE: image}, targets[term.name])
                    for term in self._pixel_terms
                }
                total, shares = self.compare(statistics | pixelwise, targets)
            direct, cotangents = tape.gradient(
                total, (image, statistics), unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            gradient = direct + self._pull_back(image, targets, cotangents)
            outputs = (total, *(shares[name] for name in names))

            def pull_back(upstream: tf.Tensor, *_: Any, variables: Sequence[Any] = ()) -> Any:
                # TensorFlow lists a frozen network's weights too, and asks for their gradients.
                pulled = upstream * gradient
                return (pulled, [None] * len(variables)) if variables else pulled

            return outputs, pull_back

        total, *shares = evaluate(image)
        return total, dict(zip(names, map(tf.stop_gradient, shares), strict=True))


def _cut(image: tf.Tensor, box: tf.Tensor) -> tf.Tensor:
    return image[:, box[0] : box[2], box[1] : box[3]]


def _add(*nests: Features) -> Statistics:
    return tf.nest.map_structure(lambda *values: tf.add_n(values), *nests)


def _concat(pieces: Sequence[Features], *, axis: int) -> Features:
    return {tap: tf.concat([piece[tap] for piece in pieces], axis=axis) for tap in pieces[0]}
