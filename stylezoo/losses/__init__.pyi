from .base import (
    IMAGE,
    Features,
    LayeredLoss,
    LossTerm,
    StatisticsLoss,
    Target,
    Window,
    weighted_mean,
)
from .content import ActivationLoss, ContentLoss
from .histogram import HistogramLoss
from .image import L2Loss, TemporalLoss, TotalVariationLoss, temporal_target
from .mrf import MRFLoss
from .neighbors import NeighborLoss
from .style import GramLoss, MomentsLoss, SlicedWassersteinLoss

__all__ = [
    "IMAGE",
    "ActivationLoss",
    "ContentLoss",
    "Features",
    "GramLoss",
    "HistogramLoss",
    "L2Loss",
    "LayeredLoss",
    "LossTerm",
    "MRFLoss",
    "MomentsLoss",
    "NeighborLoss",
    "SlicedWassersteinLoss",
    "StatisticsLoss",
    "Target",
    "TemporalLoss",
    "TotalVariationLoss",
    "Window",
    "temporal_target",
    "weighted_mean",
]
