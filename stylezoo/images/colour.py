"""Colour spaces, and functions that give one picture the colours of another.

Everything is ``float32``; pictures are RGB (sRGB), ``[0, 1]``.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from stylezoo.images.grey import LUMA_WEIGHTS

# IEC 61966-2-1: the two pieces of the transfer function and where they meet.
_SRGB_LINEAR_END = 0.0031308
_SRGB_ENCODED_END = 0.04045

# Linear sRGB to CIE XYZ, D65, two-degree observer (IEC 61966-2-1 primaries, as tabulated by
# Lindbloom). Each row is divided by its sum, the white point: grey is then exactly neutral.
_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_RGB_TO_WHITE_SCALED_XYZ = _RGB_TO_XYZ / _RGB_TO_XYZ.sum(axis=1, keepdims=True)
_WHITE_SCALED_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_WHITE_SCALED_XYZ)

# CIE 15: below delta^3 the cube root of L*a*b* goes over into a line.
_LAB_DELTA = 6 / 29

# The share of pixels that a linear map of colours may take out of [0, 1], where detail is lost.
_CLIPPED_SHARE = 0.01

# Rotations after which the distribution of a picture's colours hardly changes any more (Pitié et al. 2007,
# figure 3).
_ROTATIONS = 20

# Variance of rounding to 8 bits. Colours that vary less are noise, which matching must not
# stretch into colours; and grey pictures need it for a covariance that can be inverted.
_ROUNDING_VARIANCE = 1 / (12 * 255**2)


def _srgb_to_linear(image: tf.Tensor) -> tf.Tensor:
    """Decode the sRGB transfer function (IEC 61966-2-1); outside [0, 1] the nearer piece goes on."""
    # The inner maximum keeps the branch that is not taken from giving a NaN gradient.
    curved = tf.pow((tf.maximum(image, _SRGB_ENCODED_END) + 0.055) / 1.055, 2.4)
    return tf.where(image <= _SRGB_ENCODED_END, image / 12.92, curved)


def _linear_to_srgb(image: tf.Tensor) -> tf.Tensor:
    """Encode linear light with the sRGB transfer function; the inverse of :func:`_srgb_to_linear`."""
    curved = 1.055 * tf.pow(tf.maximum(image, _SRGB_LINEAR_END), 1 / 2.4) - 0.055
    return tf.where(image <= _SRGB_LINEAR_END, image * 12.92, curved)


def rgb_to_lab(image: tf.Tensor) -> tf.Tensor:
    """Convert sRGB to CIE L*a*b* (1976), D65, two-degree observer.

    Args:
        image: A float tensor ``[..., 3]``, sRGB in ``[0, 1]``.

    Returns:
        A ``float32`` tensor ``[..., 3]``: L* in ``[0, 100]``, a* in about ``[-87, 99]``, b* in about
        ``[-108, 95]``. Grey has a* = b* = 0 to rounding. The gradient is finite everywhere,
        black included.

    Raises:
        ValueError: If ``image`` is not float, or does not have 3 channels.
    """
    linear = _srgb_to_linear(_to_float32(image, "image", num_channels=3))
    scaled_xyz = _mix_channels(linear, _RGB_TO_WHITE_SCALED_XYZ)
    x, y, z = tf.unstack(_lab_root(scaled_xyz), num=3, axis=-1)
    return tf.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_rgb(lab: tf.Tensor) -> tf.Tensor:
    """Convert CIE L*a*b* (D65, two-degree observer) to sRGB; the inverse of :func:`rgb_to_lab`.

    Args:
        lab: A float tensor ``[..., 3]`` with L* in ``[0, 100]``.

    Returns:
        A ``float32`` tensor ``[..., 3]``, sRGB. Colours that sRGB does not have are outside ``[0, 1]``,
        not clipped, so that their gradient survives.

    Raises:
        ValueError: If ``lab`` is not float, or does not have 3 channels.
    """
    lightness, a, b = tf.unstack(_to_float32(lab, "lab", num_channels=3), num=3, axis=-1)
    y = (lightness + 16) / 116
    roots = tf.stack([y + a / 500, y, y - b / 200], axis=-1)
    line = 3 * _LAB_DELTA**2 * (roots - 4 / 29)
    scaled_xyz = tf.where(roots > _LAB_DELTA, roots**3, line)
    return _linear_to_srgb(_mix_channels(scaled_xyz, _WHITE_SCALED_XYZ_TO_RGB))


def luminance(image: tf.Tensor) -> tf.Tensor:
    """Return the luma of pictures, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601; the Y of YIQ).

    Args:
        image: A float tensor ``[..., 3]``, sRGB in ``[0, 1]``.

    Returns:
        A ``float32`` tensor ``[..., 1]`` in ``[0, 1]``.

    Raises:
        ValueError: If ``image`` is not float, or does not have 3 channels.
    """
    return _mix_channels(_to_float32(image, "image", num_channels=3), [LUMA_WEIGHTS])


def replace_luminance(image: tf.Tensor, luminance_image: tf.Tensor) -> tf.Tensor:
    """Give pictures a new Y of YIQ, and keep I and Q, which are the colours.

    This is the last step of luminance-only style transfer (Gatys et al., "Controlling Perceptual
    Factors in Neural Style Transfer", 2017, section 5): ``image`` is the content, ``luminance_image``
    the stylised luminance. A change of Y alone adds the same to R, G and B, so no conversion is done.

    Args:
        image: A float tensor ``[..., 3]``, sRGB in ``[0, 1]``: the colours.
        luminance_image: A float tensor ``[..., 1]`` in ``[0, 1]``: the new Y.

    Returns:
        A ``float32`` tensor ``[..., 3]``, clipped to ``[0, 1]``.

    Raises:
        ValueError: If an argument is not float or has another number of channels.
    """
    image = _to_float32(image, "image", num_channels=3)
    wanted = _to_float32(luminance_image, "luminance_image", num_channels=1)
    return tf.clip_by_value(image + (wanted - luminance(image)), 0, 1)


def match_colour(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Map colours linearly, so that their mean and covariance become those of ``reference``.

    Sources: Gatys, Bethge, Hertzmann, Shechtman, "Preserving Color in Neural Artistic Style
    Transfer", 2016, and "Controlling Perceptual Factors in Neural Style Transfer", 2017, section 5,
    where ``image`` is the style and ``reference`` the content; the idea is from Hertzmann et al., "Image
    Analogies", 2001. The matrix is their "image analogies" one, S_r^(1/2) S_i^(-1/2) with symmetric
    square roots, which depends on no order of channels as a Cholesky factor would. Unlike there, the
    variance of 8-bit rounding is added to both covariances, because those of grey pictures are
    singular; and where the map takes more than 1 % of the pixels out of ``[0, 1]``, it has less contrast,
    so that 1 % is clipped: all others keep their detail, and the mean colour stays.

    Args:
        image: Float images ``[batch, height, width, 3]``, sRGB in ``[0, 1]``.
        reference: Images of any size, as many or one for all.

    Returns:
        ``float32`` images of the shape of ``image``, in ``[0, 1]``.

    Raises:
        ValueError: If a shape or type is wrong.
    """
    image, reference = _matched_pair(image, reference, num_channels=3)
    image_mean, image_covariance = _colour_moments(image)
    reference_mean, reference_covariance = _colour_moments(reference)
    matrix = tf.matmul(
        _symmetric_power(reference_covariance, 0.5), _symmetric_power(image_covariance, -0.5)
    )
    # float64 is precise on GPUs too, where products of float32 may be TF32.
    pixels = tf.reshape(tf.cast(image, tf.float64), [tf.shape(image)[0], -1, 3])
    change = tf.matmul(pixels - image_mean, matrix, transpose_b=True)
    matched = reference_mean + _contrast_in_range(change, reference_mean) * change
    return tf.clip_by_value(tf.reshape(tf.cast(matched, tf.float32), tf.shape(image)), 0, 1)


def match_colour_distribution(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Give pictures the whole distribution of the colours of ``reference``, not only its moments.

    Source: Pitié, Kokaram, Dahyot, "Automated Colour Grading using Colour Distribution Transfer", 2007,
    section 3: the colours are rotated at random again and again, and get the histogram of the reference's
    rotated colours along each axis. Differs in that the grain is left as it comes, and that the rotations
    are the same at every call. It runs in NumPy, so it works eagerly only and has no gradient.

    Args:
        image: Float images ``[batch, height, width, 3]``, sRGB in ``[0, 1]``.
        reference: Images of any size, as many or one for all.

    Returns:
        ``float32`` images of the shape of ``image``, in ``[0, 1]``.

    Raises:
        ValueError: If a shape or type is wrong.
    """
    image, reference = _matched_pair(image, reference, num_channels=3)
    colours = np.reshape(image, [image.shape[0], -1, 3])
    wanted = np.reshape(reference, [reference.shape[0], -1, 3])
    random = np.random.default_rng(0)
    for rotation in [np.eye(3), *np.linalg.qr(random.standard_normal([_ROTATIONS, 3, 3])).Q]:
        rotation = rotation.astype(np.float32)
        matched = match_histogram(
            (colours @ rotation)[:, np.newaxis], (wanted @ rotation)[:, np.newaxis]
        )
        colours = np.asarray(matched)[:, 0] @ rotation.T
    return tf.clip_by_value(tf.reshape(tf.convert_to_tensor(colours), image.shape), 0, 1)


def match_luminance(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Shift and scale luminance, so that its mean and deviation become those of ``reference``.

    This is the first step of luminance-only style transfer (Gatys et al. 2017, section 5; Hertzmann
    et al., "Image Analogies", 2001), where ``image`` is the style's luminance and
    ``reference`` the content's. Unlike there, the variance of 8-bit rounding is added to both, so
    that a flat picture stays flat, and the result is clipped.

    Args:
        image: Float images ``[batch, height, width, 1]`` in ``[0, 1]``.
        reference: Images of any size, as many or one for all.

    Returns:
        ``float32`` images of the shape of ``image``, in ``[0, 1]``.

    Raises:
        ValueError: If a shape or type is wrong.
    """
    image, reference = _matched_pair(image, reference, num_channels=1)
    mean, variance = tf.nn.moments(image, axes=[1, 2], keepdims=True)
    new_mean, new_variance = tf.nn.moments(reference, axes=[1, 2], keepdims=True)
    scale = tf.sqrt((new_variance + _ROUNDING_VARIANCE) / (variance + _ROUNDING_VARIANCE))
    return tf.clip_by_value((image - mean) * scale + new_mean, 0, 1)


def match_histogram(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Give each channel the histogram that it has in ``reference``.

    Each value becomes the reference's value at the same quantile, interpolated, so the sizes may
    differ; equal values stay equal. Texture synthesis may end with it (Gatys, Ecker, Bethge,
    "Texture Synthesis Using Convolutional Neural Networks", 2015, whose code does so). It runs in
    NumPy, so it works eagerly only and has no gradient.

    Args:
        image: Float images ``[batch, height, width, channels]``.
        reference: Images of any size with as many channels, as many or one for all.

    Returns:
        ``float32`` images of the shape of ``image``, in the range of ``reference``.

    Raises:
        ValueError: If a shape or type is wrong.
    """
    image, reference = (np.asarray(pair) for pair in _matched_pair(image, reference))
    reference = np.broadcast_to(reference, (image.shape[0], *reference.shape[1:]))
    matched = np.empty_like(image)
    for index in np.ndindex(image.shape[0], image.shape[-1]):
        channel = (index[0], ..., index[1])
        matched[channel] = _match_values(image[channel], reference[channel])
    return tf.convert_to_tensor(matched)


def _to_float32(image: tf.Tensor, name: str, *, num_channels: int | None = None) -> tf.Tensor:
    image = tf.convert_to_tensor(image)
    if not image.dtype.is_floating:
        raise ValueError(f"`{name}` must be float. Received: dtype={image.dtype.name}")
    if num_channels is not None and (not image.shape.rank or image.shape[-1] != num_channels):
        raise ValueError(
            f"`{name}` must have {num_channels} channels, [..., {num_channels}]. "
            f"Received: shape={image.shape}"
        )
    return tf.cast(image, tf.float32)


def _matched_pair(
    image: tf.Tensor, reference: tf.Tensor, *, num_channels: int | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    image = _to_float32(image, "image", num_channels=num_channels)
    reference = _to_float32(reference, "reference", num_channels=num_channels)
    for name, tensor in (("image", image), ("reference", reference)):
        if tensor.shape.rank != 4 or 0 in tensor.shape:
            raise ValueError(
                f"`{name}` must be [batch, height, width, channels], none of them 0. "
                f"Received: shape={tensor.shape}"
            )
    if reference.shape[-1] != image.shape[-1] or reference.shape[0] not in (1, image.shape[0]):
        raise ValueError(
            "`reference` must have the channels of `image`, and be one image or as many. "
            f"Received: reference of shape {reference.shape}, image of shape {image.shape}"
        )
    return image, reference


def _mix_channels(
    image: tf.Tensor, matrix: npt.NDArray[np.float64] | Sequence[Sequence[float]]
) -> tf.Tensor:
    """Multiply the channels by a matrix, without matmul, which may be TF32 on GPUs."""
    channels = tf.unstack(image, num=len(matrix[0]), axis=-1)
    rows = [
        tf.add_n([float(factor) * channel for factor, channel in zip(row, channels, strict=True)])
        for row in matrix
    ]
    return tf.stack(rows, axis=-1)


def _lab_root(values: tf.Tensor) -> tf.Tensor:
    # The maximum is for the gradient of the branch that is not taken, as in _srgb_to_linear.
    root = tf.pow(tf.maximum(values, _LAB_DELTA**3), 1 / 3)
    return tf.where(values > _LAB_DELTA**3, root, values / (3 * _LAB_DELTA**2) + 4 / 29)


def _colour_moments(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the mean ``[batch, 1, 3]`` and an invertible covariance ``[batch, 3, 3]``, in float64."""
    pixels = tf.reshape(tf.cast(image, tf.float64), [tf.shape(image)[0], -1, image.shape[-1]])
    mean = tf.reduce_mean(pixels, axis=1, keepdims=True)
    centred = pixels - mean
    num_pixels = tf.cast(tf.shape(pixels)[1], tf.float64)
    covariance = tf.matmul(centred, centred, transpose_a=True) / num_pixels
    return mean, covariance + _ROUNDING_VARIANCE * tf.eye(3, dtype=tf.float64)


def _contrast_in_range(change: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    """Return the largest factor of at most 1 by which ``mean + factor * change`` clips few pixels.

    Args:
        change: Differences of the pixels' colours to the mean, ``[batch, pixels, 3]``.
        mean: The mean colours, ``[batch, 1, 3]`` in [0, 1].

    Returns:
        ``[batch, 1, 1]``.
    """
    room = tf.where(change > 0, 1 - mean, mean)
    factors = tf.reduce_min(room / tf.maximum(tf.abs(change), 1e-12), axis=-1)
    clipped = tf.cast(_CLIPPED_SHARE * tf.cast(tf.shape(factors)[1], tf.float64), tf.int32)
    least = tf.gather(tf.sort(factors, axis=1), clipped, axis=1)
    return tf.minimum(least, 1)[:, tf.newaxis, tf.newaxis]


def _symmetric_power(matrix: tf.Tensor, exponent: float) -> tf.Tensor:
    values, vectors = tf.linalg.eigh(matrix)
    # Rounding can take an eigenvalue below what was added to the diagonal.
    powers = tf.pow(tf.maximum(values, _ROUNDING_VARIANCE), exponent)
    return tf.matmul(vectors * powers[:, tf.newaxis, :], vectors, transpose_b=True)


def _match_values(
    values: npt.NDArray[np.float32], reference: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    _, positions, counts = np.unique(values, return_inverse=True, return_counts=True)
    reference_values, reference_counts = np.unique(reference, return_counts=True)
    quantiles = np.cumsum(counts) / values.size
    reference_quantiles = np.cumsum(reference_counts) / reference.size
    matched = np.interp(quantiles, reference_quantiles, reference_values)
    return matched[positions].reshape(values.shape)
