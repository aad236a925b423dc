"""Texture synthesis before convolutional networks: pixel by pixel, after what is around each."""

from stylezoo.classic.pixel_sampling import EfrosLeungConfig, efros_leung, fill_holes
from stylezoo.classic.raster_scan import WeiLevoyConfig, wei_levoy
from stylezoo.classic.search import ExhaustiveSearch, Search, TreeSearch

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
