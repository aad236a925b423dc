from .colouring import blend_with_photograph, recolour
from .engine import Engine, Geometry
from .rewiring import normalization_layers, reconnect, rewire
from .strokes import STROKE_SIZE, coarse_to_fine, stroke_sizes
from .tiling import DEFAULT_TILE, TILINGS

__all__ = [
    "DEFAULT_TILE",
    "STROKE_SIZE",
    "TILINGS",
    "Engine",
    "Geometry",
    "blend_with_photograph",
    "coarse_to_fine",
    "normalization_layers",
    "recolour",
    "reconnect",
    "rewire",
    "stroke_sizes",
]
