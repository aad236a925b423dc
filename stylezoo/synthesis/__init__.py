"""Loops over pixels: texture synthesis, feature inversion, style transfer."""

from stylezoo.synthesis.inversion import InversionConfig, check_inversion, invert
from stylezoo.synthesis.loop import Callback, Progress, SynthesisResult, optimize_image
from stylezoo.synthesis.optimizers import LBFGS, Adam, Minimizer, OptimizerConfig
from stylezoo.synthesis.parameters import FourierImage, ImageParameter, Pixels
from stylezoo.synthesis.pyramid import Level, PyramidResult, Schedule, coarse_to_fine
from stylezoo.synthesis.style_losses import STYLE_LOSSES, PatchConfig, default_layers
from stylezoo.synthesis.texture import TEXTURE_PRESETS, TextureConfig, synthesize_texture
from stylezoo.synthesis.transfer import INITS, PRESERVE_COLOR, PRESETS, TransferConfig, transfer

__all__ = [
    "INITS",
    "LBFGS",
    "PRESERVE_COLOR",
    "PRESETS",
    "STYLE_LOSSES",
    "TEXTURE_PRESETS",
    "Adam",
    "Callback",
    "FourierImage",
    "ImageParameter",
    "InversionConfig",
    "Level",
    "Minimizer",
    "OptimizerConfig",
    "PatchConfig",
    "Pixels",
    "Progress",
    "PyramidResult",
    "Schedule",
    "SynthesisResult",
    "TextureConfig",
    "TransferConfig",
    "check_inversion",
    "coarse_to_fine",
    "default_layers",
    "invert",
    "optimize_image",
    "synthesize_texture",
    "transfer",
]
