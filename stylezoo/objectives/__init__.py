"""A perceptual network bound to weighted loss terms."""

from stylezoo.objectives.style import OBJECTIVES, StyleObjective
from stylezoo.objectives.tiled import TiledLoss
from stylezoo.objectives.total_loss import Reference, Targets, TotalLoss

__all__ = ["OBJECTIVES", "Reference", "StyleObjective", "Targets", "TiledLoss", "TotalLoss"]
