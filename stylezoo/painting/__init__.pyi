from .colouring import blend_with_photograph, recolour
from .engine import Engine, Geometry
from .rewiring import normalization_layers, reconnect, rewire
from .tiling import DEFAULT_TILE, TILINGS

__all__ = [
    "DEFAULT_TILE",
    "TILINGS",
    "Engine",
    "Geometry",
    "blend_with_photograph",
    "normalization_layers",
    "recolour",
    "reconnect",
    "rewire",
]
