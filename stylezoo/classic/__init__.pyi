from .pixel_sampling import EfrosLeungConfig, efros_leung, fill_holes
from .raster_scan import WeiLevoyConfig, wei_levoy
from .search import ExhaustiveSearch, Search, TreeSearch

__all__ = [
    "EfrosLeungConfig",
    "ExhaustiveSearch",
    "Search",
    "TreeSearch",
    "WeiLevoyConfig",
    "efros_leung",
    "fill_holes",
    "wei_levoy",
]
