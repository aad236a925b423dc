"""How far pictures are from photographs, by the features of a classifier."""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from stylezoo import images
from stylezoo.images import FloatArray, Image


def pooled_features(
    network: keras.Model, pictures: Iterable[Image], *, side: int = 224
) -> FloatArray:
    """Return the mean over positions of a layer's features of pictures.

    Args:
        network: Images -> {tap: features}; the first tap counts.
        pictures: [1, H, W, 3] in [0, 1] each, whose middle squares are resized.
        side: Side that the squares are resized to, px.

    Returns:
        [N, C] float32.
    """
    tap = next(iter(network.output))

    @tf.function(input_signature=[tf.TensorSpec([1, side, side, 3])], autograph=False)
    def pooled(square: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(network(square)[tap], axis=[1, 2])

    squares = (images.centre_square(picture, side) for picture in pictures)
    return np.concatenate([pooled(square).numpy() for square in squares])


def frechet_distance(real: FloatArray, made: FloatArray, *, components: int = 64) -> float:
    """Return the Fréchet distance between two sets of features as if both were normal.

    It is that of the "Fréchet Inception Distance" (Heusel et al. 2017, equation 6), of the principal
    components of the real features alone, since a few made pictures have no covariance of all features. It
    depends on how many pictures there are: only sets of one size are to be compared.

    Args:
        real: Features of photographs, [N, C].
        made: Features of pictures that are compared with them, [M, C].
        components: Number of leading principal components of ``real``.

    Returns:
        The distance, >= 0, in squared units of the features.

    Raises:
        ValueError: If ``components`` is not from 1 to the smaller of N - 1 and C, or M < 2.
    """
    most = min(len(real) - 1, real.shape[1])
    if not 1 <= components <= most:
        raise ValueError(
            f"`components` must be from 1 to {most}. Received: components={components}"
        )
    if len(made) < 2:
        raise ValueError(f"`made` must be 2 pictures or more. Received: {len(made)}")
    mean = real.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(real - mean, full_matrices=False)
    first, second = ((features - mean) @ directions[:components].T for features in (real, made))
    covariances = [np.atleast_2d(np.cov(each, rowvar=False)) for each in (first, second)]
    root = _square_root(covariances[0])
    cross = np.linalg.eigvalsh(root @ covariances[1] @ root)
    shift = np.sum(np.square(first.mean(axis=0) - second.mean(axis=0)))
    spread = sum(map(np.trace, covariances)) - 2 * np.sum(np.sqrt(np.maximum(cross, 0)))
    return float(max(shift + spread, 0.0))


def _square_root(matrix: np.ndarray) -> np.ndarray:
    """Return the square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    root: np.ndarray = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root
