"""The classes of painters, by name and by architecture.

Whoever takes one of them from ``stylezoo.generators`` imports this module, and so Keras knows them all.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from stylezoo.generators.arbitrary import Arbitrary
from stylezoo.generators.configs import GeneratorConfig
from stylezoo.generators.johnson import Johnson
from stylezoo.generators.light import Light
from stylezoo.generators.painter import Painter
from stylezoo.generators.preset_model import PresetModel
from stylezoo.generators.super_resolution import SuperResolution
from stylezoo.generators.texture_network import TextureNetwork

__all__ = [
    "FAMILIES",
    "Arbitrary",
    "Johnson",
    "Light",
    "Painter",
    "SuperResolution",
    "TextureNetwork",
    "build",
    "check_finite",
    "count_weights",
]

FAMILIES: dict[str, type[Painter]] = {
    family.__name__: family
    for family in (Johnson, Arbitrary, Light, SuperResolution, TextureNetwork)
}
"""The classes of painters by name."""


def build(config: GeneratorConfig, *, styles: Sequence[str] = ()) -> Painter:
    """Build the painter of an architecture, with random weights.

    Args:
        config: The architecture, which decides the class.
        styles: See :class:`Painter`.

    Raises:
        ValueError: As :class:`Painter`.
    """
    family = next(each for each in FAMILIES.values() if each.config_type is type(config))
    return family(config, styles=styles)


def count_weights(family: type[PresetModel], config: Mapping[str, Any]) -> int:
    """Return how many numbers the weights of a network are, without any memory for them.

    Args:
        family: The network's class.
        config: What :meth:`PresetModel.from_config` takes.

    Raises:
        TypeError, ValueError: As :meth:`PresetModel.from_config`.
    """
    with keras.StatelessScope(initialize_variables=False):
        variables = family.from_config(config).variables
    return sum(math.prod(variable.shape) for variable in variables)


def check_finite(model: PresetModel) -> None:
    """Raise a ValueError if a weight of a network is NaN or infinite; the message names the layer's."""
    for variable in model.variables:
        if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
            raise ValueError(f"its weights {variable.path} are NaN or infinite")
