"""Generators' files of version 0.1: HDF5 with numbers and JSON, nothing that could run."""

import json
import os
import pathlib
from typing import Any

import h5py
import keras
import numpy as np

from stylezoo import reading
from stylezoo.errors import WeightsError
from stylezoo.generators.families import FAMILIES, check_finite, count_weights
from stylezoo.generators.painter import Painter
from stylezoo.weights.hdf5_checks import check_plain, text_attribute
from stylezoo.weights.limits import check_stored

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
        OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError, WeightsError: If it is
            no such file, or damaged.
    """
    with _open(path) as file:
        if text_attribute(file, "format") != _FORMAT:
            raise ValueError("it has no header of one")
        num_bytes = pathlib.Path(path).stat().st_size
        check_plain(file, num_bytes)
        header = json.loads(file["header"][()])
        family = FAMILIES[_FAMILIES[header["type"]]]
        config = {"config": header["config"], "styles": header["styles"]}
        check_stored([count_weights(family, config)], num_bytes)
        painter = family.from_config(config)
        painter.training_record = header["training"]
        for name, variable in _variables(painter).items():
            variable.assign(_values(file["weights"], name, variable.shape))
    check_finite(painter)
    return painter


def is_h5(path: str | os.PathLike[str]) -> bool:
    """Return whether a file says that it is a generator's of version 0.1."""
    try:
        with _open(path) as file:
            return text_attribute(file, "format") == _FORMAT
    except (OSError, WeightsError):
        return False


def _open(path: str | os.PathLike[str]) -> h5py.File:
    reading.open_regular(path).close()  # HDF5 would wait for who writes into a pipe
    return h5py.File(path, "r")


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
