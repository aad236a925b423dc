from .colouring import blend_with_photograph, recolour
from .engine import Engine, Geometry
from .rewiring import normalization_layers, reconnect, rewire
from .tiling import TILINGS

__all__ = [
    "TILINGS",
    "Engine",
    "Geometry",
    "blend_with_photograph",
    "normalization_layers",
    "recolour",
    "reconnect",
    "rewire",
]
