"""Regions of photographs and paintings that correspond, found without a network for segmentation."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from stylezoo import images, ops, perceptual
from stylezoo.classifiers import TapInfo
from stylezoo.perceptual import Perceptual

# Longest side of the pictures that are looked at, px.
_SIZE = 320
# The deepest layer with this stride at most tells what is where; deeper ones know what, and hardly where.
_STRIDE = 8
_NUM_CLUSTERS = 5
# A cluster that is less than this part of the content, or of all styles, is not a region.
_SMALLEST_SHARE = 0.04


def find_regions(
    content: tf.Tensor,
    styles: Sequence[tf.Tensor],
    *,
    network: Perceptual = Perceptual(),
    seed: int = 0,
) -> tuple[list[tf.Tensor], list[list[tf.Tensor]]]:
    """Return masks of the regions of a photograph and of the corresponding ones of paintings.

    They are the clusters of a classifier's deep features, over the positions of all pictures together: what
    is in one cluster looks alike to the classifier. The mean of each picture's features is taken away
    first, which is what sets photographs apart from paintings. A cluster that a picture hardly has is left
    out, and its positions go to the nearest of the others. This is no segmentation by names of things: a
    sky may well be put together with a lake.

    Args:
        content: [1, H, W, 3] in [0, 1].
        styles: Each [1, H, W, 3] in [0, 1], of any sizes.
        network: The classifier; the deepest of its layers with a stride of 8 px at most decides.
        seed: Seed of the clusters.

    Returns:
        A mask for each region, [1, H, W, 1] in [0, 1] of the content's size, and for each style as many of
        its own size. Masks add up to 1 everywhere; there is one region if the pictures have none in common.

    Raises:
        WeightsError: If the network's weights can't be had.
    """
    tap = _deepest(perceptual.tap_info(network.network))
    classifier = network.build([tap])
    pictures = [content, *styles]
    maps = [_unit_features(classifier, tap, picture) for picture in pictures]
    points = np.concatenate([each.reshape(-1, each.shape[-1]) for each in maps])
    centres, members = ops.k_means(points, min(_NUM_CLUSTERS, len(points)), seed=seed)
    kept = _common(members, [each.shape[0] * each.shape[1] for each in maps], len(centres))
    masks = [
        _masks(each, centres[kept], picture.shape[1:3])
        for each, picture in zip(maps, pictures, strict=True)
    ]
    return masks[0], masks[1:]


def _deepest(infos: Mapping[str, TapInfo]) -> str:
    return [tap for tap, info in infos.items() if info.stride <= _STRIDE][-1]


def _unit_features(classifier: keras.Model, tap: str, picture: tf.Tensor) -> np.ndarray:
    """Return the directions of a picture's features from their mean, [h, w, C]."""
    features = classifier(images.resize_longest_side(picture, _SIZE))[tap][0]
    centred = features - tf.reduce_mean(features, axis=[0, 1])
    return np.asarray(tf.math.l2_normalize(centred, axis=-1))


def _common(members: np.ndarray, sizes: Sequence[int], count: int) -> list[int]:
    """Return the clusters that the content and the styles have, or the largest one."""
    own, others = members[: sizes[0]], members[sizes[0] :]
    shares = [np.bincount(each, minlength=count) / len(each) for each in (own, others)]
    least = np.minimum(*shares)
    return np.flatnonzero(least >= _SMALLEST_SHARE).tolist() or [int(np.argmax(least))]


def _masks(features: np.ndarray, centres: np.ndarray, size: Sequence[int]) -> list[tf.Tensor]:
    """Return where each centre is the nearest one, [1, *size, 1] each; soft at the borders."""
    nearest = np.argmin(np.square(features[:, :, None] - centres).sum(axis=-1), axis=-1)
    planes = tf.one_hot(nearest[np.newaxis], len(centres))
    resized = tf.image.resize(planes, size, method="bilinear")
    return tf.split(resized, len(centres), axis=-1)
