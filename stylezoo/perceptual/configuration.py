"""Which network looks at pictures."""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stylezoo import perceptual

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Perceptual:
    """A classifier whose features are compared, with its weights.

    Attributes:
        network: Architecture of the perceptual network: vgg16, vgg19, alexnet_owt, and so on.
        weights: Weights of the perceptual network: imagenet (the best that can be had), a name of
            `stylezoo weights list`, or a file.
        pooling: Pooling of the perceptual network: max, or avg as in Gatys et al. 2015.
    """

    network: str = "vgg16"
    weights: str = "imagenet"
    pooling: str = "max"

    def build(self, taps: Iterable[str]) -> "keras.Model":
        """Return the frozen network from images to the features of ``taps``.

        Args:
            taps: The layers; see :func:`stylezoo.perceptual.perceptual_network`.

        Raises:
            ValueError: For an unknown architecture, tap or pooling.
            WeightsError: If the weights can't be had.
        """
        return perceptual.perceptual_network(
            self.network, taps, weights=self.weights, pooling=self.pooling
        )
