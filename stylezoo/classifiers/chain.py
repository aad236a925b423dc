"""Convolutional networks that are one chain of layers: VGG and AlexNet.

The layers are plain data, from which both the Keras graph and the geometry of every tap follow.
"""

import dataclasses
from collections.abc import Sequence

import keras

POOLINGS = {"max": keras.layers.MaxPooling2D, "avg": keras.layers.AveragePooling2D}


@dataclasses.dataclass(frozen=True)
class Conv:
    """A convolution and its ReLU, named ``conv{name}`` and ``relu{name}``; zeros outside."""

    name: str
    filters: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1

    def taps(self) -> tuple[str, str]:
        """The names under which its outputs can be tapped, before and after the ReLU."""
        return f"conv{self.name}", f"relu{self.name}"

    def build(self, x: keras.KerasTensor, pooling: str) -> dict[str, keras.KerasTensor]:
        """Append the layer to ``x``; its taps in order."""
        del pooling
        conv, relu = self.taps()
        # An even "same" is this padding when the stride is 1, and cheaper than a layer of its own.
        same = self.stride == 1 and self.padding == self.kernel // 2
        if not same and self.padding:
            x = keras.layers.ZeroPadding2D(self.padding, name=f"pad{self.name}")(x)
        before = keras.layers.Conv2D(
            self.filters,
            self.kernel,
            strides=self.stride,
            padding="same" if same else "valid",
            name=conv,
        )(x)
        return {conv: before, relu: keras.layers.ReLU(name=relu)(before)}


@dataclasses.dataclass(frozen=True)
class Pool:
    """A pooling layer, named ``pool{name}``; no padding, an incomplete last window is dropped."""

    name: str
    filters: int  # channels that pass through it
    kernel: int = 2
    stride: int = 2
    padding: int = 0

    def taps(self) -> tuple[str]:
        """The name under which its output can be tapped."""
        return (f"pool{self.name}",)

    def build(self, x: keras.KerasTensor, pooling: str) -> dict[str, keras.KerasTensor]:
        """Append the layer to ``x``; its tap."""
        (name,) = self.taps()
        return {name: POOLINGS[pooling](self.kernel, strides=self.stride, name=name)(x)}


@dataclasses.dataclass(frozen=True)
class TapInfo:
    """Geometry of a tap.

    Attributes:
        channels: how many features it has.
        stride: image pixels from one feature to the next.
        receptive_field: image pixels, in each direction, that one feature sees.
        offset: image pixels by which the first feature's receptive field begins outside the image.
        minimum_size: the smallest height or width of an image that gives at least one feature.
    """

    channels: int
    stride: int
    receptive_field: int
    offset: int
    minimum_size: int


def tap_infos(chain: Sequence[Conv | Pool]) -> dict[str, TapInfo]:
    """Every tap of a chain, in its order."""
    infos = {}
    stride, receptive_field, offset = 1, 1, 0
    for depth, layer in enumerate(chain, start=1):
        receptive_field += (layer.kernel - 1) * stride
        offset += layer.padding * stride
        stride *= layer.stride
        size = 1
        for earlier in reversed(chain[:depth]):
            size = max((size - 1) * earlier.stride + earlier.kernel - 2 * earlier.padding, 1)
        info = TapInfo(layer.filters, stride, receptive_field, offset, size)
        infos.update(dict.fromkeys(layer.taps(), info))
    return infos


def build_taps(
    chain: Sequence[Conv | Pool], x: keras.KerasTensor, *, pooling: str, deepest: str
) -> dict[str, keras.KerasTensor]:
    """Append a chain to ``x`` as far as the layer of the tap ``deepest``; all taps up to there."""
    taps: dict[str, keras.KerasTensor] = {}
    for layer in chain:
        taps.update(layer.build(x, pooling))
        x = taps[layer.taps()[-1]]
        if deepest in layer.taps():
            break
    return taps
