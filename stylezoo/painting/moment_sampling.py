"""The moments of a whole picture, estimated from patches of it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo.painting.rewiring import rewire
from stylezoo.painting.sections import Moments, Sources, input_specs
from stylezoo.painting.tiling import Lattice, Span, Tile

# The number of px of a picture that are looked at, and the side of the patches. Larger patches are fewer
# and leave out more of the picture; in smaller ones too much is mirrored at the border.
_SAMPLED_PIXELS = 2**20
_PATCH = 48
# The least number of positions of the coarsest features along a side of a patch.
_POSITIONS = 4


class Sampler:
    """Estimate what normalisations see of a picture from patches, all evaluated at once.

    Args:
        network: The network.
        lattices: The lattices of its normalisations' outputs, by name.
        stride: Number of px by which the picture must be shifted so that the output is shifted alike.
    """

    def __init__(
        self, network: keras.Model, lattices: Mapping[str, Lattice], *, stride: int
    ) -> None:
        self._stride = stride
        self._side = max(-(-_PATCH // stride), _POSITIONS) * stride
        moments = {}

        def measure(layer: keras.layers.Layer, x: Any) -> tuple[Any, Any]:
            border = lattices[layer.name].border
            inside = keras.layers.Cropping2D(border)(x) if border else x
            moments[layer.name] = _joint_moments(inside)
            return moments[layer.name]

        rewired = rewire(network, measure)
        model = keras.Model(rewired.input, moments)
        self._measure = tf.function(
            lambda inputs: model(inputs, training=False),
            input_signature=[input_specs(network)],
            autograph=False,
        )

    def estimate(self, sources: Sources, height: int, width: int) -> Moments:
        """Estimate the moments of a picture of a size, px."""
        patches = [sources.at(patch) for patch in self._patches(height, width)]
        return self._measure(
            {name: np.concatenate([each[name] for each in patches]) for name in patches[0]}
        )

    def _patches(self, height: int, width: int) -> Iterator[Tile]:
        """Yield patches that are evenly spread over the picture, on the network's grid."""
        spacing = max(math.sqrt(height * width / _SAMPLED_PIXELS), 1.0) * self._side
        for rows in self._spans(height, spacing):
            for columns in self._spans(width, spacing):
                yield Tile(rows, columns)

    def _spans(self, side: int, spacing: float) -> Iterator[Span]:
        last = max(side - self._side, 0)
        for position in np.linspace(0, last, math.ceil(side / spacing)):
            begin = int(position) // self._stride * self._stride
            end = begin + self._side
            yield Span(begin, end, begin, end, side)


def _joint_moments(x: Any) -> tuple[Any, Any]:
    """Return mean and variance over all positions of all patches, [1, 1, 1, C], float32."""
    x = keras.ops.cast(x, "float32")
    mean = keras.ops.mean(x, axis=(0, 1, 2), keepdims=True)
    return mean, keras.ops.mean(keras.ops.square(x - mean), axis=(0, 1, 2), keepdims=True)
