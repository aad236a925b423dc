"""Networks for one size, of batch 1, of operations that are fast on phones, in browsers and in 8 bits."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from stylezoo import painting
from stylezoo.export.servables.servable import Arrays
from stylezoo.layers import MirrorPadding, PadToMultiple, instance_moments

# No deviation counts as smaller, so that a channel that is always flat does not become the largest.
_SMALLEST = 1e-3


def static_network(
    network: keras.Model,
    shapes: Mapping[str, tuple[int, ...]],
    *,
    output: str,
    calibration: Sequence[Arrays] = (),
) -> keras.Model:
    """Rebuild a painter with fixed shapes, its layers made of simple operations.

    Args:
        network: A functional model whose inputs are a dict.
        shapes: Shapes of the inputs, batch included.
        output: The name that the output gets.
        calibration: Typical inputs, for 8 bits. What is normalised is then divided by its
            usual deviation before, channel by channel, which changes nothing but its ranges: all
            channels share one in 8 bits, and a small one would be lost in it.
    """
    deviations = _deviations(network, calibration) if calibration else {}
    normalized = set(painting.normalization_layers(network))

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(layer, MirrorPadding) and layer.mode == "reflect":
            return _mirrored(args[0], layer.padding)
        if layer not in normalized:
            return layer(*args, **kwargs)
        x, *others = args
        if layer.name in deviations:
            # A factor that the converter merges into the convolution before.
            x = x * (1 / deviations[layer.name])
            x, moments = _centred(x)
            return layer(x, *others, **kwargs, moments=moments)
        return layer(x, *others, **kwargs, moments=instance_moments(x))

    inputs = {
        name: keras.Input(batch_shape=shape, name=name) for name, shape in sorted(shapes.items())
    }
    connected = painting.reconnect(network, call, inputs=inputs)
    return keras.Model(inputs, {output: connected.output})


def check_size(network: keras.Model, height: int, width: int) -> None:
    """Raise a ValueError if a painter would pad pictures of a size, for which GPUs lack the operations."""
    pad = next(layer for layer in network.layers if isinstance(layer, PadToMultiple))
    if pad.compute_output_shape((1, height, width, 3))[1:3] != (height, width):
        raise ValueError(
            f"`image_size` must be multiples of {pad.multiple} px of at least "
            f"{max(pad.minimum, pad.multiple)} for this model. Received: {height}x{width}"
        )


def _deviations(network: keras.Model, calibration: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Return the usual deviation of each channel that is normalised, [C], by the layer's name."""
    variances = {}

    def moments(layer: Any, x: Any) -> tuple[Any, Any]:
        mean, variances[layer.name] = instance_moments(x)
        return mean, variances[layer.name]

    rewired = painting.rewire(network, moments)
    if not variances:
        return {}
    model = keras.Model(rewired.input, variances)
    found = [
        model({name: keras.ops.convert_to_tensor(v) for name, v in each.items()})
        for each in calibration
    ]
    return {
        name: np.maximum(
            np.sqrt(np.mean([each[name] for each in found], axis=0))[0, 0, 0], _SMALLEST
        )
        for name in variances
    }


def _centred(x: Any) -> tuple[Any, tuple[Any, Any]]:
    """Return a map minus its mean, and the moments of the result, by operations that XNNPACK has in 8 bits.

    The layer's own order, times a factor and then less the mean times that, adds large numbers that
    cancel out.
    """
    x = x - keras.ops.mean(x, axis=(1, 2), keepdims=True)
    variance = keras.ops.mean(x * x, axis=(1, 2), keepdims=True)
    return x, (np.zeros([1, 1, 1, x.shape[-1]], np.float32), variance)


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
