"""LPIPS: how different two images look, from the features of a classifier."""

import os

import tensorflow as tf

from stylezoo import errors, perceptual
from stylezoo import weights as weights_lib
from stylezoo.errors import WeightsError
from stylezoo.images import Image
from stylezoo.weights.layouts import LPIPS_HEADS


class Lpips:
    """Learned perceptual image patch similarity, version 0.1, of pairs of images.

    Source: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", equation 1, variant "lin". At every position of five layers the two feature vectors are
    scaled to length 1. Their squared differences, each channel weighted by a head that was trained
    on people's judgements (the equation's w²), are summed, averaged over positions and summed over
    layers. Loads its network once, for any number of pairs; can be called in a ``tf.function``.

    Differs from the authors' package ``lpips`` in that images are in [0, 1], not [-1, 1]; its scaling
    layer then is torchvision's normalisation.

    Args:
        architecture: ``"alexnet_owt"``, which the authors recommend for comparing images, or
            ``"vgg16"``.
        weights: ``"imagenet"``, the weights that the heads were trained on; or weights of that
            architecture with heads, by name or file.

    Raises:
        ValueError: If the architecture is another one.
        WeightsError: If the weights can't be had, don't fit or have no heads; the message says what
            to run.
    """

    def __init__(
        self,
        architecture: str = "alexnet_owt",
        *,
        weights: str | os.PathLike[str] = "imagenet",
    ) -> None:
        if architecture not in LPIPS_HEADS:
            raise ValueError(
                f"`architecture` must be one of {', '.join(LPIPS_HEADS)}. "
                f"Received: architecture={architecture!r}"
            )
        with_heads = f"{architecture}.torchvision_lpips"
        if weights == "imagenet":
            weights = with_heads
        loaded = weights_lib.load(weights, architecture=architecture)
        if not LPIPS_HEADS[architecture].keys() <= loaded.tensors.keys():
            raise WeightsError(
                f"{loaded.name} has no heads of LPIPS: run "
                f"`stylezoo weights fetch {with_heads} --force` and use those weights"
            )
        self.architecture = architecture
        self._heads = {
            head.removeprefix("lpips/"): tf.constant(loaded.tensors[head])
            for head in LPIPS_HEADS[architecture]
        }
        self._network = perceptual.Perceptual(architecture, os.fspath(weights)).build(self._heads)

    def __call__(self, image: Image, reference: Image) -> tf.Tensor:
        """Return the distances of images from their references, which are symmetric.

        Args:
            image: [B, H, W, 3] float in [0, 1].
            reference: The same.

        Returns:
            [B] float32, >= 0; 0 for equal images.

        Raises:
            ValueError: If one is not such a batch, their shapes differ, or they are too small.
        """
        image = self._checked(image)
        with errors.renamed(image="reference"):
            reference = self._checked(reference)
        if not image.shape.is_compatible_with(reference.shape):
            raise ValueError(
                f"`reference` must have the shape of `image`, {image.shape}. "
                f"Received: shape={reference.shape}"
            )
        features, target = self._network(image), self._network(reference)
        return tf.add_n(
            [_distance(features[tap], target[tap], head) for tap, head in self._heads.items()]
        )

    def _checked(self, image: Image) -> tf.Tensor:
        image = tf.convert_to_tensor(image)
        if image.shape.rank != 4 or image.shape[-1] != 3 or not image.dtype.is_floating:
            raise ValueError(
                f"`image` must be float, [batch, height, width, 3]. "
                f"Received: shape={image.shape}, dtype={image.dtype.name}"
            )
        _, height, width, _ = image.shape
        if height is not None and width is not None:
            self.check_image_size(height, width)
        return image

    def check_image_size(self, height: int, width: int) -> None:
        """Raise a ValueError if images of this size, px, are too small."""
        perceptual.check_image_size(height, width, architecture=self.architecture, taps=self._heads)


def _distance(features: tf.Tensor, target: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
    """Return one layer's share, [B] float32, from two [B, h, w, C] and the head, [C]."""
    difference = tf.math.squared_difference(_unit(features), _unit(target))
    return tf.linalg.matvec(tf.reduce_mean(difference, axis=[1, 2]), head)


def _unit(features: tf.Tensor) -> tf.Tensor:
    """Return feature vectors scaled to length 1, or 0 where no channel is active."""
    features = tf.cast(features, tf.float32)
    return features / (tf.norm(features, axis=-1, keepdims=True) + 1e-10)
