"""Pure tensor mathematics: no state, no networks, no files."""

from stylezoo.ops.frequency import frequency_gains
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
    "frequency_gains",
    "gram",
    "interpolate_quantiles",
    "mean_and_std",
    "moment_sums",
    "outer_product_sums",
    "random_directions",
    "sliced_quantiles",
    "total_variation",
]
