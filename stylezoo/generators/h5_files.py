"""Generators' files of version 0.1: HDF5 with numbers and JSON, nothing that could run."""

import json
import os
from typing import Any

import h5py
import keras
import numpy as np

from stylezoo.generators.families import FAMILIES
from stylezoo.generators.painter import Painter

_FORMAT = "stylezoo generator 1"
_FAMILIES = {
    "johnson": "Johnson",
    "light": "Light",
    "super_resolution": "SuperResolution",
    "texture_network": "TextureNetwork",
}


def read_h5(path: str | os.PathLike[str]) -> Painter:
    """Read a generator's file of version 0.1.

    Args:
        path: The file.

    Raises:
        OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError: If it is no such
            file, or damaged.
    """
    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != _FORMAT:
            raise ValueError("it has no header of one")
        header = json.loads(file["header"][()])
        family = FAMILIES[_FAMILIES[header["type"]]]
        painter = family.from_config({"config": header["config"], "styles": header["styles"]})
        painter.training_record = header["training"]
        for name, variable in _variables(painter).items():
            variable.assign(_values(file["weights"], name, variable.shape))
    return painter


def is_h5(path: str | os.PathLike[str]) -> bool:
    """Return whether a file says that it is a generator's of version 0.1."""
    try:
        with h5py.File(path, "r") as file:
            return file.attrs.get("format") == _FORMAT
    except OSError:
        return False


def _values(weights: h5py.Group, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in weights:
        raise ValueError(f"it lacks {name}")
    values = np.asarray(weights[name], np.float32)
    if values.shape != shape:
        raise ValueError(f"{name} is {values.shape}, must be {shape}")
    return values


def _variables(network: keras.Model) -> dict[str, Any]:
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in network.layers
        for variable in layer.weights
    }
