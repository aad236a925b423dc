"""Loss terms: what a picture's features are compared with, and how."""

from stylezoo.losses.base import (
    IMAGE,
    Features,
    LayeredLoss,
    LossTerm,
    StatisticsLoss,
    Target,
    Window,
    weighted_mean,
)
from stylezoo.losses.content import ActivationLoss, ContentLoss
from stylezoo.losses.image import L2Loss, TotalVariationLoss
from stylezoo.losses.mrf import MRFLoss
from stylezoo.losses.style import GramLoss, MomentsLoss, SlicedWassersteinLoss

__all__ = [
    "IMAGE",
    "ActivationLoss",
    "ContentLoss",
    "Features",
    "GramLoss",
    "L2Loss",
    "LayeredLoss",
    "LossTerm",
    "MRFLoss",
    "MomentsLoss",
    "SlicedWassersteinLoss",
    "StatisticsLoss",
    "Target",
    "TotalVariationLoss",
    "Window",
    "weighted_mean",
]
