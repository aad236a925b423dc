"""Networks rebuilt around other moments of normalisation, with the same weights."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras

from stylezoo.layers import (
    ConditionalInstanceNormalization,
    InstanceNormalization,
    PredictedInstanceNormalization,
)

# A layer and its input -> mean and variance, [B or 1, 1, 1, C] each; None for the input's own.
MomentsOf: TypeAlias = Callable[[keras.layers.Layer, Any], tuple[Any, Any] | None]


def normalization_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers whose moments :func:`rewire` can set, each after those it needs."""
    kinds = (
        InstanceNormalization,
        ConditionalInstanceNormalization,
        PredictedInstanceNormalization,
    )
    return [layer for layer in network.layers if isinstance(layer, kinds)]


def rewire(
    network: keras.Model,
    moments_of: MomentsOf,
    *,
    extra_inputs: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Rebuild a network with other moments of its instance normalisations, and the same weights.

    Exports need this, whose converters know the several operations of ``moments=instance_moments(x)``
    but not the one that trains fastest; and tiles, which need the moments of the whole picture.

    Args:
        network: A functional model whose inputs are a dict. It is not changed.
        moments_of: Called once for each normalisation layer, in the order of execution, with the
            layer and its input, a KerasTensor of the new network. It returns KerasTensors, or None.
            What it is given it may keep: ``keras.Model(rewired.input, kept)`` gives the values.
        extra_inputs: What ``keras.Input`` gave for moments that come from outside, each by its name.

    Returns:
        A functional model with the network's layers, thus its weights. Its inputs are a dict of the
        network's and the extra ones.
    """
    known = set(normalization_layers(network))

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer in known and (moments := moments_of(layer, args[0])) is not None:
            kwargs["moments"] = moments
        return layer(*args, **kwargs)

    return reconnect(network, call, extra_inputs=extra_inputs)


def reconnect(
    network: keras.Model,
    call: Callable[..., Any],
    *,
    inputs: Mapping[str, Any] | None = None,
    extra_inputs: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Connect the same layers anew.

    Args:
        network: As for :func:`rewire`.
        call: Called as ``call(layer, *args, **kwargs)`` in place of each layer, in the order of
            execution, with KerasTensors of the new network; it returns what goes on from there.
        inputs: What ``keras.Input`` gave to take the place of the network's inputs, by their names,
            for instance with known sizes; inputs like the network's own if not given.
        extra_inputs: As for :func:`rewire`.

    Returns:
        A functional model as :func:`rewire` returns.
    """
    given = dict(extra_inputs or {})
    inputs = inputs or {
        name: keras.Input(batch_shape=each.shape, dtype=each.dtype, name=name)
        for name, each in network.input.items()
    }
    # A clone has the inputs of its original: one that takes the extra ones too, and ignores them.
    wider = keras.Model({**network.input, **given}, network.output)
    return keras.models.clone_model(
        wider,
        input_tensors={**inputs, **given},
        clone_function=lambda layer: layer,
        call_function=call,
    )
