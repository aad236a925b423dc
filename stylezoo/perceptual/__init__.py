"""Classifiers cut open at named layers, whose features define the losses."""

from stylezoo.perceptual.network import (
    check_image_size,
    check_taps,
    perceptual_network,
    tap_info,
)

__all__ = ["check_image_size", "check_taps", "perceptual_network", "tap_info"]
