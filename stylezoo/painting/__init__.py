"""Pictures of any size painted by a generator, in tiles that share the statistics of the whole."""

from stylezoo.painting.rewiring import normalization_layers, reconnect, rewire
from stylezoo.painting.stylizing import TILINGS, Stylizer, stylize

__all__ = ["TILINGS", "Stylizer", "normalization_layers", "reconnect", "rewire", "stylize"]
