"""Starts for multifaceted pictures: means of clusters of real images (Nguyen et al. 2016, section 3)."""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

_NEAREST = 15  # images to a mean, as in the paper
_ROUNDS = 50


def cluster_means(
    network: keras.Model, images: Iterable[tf.Tensor], count: int, *, seed: int = 0
) -> tf.Tensor:
    """The mean image of each cluster: of the 15 images at most that are nearest to its centre.

    K-means on the mean over positions of a layer's features, as unit vectors. Differs from the paper in
    that, which reduces a fully connected layer's by PCA and t-SNE first.

    Args:
        network: images -> {tap: features}; the first tap decides.
        images: [1, H, W, 3] in [0, 1] each, all of one size.
        count: of clusters.
        seed: of the first centres.

    Returns:
        [count, H, W, 3] in [0, 1], the largest cluster first.

    Raises:
        ValueError: if there are fewer images than clusters.
    """
    stacked = [np.asarray(image) for image in images]
    if not 1 <= count <= len(stacked):
        raise ValueError(
            f"`facets` must be from 1 to {len(stacked)}, the number of images. Received: {count}"
        )
    tap = next(iter(network.output))
    features = np.concatenate([_embed(network(image)[tap]) for image in stacked])
    centres, members = _k_means(features, count, np.random.default_rng(seed))
    means = []
    for index in np.argsort(-np.bincount(members, minlength=count), kind="stable"):
        distances = np.linalg.norm(features - centres[index], axis=1)
        own = np.flatnonzero(members == index)
        nearest = own[np.argsort(distances[own], kind="stable")][:_NEAREST]
        means.append(np.mean([stacked[each] for each in nearest], axis=0))
    return tf.concat(means, axis=0)


def _embed(features: tf.Tensor) -> np.ndarray:
    """[1, C] of length 1."""
    pooled = tf.reduce_mean(features, axis=[1, 2]) if features.shape.rank == 4 else features
    return np.asarray(tf.math.l2_normalize(pooled, axis=-1))


def _k_means(
    points: np.ndarray, count: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's algorithm from points far from each other (k-means++): centres, and whose each point is."""
    centres = points[[random.integers(len(points))]]
    while len(centres) < count:
        squares = _squares(points, centres).min(axis=1) + 1e-12
        chosen = random.choice(len(points), p=squares / squares.sum())
        centres = np.concatenate([centres, points[[chosen]]])
    for _ in range(_ROUNDS):
        members = _squares(points, centres).argmin(axis=1)
        for index in range(count):
            if np.any(members == index):
                centres[index] = points[members == index].mean(axis=0)
    # A cluster that lost all its points gets the one that is nearest to it.
    for index in set(range(count)) - set(members.tolist()):
        members[_squares(points, centres)[:, index].argmin()] = index
    return centres, members


def _squares(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.square(points[:, None] - centres[None]).sum(axis=-1)
