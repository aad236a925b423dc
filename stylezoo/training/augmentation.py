"""What a classifier sees of a picture: random squares in training, the middle when it is tried."""

import dataclasses
import math
from typing import Any

import numpy as np
import tensorflow as tf

from stylezoo import images
from stylezoo.images import FloatArray
from stylezoo.training import data
from stylezoo.training.labelled import LabelledPhotographs

# What a random generator is for; others are in `data` and `labelled`.
_AUGMENT = 3
_ATTEMPTS = 10
_COLOUR_PICTURES = 256
_COLOUR_PIXELS = 1024


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How pictures are varied in training. Sides are in units of the network's input.

    Attributes:
        short_side: range of the shorter side that a picture is reduced to, uniform, before a square is
            cut out at a random place: (256/224, 480/224) is Simonyan & Zisserman's "scale jittering"
            (2015, section 3.1). (1, 1) keeps all of a square picture.
        area: range of the part of the picture's area that is cut out instead, stretched to a square:
            (0.08, 1) is that of Szegedy et al. 2015, section 6; None for squares.
        aspect: range of that part's width : height, log-uniform.
        max_shift: by which part of the shorter side a picture is moved at most, in each direction; what
            comes in are the pixels at its edge.
        flip: mirror every other picture, at random.
        colour_noise: σ of the colour shift along the principal components of the pictures' colours
            (Krizhevsky et al. 2012, section 4.1); 0 for none.
        test_short_side: the shorter side that the middle square is cut out of when it is tried.

    Raises:
        ValueError: for a number out of its range.
    """

    short_side: tuple[float, float] = (1.0, 1.0)
    area: tuple[float, float] | None = None
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    max_shift: float = 0.0
    flip: bool = True
    colour_noise: float = 0.0
    test_short_side: float = 1.0

    def __post_init__(self) -> None:
        self._check("short_side", "1 <= low <= high", self.short_side, 1, math.inf)
        self._check("test_short_side", ">= 1", (self.test_short_side,) * 2, 1, math.inf)
        self._check("aspect", "0 < low <= high", self.aspect, 1e-3, 1e3)
        self._check("max_shift", "0 to 1", (self.max_shift,) * 2, 0, 1)
        self._check("colour_noise", ">= 0", (self.colour_noise,) * 2, 0, math.inf)
        if self.area is not None:
            self._check("area", "0 < low <= high <= 1", self.area, 1e-6, 1)

    def _check(
        self, name: str, what: str, values: tuple[float, float], lowest: float, highest: float
    ) -> None:
        low, high = values
        if not lowest <= low <= high <= highest or math.isinf(high):
            raise ValueError(f"`{name}` must be {what}. Received: {name}={getattr(self, name)}")

    def random_view(self, picture: FloatArray, rng: np.random.Generator) -> FloatArray:
        """A part of a picture, [H, W, C] -> [h, w, C], to be resized to the network's square."""
        if self.max_shift:
            picture = _shifted(picture, self.max_shift, rng)
        if self.area is None:
            picture = self._random_square(picture, rng)
        else:
            picture = self._random_area(picture, self.area, rng)
        return picture[:, ::-1] if self.flip and rng.random() < 0.5 else picture

    def _random_square(self, picture: FloatArray, rng: np.random.Generator) -> FloatArray:
        shorter = min(picture.shape[:2])
        side = max(round(shorter / rng.uniform(*self.short_side)), 1)
        return _cut(picture, side, side, rng)

    def _random_area(
        self, picture: FloatArray, area: tuple[float, float], rng: np.random.Generator
    ) -> FloatArray:
        height, width, _ = picture.shape
        for _ in range(_ATTEMPTS):
            pixels = height * width * rng.uniform(*area)
            low, high = map(math.log, self.aspect)
            aspect = math.exp(rng.uniform(low, high))
            h, w = round(math.sqrt(pixels / aspect)), round(math.sqrt(pixels * aspect))
            if 0 < h <= height and 0 < w <= width:
                return _cut(picture, h, w, rng)
        return middle(picture, 1.0)


def middle(picture: FloatArray, short_side: float) -> FloatArray:
    """The square in the middle of a picture, [H, W, C], that ``short_side`` of them would span."""
    height, width, _ = picture.shape
    side = max(round(min(height, width) / short_side), 1)
    return images.centre_crop(picture, side, side)


def _cut(picture: FloatArray, height: int, width: int, rng: np.random.Generator) -> FloatArray:
    top = rng.integers(picture.shape[0] - height + 1)
    left = rng.integers(picture.shape[1] - width + 1)
    return picture[top : top + height, left : left + width]


def _shifted(picture: FloatArray, fraction: float, rng: np.random.Generator) -> FloatArray:
    height, width, _ = picture.shape
    reach = round(fraction * min(height, width))
    padded = np.pad(picture, ((reach, reach), (reach, reach), (0, 0)), "edge")
    return _cut(padded, height, width, rng)


def colour_components(pictures: LabelledPhotographs) -> FloatArray:
    """Principal components of the pictures' colours, each times its standard deviation.

    Of RGB values in [0, 1], over a sample of at most 256 pictures, evenly spaced. Krizhevsky et al.
    2012, section 4.1, write of the covariance's eigenvalue, which is the variance: it depends on the
    unit (a shift of hundreds of levels for values to 255, of one for values to 1). Everybody's codes
    take its root.

    Returns:
        [3, 3]: a column for each component.

    Raises:
        OSError: if no picture can be read.
    """
    indices = np.unique(np.linspace(0, len(pictures) - 1, _COLOUR_PICTURES).round().astype(int))
    samples = []
    for index in indices:
        pixels = pictures.read(int(index))[0].reshape(-1, 3)
        samples.append(pixels[:: -(-len(pixels) // _COLOUR_PIXELS)])
    values, vectors = np.linalg.eigh(np.cov(np.concatenate(samples).astype(np.float64).T))
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Views:
    """Pictures as a network takes them.

    Attributes:
        pictures: where from.
        augmentation: how they are varied.
        size: side of the network's input, px.
        channels: of it, 1 or 3.
        components: of :func:`colour_components`, for colour noise.
    """

    pictures: LabelledPhotographs
    augmentation: Augmentation
    size: int
    channels: int
    components: FloatArray | None = None

    def batches(
        self,
        *,
        batch_size: int,
        seed: int,
        num_steps: int,
        first_step: int = 0,
        shard: tuple[int, int] = (0, 1),
    ) -> tf.data.Dataset:
        """Batches to train on, which follow from the seed and the step alone.

        Args and raises are those of :func:`stylezoo.training.data.crops`.

        Returns:
            Of ([B, size, size, channels] float32, [B] int64): views, in [0, 1] but for colour noise,
            and their classes.
        """

        def view(element: np.int64) -> tuple[FloatArray, np.int64]:
            index = data.choose(int(element), len(self.pictures), seed=seed)
            picture, label = self.pictures.read(index)
            rng = np.random.default_rng([seed, _AUGMENT, int(element)])
            found = self.augmentation.random_view(self._colours(picture), rng)
            return np.ascontiguousarray(self._recoloured(found, rng)), np.int64(label)

        def load(element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # Not stateful, and why: see `data.crops`.
            types = (tf.float32, tf.int64)
            picture, label = tf.numpy_function(view, [element], types, stateful=False)
            return self._resized(picture), tf.ensure_shape(label, [])

        if seed < 0:
            raise ValueError(f"`seed` must be >= 0. Received: seed={seed}")
        batches = data.element_batches(
            load, batch_size=batch_size, num_steps=num_steps, first_step=first_step, shard=shard
        )
        self.pictures.read(0)  # if there is nothing to read, this says so
        return batches

    def middles(self, indices: np.ndarray, *, batch_size: int) -> tf.data.Dataset:
        """The middles of some pictures, to try a network on.

        Returns:
            Of ([B, size, size, channels] float32, [B] int64): views in [0, 1], and their classes, -1
            with a black picture for what can't be read.
        """
        blank = np.zeros([1, 1, self.channels], np.float32)

        def view(index: np.int64) -> tuple[FloatArray, np.int64]:
            picture = self.pictures.try_read(int(index))
            if picture is None:
                return blank, np.int64(-1)
            found = middle(self._colours(picture), self.augmentation.test_short_side)
            return np.ascontiguousarray(found), np.int64(self.pictures.label(int(index)))

        def load(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            picture, label = tf.numpy_function(
                view, [index], (tf.float32, tf.int64), stateful=False
            )
            return self._resized(picture), tf.ensure_shape(label, [])

        numbers = tf.data.Dataset.from_tensor_slices(np.asarray(indices, np.int64))
        elements = numbers.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return elements.batch(batch_size).prefetch(tf.data.AUTOTUNE)

    def _colours(self, picture: FloatArray) -> FloatArray:
        return picture if self.channels == 3 else images.luma(picture)

    def _recoloured(self, picture: FloatArray, rng: np.random.Generator) -> FloatArray:
        sigma = self.augmentation.colour_noise
        if not sigma or self.components is None:
            return picture
        return picture + self.components @ rng.normal(0, sigma, 3).astype(np.float32)

    def _resized(self, picture: tf.Tensor) -> Any:
        picture = tf.ensure_shape(picture, [None, None, self.channels])
        size = (self.size, self.size)
        fits = tf.reduce_all(tf.equal(tf.shape(picture)[:2], size))
        resized = tf.cond(fits, lambda: picture, lambda: images.resize(picture[None], size)[0])
        return tf.ensure_shape(resized, [*size, self.channels])
