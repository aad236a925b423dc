"""The choice of a perceptual network; no TensorFlow, since flags are made from it."""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stylezoo.perceptual.keras_network import KerasNetwork

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Perceptual:
    """A classifier whose features are compared, with its weights.

    Attributes:
        network: Architecture of the perceptual network: vgg16, vgg19, alexnet_owt, and so on.
        weights: Weights of the perceptual network: imagenet (the best that can be had), a name of
            ``stylezoo weights list``, or a file.
        pooling: Pooling of the perceptual network: max, or avg as in Gatys et al. 2015.
    """

    network: str | KerasNetwork = "vgg16"
    weights: str = "imagenet"
    pooling: str = "max"

    def build(self, taps: Iterable[str]) -> "keras.Model":
        """Return a frozen network from images to the features of ``taps``, cut at the deepest of them.

        Convolutions pad with zeros, so features within half a receptive field of the border see the
        border; no loss masks them out (nor do the reference codes).

        Args:
            taps: Names of layers, those of :func:`stylezoo.perceptual.tap_info`: ``relu{block}_{conv}``,
                ``conv{block}_{conv}`` (before the ReLU), ``pool{block}``; AlexNet's have no block:
                ``relu3``; ``inception_4c``, ``layer3_block2``, ``fire4``; or of
                :data:`stylezoo.perceptual.HEAD`, [B, num_classes]. Duplicates count once.

        Returns:
            A Keras model, not trainable: [B, H, W, 3] float in [0, 1] -> {tap: [B, h, w, c]}. With a tap
            of a head that has a weight for every position, H and W are what it was published for. A
            network of grey images, LeNet-5, sees the luminance.

        Raises:
            ValueError: If the architecture, a tap or the pooling is unknown; the message lists the known
                ones.
            WeightsError: If the weights cannot be had, do not fit, or lack a head that is wanted.
        """
        from stylezoo.perceptual.network import build_network

        return build_network(self, taps)
