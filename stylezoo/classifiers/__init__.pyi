from .architecture import Architecture
from .building import POOLINGS, Builder, Feature, TapInfo
from .classifier import (
    assign,
    build,
    check_tensors,
    count_classes,
    load,
    with_auxiliary_heads,
)
from .importing import has_top, import_weights
from .labels import Label, find_class, imagenet_labels
from .predictions import classify, crops
from .registry import (
    ALIASES,
    ARCHITECTURES,
    canonical,
    depends_on_size,
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
