"""Random crops of pictures, which a network sees in place of the pictures; see :class:`Crops`."""

import tensorflow as tf

from stylezoo.visualize.priors import Crops

# Deviations of a crop's middle and of its side, as fractions of the picture's side, and the least side.
_MIDDLE, _SIDE, _LEAST = 0.15, 0.05, 0.05


def random_crops(
    images: tf.Tensor, config: Crops, progress: tf.Tensor, random: tf.random.Generator
) -> tf.Tensor:
    """Return random crops of pictures with noise, of all pictures by turns.

    Args:
        images: [B, H, W, 3] float32.
        config: See :class:`Crops`.
        progress: How far the run is, from 0 to 1, a float32 scalar.
        random: The random generator.

    Returns:
        [count · B, seen, seen, 3] float32: first a crop of each picture, then another of each.
    """
    batch = tf.shape(images)[0]
    total = config.count * batch
    mean = config.largest + (config.smallest - config.largest) * progress
    side = tf.clip_by_value(random.normal([total], mean, _SIDE), _LEAST, 1.0)
    middle = random.normal([2, total], 0.5, _MIDDLE)
    corners = [
        middle[0] - side / 2,
        middle[1] - side / 2,
        middle[0] + side / 2,
        middle[1] + side / 2,
    ]
    indices = tf.tile(tf.range(batch), [config.count])
    seen = tf.image.crop_and_resize(
        images,
        tf.stack(corners, axis=-1),
        indices,
        [config.seen, config.seen],
        extrapolation_value=0.5,
    )
    return seen + random.normal(tf.shape(seen), 0.0, config.noise)
