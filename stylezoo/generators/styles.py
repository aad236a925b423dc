"""Styles added to a trained conditional network (Dumoulin et al. 2017, section 3.2)."""

from collections.abc import Sequence

import keras

from stylezoo.generators.models import Generator
from stylezoo.layers import ConditionalInstanceNormalization


def style_variables(network: keras.Model) -> list[keras.Variable]:
    """The scales and shifts that tell styles apart, each [num_styles, C]."""
    return [
        variable
        for layer in network.layers
        if isinstance(layer, ConditionalInstanceNormalization)
        for variable in layer.weights
    ]


def blank_styles(generator: Generator, names: Sequence[str]) -> Generator:
    """The same network for other styles, each starting as the mean of those it knows.

    Raises:
        ValueError: if the network has no conditional normalisation, or knows one of the names.
    """
    if not generator.config.num_styles:
        raise ValueError(
            "`finetune_style` must be a conditional model. "
            f"Received: one of the type {type(generator.config).__name__}"
        )
    known = sorted(set(names) & set(generator.styles))
    if known:
        raise ValueError(f"`styles` must be new to the model. Received: {', '.join(known)}")
    config = generator.config.with_styles(len(names))
    network = config.build()
    for source, target in _pairs(generator.network, network):
        if source.shape == target.shape and not _tells_styles(network, target):
            target.assign(source)
        else:
            mean = keras.ops.mean(source, axis=0, keepdims=True)
            target.assign(keras.ops.broadcast_to(mean, target.shape))
    return Generator(config, network, tuple(names))


def append_styles(generator: Generator, added: Generator) -> Generator:
    """One network with the styles of both; all else is ``generator``'s."""
    styles = (*generator.styles, *added.styles)
    config = generator.config.with_styles(len(styles))
    network = config.build()
    for source, target in _pairs(generator.network, network):
        if not _tells_styles(network, target):
            target.assign(source)
    own, new, joined = map(style_variables, (generator.network, added.network, network))
    for first, second, both in zip(own, new, joined, strict=True):
        both.assign(keras.ops.concatenate([first, second], axis=0))
    return Generator(config, network, styles, generator.training)


def _tells_styles(network: keras.Model, variable: keras.Variable) -> bool:
    return any(variable is each for each in style_variables(network))


def _pairs(source: keras.Model, target: keras.Model) -> zip:
    return zip(source.variables, target.variables, strict=True)
