"""DeepDream: a picture that shows more of what a network sees in it (Mordvintsev et al. 2015)."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import images as images_lib
from stylezoo import perceptual
from stylezoo.images import Image
from stylezoo.losses import Features
from stylezoo.visualize import ascent

# Is called with the number of steps done and with that of the steps in all octaves together.
Callback = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class Dreamed:
    """A layer, or a channel of it, that a dream amplifies.

    Attributes:
        layer: a tap of the network.
        channel: index of the only channel that counts; None for all channels.
        weight: factor of its score beside those of the other ones; negative to suppress it.
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
        perceptual.check_taps(self.network, self.layers, name="layers")
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
        """The layers that are looked at, each once."""
        return tuple(dict.fromkeys(each.layer for each in self.dreamed))

    @property
    def smallest(self) -> int:
        """The side of the smallest picture that has features at all layers, px."""
        infos = perceptual.tap_info(self.network)
        return max(infos[layer].minimum_size for layer in self.layers)


class Dreamer:
    """A network that dreams.

    Its step is that of :class:`~stylezoo.visualize.GradientAscent`. It differs from the authors' code in
    that a large picture is seen tile by tile. To the tiles the picture is a torus, on which they begin at
    another place at every step, so that no place is their border for long: there are no seams, as with
    the authors' own tiles of later versions.

    Args:
        config: see :class:`DreamConfig`.
        guide: [1, H, W, 3] in [0, 1], whose features are dreamed of: at every position the picture's
            features become more like those of the guide with the largest dot product, as in the authors'
            code. None for the picture's own features.

    Raises:
        ValueError: if the guide is too small for a layer.
        WeightsError: if the network's weights can't be had.
    """

    def __init__(self, config: DreamConfig, guide: Image | None = None) -> None:
        self.config = config
        self._network: keras.Model = perceptual.perceptual_network(
            config.network, config.layers, weights=config.weights
        )
        self._random = tf.random.Generator.from_seed(config.seed)
        self._guides: dict[str, tf.Tensor] = {}
        if guide is not None:
            _check_size(config, guide, "guide")
            features = self._network(guide)
            self._guides = {
                layer: tf.reshape(values, [-1, values.shape[-1]])
                for layer, values in features.items()
            }
        specification = tf.TensorSpec([1, None, None, 3])
        self._step = tf.function(self._ascend, input_signature=[specification], autograph=False)

    def __call__(self, image: Image, *, callback: Callback | None = None) -> np.ndarray:
        """Dream of a picture.

        Args:
            image: [1, H, W, 3] in [0, 1].
            callback: called after every step.

        Returns:
            [1, H, W, 3] float32 in [0, 1].

        Raises:
            ValueError: if the picture is too small for a layer.
        """
        _check_size(self.config, image, "image")
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
        image: Image,
        *,
        frames: int,
        factor: float = 1.05,
        callback: Callback | None = None,
    ) -> Iterator[np.ndarray]:
        """Yield an endless zoom: each frame is the dream of the middle of the one before.

        Args:
            image: [1, H, W, 3] in [0, 1].
            frames: how many frames there are.
            factor: how many times as large the middle becomes from frame to frame.
            callback: called after every step of a frame.

        Yields:
            The frames, [1, H, W, 3] float32 in [0, 1] each.

        Raises:
            ValueError: if ``factor`` is < 1, or the picture too small.
        """
        if not factor >= 1:
            raise ValueError(f"`factor` must be >= 1. Received: factor={factor}")
        for frame in range(frames):
            if frame:
                image = _enlarged_middle(image, factor)
            image = self(image, callback=callback)
            yield image

    def _sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Return the sizes of the octaves, the smallest first."""
        scales = [self.config.octave_scale**-octave for octave in range(self.config.octaves)]
        sizes = [(round(height * scale), round(width * scale)) for scale in reversed(scales)]
        fitting = [size for size in sizes if min(size) >= self.config.smallest]
        return fitting or [(height, width)]

    def _ascend(self, image: tf.Tensor) -> tf.Tensor:
        """Take one step."""
        size = tf.shape(image)[1:3]
        counts = -(-size // self.config.tile)
        shift = self._shift(size, counts)
        rolled = tf.roll(image, shift, axis=[1, 2])
        gradient = ascent.tiled_gradient(self._score, rolled, counts)
        change = ascent.step_along(tf.roll(gradient, -shift, axis=[1, 2]), self.config.step_size)
        return tf.clip_by_value(image + change, 0.0, 1.0)

    def _shift(self, size: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
        """Draw where the lattice of tiles begins: anywhere, but for one tile near the picture's corner."""
        reach = tf.where(tf.reduce_all(counts == 1), tf.minimum(self.config.jitter, size), size)
        drawn = self._random.uniform([2], 0, 2**30, dtype=tf.int32)
        return drawn % (2 * reach + 1) - reach

    def _score(self, tile: tf.Tensor) -> tf.Tensor:
        """Return a tile's score: sums over positions, so that large tiles count as much as small ones."""
        features: Features = self._network(tile)
        return tf.add_n([self._part(each, features[each.layer]) for each in self.config.dreamed])

    def _part(self, dreamed: Dreamed, values: tf.Tensor) -> tf.Tensor:
        guide = self._guides.get(dreamed.layer)
        if dreamed.channel is not None:
            values = values[..., dreamed.channel : dreamed.channel + 1]
            guide = None if guide is None else guide[:, dreamed.channel : dreamed.channel + 1]
        channels = values.shape[-1]
        if guide is None:
            # The square amplifies what is there; the sum over a channel calls up what is not, too.
            energy = 0.5 * tf.square(values) if dreamed.channel is None else values
        else:
            energy = tf.reduce_max(_products(values, guide), axis=-1)
        stride = perceptual.tap_info(self.config.network)[dreamed.layer].stride
        return dreamed.weight * stride**2 / channels * tf.reduce_sum(energy)


def _products(values: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """Return the dot products of every position of [B, h, w, C] with every one of the guide, [N, C]."""
    return tf.einsum("bhwc,nc->bhwn", values, guide)


def _enlarged_middle(image: Image, factor: float) -> tf.Tensor:
    """Enlarge the middle of [1, H, W, 3] to its size, to fractions of a px, so that it moves evenly."""
    height, width = image.shape[1:3]
    margin = (1.0 - 1.0 / factor) / 2.0
    box = [[margin, margin, 1.0 - margin, 1.0 - margin]]
    return tf.image.crop_and_resize(image, box, [0], [height, width])


def _check_size(config: DreamConfig, image: Any, name: str) -> None:
    height, width = image.shape[1:3]
    perceptual.check_image_size(
        height, width, architecture=config.network, taps=config.layers, name=name
    )
