"""Trained generators and their files: HDF5 with numbers and JSON, nothing that could run."""

import dataclasses
import io
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import h5py
import keras
import numpy as np

from stylezoo import images, pretrained
from stylezoo.generators.presets import TYPES, GeneratorConfig

EXTENSIONS = (".h5",)
_FORMAT = "stylezoo generator 1"


@dataclasses.dataclass(frozen=True)
class Generator:
    """A network and what is known of it.

    Attributes:
        config: what it was built from.
        network: the Keras model that ``config.build()`` gives.
        styles: the styles' names, one for a network that paints one style; none for
            super-resolution.
        training: how it was trained, as JSON can hold it.
    """

    config: GeneratorConfig
    network: keras.Model
    styles: tuple[str, ...] = ()
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def save(
    path: str | os.PathLike[str],
    generator: Generator,
    *,
    half: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a generator's file, whole or not at all.

    Args:
        path: ends in ``.h5``.
        generator: what to write.
        half: kernels in float16, half the size; they are computed with in float32 all the same. The
            rest is small, and a variance may be too large for float16.
        overwrite: whether to replace a file.

    Raises:
        OSError, ValueError: as :func:`stylezoo.images.check_output_path`.
    """
    images.check_output_path(path, overwrite=overwrite, extensions=EXTENSIONS)
    header = {
        "type": next(name for name, each in TYPES.items() if type(generator.config) is each),
        "config": dataclasses.asdict(generator.config),
        "styles": generator.styles,
        "training": dict(generator.training),
    }
    # In memory: HDF5 crashes when Python ends if it could not write to a disk that was full.
    contents = io.BytesIO()
    with h5py.File(contents, "w") as file:
        file.attrs["format"] = _FORMAT
        # Not an attribute: those end at 64 KB.
        file["header"] = json.dumps(header)
        for name, variable in _variables(generator.network).items():
            values = variable.numpy()
            dtype = "<f2" if half and values.ndim == 4 else "<f4"
            file.create_dataset(f"weights/{name}", data=values, dtype=dtype)
    with images.atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(contents.getbuffer())


def load(path: str | os.PathLike[str]) -> Generator:
    """Read a generator's file.

    Args:
        path: of a file that :func:`save` wrote, or a name of :data:`stylezoo.pretrained.MODELS`.

    Raises:
        OSError: if it can't be read.
        ValueError: if it is no such file, or damaged.
    """
    contents = _contents(path)
    try:
        with h5py.File(contents, "r") as file:
            if file.attrs.get("format") != _FORMAT:
                raise ValueError("it has no header of one")
            header = json.loads(file["header"][()])
            return _restore(header, file["weights"])
    except (OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"`model` must be a generator's file of this version. Received: {path} ({error})"
        ) from error


def _contents(path: str | os.PathLike[str]) -> pathlib.Path | io.BytesIO:
    """What HDF5 is to read."""
    if path in pretrained.MODELS:
        return pretrained.MODELS[str(path)].read()
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(
            f"`model` must be a file, or one of {', '.join(pretrained.MODELS)}. Received: {path}"
        )
    return pathlib.Path(path)


def initial(
    config: GeneratorConfig,
    path: str | os.PathLike[str] | None = None,
    *,
    styles: tuple[str, ...] = (),
) -> Generator:
    """A generator to start a training from.

    Args:
        config: of the network.
        path: of a file of the same configuration and styles, whose weights it gets; None for random
            ones.
        styles: the styles' names.

    Raises:
        OSError, ValueError: as :func:`load`, or if the file is of another generator.
    """
    if path is None:
        return Generator(config, config.build(), styles)
    found = load(path)
    for field, own, other in (
        ("generator", config, found.config),
        ("styles", styles, found.styles),
    ):
        if own != other:
            raise ValueError(
                f"`init_weights` must be of the same {field}, {own}. Received: {path}, of {other}"
            )
    return Generator(config, found.network, styles)


def _restore(header: dict[str, Any], weights: h5py.Group) -> Generator:
    config_type: Any = TYPES[header["type"]]
    fields = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in header["config"].items()
    }
    config = config_type(**fields)
    network = config.build()
    for name, variable in _variables(network).items():
        if name not in weights:
            raise ValueError(f"it lacks {name}")
        values = np.asarray(weights[name], np.float32)
        if values.shape != variable.shape:
            raise ValueError(f"{name} is {values.shape}, must be {variable.shape}")
        variable.assign(values)
    return Generator(config, network, tuple(header["styles"]), header["training"])


def _variables(network: keras.Model) -> dict[str, Any]:
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in network.layers
        for variable in layer.weights
    }
