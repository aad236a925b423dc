"""Photographs that int8 models are calibrated on, and others that show what the 8 bits cost."""

import math
import os
import pathlib

import numpy as np

from stylezoo import images

# These sample pictures are photographs, and in colour.
_SAMPLES = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "retina", "rocket")
_HELD_OUT = 3
_MINIMUM = 4


def split(
    folder: str | os.PathLike[str] | None, size: tuple[int, int]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Read photographs to calibrate on, and hold out every third one.

    Args:
        folder: The folder of the photographs; scikit-image's samples if None.
        size: Height and width, px, to which each is reduced and cut.

    Returns:
        Two lists of [1, height, width, 3], float32, in [0, 1].

    Raises:
        OSError, ValueError: If there are fewer than four, or one can't be read.
        ModuleNotFoundError: If scikit-image isn't installed.
    """
    if folder is None:
        paths = [images.sample_path(name) for name in _SAMPLES]
    else:
        paths = [
            each
            for each in sorted(pathlib.Path(folder).glob("*"))
            if each.suffix.lower() in images.IMAGE_EXTENSIONS
        ]
    if len(paths) < _MINIMUM:
        raise ValueError(
            f"`calibration` must be a folder of at least {_MINIMUM} photographs. "
            f"Received: {folder}, of {len(paths)}"
        )
    pictures = [_fitted(images.read_image(path), size) for path in paths]
    held_out = pictures[1::_HELD_OUT]
    kept = [each for index, each in enumerate(pictures) if index % _HELD_OUT != 1]
    return kept, held_out


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut out the middle of a picture, as much as has the aspect of a size, and resize it."""
    _, height, width, _ = image.shape
    scale = min(height / size[0], width / size[1])
    rows, columns = (max(math.floor(scale * side), 1) for side in size)
    return images.resize(images.centre_crop(image, rows, columns), size).numpy()
