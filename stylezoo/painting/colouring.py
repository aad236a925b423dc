"""Paintings that keep the colours of their photographs, or a share of the photographs themselves."""

import numpy as np

from stylezoo import images

# The number of rows that are changed at once, which bounds the memory of large pictures.
_BAND = 256


def recolour(paintings: np.ndarray, photographs: np.ndarray) -> None:
    """Give paintings the colours of their photographs, and keep their luminance, in place.

    Source: Gatys et al. 2017, section 5.

    Args:
        paintings: [B, H, W, 3], float32, in [0, 1]; changed.
        photographs: The same shape, dtype and range.
    """
    for top in range(0, paintings.shape[1], _BAND):
        rows = slice(top, top + _BAND)
        luminance = images.luminance(paintings[:, rows])
        paintings[:, rows] = images.replace_luminance(photographs[:, rows], luminance)


def blend_with_photograph(
    paintings: np.ndarray, photographs: np.ndarray, *, strength: float
) -> None:
    """Mix paintings with their photographs in CIE L*a*b*, in place.

    Args:
        paintings: [B, H, W, 3], float32, in [0, 1]; changed.
        photographs: The same shape, dtype and range.
        strength: Share of the painting, from 0 to 1.
    """
    for top in range(0, paintings.shape[1], _BAND):
        rows = slice(top, top + _BAND)
        painted, photographed = (
            images.rgb_to_lab(each[:, rows]) for each in (paintings, photographs)
        )
        mixed = strength * painted + (1 - strength) * photographed
        paintings[:, rows] = np.clip(images.lab_to_rgb(mixed), 0, 1)
