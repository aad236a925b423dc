from .style import OBJECTIVES, StyleObjective
from .tiled import TiledLoss
from .total_loss import Reference, Targets, TotalLoss

__all__ = [
    "OBJECTIVES",
    "Reference",
    "StyleObjective",
    "Targets",
    "TiledLoss",
    "TotalLoss",
]
