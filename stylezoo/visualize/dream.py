"""DeepDream: a picture that shows more of what a network sees in it (Mordvintsev et al. 2015)."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from stylezoo import errors, perceptual
from stylezoo import images as images_lib
from stylezoo.images import Image
from stylezoo.losses import Features
from stylezoo.progress import Callback, Progress
from stylezoo.visualize import ascent
from stylezoo.visualize.dream_config import DreamConfig, Dreamed


class Dreamer:
    """A network that dreams.

    Its step is that of :class:`~stylezoo.visualize.GradientAscent`. It differs from the authors' code in
    that a large picture is seen tile by tile. To the tiles the picture is a torus, on which they begin at
    another place at every step, so that no place is their border for long: there are no seams, as with
    the authors' own tiles of later versions.

    Args:
        config: See :class:`DreamConfig`.
        guide: [1, H, W, 3] in [0, 1], whose features are dreamed of: at every position the picture's
            features become more like those of the guide with the largest dot product, as in the authors'
            code. None for the picture's own features.

    Raises:
        ValueError: If the guide is too small for a layer.
        WeightsError: If the network's weights can't be had.
    """

    def __init__(self, config: DreamConfig, guide: Image | None = None) -> None:
        self.config = config
        self._network: keras.Model = perceptual.Perceptual(config.network, config.weights).build(
            config.layers
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

    def __call__(self, image: Image, *, callback: Callback | None = None) -> np.ndarray:
        """Dream of a picture.

        Args:
            image: [1, H, W, 3] in [0, 1].
            callback: Called after every step.

        Returns:
            [1, H, W, 3] float32 in [0, 1].

        Raises:
            ValueError: If the picture is too small for a layer.
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
                    callback(Progress(done, total))
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
            frames: Number of frames.
            factor: Factor by which each frame enlarges the one before.
            callback: Called after every step of a frame.

        Yields:
            The frames, [1, H, W, 3] float32 in [0, 1] each.

        Raises:
            ValueError: If ``factor`` is < 1, or the picture too small.
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


def _check_size(config: DreamConfig, image: Image) -> None:
    height, width = image.shape[1:3]
    perceptual.check_image_size(height, width, architecture=config.network, taps=config.layers)
