"""Gains of spatial frequencies."""

import tensorflow as tf


def frequency_gains(height: int, width: int, *, exponent: float) -> tf.Tensor:
    """Return gains f^-exponent of a picture's spatial frequencies, with a mean square of 1.

    Frequencies are in cycles a pixel and count as at least one cycle a picture, as in Olah et al.
    2017, "Feature Visualization" (whose pictures have gains f^-1).

    Args:
        height: Height of the picture, px.
        width: Width of the picture, px.
        exponent: How steeply the gains fall.

    Returns:
        [height, width // 2 + 1] float32, as ``tf.signal.rfft2d`` orders frequencies.
    """
    rows = tf.range(height)
    vertical = tf.cast(tf.minimum(rows, height - rows), tf.float32) / height
    horizontal = tf.cast(tf.range(width // 2 + 1), tf.float32) / width
    frequency = tf.sqrt(tf.square(vertical)[:, None] + tf.square(horizontal)[None, :])
    gains = tf.pow(tf.maximum(frequency, 1.0 / max(height, width)), -exponent)
    return gains * tf.math.rsqrt(tf.reduce_mean(tf.square(gains)))
