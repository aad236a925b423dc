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
