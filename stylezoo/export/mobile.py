"""Networks for one size, of batch 1, as GPUs of phones and browsers take them."""

from collections.abc import Mapping

import keras

from stylezoo import generators
from stylezoo.layers import PadToMultiple, instance_moments


def static_network(
    network: keras.Model, shapes: Mapping[str, tuple[int, ...]], *, output: str
) -> keras.Model:
    """A generator's network with fixed shapes, its normalisations made of simple operations.

    Args:
        network: a functional model whose inputs are a dict.
        shapes: of the inputs, batch included.
        output: the name that the output gets.
    """
    rewired = generators.rewire(network, lambda _, x: instance_moments(x))
    inputs = {
        name: keras.Input(batch_shape=shape, name=name) for name, shape in sorted(shapes.items())
    }
    return keras.Model(inputs, {output: rewired(inputs)})


def check_size(network: keras.Model, height: int, width: int) -> None:
    """Raise a ValueError for a size that a generator would pad, in ways that no GPU knows."""
    pad = next(layer for layer in network.layers if isinstance(layer, PadToMultiple))
    if pad.compute_output_shape((1, height, width, 3))[1:3] != (height, width):
        raise ValueError(
            f"`image_size` must be multiples of {pad.multiple} px of at least "
            f"{max(pad.minimum, pad.multiple)} for this model. Received: {height}x{width}"
        )
