"""Convert PyTorch's names and order of axes to ours, for the networks that torchvision publishes.

Names are torchvision's, for EfficientNet-Lite0 those of lukemelas/EfficientNet-PyTorch. A tensor that
is not known here keeps its name, so that the check of the architecture reports it.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from stylezoo.errors import WeightsError
from stylezoo.weights.layouts import VGG_DEPTHS, alexnet_layers, vgg_layers
from stylezoo.weights.specs import Preprocessing

_CONVOLUTION = {"weight": "kernel", "bias": "bias"}
_NORMALIZATION = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_IGNORED = ".num_batches_tracked"  # how many batches the moving averages have seen

_ALEXNET_FEATURES = (0, 3, 6, 8, 10)
_SQUEEZENET_FIRES = {
    features: f"fire{index}"
    for index, features in enumerate(("3", "4", "6", "7", "9", "10", "11", "12"), start=2)
}
_GOOGLENET_STEM = {"conv1": "conv1", "conv2": "conv2_reduce", "conv3": "conv2"}
_GOOGLENET_BRANCHES = {
    "branch1": "1x1",
    "branch2.0": "3x3_reduce",
    "branch2.1": "3x3",
    "branch3.0": "5x5_reduce",
    "branch3.1": "5x5",
    "branch4.1": "pool_proj",
}
_EFFICIENTNET_REPEATS = (1, 2, 2, 3, 3, 4, 1)
_EFFICIENTNET_ENDS = {
    "_conv_stem": "stem",
    "_bn0": "stem_bn",
    "_conv_head": "top",
    "_bn1": "top_bn",
    "_fc": "fc",
}
_EFFICIENTNET_BLOCK = {
    "_expand_conv": "expand",
    "_bn0": "expand_bn",
    "_depthwise_conv": "depthwise",
    "_bn1": "depthwise_bn",
    "_project_conv": "project",
    "_bn2": "project_bn",
}


class _Network(NamedTuple):
    """The conversion of a network.

    Attributes:
        rename: Function from PyTorch's name of a layer to ours; it returns None for unknown layers.
        preprocessing: The preprocessing that the network was trained with.
        flattened: The number of channels before each fully connected layer that follows convolutions,
            by our name of the layer.
    """

    rename: Callable[[str], str | None]
    preprocessing: Preprocessing = "torch"
    flattened: Mapping[str, int] = {}


def from_state_dict(
    tensors: Mapping[str, np.ndarray], architecture: str
) -> tuple[dict[str, np.ndarray], Preprocessing]:
    """Return our tensors of a network that torchvision publishes.

    Args:
        tensors: The tensors by PyTorch's names: kernels [out, in, height, width] or [out, in], the
            latter's columns in the order of the flattened [channel, height, width].
        architecture: The network that the tensors belong to.

    Returns:
        The tensors, as :class:`~stylezoo.weights.LoadedWeights` has them, and the network's preprocessing.

    Raises:
        WeightsError: State dictionaries of this architecture are not understood.
    """
    if architecture not in _NETWORKS:
        raise WeightsError(
            f"PyTorch's weights are understood for {', '.join(_NETWORKS)} only. "
            f"Received: architecture={architecture!r}"
        )
    network = _NETWORKS[architecture]
    converted = {}
    for name, tensor in tensors.items():
        if name.endswith(_IGNORED):
            continue
        module, _, kind = name.rpartition(".")
        layer = network.rename(module)
        is_normalization = layer is not None and re.search(r"(^|_)bn[\d_]*$", layer)
        ours = (_NORMALIZATION if is_normalization else _CONVOLUTION).get(kind)
        if layer is None or ours is None:
            converted[name] = tensor
        else:
            converted[f"{layer}/{ours}"] = _reordered(tensor, layer, network.flattened.get(layer))
    return converted, network.preprocessing


def _reordered(tensor: np.ndarray, layer: str, channels: int | None) -> np.ndarray:
    """Return a view of a tensor with its axes, and the rows of a flattened image, in our order."""
    if tensor.ndim == 4:
        return tensor.transpose((2, 3, 0, 1) if layer.endswith("_depthwise") else (2, 3, 1, 0))
    if tensor.ndim != 2:
        return tensor
    side = math.isqrt(tensor.shape[1] // channels) if channels else 0
    if not channels or side * side * channels != tensor.shape[1]:
        return tensor.T
    images = tensor.reshape(-1, channels, side, side)
    return images.transpose(2, 3, 1, 0).reshape(tensor.shape[::-1])


def _alexnet(module: str) -> str | None:
    modules = [f"features.{index}" for index in _ALEXNET_FEATURES]
    modules += [f"classifier.{index}" for index in (1, 4, 6)]
    return dict(zip(modules, (*alexnet_layers(), "fc6", "fc7", "fc8"), strict=True)).get(module)


def _vgg_names(depths: tuple[int, ...], *, batch_norm: bool) -> dict[str, str]:
    """Return our names; ``features.N`` counts convolutions, normalisations, ReLUs and poolings."""
    names = {f"classifier.{index}": name for index, name in ((0, "fc6"), (3, "fc7"), (6, "fc8"))}
    index, block = 0, "1"
    for layer in vgg_layers(depths):
        numbers = layer.removeprefix("conv")
        index += numbers[0] != block  # a pooling
        block = numbers[0]
        names[f"features.{index}"] = layer
        if batch_norm:
            names[f"features.{index + 1}"] = f"bn{numbers}"
        index += 3 if batch_norm else 2
    return names


def _squeezenet(module: str) -> str | None:
    ends = {"features.0": "conv1", "classifier.1": "conv10"}
    if found := re.fullmatch(r"features\.(\d+)\.(squeeze|expand1x1|expand3x3)", module):
        fire = _SQUEEZENET_FIRES.get(found[1])
        kernel = "1x1" if found[2] == "squeeze" else ""
        return fire and f"{fire}_{found[2]}{kernel}"
    return ends.get(module)


def _googlenet(module: str) -> str | None:
    if found := re.fullmatch(r"(?:(aux[12])\.)?(fc[12]?)", module):
        return "_".join(filter(None, found.groups()))
    found = re.fullmatch(r"(?:inception(\d\w)\.)?([\w.]+)\.(conv|bn)", module)
    if not found:
        return None
    suffix = "_bn" if found[3] == "bn" else ""
    if found[1]:
        branch = _GOOGLENET_BRANCHES.get(found[2])
        return branch and f"inception_{found[1]}_{branch}{suffix}"
    if re.fullmatch(r"aux[12]\.conv", found[2]):
        return found[2].replace(".", "_") + suffix
    stem = _GOOGLENET_STEM.get(found[2])
    return stem and stem + suffix


def _resnet(module: str) -> str | None:
    if module in ("conv1", "bn1", "fc"):
        return module
    pattern = r"layer(\d)\.(\d+)\.((?:conv|bn)\d|downsample\.[01])"
    if found := re.fullmatch(pattern, module):
        shortcuts = {"downsample.0": "shortcut", "downsample.1": "shortcut_bn"}
        return f"layer{found[1]}_block{int(found[2]) + 1}_{shortcuts.get(found[3], found[3])}"
    return None


def _efficientnet(module: str) -> str | None:
    blocks = [
        f"block{stage}{'abcd'[index]}"
        for stage, repeats in enumerate(_EFFICIENTNET_REPEATS, start=1)
        for index in range(repeats)
    ]
    found = re.fullmatch(r"_blocks\.(\d+)\.(\w+)", module)
    if found and int(found[1]) < len(blocks) and found[2] in _EFFICIENTNET_BLOCK:
        return f"{blocks[int(found[1])]}_{_EFFICIENTNET_BLOCK[found[2]]}"
    return _EFFICIENTNET_ENDS.get(module)


_NETWORKS = (
    {"alexnet_owt": _Network(_alexnet, flattened={"fc6": 256})}
    | {
        architecture + suffix: _Network(
            _vgg_names(depths, batch_norm=bool(suffix)).get, flattened={"fc6": 512}
        )
        for suffix in ("", "_bn")
        for architecture, depths in VGG_DEPTHS.items()
    }
    | {
        # torchvision's GoogLeNet undoes its usual normalisation: (x - 0.5) / 0.5.
        "googlenet_bn": _Network(
            _googlenet, "symmetric", flattened={"aux1_fc1": 128, "aux2_fc1": 128}
        )
    }
    | {f"resnet{depth}": _Network(_resnet) for depth in ("18", "34")}
    | {f"resnet{depth}_v1_5": _Network(_resnet) for depth in ("50", "101", "152")}
    | {
        "squeezenet1_1": _Network(_squeezenet),
        "efficientnet_lite0": _Network(_efficientnet, "lite"),
    }
)
