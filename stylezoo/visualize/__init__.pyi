from .activation import PRESETS, initial, maximize, ranks, scores
from .activation_config import PARAMETRIZATIONS, STARTS, ActivationConfig, GradientAscent
from .ascent import regularize
from .attribution import Attribution, colours, heat, magnitudes, unsuitable_methods
from .attribution_config import CAM_METHODS, METHODS, AttributionConfig
from .codes import DecodedImage, encode, encoder, initial_codes, invert
from .crops import random_crops
from .dream import Dreamer
from .dream_config import DreamConfig, Dreamed
from .facets import cluster_means
from .features import activation_maps, check_scikit_learn, embed, map_to_grid, neighbours
from .filters import Patch, best_patches, colour_tiles, crop, grey_grid, guided_backprop, kernels
from .fooling import Fooled, fool
from .fooling_config import FoolingConfig
from .priors import (
    Blur,
    ClipContribution,
    ClipNorm,
    Crops,
    Decay,
    Jitter,
    LearnedPrior,
    Padding,
    Regularizer,
    Rotation,
    Scale,
    Transform,
)
from .rectifiers import RULES, with_rectifiers
from .transforms import transform
from .unit_scores import (
    POSITIONS,
    Direction,
    DiversityLoss,
    Position,
    Score,
    ScoreLoss,
    Unit,
    WeightedSum,
)

__all__ = [
    "CAM_METHODS",
    "METHODS",
    "PARAMETRIZATIONS",
    "POSITIONS",
    "PRESETS",
    "RULES",
    "STARTS",
    "ActivationConfig",
    "Attribution",
    "AttributionConfig",
    "Blur",
    "ClipContribution",
    "ClipNorm",
    "Crops",
    "Decay",
    "DecodedImage",
    "Direction",
    "DiversityLoss",
    "DreamConfig",
    "Dreamed",
    "Dreamer",
    "Fooled",
    "FoolingConfig",
    "GradientAscent",
    "Jitter",
    "LearnedPrior",
    "Padding",
    "Patch",
    "Position",
    "Regularizer",
    "Rotation",
    "Scale",
    "Score",
    "ScoreLoss",
    "Transform",
    "Unit",
    "WeightedSum",
    "activation_maps",
    "best_patches",
    "check_scikit_learn",
    "cluster_means",
    "colour_tiles",
    "colours",
    "crop",
    "embed",
    "encode",
    "encoder",
    "fool",
    "grey_grid",
    "guided_backprop",
    "heat",
    "initial",
    "initial_codes",
    "invert",
    "kernels",
    "magnitudes",
    "map_to_grid",
    "maximize",
    "neighbours",
    "random_crops",
    "ranks",
    "regularize",
    "scores",
    "transform",
    "unsuitable_methods",
    "with_rectifiers",
]
