from .configuration import Perceptual
from .network import perceptual_network
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
    "perceptual_network",
    "tap_info",
]
