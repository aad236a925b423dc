from .clip_config import CLIP_PRESETS, ClipTransferConfig
from .clip_passes import transfer_in_passes
from .clip_transfer import FrameOptimizer, FrameTransfer
from .configurations import (
    INITS,
    PRESERVE_COLOR,
    PRESETS,
    TEXTURE_PRESETS,
    InversionConfig,
    OptimizationConfig,
    Schedule,
    TextureConfig,
    TransferConfig,
)
from .inversion import check_inversion, invert
from .loop import SynthesisResult, optimize_image
from .minimizers import Minimizer
from .optimizers import LBFGS, Adam, OptimizerConfig
from .parameters import (
    FourierImage,
    ImageParameter,
    LaplacianPyramid,
    MagnitudeConstrainedImage,
    Pixels,
)
from .pyramid import Level, PyramidResult, coarse_to_fine
from .regions import find_regions
from .style_transfer import transfer
from .texture import synthesize_texture

__all__ = [
    "CLIP_PRESETS",
    "INITS",
    "LBFGS",
    "PRESERVE_COLOR",
    "PRESETS",
    "TEXTURE_PRESETS",
    "Adam",
    "ClipTransferConfig",
    "FourierImage",
    "FrameOptimizer",
    "FrameTransfer",
    "ImageParameter",
    "InversionConfig",
    "LaplacianPyramid",
    "Level",
    "MagnitudeConstrainedImage",
    "Minimizer",
    "OptimizationConfig",
    "OptimizerConfig",
    "Pixels",
    "PyramidResult",
    "Schedule",
    "SynthesisResult",
    "TextureConfig",
    "TransferConfig",
    "check_inversion",
    "coarse_to_fine",
    "find_regions",
    "invert",
    "optimize_image",
    "synthesize_texture",
    "transfer",
    "transfer_in_passes",
]
