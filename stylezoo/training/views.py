"""Pictures with classes as batches for a classifier, which follow from the seed and the step alone."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from stylezoo import images
from stylezoo.images import FloatArray
from stylezoo.training import data
from stylezoo.training.augmentation import Augmentation, middle
from stylezoo.training.labelled import LabelledPhotographs

# The purpose of a random generator, so that no two share one; others are in `data` and `labelled`.
_AUGMENT = 3
_COLOUR_PICTURES = 256
_COLOUR_PIXELS = 1024


def colour_components(pictures: LabelledPhotographs) -> FloatArray:
    """Return the principal components of the pictures' colours, each times its standard deviation.

    They are those of RGB values in [0, 1] over a sample of at most 256 pictures, evenly spaced.
    Krizhevsky et al. 2012, section 4.1, write of the covariance's eigenvalue, which is the variance
    and depends on the unit: for values to 255 the shifts would be hundreds of levels, for values to
    1 less than one. Published codes take its root.

    Returns:
        The components, [3, 3] float32, one in each column.

    Raises:
        OSError: If no picture can be read.
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
    """Pictures as the batches that a network takes.

    Attributes:
        pictures: The pictures and their classes.
        augmentation: How the pictures are varied.
        size: Side of the network's input in px.
        channels: Channels of the network's input, 1 or 3.
        components: The result of :func:`colour_components`, for colour noise.
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
        """Return the batches of steps ``first_step`` to ``num_steps - 1``, in order.

        A batch follows from the pictures, the seed and its step alone. Arguments and errors are
        those of :func:`stylezoo.training.data.crops`.

        Returns:
            A dataset of (views, classes): [B, size, size, channels] float32, in [0, 1] except for
            colour noise, and [B] int64.
        """

        def view(element: np.int64) -> tuple[FloatArray, np.int64]:
            index = data.choose(int(element), len(self.pictures), seed=seed)
            picture, label = self.pictures.read(index)
            rng = np.random.default_rng([seed, _AUGMENT, int(element)])
            found = self.augmentation.random_view(self._colours(picture), rng)
            return np.ascontiguousarray(self._recoloured(found, rng)), np.int64(label)

        def load(element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # The function is not stateful, for the reason in `data.crops`.
            types = (tf.float32, tf.int64)
            picture, label = tf.numpy_function(view, [element], types, stateful=False)
            return self._resized(picture), tf.ensure_shape(label, [])

        if seed < 0:
            raise ValueError(f"`seed` must be >= 0. Received: seed={seed}")
        batches = data.element_batches(
            load, batch_size=batch_size, num_steps=num_steps, first_step=first_step, shard=shard
        )
        self.pictures.read(0)  # raises an error if no picture can be read
        return batches

    def middles(self, indices: np.ndarray, *, batch_size: int) -> tf.data.Dataset:
        """Return the middle squares of some pictures, for evaluation.

        Args:
            indices: The pictures' indices.
            batch_size: Number of pictures in a batch; the last batch may be smaller.

        Returns:
            A dataset of (views, classes): [B, size, size, channels] float32 in [0, 1], and [B]
            int64. A picture that can't be read is black, and its class -1.
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
