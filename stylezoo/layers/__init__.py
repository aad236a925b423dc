"""Keras layers of this project, registered so that saved models load without `custom_objects`."""

from stylezoo.layers.clipping import Limit, UnitClip
from stylezoo.layers.grouped_convolution import GroupedConv2D
from stylezoo.layers.local_response import LocalResponseNormalization
from stylezoo.layers.normalization import (
    ConditionalInstanceNormalization,
    InstanceNormalization,
    instance_moments,
)
from stylezoo.layers.preprocessing import PREPROCESSINGS, Luminance, Preprocess
from stylezoo.layers.resampling import CropTo, MirrorPadding, NearestUpsampling, PadToMultiple

__all__ = [
    "PREPROCESSINGS",
    "ConditionalInstanceNormalization",
    "CropTo",
    "GroupedConv2D",
    "InstanceNormalization",
    "Limit",
    "LocalResponseNormalization",
    "Luminance",
    "MirrorPadding",
    "NearestUpsampling",
    "PadToMultiple",
    "Preprocess",
    "UnitClip",
    "instance_moments",
]
