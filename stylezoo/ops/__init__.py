"""Pure tensor mathematics: no state, no networks, no files."""

from stylezoo.ops.frequency import frequency_gains
from stylezoo.ops.patches import (
    Patches,
    concat_patches,
    nearest_patches,
    overlap_patches,
    patch_squares,
    patches_of,
)
from stylezoo.ops.statistics import (
    gram,
    interpolate_quantiles,
    mean_and_std,
    moment_sums,
    outer_product_sums,
    random_directions,
    sliced_quantiles,
)
from stylezoo.ops.variation import total_variation

__all__ = [
    "Patches",
    "concat_patches",
    "frequency_gains",
    "gram",
    "interpolate_quantiles",
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
]
