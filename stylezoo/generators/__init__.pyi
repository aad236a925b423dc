from .architectures import ARCHITECTURES, generator_config
from .blending import Style, StyleMix, style_shares
from .configs import (
    ENLARGEMENTS,
    IDENTITY,
    PHOTOGRAPHS,
    TEXTURES,
    ArbitraryConfig,
    GeneratorConfig,
    JohnsonConfig,
    LightConfig,
    SuperResolutionConfig,
    TextureNetworkConfig,
)
from .decoder import Decoder
from .decoder_config import DecoderConfig
from .families import (
    FAMILIES,
    Arbitrary,
    Johnson,
    Light,
    Painter,
    SuperResolution,
    TextureNetwork,
    build,
)
from .growing import grow
from .importing import LAYOUTS, import_painter
from .preset_model import PresetModel
from .presets import initial, is_painter, load, load_decoder, read_card
from .styles import append_styles, blank_styles, style_variables
from .super_resolution import degrade

__all__ = [
    "ARCHITECTURES",
    "ENLARGEMENTS",
    "FAMILIES",
    "IDENTITY",
    "LAYOUTS",
    "PHOTOGRAPHS",
    "TEXTURES",
    "Arbitrary",
    "ArbitraryConfig",
    "Decoder",
    "DecoderConfig",
    "GeneratorConfig",
    "Johnson",
    "JohnsonConfig",
    "Light",
    "LightConfig",
    "Painter",
    "PresetModel",
    "Style",
    "StyleMix",
    "SuperResolution",
    "SuperResolutionConfig",
    "TextureNetwork",
    "TextureNetworkConfig",
    "append_styles",
    "blank_styles",
    "build",
    "degrade",
    "generator_config",
    "grow",
    "import_painter",
    "initial",
    "is_painter",
    "load",
    "load_decoder",
    "read_card",
    "style_shares",
    "style_variables",
]
