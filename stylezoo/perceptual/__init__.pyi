from .configuration import Perceptual
from .taps import (
    HEAD,
    LOG_PROBABILITIES,
    SCORES,
    check_image_size,
    check_taps,
    fixed_size,
    tap_info,
)

__all__ = [
    "HEAD",
    "LOG_PROBABILITIES",
    "SCORES",
    "Perceptual",
    "check_image_size",
    "check_taps",
    "fixed_size",
    "tap_info",
]
