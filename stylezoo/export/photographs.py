"""Photographs that show what 8 bits cost."""

import math
import os
import pathlib

import numpy as np

from stylezoo import images

# These sample pictures are photographs, and in colour.
_SAMPLES = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "retina", "rocket")


def read_photographs(
    folder: str | os.PathLike[str] | None, size: tuple[int, int]
) -> list[np.ndarray]:
    """Read the photographs on which a model in 8 bits is compared.

    Args:
        folder: The folder of the photographs; scikit-image's samples if None.
        size: Height and width, px, to which each is reduced and cut.

    Returns:
        Arrays of [1, height, width, 3], float32, in [0, 1].

    Raises:
        OSError, ValueError: If there is none, or one can't be read.
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
    if not paths:
        raise ValueError(f"`photographs` must be a folder of photographs. Received: {folder}")
    return [_fitted(images.read_image(path), size) for path in paths]


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut out the middle of a picture, as much as has the aspect of a size, and resize it."""
    _, height, width, _ = image.shape
    scale = min(height / size[0], width / size[1])
    rows, columns = (max(math.floor(scale * side), 1) for side in size)
    return images.resize(images.centre_crop(image, rows, columns), size).numpy()
