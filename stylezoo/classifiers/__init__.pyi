from .architecture import Architecture
from .building import POOLINGS, Builder, Feature, TapInfo
from .classifier import build, load, with_auxiliary_heads
from .importing import import_weights
from .labels import (
    LABELS_FILE,
    Label,
    Prediction,
    decode_predictions,
    find_class,
    imagenet_labels,
    likeliest,
    read_labels,
)
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
from .tensors import assign, check_tensors, count_classes, has_top, new_layers, read_weights

__all__ = [
    "ALIASES",
    "ARCHITECTURES",
    "LABELS_FILE",
    "POOLINGS",
    "Architecture",
    "Builder",
    "Feature",
    "Label",
    "Prediction",
    "TapInfo",
    "assign",
    "build",
    "canonical",
    "check_tensors",
    "classify",
    "count_classes",
    "crops",
    "decode_predictions",
    "depends_on_size",
    "find_class",
    "get",
    "has_top",
    "imagenet_labels",
    "import_weights",
    "likeliest",
    "list_models",
    "load",
    "new_layers",
    "num_parameters",
    "read_labels",
    "read_weights",
    "shapes",
    "tap_infos",
    "with_auxiliary_heads",
]
