"""Classifiers cut open at named layers, whose features define the losses."""

from stylezoo.perceptual.network import (
    HEAD,
    LOG_PROBABILITIES,
    SCORES,
    check_image_size,
    check_taps,
    fixed_size,
    perceptual_network,
    tap_info,
)

__all__ = [
    "HEAD",
    "LOG_PROBABILITIES",
    "SCORES",
    "check_image_size",
    "check_taps",
    "fixed_size",
    "perceptual_network",
    "tap_info",
]
