"""Warping along a flow."""

import tensorflow as tf


def warp(image: tf.Tensor, flow: tf.Tensor) -> tf.Tensor:
    """Fetch each pixel from where a flow says it is, by bilinear interpolation.

    Args:
        image: [B, H, W, C] float32.
        flow: [B, H, W, 2], x and y of the displacement from each pixel to where its value is, px.

    Returns:
        [B, H, W, C], differentiable with respect to both. Beyond the picture its edge goes on.
    """
    image, flow = tf.convert_to_tensor(image), tf.convert_to_tensor(flow)
    height, width = tf.unstack(tf.shape(image)[1:3])
    x, left, right = _neighbours(tf.cast(tf.range(width), tf.float32) + flow[..., 0], width)
    rows = tf.cast(tf.range(height), tf.float32)[:, tf.newaxis]
    y, top, bottom = _neighbours(rows + flow[..., 1], height)

    def fetch(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        return tf.gather_nd(image, tf.stack([row, column], axis=-1), batch_dims=1)

    upper = (1 - x) * fetch(top, left) + x * fetch(top, right)
    lower = (1 - x) * fetch(bottom, left) + x * fetch(bottom, right)
    return (1 - y) * upper + y * lower


def _neighbours(position: tf.Tensor, size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the share of the second neighbour, [B, H, W, 1], and both neighbours' indices."""
    position = tf.clip_by_value(position, 0.0, tf.cast(size - 1, tf.float32))
    first = tf.floor(position)
    index = tf.cast(first, tf.int32)
    return (position - first)[..., tf.newaxis], index, tf.minimum(index + 1, size - 1)
