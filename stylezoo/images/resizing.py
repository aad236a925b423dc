"""Sizes, antialiased resizing, rotation."""

import math
from typing import Literal, TypeVar

import numpy as np
import tensorflow as tf

Method = Literal["bicubic", "bilinear", "area"]

_Image = TypeVar("_Image", np.ndarray, tf.Tensor)
_METHODS = ("bicubic", "bilinear", "area")


def fit_size(height: int, width: int, longest_side: int) -> tuple[int, int]:
    """Return the size of the same aspect whose longest side is ``longest_side``.

    Args:
        height: The original height, in pixels.
        width: The original width, in pixels.
        longest_side: The wanted longest side, in pixels, which may be larger than the original one.

    Returns:
        ``(height, width)``. The longest side is exact, the other one rounded and at least 1.

    Raises:
        ValueError: If an argument is below 1.
    """
    for name, value in (("height", height), ("width", width), ("longest_side", longest_side)):
        if value < 1:
            raise ValueError(f"`{name}` must be >= 1. Received: {name}={value}")
    longest = max(height, width)

    def scaled(side: int) -> int:
        return max(1, (2 * side * longest_side + longest) // (2 * longest))

    return scaled(height), scaled(width)


def resize(
    image: tf.Tensor, size: tuple[int, int] | tf.Tensor, *, method: Method = "bicubic"
) -> tf.Tensor:
    """Resize images with antialiasing and without overshoot.

    This is ``tf.image.resize(..., antialias=True)``, but for one thing: a bicubic kernel has negative
    lobes and leaves the range of its input at edges. Here the result is clipped to the range that
    each channel of each image had before, so that ``[0, 1]`` stays ``[0, 1]``.

    Args:
        image: Float images ``[batch, height, width, channels]``, any range.
        size: The new ``(height, width)``.
        method: "bicubic" (Keys, a = -0.5), "bilinear" (a triangle kernel), or "area" (the mean of
            the covered pixels; has no gradient in TensorFlow).

    Returns:
        ``float32`` images ``[batch, *size, channels]``.

    Raises:
        ValueError: If ``image`` is not four-dimensional or not float, ``size`` has an element below
            1, or ``method`` is unknown.
    """
    image = tf.convert_to_tensor(image)
    if image.shape.rank != 4 or not image.dtype.is_floating:
        raise ValueError(
            "`image` must be float, [batch, height, width, channels]. "
            f"Received: shape={image.shape}, dtype={image.dtype.name}"
        )
    if not tf.is_tensor(size) and (len(size) != 2 or min(size) < 1):
        raise ValueError(f"`size` must be (height, width), both >= 1. Received: size={size}")
    if method not in _METHODS:
        raise ValueError(f"`method` must be one of {_METHODS}. Received: method={method!r}")
    image = tf.cast(image, tf.float32)
    resized = tf.image.resize(image, size, method=method, antialias=True)
    lowest = tf.reduce_min(image, axis=[1, 2], keepdims=True)
    highest = tf.reduce_max(image, axis=[1, 2], keepdims=True)
    return tf.clip_by_value(resized, lowest, highest)


def resize_longest_side(
    image: tf.Tensor, longest_side: int, *, method: Method = "bicubic"
) -> tf.Tensor:
    """Resize images to :func:`fit_size`, which keeps the aspect; what fits already is returned as it is.

    Args:
        image: Float images ``[batch, height, width, channels]`` of known size.
        longest_side: The new longest side, in pixels, which may be larger than the old one.
        method: As for :func:`resize`.

    Returns:
        ``float32`` images ``[batch, new_height, new_width, channels]``.

    Raises:
        ValueError: As for :func:`resize` and :func:`fit_size`.
    """
    image = tf.convert_to_tensor(image)
    if image.shape.rank != 4 or None in image.shape[1:3]:
        raise ValueError(
            "`image` must be [batch, height, width, channels] of known height and width. "
            f"Received: shape={image.shape}"
        )
    height, width = image.shape[1:3]
    size = fit_size(height, width, longest_side)
    if size == (height, width):
        return tf.cast(image, tf.float32)
    return resize(image, size, method=method)


def centre_crop(image: _Image, height: int | tf.Tensor, width: int | tf.Tensor) -> _Image:
    """Cut the middle out of images.

    Args:
        image: A NumPy array or tensor ``[..., H, W, channels]``; in a traced function of any size.
        height: Rows of the result, at most H.
        width: Columns of the result, at most W.

    Returns:
        ``[..., height, width, channels]``, of the type of ``image``. Where the margins are not even,
        the upper or left one is a pixel smaller.
    """
    rows, columns = tf.unstack(tf.shape(image)[-3:-1])
    top, left = (rows - height) // 2, (columns - width) // 2
    return image[..., top : top + height, left : left + width, :]


def centre_square(image: tf.Tensor, size: int) -> tf.Tensor:
    """Cut the largest centred square out of images and resize it as :func:`resize` does.

    Args:
        image: Float images ``[batch, height, width, channels]``; in a traced function of any size.
        size: The new sides, in pixels, which may be larger than the old ones.

    Returns:
        ``float32`` images ``[batch, size, size, channels]``.

    Raises:
        ValueError: If ``size`` is not positive.
    """
    side = tf.reduce_min(tf.shape(image)[1:3])
    return resize(centre_crop(image, side, side), (size, size))


def rotate(image: tf.Tensor, degrees: float) -> tf.Tensor:
    """Rotate images about their centre, and cut off whatever shows parts from outside of them.

    Args:
        image: Float images ``[batch, height, width, channels]`` of known size.
        degrees: The angle, counter-clockwise.

    Returns:
        ``float32`` images ``[batch, new_height, new_width, channels]``, bilinearly interpolated: the
        largest upright rectangle inside the rotated images.
    """
    image = tf.cast(image, tf.float32)
    if degrees % 360 == 0:
        return image
    height, width = image.shape[1:3]
    angle = math.radians(degrees)
    new_height, new_width = _inscribed(height, width, angle)
    cos, sin = math.cos(angle), math.sin(angle)
    # The map leads from a position in the result to one in the image, both relative to the centres.
    y, x = (new_height - 1) / 2, (new_width - 1) / 2
    shift_x = (width - 1) / 2 - (cos * x - sin * y)
    shift_y = (height - 1) / 2 - (sin * x + cos * y)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image,
        transforms=[[cos, -sin, shift_x, sin, cos, shift_y, 0.0, 0.0]],
        output_shape=[new_height, new_width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _inscribed(height: int, width: int, angle: float) -> tuple[int, int]:
    """Return the size of the largest upright rectangle in a rotated one, at least 1x1."""
    sin, cos = abs(math.sin(angle)), abs(math.cos(angle))
    long, short = max(height, width), min(height, width)
    if short <= 2 * sin * cos * long or math.isclose(sin, cos):
        # Two of its corners touch the long sides, half-way between.
        along, across = short / (2 * sin), short / (2 * cos)
        new_height, new_width = (across, along) if width >= height else (along, across)
    else:
        divisor = cos**2 - sin**2
        new_width = (width * cos - height * sin) / divisor
        new_height = (height * cos - width * sin) / divisor
    # A right angle gives whole numbers but for rounding.
    return max(math.floor(new_height + 1e-6), 1), max(math.floor(new_width + 1e-6), 1)
