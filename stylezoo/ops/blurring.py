"""Blurring of pictures."""

from typing import Literal

import tensorflow as tf


def gaussian_blur(
    image: tf.Tensor, sigma: float, *, border: Literal["REFLECT", "SYMMETRIC"] = "SYMMETRIC"
) -> tf.Tensor:
    """Blur pictures with a Gaussian that ends at 3 standard deviations.

    Args:
        image: [B, H, W, C] float32; H and W larger than ``3 * sigma``.
        sigma: Standard deviation of the Gaussian, px.
        border: How the picture goes on beyond its border, as ``tf.pad`` names it: mirrored with or
            without the border's own row.

    Returns:
        [B, H, W, C] float32.
    """
    radius = max(int(3.0 * sigma + 0.5), 1)
    offsets = tf.range(-radius, radius + 1, dtype=tf.float32)
    weights = tf.exp(-tf.square(offsets) / (2.0 * sigma**2))
    weights /= tf.reduce_sum(weights)
    for axis in (1, 2):
        paddings = [[radius, radius] if each == axis else [0, 0] for each in range(4)]
        padded = tf.pad(image, paddings, border)
        side = tf.shape(image)[axis]
        image = tf.add_n(
            [
                weights[index] * tf.gather(padded, tf.range(index, index + side), axis=axis)
                for index in range(2 * radius + 1)
            ]
        )
    return image
