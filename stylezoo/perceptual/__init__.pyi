from .configuration import Perceptual
from .heads import HEAD, LOG_PROBABILITIES, SCORES
from .keras_network import KerasNetwork
from .taps import (
    Network,
    check_image_size,
    check_taps,
    fixed_size,
    num_channels,
    seen_size,
    tap_info,
)

__all__ = [
    "HEAD",
    "LOG_PROBABILITIES",
    "SCORES",
    "KerasNetwork",
    "Network",
    "Perceptual",
    "check_image_size",
    "check_taps",
    "fixed_size",
    "num_channels",
    "seen_size",
    "tap_info",
]
