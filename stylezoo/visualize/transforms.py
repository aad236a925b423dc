"""Robustness transforms, random changes of a picture before the network sees it, new at every step.

A pattern that survives being shifted, turned and scaled a little is one that other networks see too.
Source: Olah et al. 2017, "Feature Visualization", the section on transformation robustness. Each transform
is a random affine map, and several make one map, so that a picture is sampled only once.
"""

import functools
import math
from collections.abc import Sequence

import tensorflow as tf

from stylezoo.visualize.priors import Jitter, Padding, Rotation, Scale, Transform


@functools.singledispatch
def matrices(
    kind: Transform, random: tf.random.Generator, batch: tf.Tensor, side: tf.Tensor
) -> tf.Tensor:
    """Draw maps from pixels of the result to pixels of the picture, (y, x, 1) from the middle of both.

    Args:
        kind: The transform, by whose class the function is chosen.
        random: The random generator.
        batch: Number of maps.
        side: The shorter side of the picture, px, float32.

    Returns:
        [batch, 3, 3] float32.

    Raises:
        TypeError: If no function is registered for the transform.
    """
    raise TypeError(f"no function is registered for {type(kind).__name__}")


@matrices.register
def _(kind: Jitter, random: tf.random.Generator, batch: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    shift = random.uniform([2, batch], -1.0, 1.0) * tf.minimum(float(kind.pixels), side / 4.0)
    one, zero = tf.ones([batch]), tf.zeros([batch])
    return _rows((one, zero, shift[0]), (zero, one, shift[1]))


@matrices.register
def _(kind: Scale, random: tf.random.Generator, batch: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    factor = random.uniform([batch], 1.0 - kind.fraction, 1.0 + kind.fraction)
    return _scaling(1.0 / factor)


@matrices.register
def _(kind: Rotation, random: tf.random.Generator, batch: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    angle = random.uniform([batch], -kind.degrees, kind.degrees) * (math.pi / 180.0)
    cosine, sine, zero = tf.cos(angle), tf.sin(angle), tf.zeros([batch])
    return _rows((cosine, -sine, zero), (sine, cosine, zero))


@matrices.register
def _(kind: Padding, random: tf.random.Generator, batch: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    return _scaling(tf.fill([batch], (side + 2.0 * kind.pixels) / side))


def transform(
    images: tf.Tensor, transforms: Sequence[Transform], random: tf.random.Generator
) -> tf.Tensor:
    """Transform pictures, each of them at random on its own.

    Pictures are sampled bilinearly, once. Outside they have their mean colour, so that the mean is kept as
    far as resampling keeps it. The gradient is exact.

    Args:
        images: [B, H, W, C] float32.
        transforms: The transforms, of which the first is applied first.
        random: The random generator.

    Returns:
        [B, H, W, C] float32.
    """
    if not transforms:
        return images
    shape = tf.shape(images)
    side = tf.cast(tf.minimum(shape[1], shape[2]), tf.float32)
    matrix = tf.eye(3, batch_shape=[shape[0]])
    for each in transforms:
        matrix = tf.matmul(matrix, matrices(each, random, shape[0], side))
    mean = tf.reduce_mean(images, axis=[1, 2], keepdims=True)
    return _sample(images - mean, matrix) + mean


def _sample(images: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Sample bilinearly at the places that a map gives for each pixel; outside there are zeros."""
    shape = tf.shape(images)
    size = tf.cast(shape[1:3], tf.float32)
    middle = (size - 1.0) / 2.0
    rows, columns = tf.meshgrid(
        tf.range(size[0]) - middle[0], tf.range(size[1]) - middle[1], indexing="ij"
    )
    grid = tf.stack([rows, columns, tf.ones_like(rows)], axis=-1)
    # A matmul may be TF32 on GPUs, which is too coarse for coordinates.
    where = tf.reduce_sum(matrix[:, None, None, :2] * grid[None, :, :, None], axis=-1) + middle
    low = tf.floor(where)
    high_share = where - low
    flat = tf.reshape(images, [shape[0], -1, images.shape[-1]])
    total = tf.zeros_like(images)
    for down in (0.0, 1.0):
        for right in (0.0, 1.0):
            offset = tf.constant([down, right])
            corner = low + offset
            shares = tf.abs(1.0 - offset - high_share)
            inside = tf.reduce_all((corner >= 0.0) & (corner <= size - 1.0), axis=-1)
            weight = tf.reduce_prod(shares, axis=-1) * tf.cast(inside, tf.float32)
            near = tf.cast(tf.clip_by_value(corner, 0.0, size - 1.0), tf.int32)
            index = near[..., 0] * shape[2] + near[..., 1]
            total += tf.gather(flat, index, axis=1, batch_dims=1) * weight[..., None]
    return total


def _rows(first: Sequence[tf.Tensor], second: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return matrices [B, 3, 3] of two rows of [B] each and a third row of 0, 0, 1."""
    zero, one = tf.zeros_like(first[0]), tf.ones_like(first[0])
    return tf.stack([tf.stack(row, axis=-1) for row in (first, second, (zero, zero, one))], axis=1)


def _scaling(factor: tf.Tensor) -> tf.Tensor:
    """Return the matrices of a change of size, [B, 3, 3]."""
    zero = tf.zeros_like(factor)
    return _rows((factor, zero, zero), (zero, factor, zero))
