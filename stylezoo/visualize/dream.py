"""DeepDream: a picture that shows more of what a network sees in it (Mordvintsev et al. 2015)."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import errors, perceptual
from stylezoo import images as images_lib
from stylezoo.losses import Features

# Step, and steps in all octaves together.
Callback = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class Dreamed:
    """What a dream amplifies.

    Attributes:
        layer: a tap.
        channel: of it; None for all.
        weight: beside the other ones; negative to suppress.
    """

    layer: str
    channel: int | None = None
    weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class DreamConfig:
    """Everything that decides a dream but its picture.

    Attributes:
        dreamed: layers and channels.
        network: architecture.
        weights: see :func:`stylezoo.perceptual.perceptual_network`.
        octaves: sizes, from small to the picture's own; those too small for the layers are left out.
        octave_scale: each as large as the one before.
        steps: of every octave.
        step_size: mean absolute change of a pixel, in pixel values (the authors' 1.5 of 255).
        jitter: random shift at every step, px, of a picture that is one tile.
        tile: side of the parts that the network sees at once, px: less memory with less.
        seed: of the shifts.
    """

    dreamed: tuple[Dreamed, ...]
    network: str = "squeezenet1_1"
    weights: str = "imagenet"
    octaves: int = 4
    octave_scale: float = 1.4
    steps: int = 10
    step_size: float = 1.5 / 255.0
    jitter: int = 32
    tile: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.dreamed:
            raise ValueError("`layers` must name at least one layer. Received: none")
        with errors.renamed(taps="layers"):
            perceptual.check_taps(self.network, self.layers)
        infos = perceptual.tap_info(self.network)
        for each in self.dreamed:
            count = infos[each.layer].channels
            if each.channel is not None and not 0 <= each.channel < count:
                raise ValueError(
                    f"`channel` of {each.layer} must be from 0 to {count - 1}. "
                    f"Received: {each.channel}"
                )
        for name, lowest in (("octaves", 1), ("steps", 0), ("jitter", 0), ("tile", self.smallest)):
            if getattr(self, name) < lowest:
                raise ValueError(
                    f"`{name}` must be >= {lowest}. Received: {name}={getattr(self, name)}"
                )
        for name, above in (("octave_scale", 1.0), ("step_size", 0.0)):
            if not above < getattr(self, name) < math.inf:
                raise ValueError(
                    f"`{name}` must be > {above}. Received: {name}={getattr(self, name)}"
                )

    @property
    def layers(self) -> tuple[str, ...]:
        """Those that are looked at, each once."""
        return tuple(dict.fromkeys(each.layer for each in self.dreamed))

    @property
    def smallest(self) -> int:
        """The side of the smallest picture that has features at all layers, px."""
        infos = perceptual.tap_info(self.network)
        return max(infos[layer].minimum_size for layer in self.layers)


class Dreamer:
    """A network that dreams.

    Differs from the authors' code in that a large picture is seen tile by tile. The picture is a torus to
    the tiles, which begin anywhere on it, anew at every step, so that no place is their border for long:
    no seams, as with the authors' own tiles of later versions.

    Args:
        config: see :class:`DreamConfig`.
        guide: [1, H, W, 3] in [0, 1], whose features are dreamed of: at every position those of the guide
            with the largest dot product, as in the authors' code. None for the picture's own.

    Raises:
        ValueError: if the guide is too small for a layer.
        WeightsError: if the network's weights can't be had.
    """

    def __init__(self, config: DreamConfig, guide: np.ndarray | tf.Tensor | None = None) -> None:
        self.config = config
        self._network: keras.Model = perceptual.perceptual_network(
            config.network, config.layers, weights=config.weights
        )
        self._random = tf.random.Generator.from_seed(config.seed)
        self._guides: dict[str, tf.Tensor] = {}
        if guide is not None:
            with errors.renamed(image="guide"):
                _check_size(config, guide)
            features = self._network(guide)
            self._guides = {
                layer: tf.reshape(values, [-1, values.shape[-1]])
                for layer, values in features.items()
            }
        specification = tf.TensorSpec([1, None, None, 3])
        self._step = tf.function(self._ascend, input_signature=[specification], autograph=False)

    def __call__(
        self, image: np.ndarray | tf.Tensor, *, callback: Callback | None = None
    ) -> np.ndarray:
        """The dream of a picture.

        Args:
            image: [1, H, W, 3] in [0, 1].
            callback: called after every step.

        Returns:
            [1, H, W, 3] float32 in [0, 1].

        Raises:
            ValueError: if the picture is too small for a layer.
        """
        _check_size(self.config, image)
        sizes = self._sizes(image.shape[1], image.shape[2])
        total, done = len(sizes) * self.config.steps, 0
        detail = tf.zeros([1, *sizes[0], 3])
        for size in sizes:
            base = images_lib.resize(image, size)
            detail = tf.image.resize(detail, size, method="bicubic", antialias=True)
            dream = tf.clip_by_value(base + detail, 0.0, 1.0)
            for _ in range(self.config.steps):
                dream = self._step(dream)
                done += 1
                if callback:
                    callback(done, total)
            detail = dream - base
        return np.asarray(dream)

    def zoom(
        self,
        image: np.ndarray | tf.Tensor,
        *,
        frames: int,
        factor: float = 1.05,
        callback: Callback | None = None,
    ) -> Iterator[np.ndarray]:
        """The endless zoom: each frame is the dream of the middle of the one before.

        Args:
            image: [1, H, W, 3] in [0, 1].
            frames: how many.
            factor: by which the middle is enlarged.
            callback: called after every step of a frame.

        Yields:
            [1, H, W, 3] float32 in [0, 1] each.

        Raises:
            ValueError: if ``factor`` is < 1, or the picture too small.
        """
        if not factor >= 1:
            raise ValueError(f"`zoom` must be >= 1. Received: zoom={factor}")
        for frame in range(frames):
            if frame:
                image = _enlarged_middle(image, factor)
            image = self(image, callback=callback)
            yield image

    def _sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Of the octaves, the smallest first."""
        scales = [self.config.octave_scale**-octave for octave in range(self.config.octaves)]
        sizes = [(round(height * scale), round(width * scale)) for scale in reversed(scales)]
        fitting = [size for size in sizes if min(size) >= self.config.smallest]
        return fitting or [(height, width)]

    def _ascend(self, image: tf.Tensor) -> tf.Tensor:
        """One step."""
        size = tf.shape(image)[1:3]
        counts = -(-size // self.config.tile)
        shift = self._shift(size, counts)
        rolled = tf.roll(image, shift, axis=[1, 2])
        gradient = tf.roll(self._gradient(rolled, size, counts), -shift, axis=[1, 2])
        length = tf.reduce_mean(tf.abs(gradient))
        change = self.config.step_size * tf.math.divide_no_nan(gradient, length)
        return tf.clip_by_value(image + change, 0.0, 1.0)

    def _shift(self, size: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
        """Where the lattice of tiles begins: anywhere, or for one tile near the picture's corner."""
        reach = tf.where(tf.reduce_all(counts == 1), tf.minimum(self.config.jitter, size), size)
        drawn = self._random.uniform([2], 0, 2**30, dtype=tf.int32)
        return drawn % (2 * reach + 1) - reach

    def _gradient(self, image: tf.Tensor, size: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
        """Of the score with respect to the picture, tile by tile."""

        def of_tile(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
            index = tf.stack([row, column])
            begin, end = index * size // counts, (index + 1) * size // counts
            pixels = image[:, begin[0] : end[0], begin[1] : end[1]]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(pixels)
                score = self._score(self._network(pixels))
            return tape.gradient(score, pixels)

        def of_row(row: tf.Tensor) -> tf.Tensor:
            return _concat(lambda column: of_tile(row, column), counts[1], axis=2)

        return _concat(of_row, counts[0], axis=1)

    def _score(self, features: Features) -> tf.Tensor:
        """Of a tile: sums over positions, so that large tiles count as much as small ones."""
        return tf.add_n([self._part(each, features[each.layer]) for each in self.config.dreamed])

    def _part(self, dreamed: Dreamed, values: tf.Tensor) -> tf.Tensor:
        guide = self._guides.get(dreamed.layer)
        if dreamed.channel is not None:
            values = values[..., dreamed.channel : dreamed.channel + 1]
            guide = None if guide is None else guide[:, dreamed.channel : dreamed.channel + 1]
        channels = values.shape[-1]
        if guide is None:
            # The square amplifies what is there; of a channel the sum calls up what is not, too.
            energy = 0.5 * tf.square(values) if dreamed.channel is None else values
        else:
            energy = tf.reduce_max(_products(values, guide), axis=-1)
        stride = perceptual.tap_info(self.config.network)[dreamed.layer].stride
        return dreamed.weight * stride**2 / channels * tf.reduce_sum(energy)


def _products(values: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """Dot products of every position, [B, h, w, C], with every one of the guide, [N, C]."""
    return tf.einsum("bhwc,nc->bhwn", values, guide)


def _concat(piece: Callable[[tf.Tensor], tf.Tensor], count: tf.Tensor, *, axis: int) -> tf.Tensor:
    """``piece(0)`` to ``piece(count - 1)`` side by side, one at a time."""
    shape: list[int | None] = [1, None, None, 3]
    _, joined = tf.while_loop(
        lambda index, _: index < count,
        lambda index, done: (index + 1, tf.concat([done, piece(index)], axis=axis)),
        (tf.constant(1), piece(tf.constant(0))),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape(shape)),
        parallel_iterations=1,
    )
    return joined


def _enlarged_middle(image: np.ndarray, factor: float) -> tf.Tensor:
    """The middle of [1, H, W, 3], enlarged to its size; to fractions of a px, so that it moves evenly."""
    height, width = image.shape[1:3]
    margin = (1.0 - 1.0 / factor) / 2.0
    box = [[margin, margin, 1.0 - margin, 1.0 - margin]]
    return tf.image.crop_and_resize(image, box, [0], [height, width])


def _check_size(config: DreamConfig, image: Any) -> None:
    height, width = image.shape[1:3]
    perceptual.check_image_size(height, width, architecture=config.network, taps=config.layers)
