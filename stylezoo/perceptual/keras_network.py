"""Keras models that users bring in the place of an architecture; no TensorFlow until they are used."""

import dataclasses
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stylezoo.classifiers import TapInfo

if TYPE_CHECKING:
    import keras
    import numpy as np

    from stylezoo.perceptual.unrolling import Unrolled


@dataclasses.dataclass(frozen=True, eq=False)
class KerasNetwork:
    """A Keras model whose layers are looked at as those of an architecture of the zoo.

    It stands wherever a network's name does, in :class:`~stylezoo.perceptual.Perceptual` and in the
    configurations of :mod:`stylezoo.visualize`; their ``weights`` are not used then. The model is not
    changed: its layers are copied with their weights into one graph, where models within it are opened.

    Layers go by their names. One of a model within the model has its own name too, or ``MODEL_NAME`` where
    another layer has that name already; the second call of a layer is ``NAME_2``. Layers whose output has no
    positions can't be looked at, but for the last. If the model ends in [B, num_classes], it has the taps of
    :data:`~stylezoo.perceptual.HEAD`: ``scores`` are what the last softmax takes, or the output itself where
    there is none.

    Pictures may have any size if the model still gives its output at twice the size that it was made for.

    Attributes:
        model: A functional or sequential model of one input, [B, H, W, 3 or 1], channels last. Custom layers
            need ``get_config``.
        preprocessing: What the model takes: a mode of :class:`~stylezoo.layers.Preprocess`, such as ``unit``
            for [0, 1], ``bytes`` for [0, 255], ``symmetric`` for [-1, 1], or ``caffe`` and ``torch``.

    Raises:
        ValueError: When the network is first used, for a model that is neither functional nor sequential, of
            several inputs, or of pictures that are not square; or for an unknown preprocessing.
    """

    model: "keras.Model"
    preprocessing: str = "unit"

    def __str__(self) -> str:
        return str(self.model.name)

    @functools.cached_property
    def unrolled(self) -> "Unrolled":
        """The model as one graph from images in [0, 1]."""
        from stylezoo.perceptual.unrolling import unroll

        return unroll(self.model, self.preprocessing)

    @property
    def taps(self) -> dict[str, TapInfo]:
        """The geometry of every layer with positions, in the order of the network."""
        return self.unrolled.taps

    @property
    def side(self) -> int | None:
        """The side that pictures must have, px; None if any will do."""
        return self.unrolled.side

    @property
    def num_classes(self) -> int | None:
        """The number of classes; None for a model without a head."""
        return self.unrolled.num_classes

    @property
    def kernels(self) -> "dict[str, np.ndarray]":
        """The kernels of the convolutions by layer, [h, w, C, N]."""
        return self.unrolled.kernels

    def build(self, taps: Iterable[str]) -> "keras.Model":
        """Return what :meth:`stylezoo.perceptual.Perceptual.build` does."""
        return self.unrolled.build(tuple(dict.fromkeys(taps)))
