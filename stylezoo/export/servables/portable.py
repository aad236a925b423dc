"""Networks of operations that other runtimes have, and that are fast on phones and in browsers."""

from collections.abc import Mapping
from typing import Any

import keras

from stylezoo import painting
from stylezoo.layers import MirrorPadding, PadToMultiple, instance_moments


def portable_network(
    network: keras.Model, shapes: Mapping[str, tuple[int | None, ...]], *, output: str
) -> keras.Model:
    """Rebuild a painter for inputs of some shapes, its layers made of simple operations.

    Args:
        network: A functional model whose inputs are a dict.
        shapes: Shapes of the inputs, batch included; None for what may be of any size.
        output: The name that the output gets.
    """
    normalized = set(painting.normalization_layers(network))

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        is_mirror = isinstance(layer, MirrorPadding) and layer.mode == "reflect"
        if is_mirror and None not in args[0].shape:
            return _mirrored(args[0], layer.padding)
        if layer in normalized:
            return layer(*args, **kwargs, moments=instance_moments(args[0]))
        return layer(*args, **kwargs)

    inputs = {
        name: keras.Input(batch_shape=shape, name=name) for name, shape in sorted(shapes.items())
    }
    connected = painting.reconnect(network, call, inputs=inputs)
    return keras.Model(inputs, {output: connected.output})


def shapes_of(network: keras.Model) -> dict[str, tuple[int | None, ...]]:
    """Return the shapes of a network's inputs, by name."""
    return {name: tuple(each.shape) for name, each in network.input.items()}


def check_size(network: keras.Model, height: int, width: int) -> None:
    """Raise a ValueError if a painter would pad pictures of a size, for which GPUs lack the operations."""
    pad = next(layer for layer in network.layers if isinstance(layer, PadToMultiple))
    if pad.compute_output_shape((1, height, width, 3))[1:3] != (height, width):
        raise ValueError(
            f"`image_size` must be multiples of {pad.multiple} px of at least "
            f"{max(pad.minimum, pad.multiple)} for this model. Received: {height}x{width}"
        )


def _mirrored(x: Any, padding: int) -> Any:
    """Reflect a map at its border by slices and their concatenation.

    TFLite's MIRROR_PAD computes where each number comes from by itself: a third of the time of a whole
    network in float32, and two thirds in 8 bits.
    """
    for axis in (1, 2):
        side = x.shape[axis]
        before = [_row(x, index, axis) for index in range(padding, 0, -1)]
        after = [_row(x, side - 2 - index, axis) for index in range(padding)]
        x = keras.ops.concatenate([*before, x, *after], axis=axis)
    return x


def _row(x: Any, index: int, axis: int) -> Any:
    """Return a single row or column."""
    return x[:, index : index + 1] if axis == 1 else x[:, :, index : index + 1]
