"""Keras layers of this project, registered so that saved models load without `custom_objects`."""

from stylezoo.layers.normalization import (
    ConditionalInstanceNormalization,
    InstanceNormalization,
    instance_moments,
)
from stylezoo.layers.preprocessing import PREPROCESSINGS, Preprocess
from stylezoo.layers.resampling import CropTo, MirrorPadding, NearestUpsampling, PadToMultiple

__all__ = [
    "PREPROCESSINGS",
    "ConditionalInstanceNormalization",
    "CropTo",
    "InstanceNormalization",
    "MirrorPadding",
    "NearestUpsampling",
    "PadToMultiple",
    "Preprocess",
    "instance_moments",
]
