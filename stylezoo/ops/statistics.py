"""Statistics of feature maps that do not depend on positions.

Statistics that are sums over positions come as ``*_sums`` and as the normalised value, because a picture
that is evaluated tile by tile adds up the sums first. All are computed in float32 whatever the
features' dtype: a float16 Gram matrix overflows.
"""

import numpy as np
import tensorflow as tf


def _flatten(features: tf.Tensor) -> tf.Tensor:
    """Reshape [B, H, W, C] of any float dtype to [B, H·W, C] float32."""
    shape = tf.shape(features)
    positions = tf.reshape(features, [shape[0], shape[1] * shape[2], features.shape[-1]])
    return tf.cast(positions, tf.float32)


def _mass(positions: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Return the number of positions that count, [B, 1, 1]: all of them, or the sum of the mask."""
    if mask is None:
        shape = tf.shape(positions)
        return tf.fill([shape[0], 1, 1], tf.cast(shape[1], tf.float32))
    return tf.reduce_sum(_flatten(mask), axis=1, keepdims=True)


def outer_product_sums(
    features: tf.Tensor, mask: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum each feature vector's outer product with itself over positions.

    Args:
        features: [B, H, W, C].
        mask: [1 or B, H, W, 1] in [0, 1], how much each position counts; all count 1 without it.

    Returns:
        The sums, [B, C, C] float32, and their mass, the number of positions or the sum of the mask,
        [B, 1, 1] float32.
    """
    positions = _flatten(features)
    weighted = positions if mask is None else positions * _flatten(mask)
    return tf.matmul(weighted, positions, transpose_a=True), _mass(positions, mask)


def gram(features: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
    """Return the Gram matrix of a feature map, divided by its H·W positions (Gatys et al. 2015, equation 1).

    The paper does not divide; its factor 1/(4 N² M²) does so later. With a ``mask`` it is the
    guided Gram matrix of Gatys et al. 2017 (section 4.2), divided by the mask's sum.

    Args:
        features: [B, H, W, C].
        mask: [1 or B, H, W, 1] in [0, 1].

    Returns:
        [B, C, C] float32, symmetric, positive semi-definite.
    """
    sums, mass = outer_product_sums(features, mask)
    return sums / mass


def moment_sums(
    features: tf.Tensor, mask: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Sum each channel and its square over positions.

    Args:
        features: [B, H, W, C].
        mask: [1 or B, H, W, 1] in [0, 1].

    Returns:
        The sum and the sum of squares, each [B, 1, C] float32, and their mass, [B, 1, 1] float32.
    """
    positions = _flatten(features)
    weighted = positions if mask is None else positions * _flatten(mask)
    first = tf.reduce_sum(weighted, axis=1, keepdims=True)
    second = tf.reduce_sum(weighted * positions, axis=1, keepdims=True)
    return first, second, _mass(positions, mask)


def mean_and_std(
    first: tf.Tensor, second: tf.Tensor, mass: tf.Tensor, *, epsilon: float = 1e-8
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mean and (biased) standard deviation from the sums of :func:`moment_sums`.

    Args:
        first: [B, 1, C], the sum of each channel.
        second: [B, 1, C], the sum of each channel's squares.
        mass: [B, 1, 1], the number of positions.
        epsilon: What is added to the variance, to keep the root's gradient finite where a channel is
            constant.

    Returns:
        Two tensors [B, 1, C].
    """
    mean = first / mass
    variance = tf.maximum(second / mass - tf.square(mean), 0.0)
    return mean, tf.sqrt(variance + epsilon)


def random_directions(num_channels: int, num_directions: int, seed: int) -> tf.Tensor:
    """Draw random unit vectors, [C, K] float32, orthogonal to each other within every C of them.

    Orthogonal directions cover the space more evenly than independent ones at no extra cost. NumPy
    draws them: TensorFlow's stateless generators give other numbers when XLA compiles them.
    """
    blocks = []
    for block in range(-(-num_directions // num_channels)):
        normal = np.random.default_rng([seed, block]).standard_normal([num_channels, num_channels])
        blocks.append(np.linalg.qr(normal).Q)
    return tf.constant(np.concatenate(blocks, axis=1)[:, :num_directions], tf.float32)


def sliced_quantiles(features: tf.Tensor, directions: tf.Tensor) -> tf.Tensor:
    """Project features on each direction and sort them, which gives the quantiles of every 1-D slice.

    Source: Heitz et al. 2021, "A Sliced Wasserstein Loss for Neural Texture Synthesis", section 4.

    Args:
        features: [B, H, W, C].
        directions: [C, K] unit vectors.

    Returns:
        [B, K, H·W] float32, ascending along the last axis.
    """
    projected = tf.matmul(_flatten(features), directions)
    return tf.sort(tf.transpose(projected, [0, 2, 1]), axis=-1)


def interpolate_quantiles(quantiles: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Return the same distribution with another number of equally likely samples.

    The quantile function is interpolated linearly at (i + ½) / count. Heitz et al. repeat samples
    instead, which gives steps for unequal sizes.

    Args:
        quantiles: [..., N], ascending.
        count: Number of samples of the result, a scalar integer.

    Returns:
        [..., count], ascending.
    """
    size = tf.shape(quantiles)[-1]
    scale = tf.cast(size, tf.float32) / tf.cast(count, tf.float32)
    position = (tf.range(tf.cast(count, tf.float32)) + 0.5) * scale - 0.5
    position = tf.clip_by_value(position, 0.0, tf.cast(size - 1, tf.float32))
    lower = tf.cast(tf.floor(position), tf.int32)
    upper = tf.minimum(lower + 1, size - 1)
    fraction = position - tf.cast(lower, tf.float32)
    below = tf.gather(quantiles, lower, axis=-1)
    above = tf.gather(quantiles, upper, axis=-1)
    return below + fraction * (above - below)


def channel_quantiles(features: tf.Tensor, count: int) -> tf.Tensor:
    """Return equally likely values of each channel.

    Args:
        features: [B, H, W, C].
        count: Number of values.

    Returns:
        [B, C, count] float32, ascending along the last axis.
    """
    values = tf.sort(tf.transpose(_flatten(features), [0, 2, 1]), axis=-1)
    return interpolate_quantiles(values, tf.constant(count))


def match_quantiles(features: tf.Tensor, quantiles: tf.Tensor) -> tf.Tensor:
    """Give each channel the distribution that its quantiles tell; equal values stay equal.

    A value becomes the one at its own quantile, interpolated between the quantiles; many equal values, such
    as the zeros of a ReLU, are in the middle of their quantiles.

    Args:
        features: [B, H, W, C].
        quantiles: [1 or B, C, Q], ascending along the last axis.

    Returns:
        [B, H, W, C] float32.
    """
    shape = tf.shape(features)
    own = channel_quantiles(features, quantiles.shape[-1])
    wanted = tf.broadcast_to(quantiles, tf.shape(own))
    values = tf.transpose(_flatten(features), [0, 2, 1])

    def match(channel: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        values, own, wanted = channel
        return _interpolate(_positions(values, own), wanted)

    rows = [tf.reshape(each, [-1, tf.shape(each)[-1]]) for each in (values, own, wanted)]
    # One channel after the other, because the indices of all would be larger than the features.
    matched = tf.map_fn(match, tuple(rows), fn_output_signature=tf.float32, parallel_iterations=1)
    planes = tf.reshape(matched, [shape[0], features.shape[-1], shape[1] * shape[2]])
    return tf.reshape(tf.transpose(planes, [0, 2, 1]), shape)


def _positions(values: tf.Tensor, knots: tf.Tensor) -> tf.Tensor:
    """Return where values, [N], are among ascending knots, [Q], as fractional indices."""
    last = tf.size(knots) - 1
    below = tf.searchsorted(knots, values, side="left")
    above = tf.searchsorted(knots, values, side="right")
    middle = tf.cast(below + above - 1, tf.float32) / 2.0
    lower = tf.clip_by_value(below - 1, 0, last)
    start, end = tf.gather(knots, lower), tf.gather(knots, tf.minimum(below, last))
    between = tf.cast(lower, tf.float32) + tf.math.divide_no_nan(values - start, end - start)
    positions = tf.where(above > below, middle, between)
    return tf.clip_by_value(positions, 0.0, tf.cast(last, tf.float32))


def _interpolate(positions: tf.Tensor, knots: tf.Tensor) -> tf.Tensor:
    """Return the knots, [Q], at fractional indices, [N]."""
    lower = tf.cast(tf.floor(positions), tf.int32)
    upper = tf.minimum(lower + 1, tf.size(knots) - 1)
    below, above = tf.gather(knots, lower), tf.gather(knots, upper)
    return below + (positions - tf.cast(lower, tf.float32)) * (above - below)
