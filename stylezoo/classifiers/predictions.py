"""Classify pictures of any size: centre crops or ten crops, and the probabilities of classes."""

import itertools
from collections.abc import Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from stylezoo import images as images_lib
from stylezoo.images import Image

# The side of a crop as a part of the square's: Krizhevsky et al. 2012 crop 224 px out of 256.
_CROP_FRACTION = 0.875


def classify(
    model: keras.Model,
    images: Iterable[Image],
    *,
    ten_crop: bool = False,
    batch_size: int = 16,
) -> Iterator[np.ndarray]:
    """Yield the probabilities of a classifier's classes for each of many images.

    Args:
        model: A model of :func:`~stylezoo.classifiers.load` or :func:`~stylezoo.classifiers.build`
            from square images to scores.
        images: Images of any sizes, [1, H, W, 3] float in [0, 1] each. They are taken as they are
            needed.
        ten_crop: Whether to average over ten :func:`crops` (Krizhevsky et al. 2012, section 4.1),
            which costs ten times the work and gains a little accuracy.
        batch_size: The number of crops that the network sees at once; at least those of one image.

    Yields:
        Probabilities, [num_classes] float32, for each image in order: the softmax of its scores, or
        the mean of the softmaxes of its crops.

    Raises:
        ValueError: If the model's images aren't square, of a known size and of 1 or 3 channels; the
            model gives probabilities (``classifier_activation="softmax"``); or ``batch_size`` < 1.
    """
    _, height, width, channels = model.input_shape
    if height is None or height != width or channels not in (1, 3):
        raise ValueError(
            "`model` must take square images of a known size and of 1 or 3 channels. "
            f"Received: {height}x{width} px, {channels} channels"
        )
    if getattr(model.layers[-1], "activation", None) is keras.activations.softmax:
        raise ValueError(
            "`model` must give scores, as with classifier_activation=None. Received: probabilities"
        )
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be >= 1. Received: batch_size={batch_size}")
    return _classified(model, images, ten_crop=ten_crop, batch_size=batch_size)


def crops(image: Image, size: int, *, ten_crop: bool = False, channels: int = 3) -> tf.Tensor:
    """Return the crops of an image that a classifier is shown: the centre, or ten crops.

    The image's largest centred square is resized to ``size / 0.875`` (256 px for 224). Source:
    Krizhevsky et al. 2012, sections 2 and 4.1.

    Args:
        image: An image, [1, H, W, 3] float in [0, 1].
        size: The side of a crop in px.
        ten_crop: Whether to take the corners (top left, top right, bottom left, bottom right), the
            centre, and the mirror images of these five, instead of the centre alone.
        channels: 3, or 1 for the image's luminance.

    Returns:
        The crops, [10 or 1, size, size, channels] float32 in [0, 1].
    """
    side = round(size / _CROP_FRACTION)
    square = images_lib.centre_square(tf.convert_to_tensor(image), side)
    if channels == 1:
        square = images_lib.luminance(square)
    last, middle = side - size, (side - size) // 2
    corners = [(0, 0), (0, last), (last, 0), (last, last)] if ten_crop else []
    cut = tf.concat(
        [
            square[:, top : top + size, left : left + size]
            for top, left in (*corners, (middle, middle))
        ],
        axis=0,
    )
    return tf.concat([cut, tf.reverse(cut, axis=[2])], axis=0) if ten_crop else cut


def _classified(
    model: keras.Model,
    images: Iterable[Image],
    *,
    ten_crop: bool,
    batch_size: int,
) -> Iterator[np.ndarray]:
    _, size, _, channels = model.input_shape
    cut = (crops(image, size, ten_crop=ten_crop, channels=channels) for image in images)
    views = 10 if ten_crop else 1
    while batch := list(itertools.islice(cut, max(batch_size // views, 1))):
        scores = model(tf.concat(batch, axis=0), training=False)
        probabilities = tf.nn.softmax(tf.cast(scores, tf.float32))
        yield from tf.reduce_mean(
            tf.reshape(probabilities, [len(batch), views, -1]), axis=1
        ).numpy()
