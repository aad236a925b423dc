"""Texture synthesis before convolutional networks: pixel by pixel, after what is around each."""

from stylezoo.classic.efros_leung import EfrosLeungConfig, efros_leung, fill_holes
from stylezoo.classic.search import ExhaustiveSearch, Search, TreeSearch
from stylezoo.classic.wei_levoy import WeiLevoyConfig, wei_levoy

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
