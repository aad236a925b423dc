from .loss_terms import build_loss
from .named import OBJECTIVES
from .objective import NeighborConfig, Objective, PatchConfig
from .scalings import SCALINGS, STYLE_LOSSES, Scaling
from .style_references import StyleReferences
from .tiled import TiledLoss
from .total_loss import Reference, Targets, TotalLoss

__all__ = [
    "OBJECTIVES",
    "SCALINGS",
    "STYLE_LOSSES",
    "NeighborConfig",
    "Objective",
    "PatchConfig",
    "Reference",
    "Scaling",
    "StyleReferences",
    "Targets",
    "TiledLoss",
    "TotalLoss",
    "build_loss",
]
