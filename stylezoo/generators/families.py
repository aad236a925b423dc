"""The classes of painters, by name and by architecture.

Whoever takes one of them from ``stylezoo.generators`` imports this module, and so Keras knows them all.
"""

from collections.abc import Sequence

from stylezoo.generators.arbitrary import Arbitrary
from stylezoo.generators.configs import GeneratorConfig
from stylezoo.generators.johnson import Johnson
from stylezoo.generators.light import Light
from stylezoo.generators.painter import Painter
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
]

# The classes of painters by name.
FAMILIES: dict[str, type[Painter]] = {
    family.__name__: family
    for family in (Johnson, Arbitrary, Light, SuperResolution, TextureNetwork)
}


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
