"""Turn a Keras model that a user brings, with models within it, into one graph with taps."""

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from stylezoo.classifiers import TapInfo
from stylezoo.classifiers.building import Feature, Window
from stylezoo.layers import Luminance, Preprocess
from stylezoo.perceptual.heads import LOG_PROBABILITIES, SCORES

_MEASURED = 224  # side at which a model is measured that takes any size, px
_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


@dataclasses.dataclass(frozen=True)
class Unrolled:
    """A model as one graph from images in [0, 1].

    Attributes:
        name: Name of the model.
        image: Input of the graph, [B, H, W, 3].
        tensors: Outputs of the layers that can be looked at, by name, and those of the head.
        taps: Geometry of the layers, in the order of the network.
        side: Side that images must have, px; None if any will do.
        num_classes: Number of classes; None without a head.
        kernels: Kernels of the convolutions by name, [h, w, C, N].
    """

    name: str
    image: Any
    tensors: dict[str, Any]
    taps: dict[str, TapInfo]
    side: int | None
    num_classes: int | None
    kernels: dict[str, np.ndarray]

    def build(self, taps: tuple[str, ...]) -> keras.Model:
        """Return the part of the graph that gives ``taps``, frozen."""
        if not taps:
            raise ValueError("`taps` must name at least one layer. Received: none")
        if unknown := [tap for tap in taps if tap not in self.tensors]:
            raise ValueError(
                f"`taps` of {self.name} must be among {', '.join(self.tensors)}. "
                f"Received: {', '.join(unknown)}"
            )
        outputs = {tap: self.tensors[tap] for tap in taps}
        return keras.Model(self.image, outputs, name=self.name, trainable=False)


def unroll(model: keras.Model, preprocessing: str) -> Unrolled:
    """Copy a model into one graph; see :class:`~stylezoo.perceptual.KerasNetwork`.

    Raises:
        ValueError: As described there.
    """
    side, channels = _input_of(model)
    graph = _any_size(model, preprocessing, side, channels)
    side = None if graph else side
    graph = graph or _Graph(model, preprocessing, side, channels)
    infos = graph.geometry(side or _MEASURED)
    head = _head(graph.output)
    return Unrolled(
        name=model.name,
        image=graph.image,
        tensors={name: graph.tensors[name] for name in infos} | head,
        taps=infos,
        side=side,
        num_classes=head[SCORES].shape[-1] if head else None,
        kernels=graph.kernels(infos),
    )


class _Graph:
    """Copies the layers of a model, with their weights, into one graph.

    Attributes:
        image: The graph's input, [B, side, side, 3].
        tensors: Output of each layer, by name.
        output: Output of the model.
    """

    def __init__(
        self, model: keras.Model, preprocessing: str, side: int | None, channels: int
    ) -> None:
        self.image = keras.Input([side, side, 3], name="image")
        seen = Luminance(name="luminance")(self.image) if channels == 1 else self.image
        start = Preprocess(preprocessing, name="preprocess")(seen)
        self.tensors: dict[str, Any] = {}
        self._layers: dict[str, Any] = {}  # the copies by the names of their tensors
        self._inputs: dict[str, list[Any]] = {}
        self._copies: dict[int, Any] = {}
        self._calls: collections.Counter[str] = collections.Counter()
        self._start = start
        self.output = self._run(model, start, "")

    def _run(self, model: keras.Model, inputs: Any, prefix: str) -> Any:
        """Return a model's output for inputs, layer by layer."""
        if isinstance(model, keras.Sequential):
            for layer in model.layers:
                inputs = self._call(layer, prefix, inputs)
            return inputs
        # An end of our own shows which of the tensors is the output.
        end, outputs = keras.layers.Identity(), []

        def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            if operation is not end:
                return self._call(operation, prefix, *args, **kwargs)
            outputs.append(args[0])
            return args[0]

        keras.models.clone_model(
            keras.Model(model.input, end(model.output)),
            input_tensors=inputs,
            clone_function=lambda operation: operation,
            call_function=call,
        )
        return outputs[0]

    def _call(self, operation: Any, prefix: str, *args: Any, **kwargs: Any) -> Any:
        """Call a copy of a layer, or the layers of a model."""
        if isinstance(operation, keras.Model) and _is_open(operation):
            return self._run(operation, args[0], f"{operation.name}_")
        is_new = id(operation) not in self._copies
        if is_new:
            self._copies[id(operation)] = self._copy(operation, prefix)
        copy = self._copies[id(operation)]
        output = copy(*args, **kwargs)
        if is_new and isinstance(
            copy, keras.layers.Layer
        ):  # it has its weights since it was called
            copy.set_weights(operation.get_weights())
        if _is_fused_softmax(operation):
            output = keras.layers.Softmax(name=f"{copy.name}_softmax")(output)
        if keras.utils.is_keras_tensor(output):
            self._calls[copy.name] += 1
            call = self._calls[copy.name]
            tap = copy.name if call == 1 else f"{copy.name}_{call}"
            self.tensors[tap], self._layers[tap] = output, copy
            self._inputs[tap] = list(filter(keras.utils.is_keras_tensor, keras.tree.flatten(args)))
        return output

    def _copy(self, operation: Any, prefix: str) -> Any:
        """Return a copy of a layer or an operation, under a name that no other has."""
        taken = {each.name for each in self._copies.values()}
        name = prefix + operation.name if operation.name in taken else operation.name
        copy = type(operation).from_config({**operation.get_config(), "name": name})
        if _is_fused_softmax(operation):
            copy.activation = keras.activations.linear
        return copy

    def geometry(self, side: int) -> dict[str, TapInfo]:
        """Return the geometry of every layer with positions, for images of a side in px."""
        everything = keras.Model(self.image, {"start": self._start, **self.tensors})
        shapes = everything.compute_output_shape((1, side, side, 3))
        seen: dict[int, Feature] = {id(self._start): Feature("start", 3)}
        sides = {id(self._start): shapes["start"][1:3]}
        infos = {}
        for name, tensor in self.tensors.items():
            sides[id(tensor)] = shapes[name][1:3]
            inputs = [each for each in self._inputs[name] if id(each) in seen]
            if len(shapes[name]) != 4 or not inputs:
                continue
            before = max(inputs, key=lambda each: seen[id(each)].info.receptive_field)
            window = _window(self._layers[name])
            if window is None and sides[id(before)] != shapes[name][1:3]:
                continue
            windows = seen[id(before)].windows + ((window,) if window else ())
            seen[id(tensor)] = Feature(name, shapes[name][-1], windows=windows)
            infos[name] = seen[id(tensor)].info
        return infos

    def kernels(self, names: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the kernels of the convolutions among layers."""
        return {
            name: np.asarray(self._layers[name].kernel)
            for name in names
            if isinstance(self._layers[name], _CONVOLUTIONS[:2])
        }


def _any_size(
    model: keras.Model, preprocessing: str, side: int | None, channels: int
) -> _Graph | None:
    """Return the graph for images of any size; None if the model can't take them."""
    try:
        graph = _Graph(model, preprocessing, None, channels)
        if side is not None:
            whole = keras.Model(graph.image, graph.output)
            whole.compute_output_shape((1, 2 * side, 2 * side, 3))
    except (ValueError, TypeError) as error:  # what layers raise of shapes that don't fit
        if side is None:
            raise ValueError(f"`model` could not be copied. {error}") from error
        return None
    return graph


def _input_of(model: keras.Model) -> tuple[int | None, int]:
    """Return the side of a model's pictures in px, None for any, and their number of channels."""
    if not _is_open(model) or not model.built:
        raise ValueError(
            "`model` must be a functional or sequential Keras model that is built. "
            f"Received: {model.name}, a {type(model).__name__}"
        )
    shape = model.input_shape
    is_picture = isinstance(shape, tuple) and len(shape) == 4 and shape[3] in (1, 3)
    if not is_picture or shape[1] != shape[2]:
        raise ValueError(
            "`model` must take square pictures, [B, H, W, 3] or [B, H, W, 1]. "
            f"Received: {model.name}, which takes {shape}"
        )
    return shape[1], shape[3]


def _head(output: Any) -> dict[str, Any]:
    """Return the scores and the logarithms of probabilities of a model that ends in [B, num_classes]."""
    if not keras.utils.is_keras_tensor(output) or len(output.shape) != 2:
        return {}
    layer = output._keras_history.operation
    scores = layer.input if _is_softmax(layer) else output
    return {SCORES: scores, LOG_PROBABILITIES: keras.ops.log_softmax(scores)}


def _is_open(model: keras.Model) -> bool:
    """Return whether a model is a graph of layers, whose outputs can be looked at."""
    return isinstance(model, keras.Sequential) or hasattr(model, "operations")


def _is_softmax(layer: Any) -> bool:
    if isinstance(layer, keras.layers.Activation):
        return layer.activation is keras.activations.softmax
    return isinstance(layer, keras.layers.Softmax)


def _is_fused_softmax(layer: Any) -> bool:
    """Return whether a layer ends in a softmax of its own."""
    activation = getattr(layer, "activation", None)
    return activation is keras.activations.softmax and not _is_softmax(layer)


def _window(layer: Any) -> Window | None:
    """Return the window of a layer, the larger of both directions; None if it has none."""
    if isinstance(layer, keras.layers.ZeroPadding2D):
        (top, bottom), (left, right) = layer.padding
        return Window(1, before=max(top, left), after=max(bottom, right))
    if isinstance(layer, _POOLINGS):
        kernel = max(layer.pool_size)
    elif isinstance(layer, _CONVOLUTIONS):
        pairs = zip(layer.kernel_size, layer.dilation_rate, strict=True)
        kernel = max((size - 1) * rate + 1 for size, rate in pairs)
    else:
        return None
    stride = max(layer.strides)
    around = max(kernel - stride, 0) if layer.padding == "same" else 0
    return Window(kernel, stride, before=around // 2, after=around - around // 2)
