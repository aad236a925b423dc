"""What a classifier sees: its filters, what its units respond to, pictures that drive them up."""

from stylezoo.visualize.attribution import (
    METHODS,
    Attribution,
    AttributionConfig,
    colours,
    heat,
    magnitudes,
)
from stylezoo.visualize.rectifiers import RULES, with_rectifiers
from stylezoo.visualize.units import (
    POSITIONS,
    Direction,
    DiversityLoss,
    Objective,
    ScoreLoss,
    Unit,
    WeightedSum,
)

__all__ = [
    "METHODS",
    "POSITIONS",
    "RULES",
    "Attribution",
    "AttributionConfig",
    "Direction",
    "DiversityLoss",
    "Objective",
    "ScoreLoss",
    "Unit",
    "WeightedSum",
    "colours",
    "heat",
    "magnitudes",
    "with_rectifiers",
]
