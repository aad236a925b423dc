from .architectures import ARCHITECTURES, generator_config
from .blending import Style, style_shares
from .configs import (
    ENLARGEMENTS,
    PHOTOGRAPHS,
    TEXTURES,
    GeneratorConfig,
    JohnsonConfig,
    LightConfig,
    SuperResolutionConfig,
    TextureNetworkConfig,
)
from .families import (
    FAMILIES,
    Johnson,
    Light,
    Painter,
    SuperResolution,
    TextureNetwork,
    build,
)
from .painter import IDENTITY
from .presets import initial, is_painter, load, read_card
from .styles import append_styles, blank_styles, style_variables

__all__ = [
    "ARCHITECTURES",
    "ENLARGEMENTS",
    "FAMILIES",
    "IDENTITY",
    "PHOTOGRAPHS",
    "TEXTURES",
    "GeneratorConfig",
    "Johnson",
    "JohnsonConfig",
    "Light",
    "LightConfig",
    "Painter",
    "Style",
    "SuperResolution",
    "SuperResolutionConfig",
    "TextureNetwork",
    "TextureNetworkConfig",
    "append_styles",
    "blank_styles",
    "build",
    "generator_config",
    "initial",
    "is_painter",
    "load",
    "read_card",
    "style_shares",
    "style_variables",
]
