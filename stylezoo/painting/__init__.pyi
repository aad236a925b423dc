from .rewiring import normalization_layers, reconnect, rewire
from .stylizing import TILINGS, Stylizer, stylize

__all__ = [
    "TILINGS",
    "Stylizer",
    "normalization_layers",
    "reconnect",
    "rewire",
    "stylize",
]
