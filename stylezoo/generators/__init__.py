"""Feed-forward networks that paint in one pass."""

from stylezoo.generators.blending import blend, blend_weights
from stylezoo.generators.johnson import JohnsonConfig
from stylezoo.generators.light import LightConfig
from stylezoo.generators.models import Generator, initial, load, save
from stylezoo.generators.presets import PRESETS, TYPES, GeneratorConfig, generator_config
from stylezoo.generators.styles import append_styles, blank_styles, style_variables
from stylezoo.generators.super_resolution import SuperResolutionConfig
from stylezoo.generators.texture_network import TextureNetworkConfig, texture_noise
from stylezoo.generators.textures import paint_texture

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
