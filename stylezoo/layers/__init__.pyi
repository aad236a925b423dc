from .bilinear_convolution import BilinearConv2D
from .clipping import Limit, UnitClip
from .grouped_convolution import GroupedConv2D
from .local_response import LocalResponseNormalization
from .normalization import (
    ConditionalInstanceNormalization,
    InstanceNormalization,
    PredictedInstanceNormalization,
    instance_moments,
)
from .preprocessing import PREPROCESSINGS, Luminance, Preprocess
from .resampling import (
    BilinearUpsampling,
    CropTo,
    CutMargin,
    Margin,
    MirrorPadding,
    NearestUpsampling,
    PadToMultiple,
)
from .standardization import Standardize

__all__ = [
    "PREPROCESSINGS",
    "BilinearConv2D",
    "BilinearUpsampling",
    "ConditionalInstanceNormalization",
    "CropTo",
    "CutMargin",
    "GroupedConv2D",
    "InstanceNormalization",
    "Limit",
    "LocalResponseNormalization",
    "Luminance",
    "Margin",
    "MirrorPadding",
    "NearestUpsampling",
    "PadToMultiple",
    "PredictedInstanceNormalization",
    "Preprocess",
    "Standardize",
    "UnitClip",
    "instance_moments",
]
