"""Build classifiers layer by layer, and keep account of what each layer sees.

The same lines of an architecture give its Keras graph, its geometry and its parameters' shapes.
"""

import dataclasses
import functools
import importlib
from collections.abc import Callable, Collection
from typing import Any

from stylezoo import layers


class _Keras:
    """Keras, imported when the first layer is built: the account of an architecture needs none.

    It is no lazily loaded module. Such a one stands in ``sys.modules`` before it is loaded, and when
    TensorFlow imports Keras itself, finds half of TensorFlow and stays broken.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("keras"), name)


keras = _Keras()

POOLINGS = {"max": "MaxPooling2D", "avg": "AveragePooling2D"}
"""The kinds of pooling, and Keras's layers for them."""

# PyTorch's 0.1 of the new value; Keras's own default of 0.99 takes thousands of steps to settle.
_MOMENTUM = 0.9

Shapes = dict[str, tuple[int, ...]]


@dataclasses.dataclass(frozen=True)
class TapInfo:
    """Geometry of a tap.

    Attributes:
        channels: Number of channels.
        stride: Image pixels from one feature to the next.
        receptive_field: Image pixels, in each direction, that one feature sees.
        offset: Image pixels by which the first feature's receptive field begins outside the image.
        minimum_size: Smallest height or width of an image that gives at least one feature, in px.
    """

    channels: int
    stride: int
    receptive_field: int
    offset: int
    minimum_size: int

    def size(self, side: int) -> int:
        """Return the number of features along a side of the image, given in px."""
        return max((side - self.minimum_size) // self.stride + 1, 0)

    def side(self, size: int) -> int:
        """Return the smallest side of an image, in px, with ``size`` features along it."""
        return self.minimum_size + (size - 1) * self.stride

    def seen(self, side: int) -> int:
        """Return how many pixels of a side of the image features see, from its start on.

        It is less than the side where a window without padding does not fit in once more.
        """
        last = (self.size(side) - 1) * self.stride
        return min(last + self.receptive_field - self.offset, side)


@dataclasses.dataclass(frozen=True)
class Window:
    """A layer's window: a square of ``kernel`` every ``stride``, zeros ``before`` and ``after``."""

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0


@dataclasses.dataclass(frozen=True)
class Feature:
    """The output of the last layer that was appended.

    Attributes:
        name: Name of the layer.
        channels: Number of channels.
        tensor: Keras tensor, [B, h, w, C]; None where only the account is kept.
        windows: Windows of all layers since the image; where branches met, of the one that sees most.
    """

    name: str
    channels: int
    tensor: Any = None
    windows: tuple[Window, ...] = ()

    @functools.cached_property
    def info(self) -> TapInfo:
        """The geometry of the features."""
        stride, receptive_field, offset = 1, 1, 0
        for window in self.windows:
            receptive_field += (window.kernel - 1) * stride
            offset += window.before * stride
            stride *= window.stride
        size = 1
        for window in reversed(self.windows):
            size = (size - 1) * window.stride + window.kernel - window.before - window.after
            size = max(size, 1)
        return TapInfo(self.channels, stride, receptive_field, offset, size)


class Builder:
    """Appends layers to a network and keeps account of its taps and parameters.

    Args:
        pooling: Pooling in place of maximum pooling: ``"max"`` or ``"avg"``.
        until: Taps after which no more Keras layers are built; None to build all layers.

    Attributes:
        taps: The features that can be tapped, by name, in order.
        shapes: The shape of every parameter by ``layer/variable``, in order, whatever ``until`` is.
    """

    def __init__(self, *, pooling: str = "max", until: Collection[str] | None = None) -> None:
        self.taps: dict[str, Feature] = {}
        self.shapes: Shapes = {}
        self._pooling = pooling
        self._missing = None if until is None else set(until)

    def tap(self, x: Feature, name: str | None = None) -> Feature:
        """Make features a tap, by their layer's name if none is given, and return them."""
        name = name or x.name
        self.taps[name] = x
        if self._missing is not None:
            self._missing.discard(name)
        return x

    def conv(
        self,
        x: Feature,
        name: str,
        filters: int,
        kernel: int = 3,
        *,
        strides: int = 1,
        padding: int | tuple[int, int] | None = None,
        groups: int = 1,
        bias: bool = True,
    ) -> Feature:
        """Append a convolution.

        Args:
            x: Features.
            name: Name of the layer.
            filters: Number of filters.
            kernel: Side of the kernel.
            strides: Strides of the kernel.
            padding: Zeros on each side; or a pair, those above and on the left, and those below and
                on the right; None for as many as keep the size.
            groups: Number of groups of channels that are convolved apart.
            bias: Whether the layer has a bias.
        """
        before, after = _sides(kernel, padding)
        self._add(name, kernel=(kernel, kernel, x.channels // groups, filters))
        if bias:
            self._add(name, bias=(filters,))

        def build(tensor: Any) -> Any:
            tensor, same = _padded(tensor, kernel, strides, (before, after), name)
            arguments = (filters, kernel, strides, same)
            if groups == 1:
                return keras.layers.Conv2D(*arguments, use_bias=bias, name=name)(tensor)
            grouped = layers.GroupedConv2D(*arguments, groups=groups, use_bias=bias, name=name)
            return grouped(tensor)

        return self._grow(x, name, build, Window(kernel, strides, before, after), filters)

    def depthwise(
        self,
        x: Feature,
        name: str,
        kernel: int,
        *,
        strides: int = 1,
        padding: int | tuple[int, int] | None = None,
    ) -> Feature:
        """Append a convolution of each channel by itself, without bias; see :meth:`conv`."""
        before, after = _sides(kernel, padding)
        self._add(name, kernel=(kernel, kernel, x.channels, 1))

        def build(tensor: Any) -> Any:
            tensor, same = _padded(tensor, kernel, strides, (before, after), name)
            make = keras.layers.DepthwiseConv2D
            return make(kernel, strides, same, use_bias=False, name=name)(tensor)

        return self._grow(x, name, build, Window(kernel, strides, before, after))

    def batch_norm(self, x: Feature, name: str, *, epsilon: float = 1e-5) -> Feature:
        """Append a batch normalisation."""
        size = (x.channels,)
        self._add(name, gamma=size, beta=size, moving_mean=size, moving_variance=size)

        def build(tensor: Any) -> Any:
            return keras.layers.BatchNormalization(-1, _MOMENTUM, epsilon, name=name)(tensor)

        return self._grow(x, name, build)

    def activate(self, x: Feature, name: str, activation: str = "relu") -> Feature:
        """Append an activation function, by Keras's name."""
        if activation == "relu":
            return self._grow(x, name, lambda t: keras.layers.ReLU(name=name)(t))
        if activation == "relu6":
            return self._grow(x, name, lambda t: keras.layers.ReLU(6.0, name=name)(t))
        return self._grow(x, name, lambda t: keras.layers.Activation(activation, name=name)(t))

    def pool(
        self,
        x: Feature,
        name: str,
        kernel: int = 2,
        *,
        strides: int = 2,
        padding: int = 0,
        ceil: bool = False,
        average: bool = False,
    ) -> Feature:
        """Append a pooling of features that are not negative.

        The padding is zeros, which are no maximum of features that are not negative.

        Args:
            x: Features.
            name: Name of the layer.
            kernel: Side of the window.
            strides: Strides of the window.
            padding: Zeros on each side.
            ceil: Whether an incomplete last window counts; otherwise it is dropped.
            average: Whether to take the average, whatever the builder's ``pooling``.
        """
        after = padding + (strides - 1 if ceil else 0)

        def build(tensor: Any) -> Any:
            if after:
                pads = ((padding, after), (padding, after))
                tensor = keras.layers.ZeroPadding2D(pads, name=f"{name}_pad")(tensor)
            layer = getattr(keras.layers, POOLINGS["avg" if average else self._pooling])
            return layer(kernel, strides, name=name)(tensor)

        return self._grow(x, name, build, Window(kernel, strides, padding, after))

    def local_response_norm(
        self, x: Feature, name: str, *, bias: float = 2.0, alpha: float = 1e-4
    ) -> Feature:
        """Append a :class:`~stylezoo.layers.LocalResponseNormalization`."""

        def build(tensor: Any) -> Any:
            return layers.LocalResponseNormalization(bias=bias, alpha=alpha, name=name)(tensor)

        return self._grow(x, name, build)

    def concat(self, name: str, *features: Feature) -> Feature:
        """Append the concatenation of the channels of several features."""
        channels = sum(feature.channels for feature in features)
        return self._join("Concatenate", name, features, channels)

    def add(self, name: str, *features: Feature) -> Feature:
        """Append the sum of several features."""
        return self._join("Add", name, features, features[0].channels)

    def flatten(self, x: Feature, size: tuple[int, int], name: str = "flatten") -> Feature:
        """Append the flattening of the features of an image of ``size`` (height, width) in px."""
        rows, columns = map(x.info.size, size)
        length = rows * columns * x.channels
        return self._grow(
            x, name, lambda tensor: keras.layers.Flatten(name=name)(tensor), channels=length
        )

    def global_average(self, x: Feature, name: str = "avg_pool") -> Feature:
        """Append the mean over all positions."""
        return self._grow(x, name, lambda t: keras.layers.GlobalAveragePooling2D(name=name)(t))

    def dense(self, x: Feature, name: str, units: int) -> Feature:
        """Append a fully connected layer."""
        self._add(name, kernel=(x.channels, units), bias=(units,))

        def build(tensor: Any) -> Any:
            return keras.layers.Dense(units, name=name)(tensor)

        return self._grow(x, name, build, channels=units)

    def dropout(self, x: Feature, name: str, rate: float) -> Feature:
        """Append a dropout."""
        return self._grow(x, name, lambda tensor: keras.layers.Dropout(rate, name=name)(tensor))

    def _add(self, layer: str, **shapes: tuple[int, ...]) -> None:
        self.shapes.update({f"{layer}/{name}": shape for name, shape in shapes.items()})

    def _grow(
        self,
        x: Feature,
        name: str,
        build: Callable[[Any], Any],
        window: Window | None = None,
        channels: int | None = None,
    ) -> Feature:
        wanted = x.tensor is not None and self._missing != set()
        return Feature(
            name=name,
            channels=x.channels if channels is None else channels,
            tensor=build(x.tensor) if wanted else None,
            windows=x.windows if window is None else (*x.windows, window),
        )

    def _join(self, layer: str, name: str, features: tuple[Feature, ...], channels: int) -> Feature:
        widest = max(features, key=lambda feature: feature.info.receptive_field)
        tensors = [feature.tensor for feature in features]
        wanted = None not in tensors and self._missing != set()
        tensor = getattr(keras.layers, layer)(name=name)(tensors) if wanted else None
        return Feature(name, channels, tensor, widest.windows)


def _sides(kernel: int, padding: int | tuple[int, int] | None) -> tuple[int, int]:
    """Return the zeros before and after."""
    if isinstance(padding, tuple):
        return padding
    padding = kernel // 2 if padding is None else padding
    return padding, padding


def _padded(
    tensor: Any, kernel: int, strides: int, sides: tuple[int, int], name: str
) -> tuple[Any, str]:
    """Return a layer's input with zeros around it, and Keras's name of the padding that is left."""
    # An even "same" is this padding when the stride is 1, and cheaper than a layer of its own.
    if strides == 1 and sides == (kernel // 2, kernel // 2) and kernel > 1:
        return tensor, "same"
    if any(sides):
        tensor = keras.layers.ZeroPadding2D((sides, sides), name=f"{name}_pad")(tensor)
    return tensor, "valid"
