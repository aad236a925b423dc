"""Decode and encode picture files inside a graph, where no Python runs."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from stylezoo import images
from stylezoo.export.limits import LARGEST_SIDE


def decode(data: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """Decode a JPEG, PNG, GIF (its first frame) or BMP file.

    It does what :func:`stylezoo.images.decode_image` does, without colour profiles.

    Args:
        data: The file's content, a scalar string.
        index: Index of the file in its batch, for the error.

    Returns:
        [H, W, 3], float32, in [0, 1]; upright by its EXIF orientation, transparent parts white.

    Raises:
        InvalidArgumentError: When the graph runs, if the file can't be decoded.
    """
    # This is the only way to survive an operation's error without Python.
    dataset = tf.data.Dataset.from_tensors(data).map(_decode).ignore_errors()
    dataset = dataset.concatenate(tf.data.Dataset.from_tensors(tf.zeros([0, 0, 3])))
    image = dataset.take(1).get_single_element()
    message = tf.strings.format(
        "`image_bytes` must be JPEG, PNG, GIF or BMP files that can be decoded; "
        "at batch index {} is none",
        index,
    )
    with tf.control_dependencies([tf.debugging.Assert(tf.size(image) > 0, [message])]):
        return tf.identity(image)


def limit(image: tf.Tensor, max_side: tf.Tensor) -> tf.Tensor:
    """Reduce a picture, [H, W, 3], so that its longest side is at most ``max_side`` px."""
    size = tf.shape(image)[:2]
    longest = tf.reduce_max(size)
    wanted = tf.clip_by_value(max_side, 1, LARGEST_SIDE)
    # This is the rounding of images.fit_size.
    smaller = tf.maximum((2 * size * wanted + longest) // (2 * longest), 1)
    return tf.cond(
        longest > wanted, lambda: images.resize(image[None], smaller)[0], lambda: tf.identity(image)
    )


def encode(image: tf.Tensor) -> tf.Tensor:
    """Encode [H, W, 3] in [0, 1] as a JPEG file, a scalar string; colours in full resolution."""
    pixels = tf.saturate_cast(tf.round(image * 255), tf.uint8)
    return tf.io.encode_jpeg(pixels, quality=images.DEFAULT_QUALITY, chroma_downsampling=False)


def each(function: Callable[..., Any], *columns: tf.Tensor, like: Any) -> Any:
    """Call ``function`` with every row of some tensors in turn: rows may differ in size."""
    return tf.map_fn(
        lambda row: function(*row), columns, fn_output_signature=like, parallel_iterations=1
    )


def _decode(data: tf.Tensor) -> tf.Tensor:
    is_png = tf.strings.substr(data, 0, 4) == b"\x89PNG"
    image = tf.cond(is_png, lambda: _decode_png(data), lambda: _decode_opaque(data))
    return _upright(tf.ensure_shape(image, [None, None, 3]), _orientation(data))


def _decode_png(data: tf.Tensor) -> tf.Tensor:
    pixels = _unit(tf.io.decode_png(data, channels=4))
    alpha = pixels[..., 3:]
    return pixels[..., :3] * alpha + (1 - alpha)


def _decode_opaque(data: tf.Tensor) -> tf.Tensor:
    # This is hardly slower than the default, and it is what other decoders do.
    is_jpeg = tf.strings.substr(data, 0, 2) == b"\xff\xd8"
    return _unit(
        tf.cond(
            is_jpeg,
            lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
            lambda: tf.io.decode_image(data, channels=3, expand_animations=False),
        )
    )


def _unit(pixels: tf.Tensor) -> tf.Tensor:
    return tf.cast(pixels, tf.float32) / 255


# EXIF: a TIFF file after these bytes, within a JPEG's first segments. In it, from an offset on, entries of
# 12 bytes: tag, type, count, value.
_EXIF = b"Exif\0\0"
_SEARCHED = 4096
_ORIENTATION_TAG = 0x0112


def _orientation(data: tf.Tensor) -> tf.Tensor:
    """Return 1 to 8 by the EXIF data of a JPEG file, 1 without such (CIPA DC-008, 4.6.4)."""
    head = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, 65536), tf.uint8), tf.int32)
    head = tf.concat(
        [head, tf.zeros([_SEARCHED], tf.int32)], axis=0
    )  # so that reading never goes beyond the end
    windows = tf.stack(
        [head[at : at + _SEARCHED - len(_EXIF)] for at in range(len(_EXIF))], axis=-1
    )
    found = tf.reduce_all(windows == list(_EXIF), axis=-1)
    start = tf.argmax(found, output_type=tf.int32) + len(_EXIF)
    is_jpeg = tf.reduce_all(head[:2] == [0xFF, 0xD8])
    return tf.cond(
        is_jpeg & tf.reduce_any(found),
        lambda: _tagged_orientation(head[start:]),
        lambda: tf.constant(1),
    )


def _tagged_orientation(tiff: tf.Tensor) -> tf.Tensor:
    little = tiff[0] == ord("I")

    def number(values: tf.Tensor) -> tf.Tensor:
        """Return the number that bytes along the last axis are."""
        values = tf.cond(little, lambda: tf.reverse(values, axis=[-1]), lambda: values)
        places = [256**place for place in reversed(range(values.shape[-1]))]
        return tf.reduce_sum(values * places, axis=-1)

    start = tf.clip_by_value(number(tf.ensure_shape(tiff[4:8], [4])), 0, tf.size(tiff) - 2)
    count = number(tf.ensure_shape(tiff[start : start + 2], [2]))
    count = tf.minimum(count, (tf.size(tiff) - start - 2) // 12)
    entries = tf.reshape(tiff[start + 2 : start + 2 + 12 * count], [-1, 12])
    is_orientation = number(entries[:, :2]) == _ORIENTATION_TAG
    values = tf.boolean_mask(number(entries[:, 8:10]), is_orientation)
    value = tf.concat([values, [1]], axis=0)[0]
    return tf.where((value >= 1) & (value <= 8), value, 1)


def _upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turn and mirror as an EXIF orientation says."""
    # 5 to 8 are 1 to 4 of the transpose.
    mirrored = (orientation - 1) % 4 + 1
    image = tf.cond(
        orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: tf.identity(image)
    )
    columns = (mirrored == 2) | (mirrored == 3)
    rows = (mirrored == 3) | (mirrored == 4)
    image = tf.cond(columns, lambda: tf.reverse(image, [1]), lambda: tf.identity(image))
    return tf.cond(rows, lambda: tf.reverse(image, [0]), lambda: tf.identity(image))
