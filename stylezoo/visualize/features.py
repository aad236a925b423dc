"""Features of pictures: a vector of each, its neighbours, and the maps of a layer's channels."""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from stylezoo.images import FloatArray, Image

_PERPLEXITY = 30.0  # scikit-learn's default, for hundreds of pictures and more


def pooled(features: tf.Tensor) -> np.ndarray:
    """Return the means over positions of features, [B, h, w, C] or [B, C], as unit vectors, [B, C]."""
    means = tf.reduce_mean(features, axis=[1, 2]) if features.shape.rank == 4 else features
    return np.asarray(tf.math.l2_normalize(tf.cast(means, tf.float32), axis=-1))


def embed(network: keras.Model, images: Iterable[Image]) -> np.ndarray:
    """Return a unit vector for each image: the mean over positions of a layer's features.

    Args:
        network: Images -> {tap: features}; the first tap decides.
        images: [1, H, W, 3] in [0, 1] each, of any sizes; each is taken when it is needed.

    Returns:
        [N, C] float32.
    """
    tap = next(iter(network.output))
    return np.concatenate([pooled(network(image)[tap]) for image in images])


def neighbours(queries: FloatArray, vectors: FloatArray, count: int) -> np.ndarray:
    """Return the indices of the vectors most like each query, by the cosine of their angle.

    Args:
        queries: [Q, C], unit vectors of :func:`embed`.
        vectors: [N, C], the same.
        count: Number of neighbours; all of them if there are fewer.

    Returns:
        [Q, min(count, N)] int, the nearest first.
    """
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :count]


def map_to_grid(vectors: FloatArray, *, columns: int, seed: int = 0) -> np.ndarray:
    """Return a place on a grid for each vector, such that those alike are near each other.

    t-SNE (van der Maaten & Hinton 2008) gives each vector a place on a plane, and the assignment with the
    least sum of squared distances moves these places to the cells of a grid. Needs scikit-learn.

    Args:
        vectors: [N, C], N >= 2.
        columns: Number of columns of the grid, whose rows are as many as are needed.
        seed: Seed of t-SNE.

    Returns:
        [N, 2] int, the row and column of each vector, no two alike.

    Raises:
        ModuleNotFoundError: If scikit-learn is not installed.
        ValueError: If there are fewer than two vectors.
    """
    if len(vectors) < 2:
        raise ValueError(f"`vectors` must be at least 2. Received: {len(vectors)}")
    check_scikit_learn()
    from scipy.optimize import linear_sum_assignment
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # The perplexity must be less than the number of vectors, of which a third is advised at most.
    perplexity = min(_PERPLEXITY, max((len(vectors) - 1) / 3, 1.0))
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed, metric="cosine")
    with threadpool_limits(
        1
    ):  # sums in one order, so that the map is the same with any number of cores
        plane = tsne.fit_transform(np.asarray(vectors, np.float32))
    plane = (plane - plane.min(axis=0)) / np.maximum(np.ptp(plane, axis=0), 1e-12)
    rows = -(-len(vectors) // columns)
    cells = np.stack(np.divmod(np.arange(rows * columns), columns), axis=1)
    # The first axis of the plane goes to the right, the second one down.
    spread = cells[:, ::-1] / np.maximum([columns - 1, rows - 1], 1)
    distances = np.square(plane[:, None] - spread[None]).sum(axis=-1)
    _, chosen = linear_sum_assignment(distances)
    return cells[chosen]


def check_scikit_learn() -> None:
    """Raise a ModuleNotFoundError that names the extra if scikit-learn is not installed."""
    try:
        import sklearn.manifold  # noqa: F401
    except ImportError as error:
        raise ModuleNotFoundError(
            'scikit-learn is needed for t-SNE: pip install "stylezoo[see]"'
        ) from error


def activation_maps(features: FloatArray) -> np.ndarray:
    """Return the maps of channels as grey pictures, each from black, for 0 and less, to its strongest.

    Args:
        features: [h, w, C], of one picture.

    Returns:
        [C, h, w, 3] float32 in [0, 1].
    """
    maps = np.maximum(np.moveaxis(np.asarray(features, np.float32), -1, 0), 0)
    strongest = maps.max(axis=(1, 2), keepdims=True)
    return np.repeat((maps / np.maximum(strongest, 1e-30))[..., None], 3, axis=-1)
