"""Classifiers: LeNet-5, AlexNet, VGG, GoogLeNet, ResNet, SqueezeNet, EfficientNet-Lite."""

from stylezoo.classifiers.architecture import Architecture
from stylezoo.classifiers.building import POOLINGS, Builder, Feature, TapInfo
from stylezoo.classifiers.classifier import (
    assign,
    build,
    check_tensors,
    count_classes,
    depends_on_size,
    load,
    with_auxiliary_heads,
)
from stylezoo.classifiers.importing import has_top, import_weights
from stylezoo.classifiers.labels import Label, find_class, imagenet_labels
from stylezoo.classifiers.predictions import classify, crops
from stylezoo.classifiers.registry import (
    ALIASES,
    ARCHITECTURES,
    canonical,
    get,
    list_models,
    num_parameters,
    shapes,
    tap_infos,
)

__all__ = [
    "ALIASES",
    "ARCHITECTURES",
    "POOLINGS",
    "Architecture",
    "Builder",
    "Feature",
    "Label",
    "TapInfo",
    "assign",
    "build",
    "canonical",
    "check_tensors",
    "classify",
    "count_classes",
    "crops",
    "depends_on_size",
    "find_class",
    "get",
    "has_top",
    "imagenet_labels",
    "import_weights",
    "list_models",
    "load",
    "num_parameters",
    "shapes",
    "tap_infos",
    "with_auxiliary_heads",
]
