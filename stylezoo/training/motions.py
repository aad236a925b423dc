"""Random motions of photographs, in place of clips: what the next frame might look like."""

import math

import tensorflow as tf

# Each is the largest in either direction, and drawn uniformly. Shifts and local motions of about this size
# are those of Wang et al. 2020 (ReReVST) at 256 px; zooms and rotations of Ruder et al. 2018.
_SHIFT = 10.0  # px
_ZOOM = 0.05
_ROTATION = math.radians(4.0)
_LOCAL = 3.0  # px
_BRIGHTNESS = 0.03
# Standard deviation of the noise of a camera.
_NOISE = 0.01
# The local motions are smooth: so many places a side are drawn, and interpolated.
_PLACES = 5


def random_motion(shape: tf.TensorShape, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw a motion for each picture of a batch: a shift, a zoom, a rotation and a smooth field.

    Args:
        shape: [B, H, W, C] of the pictures.
        seed: [2] integers.

    Returns:
        The flow, [B, H, W, 2], px, as :func:`stylezoo.ops.warp` takes it, and where it does not lead out of
        the picture, [B, H, W, 1], as 1 and 0.
    """
    batch, height, width, _ = shape
    drawn = tf.random.stateless_uniform([batch, 4, 1, 1], _fold(seed, 1), -1.0, 1.0)
    shift_x, shift_y, zoom, angle = tf.unstack(drawn, axis=1)
    scale, angle = 1.0 + _ZOOM * zoom, _ROTATION * angle
    x = tf.range(width, dtype=tf.float32)[tf.newaxis, tf.newaxis] - (width - 1) / 2
    y = tf.range(height, dtype=tf.float32)[tf.newaxis, :, tf.newaxis] - (height - 1) / 2
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    flow = tf.stack(
        [cos * x - sin * y - x + _SHIFT * shift_x, sin * x + cos * y - y + _SHIFT * shift_y],
        axis=-1,
    )
    places = tf.random.stateless_uniform(
        [batch, _PLACES, _PLACES, 2], _fold(seed, 2), -_LOCAL, _LOCAL
    )
    flow += tf.image.resize(places, [height, width], method="bicubic")
    to_x, to_y = x + (width - 1) / 2 + flow[..., 0], y + (height - 1) / 2 + flow[..., 1]
    inside = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    return flow, tf.cast(inside, tf.float32)[..., tf.newaxis]


def as_seen_later(pictures: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return pictures, [B, H, W, 3] in [0, 1], a little brighter or darker, with a camera's noise."""
    factor = tf.random.stateless_uniform(
        [pictures.shape[0], 1, 1, 1], _fold(seed, 3), 1.0 - _BRIGHTNESS, 1.0 + _BRIGHTNESS
    )
    noise = tf.random.stateless_normal(pictures.shape, _fold(seed, 4), stddev=_NOISE)
    return tf.clip_by_value(factor * pictures + noise, 0.0, 1.0)


def _fold(seed: tf.Tensor, number: int) -> tf.Tensor:
    """Return another seed for each number."""
    return tf.random.experimental.stateless_fold_in(seed, number)
