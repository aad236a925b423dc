from .inversion import InversionConfig, check_inversion, invert
from .loop import Callback, Progress, SynthesisResult, optimize_image
from .optimizers import LBFGS, Adam, Minimizer, OptimizerConfig
from .parameters import FourierImage, ImageParameter, Pixels
from .pyramid import Level, PyramidResult, Schedule, coarse_to_fine
from .style_losses import STYLE_LOSSES, PatchConfig, default_layers
from .style_transfer import INITS, PRESERVE_COLOR, PRESETS, TransferConfig, transfer
from .texture import TEXTURE_PRESETS, TextureConfig, synthesize_texture

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
