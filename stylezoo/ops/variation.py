"""The total variation of pictures."""

import tensorflow as tf


def total_variation(image: tf.Tensor, *, beta: float = 2.0, epsilon: float = 1e-8) -> tf.Tensor:
    """Return the mean over pixels and channels of (dx² + dy²)^(β/2).

    Source: Mahendran & Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them",
    section 3.2, who sum over pixels instead. Differences are forward ones; those that would leave the
    picture are zero.

    Args:
        image: [B, H, W, C] float32.
        beta: 2 for squared differences, 1 for the (isotropic) total variation proper.
        epsilon: What is added inside the power unless β = 2; without it the gradient at 0 is infinite
            where β < 2.

    Returns:
        [B] float32.

    Raises:
        ValueError: If ``beta`` is not positive.
    """
    if beta <= 0:
        raise ValueError(f"`beta` must be > 0. Received: beta={beta}")
    image = tf.cast(image, tf.float32)
    vertical = image[:, 1:] - image[:, :-1]
    horizontal = image[:, :, 1:] - image[:, :, :-1]
    squares = tf.pad(tf.square(vertical), [[0, 0], [0, 1], [0, 0], [0, 0]])
    squares += tf.pad(tf.square(horizontal), [[0, 0], [0, 0], [0, 1], [0, 0]])
    if beta != 2.0:
        squares = tf.pow(squares + epsilon, beta / 2.0)
    return tf.reduce_mean(squares, axis=[1, 2, 3])
