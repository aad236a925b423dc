"""Starts for multifaceted pictures: means of clusters of real images (Nguyen et al. 2016b, section 3)."""

from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf

from stylezoo import ops
from stylezoo.images import Image
from stylezoo.visualize.features import pooled

_NEAREST = 15  # images that a mean is taken over, as in the paper


def cluster_means(
    network: keras.Model,
    images: Iterable[Image],
    count: int,
    *,
    seed: int = 0,
    represent: Callable[[Image], tf.Tensor] = tf.convert_to_tensor,
) -> tf.Tensor:
    """Return the mean image or code of each cluster, over the 15 images at most nearest to its centre.

    The clusters are those of k-means on the mean over positions of a layer's features, as unit vectors.
    The paper instead reduces the features of a fully connected layer by PCA and t-SNE first.

    Args:
        network: Images -> {tap: features}; the first tap decides.
        images: [1, H, W, 3] in [0, 1] each, all of one size.
        count: Number of clusters.
        seed: Seed of the first centres.
        represent: Function of an image that returns what is averaged, [1, ...]; by default the image.

    Returns:
        [count, H, W, 3] in [0, 1], or codes [count, ...], the largest cluster first.

    Raises:
        ValueError: If there are fewer images than clusters.
    """
    stacked = [np.asarray(image) for image in images]
    if not 1 <= count <= len(stacked):
        raise ValueError(
            f"`count` must be from 1 to {len(stacked)}, the number of images. "
            f"Received: count={count}"
        )
    tap = next(iter(network.output))
    features = np.concatenate([pooled(network(image)[tap]) for image in stacked])
    centres, members = ops.k_means(features, count, seed=seed)
    means = []
    for index in np.argsort(-np.bincount(members, minlength=count), kind="stable"):
        distances = np.linalg.norm(features - centres[index], axis=1)
        own = np.flatnonzero(members == index)
        nearest = own[np.argsort(distances[own], kind="stable")][:_NEAREST]
        means.append(np.mean([represent(stacked[each]) for each in nearest], axis=0))
    return tf.concat(means, axis=0)
