"""Decode and encode picture files inside a graph, where no Python runs."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from stylezoo import images
from stylezoo.export.limits import LARGEST_SIDE
from stylezoo.export.servables import gif_files

_BAD_FILE = "`image_bytes` must be a JPEG, PNG, GIF or BMP file that can be decoded"
# A progressive JPEG has about ten scans. Each is decoded over the whole picture, and may take 20 bytes.
_MOST_SCANS = 100
# Larger transparent pictures are laid over white in integers, which differs by a rounding.
_LARGE = 2**20
_RATIOS = (1, 2, 4, 8)


def decode(
    data: tf.Tensor,
    side: tf.Tensor,
    *,
    max_pixels: int,
    of: Callable[[tf.Tensor], tf.Tensor] = tf.reduce_max,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode a JPEG, PNG, GIF (its first frame) or BMP file, if it is of an acceptable size.

    It does what :func:`stylezoo.images.decode_image` does, without colour profiles. The size is read from
    the file's header before anything else. A picture of more than twice the size that is needed is reduced
    in 8 bits, or while it is decoded.

    Args:
        data: The file's content, a scalar string.
        side: The side in px that is needed.
        max_pixels: The largest number of pixels to accept.
        of: Which of the two sides that is: ``tf.reduce_max`` or ``tf.reduce_min``.

    Returns:
        The picture, [H, W, 3], float32, in [0, 1], upright by its EXIF orientation, transparent parts
        white; and why there is none, a scalar string that is empty if there is one. There is always a
        picture to go on with: without one it is a black pixel.
    """
    size = _or_zeros(_header_size, [2], tf.int64, data)
    fits = tf.reduce_prod(size) <= max_pixels
    none = tf.zeros([0, 0, 3])
    image = tf.cond(
        fits & tf.reduce_all(size > 0),
        lambda: _or_zeros(
            lambda *given: _decode(*given, of=of), [None, None, 3], tf.float32, data, size, side
        ),
        lambda: none,
    )
    too_large = tf.strings.format(
        f"`image_bytes` must have at most {max_pixels:,} pixels. Received: {{}}x{{}}",
        (size[1], size[0]),
    )
    is_bad = tf.equal(tf.size(image), 0)
    error = tf.where(fits, tf.where(is_bad, _BAD_FILE, ""), too_large)
    return tf.cond(is_bad, lambda: tf.zeros([1, 1, 3]), lambda: image), error


def first_error(*checks: tuple[tf.Tensor, str]) -> tf.Tensor:
    """Return the message of the first condition that is false, a scalar string; else an empty one."""
    error = tf.constant("")
    for condition, message in reversed(checks):
        error = tf.where(condition, error, message)
    return error


def answers(outputs: dict[str, tf.Tensor], errors: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return the outputs of a batch with ``error``, [B]; where there is one row alone, raise its error.

    One bad row must not harm its neighbours, which may be of other people.
    """
    count = tf.size(errors)
    alone = tf.cond(tf.equal(count, 1), lambda: errors[0], lambda: tf.constant(""))
    with tf.control_dependencies(
        [
            tf.debugging.Assert(count > 0, ["the batch must have a row at least"]),
            tf.debugging.Assert(tf.equal(alone, ""), [alone]),
        ]
    ):
        return {name: tf.identity(each) for name, each in (outputs | {"error": errors}).items()}


def _or_zeros(
    function: Callable[..., tf.Tensor], shape: list[int | None], dtype: tf.DType, *arguments: Any
) -> tf.Tensor:
    """Return what a function returns, or zeros of no size or of that size where an operation fails."""
    # This is the only way to survive an operation's error without Python.
    dataset = tf.data.Dataset.from_tensors(arguments).map(function).ignore_errors()
    zeros = tf.zeros([side or 0 for side in shape], dtype)
    return tf.ensure_shape(
        dataset.concatenate(tf.data.Dataset.from_tensors(zeros)).take(1).get_single_element(), shape
    )


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


def _starts(data: tf.Tensor, *magics: bytes) -> tf.Tensor:
    return tf.reduce_any([tf.equal(tf.strings.substr(data, 0, len(each)), each) for each in magics])


def _header_size(data: tf.Tensor) -> tf.Tensor:
    """Return height and width from a file's header, int64, or fail."""

    def numbers(start: int, dtype: tf.DType, *, little: bool) -> tf.Tensor:
        field = tf.strings.substr(data, start, 2 * dtype.size)
        field = tf.ensure_shape(tf.io.decode_raw(field, dtype, little_endian=little), [2])
        return tf.abs(tf.cast(field, tf.int64))[::-1]

    return tf.case(
        [
            (_starts(data, b"\xff\xd8"), lambda: _jpeg_size(data)),
            (_starts(data, b"\x89PNG"), lambda: numbers(16, tf.int32, little=False)),
            (_starts(data, b"GIF8"), lambda: numbers(6, tf.uint16, little=True)),
            (_starts(data, b"BM"), lambda: numbers(18, tf.int32, little=True)),
        ],
        default=lambda: tf.zeros([2], tf.int64),
    )


def _jpeg_size(data: tf.Tensor) -> tf.Tensor:
    file = tf.io.decode_raw(data, tf.uint8)
    num_scans = tf.math.count_nonzero((file[:-1] == 0xFF) & (file[1:] == 0xDA))
    with tf.control_dependencies([tf.debugging.Assert(num_scans <= _MOST_SCANS, ["scans"])]):
        return tf.cast(tf.image.extract_jpeg_shape(data)[:2], tf.int64)


def _decode(
    data: tf.Tensor, size: tf.Tensor, side: tf.Tensor, *, of: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    enough = 2 * tf.cast(side, tf.int64)
    # What is to be divided before any pixel is decoded is divided by a power of two.
    ratio = tf.reduce_sum(tf.cast(of(size) >= enough * _RATIOS[1:], tf.int32))

    def other(data: tf.Tensor) -> tf.Tensor:
        return _unit(tf.io.decode_image(data, channels=3, expand_animations=False), enough, of)

    image = tf.case(
        [
            (_starts(data, b"\xff\xd8"), lambda: _unit(_decode_jpeg(data, ratio), enough, of)),
            (_starts(data, b"\x89PNG"), lambda: _decode_png(data, enough, of)),
            (_starts(data, b"GIF8"), lambda: other(gif_files.first_frame(data, size))),
        ],
        default=lambda: other(data),
    )
    return _upright(tf.ensure_shape(image, [None, None, 3]), _orientation(data))


def _decode_jpeg(data: tf.Tensor, ratio: tf.Tensor) -> tf.Tensor:
    # The accurate transform is hardly slower than the default, and it is what other decoders do.
    def by(each: int) -> Callable[[], tf.Tensor]:
        return lambda: tf.io.decode_jpeg(
            data, channels=3, ratio=each, dct_method="INTEGER_ACCURATE"
        )

    return tf.switch_case(ratio, [by(each) for each in _RATIOS])


def _decode_png(
    data: tf.Tensor, enough: tf.Tensor, of: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    pixels = tf.io.decode_png(data, channels=4)
    pixels, alpha = pixels[..., :3], pixels[..., 3:]

    def over_white() -> tf.Tensor:
        part = tf.cast(alpha, tf.float32) / 255
        return tf.cast(pixels, tf.float32) / 255 * part + (1 - part)

    def over_white_in_integers() -> tf.Tensor:
        part = tf.cast(alpha, tf.uint16)
        mixed = tf.cast(pixels, tf.uint16) * part + 255 * (255 - part)
        return tf.cast((mixed + 127) // 255, tf.uint8)

    return tf.case(
        [
            (tf.reduce_all(alpha == 255), lambda: _unit(pixels, enough, of)),
            (tf.size(alpha) <= _LARGE, over_white),
        ],
        default=lambda: _unit(over_white_in_integers(), enough, of),
    )


def _unit(pixels: tf.Tensor, enough: tf.Tensor, of: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Return 8-bit pixels as floats, reduced where they are more than enough."""
    size = tf.shape(pixels, tf.int64)[:2]
    smaller = tf.cast(tf.maximum(size * enough // of(size), 1), tf.int32)
    # This operation reads 8 bits: there is never a large picture in floats.
    reduced = tf.cond(
        of(size) > enough,
        lambda: tf.raw_ops.ResizeArea(images=pixels[None], size=smaller)[0],
        lambda: tf.cast(pixels, tf.float32),
    )
    return reduced / 255


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
