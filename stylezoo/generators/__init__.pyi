from .blending import blend, blend_weights
from .johnson import JohnsonConfig
from .light import LightConfig
from .models import Generator, initial, load, save
from .presets import PRESETS, TYPES, GeneratorConfig, generator_config
from .styles import append_styles, blank_styles, style_variables
from .super_resolution import SuperResolutionConfig
from .texture_network import TextureNetworkConfig, texture_noise
from .textures import paint_texture

__all__ = [
    "PRESETS",
    "TYPES",
    "Generator",
    "GeneratorConfig",
    "JohnsonConfig",
    "LightConfig",
    "SuperResolutionConfig",
    "TextureNetworkConfig",
    "append_styles",
    "blank_styles",
    "blend",
    "blend_weights",
    "generator_config",
    "initial",
    "load",
    "paint_texture",
    "save",
    "style_variables",
    "texture_noise",
]
