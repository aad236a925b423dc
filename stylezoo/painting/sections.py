"""Stretches of a network, evaluated tile by tile with the moments of the whole picture."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from stylezoo.layers import instance_moments
from stylezoo.painting.rewiring import normalization_layers, reconnect
from stylezoo.painting.tiling import Lattice, Tile, cut

# Mean and variance by the name of the layer that normalises with them, [1, 1, 1, C] each.
Moments: TypeAlias = Mapping[str, tuple[Any, Any]]

_FEATURES = "features"


@dataclasses.dataclass(frozen=True)
class Sources:
    """What a section takes, for a whole picture.

    Attributes:
        values: The values by the input's name: [1, h, w, C], or [1, C] where the place doesn't matter.
        lattices: The lattices of those that have a place.
    """

    values: Mapping[str, np.ndarray]
    lattices: Mapping[str, Lattice]

    def at(self, tile: Tile) -> dict[str, np.ndarray]:
        """Return what a tile with its margin takes."""
        return {
            name: cut(each, *tile.seen(self.lattices[name])) if name in self.lattices else each
            for name, each in self.values.items()
        }

    def with_features(self, values: np.ndarray, lattice: Lattice) -> "Sources":
        """Return the same with the output of the section before."""
        return Sources({**self.values, _FEATURES: values}, {**self.lattices, _FEATURES: lattice})


def lattices(
    network: keras.Model, layers: Iterable[keras.layers.Layer], strides: Mapping[str, int]
) -> dict[str, Lattice]:
    """Return the lattices of the outputs of some layers of a network, by the layer's name.

    Args:
        network: A functional model whose inputs are a dict.
        layers: The layers.
        strides: The px from one position to the next for each input that has a place.
    """
    outputs = {layer.name: layer.output for layer in layers}
    if not outputs:
        return {}
    features = keras.Model(network.input, outputs)

    def positions(side: int) -> dict[str, int]:
        shapes = {
            name: (
                1,
                *([side // strides[name]] * 2 if name in strides else []),
                each.shape[-1],
            )
            for name, each in network.input.items()
        }
        return {name: shape[1] for name, shape in features.compute_output_shape(shapes).items()}

    # Both pictures are large enough not to be padded, and one is twice as large as the other.
    side = 512
    small, large = positions(side), positions(2 * side)
    found = {}
    for name in outputs:
        inside = large[name] - small[name]
        found[name] = Lattice(side // inside, (small[name] - inside) // 2)
    return found


class Section:
    """A stretch of a network that takes moments from outside.

    Args:
        network: The network. Its weights are the section's.
        lattices: The lattices of the normalisations' outputs and of the output of ``end``.
        start: The layer from whose output the section goes on, and from the inputs if there are
            skips past it; None for the network's inputs.
        end: The layer with whose output the section ends; None for the network's output.
        factor: How many times larger than the picture the network's output is.

    Attributes:
        normalizations: The section's layers that need moments, each after those it depends on.
        lattice: The lattice of its output.
    """

    def __init__(
        self,
        network: keras.Model,
        lattices: Mapping[str, Lattice],
        *,
        start: keras.layers.Layer | None = None,
        end: keras.layers.Layer | None = None,
        factor: int = 1,
    ) -> None:
        starts = [start.output] if start else []
        inside = keras.Model([*starts, *network.input.values()], (end or network).output).layers
        self.normalizations = [layer for layer in normalization_layers(network) if layer in inside]
        self.lattice = lattices[end.name] if end else Lattice(factor=factor)
        self._channels = (end or network).output.shape[-1]
        self._lattices = lattices
        self._connect(network, start, end)

    def _connect(
        self,
        network: keras.Model,
        start: keras.layers.Layer | None,
        end: keras.layers.Layer | None,
    ) -> None:
        """Trace what the section computes: an output, and before it the normalisations' inputs."""
        features = keras.Input(start.output.shape[1:], name=_FEATURES) if start else None
        moments = {
            layer.name: [
                keras.Input([1, 1, layer.scale.shape[-1]], name=f"{layer.name}_{name}")
                for name in ("mean", "variance")
            ]
            for layer in self.normalizations
        }
        unnormalized, outputs = {}, {}

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if layer is start:
                return features
            if layer.name in moments:
                unnormalized[layer.name] = args[0]
                kwargs["moments"] = moments[layer.name]
            outputs[layer.name] = layer(*args, **kwargs)
            return outputs[layer.name]

        extra = _flat(moments) | ({_FEATURES: features} if start else {})
        connected = reconnect(network, call, extra_inputs=extra)
        # A normalisation's input depends on the moments of those before it only.
        inputs = {
            name: each for name, each in connected.input.items() if name not in _flat(moments)
        }
        self._moments = {}
        for name, pair in moments.items():
            model = keras.Model(dict(inputs), unnormalized[name])
            self._moments[name] = _traced(model, instance_moments)
            inputs |= _flat({name: pair})
        output = outputs[end.name] if end else connected.output
        self._output = _traced(keras.Model(inputs, output), lambda values: values)

    def shape(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return the shape of the output for a picture of a size, px."""
        sides = (self.lattice.positions(side) for side in (height, width))
        return (1, *sides, self._channels)

    def gather(self, sources: Sources, tiles: Iterable[Tile]) -> Moments:
        """Gather the moments of a whole picture, in one pass over its tiles for each normalisation."""
        moments: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for layer in self.normalizations:
            lattice, parts = self._lattices[layer.name], []
            for tile in tiles:
                window = tile.window(lattice)
                pair = self._moments[layer.name](sources.at(tile) | _flat(moments), window)
                parts.append((np.prod(window[2:] - window[:2]), *pair))
            moments[layer.name] = _pooled(parts)
        return moments

    def evaluate(
        self, sources: Sources, tiles: Iterable[Tile], moments: Moments, output: np.ndarray
    ) -> None:
        """Fill ``output``, [1, h, w, C] on the section's lattice, in one pass over the tiles.

        It may lack rows and columns at the end: those that pad the picture.
        """
        given = {name: tf.constant(each) for name, each in _flat(moments).items()}
        for tile in tiles:
            values = self._output(sources.at(tile) | given, tile.window(self.lattice))
            rows, columns = tile.owned(self.lattice)
            target = output[:, rows, columns]
            target[...] = values[:, : target.shape[1], : target.shape[2]]


def _flat(moments: Mapping[str, Iterable[Any]]) -> dict[str, Any]:
    """Return moments by the names of the inputs that take them."""
    return {
        f"{name}_{which}": value
        for name, pair in moments.items()
        for which, value in zip(("mean", "variance"), pair, strict=True)
    }


def _pooled(parts: list[tuple[int, Any, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of a whole from size, mean and variance of its parts, in float64."""
    counts, means, variances = (np.asarray(each, np.float64) for each in zip(*parts, strict=True))
    shares = (counts / counts.sum()).reshape(-1, 1, 1, 1, 1)
    mean = np.sum(shares * means, axis=0)
    variance = np.sum(shares * (variances + np.square(means - mean)), axis=0)
    return mean.astype(np.float32), variance.astype(np.float32)


def _traced(model: keras.Model, finish: Callable[[tf.Tensor], Any]) -> Any:
    """Trace ``finish`` of a window of a model's output, once for tiles of every size."""

    def evaluate(inputs: Mapping[str, tf.Tensor], window: tf.Tensor) -> Any:
        top, left, bottom, right = tf.unstack(window)
        return finish(model(inputs, training=False)[:, top:bottom, left:right])

    signature = [input_specs(model), tf.TensorSpec([4], tf.int32)]
    return tf.function(evaluate, input_signature=signature, autograph=False)


def input_specs(model: keras.Model) -> dict[str, tf.TensorSpec]:
    """Return the specifications of a model's dict of inputs, for inputs of every size."""
    return {name: tf.TensorSpec(each.shape, each.dtype, name) for name, each in model.input.items()}
