from .blurring import gaussian_blur
from .clustering import k_means
from .frequency import frequency_gains
from .grid import grid_energy
from .patches import (
    Patches,
    concat_patches,
    nearest_patches,
    overlap_patches,
    patch_squares,
    patches_of,
)
from .statistics import (
    channel_quantiles,
    gram,
    interpolate_quantiles,
    match_quantiles,
    mean_and_std,
    moment_sums,
    outer_product_sums,
    random_directions,
    sliced_quantiles,
)
from .variation import total_variation
from .warping import warp

__all__ = [
    "Patches",
    "channel_quantiles",
    "concat_patches",
    "frequency_gains",
    "gaussian_blur",
    "gram",
    "grid_energy",
    "interpolate_quantiles",
    "k_means",
    "match_quantiles",
    "mean_and_std",
    "moment_sums",
    "nearest_patches",
    "outer_product_sums",
    "overlap_patches",
    "patch_squares",
    "patches_of",
    "random_directions",
    "sliced_quantiles",
    "total_variation",
    "warp",
]
