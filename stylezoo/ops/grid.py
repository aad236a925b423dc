"""Patterns that repeat on a network's own grid."""

import tensorflow as tf


def grid_energy(image: tf.Tensor, *, period: int = 8, window: int = 64) -> tf.Tensor:
    """Measure what repeats at every ``period``-th pixel, counted from the picture's corner.

    Networks that halve and double the size paint such patterns into flat parts, in step with their own
    grid; pictures have none. In each window the mean is taken over the pixels of one place within the
    period, so that everything else averages out, and its variance over the places is the energy. Slow
    changes of brightness are subtracted first.

    Args:
        image: [B, H, W, C], float, H and W >= ``period``.
        period: Distance of the repetitions, px; those of its divisors count too.
        window: Side of a window, px, a multiple of ``period``; a smaller picture is one window, and what
            exceeds a whole number of windows is left out.

    Returns:
        [B], float32: the mean over windows and channels; 0 without such a pattern, a² for one of the
        deviation a.

    Raises:
        ValueError: If ``window`` is no multiple of ``period``.
    """
    if period < 1 or window < period or window % period:
        raise ValueError(
            "`window` must be a multiple of `period`, >= 1. "
            f"Received: window={window}, period={period}"
        )
    image = tf.cast(image, tf.float32)
    detail = image - tf.nn.avg_pool2d(image, period, 1, "SAME")
    counts = []
    for axis in (1, 2):
        periods = tf.minimum(tf.shape(image)[axis], window) // period
        counts += [tf.shape(image)[axis] // (periods * period), periods, period]
    height, width = (tf.reduce_prod(counts[start : start + 3]) for start in (0, 3))
    places = tf.reshape(detail[:, :height, :width], [tf.shape(image)[0], *counts, image.shape[-1]])
    means = tf.reduce_mean(places, axis=(2, 5))  # [B, windows, period, windows, period, C]
    return tf.reduce_mean(tf.math.reduce_variance(means, axis=(2, 4)), axis=(1, 2, 3))
