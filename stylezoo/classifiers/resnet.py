"""ResNet-18 to 152 (He et al. 2016, table 1)."""

import functools
from collections.abc import Callable

from stylezoo.classifiers.architecture import Architecture, averaging_head
from stylezoo.classifiers.building import Builder, Feature

_FILTERS = (64, 128, 256, 512)
_EXPANSION = 4


def _trunk(
    b: Builder,
    x: Feature,
    *,
    depths: tuple[int, ...],
    residual: Callable[..., Feature],
    expansion: int,
) -> Feature:
    """Append conv1 to the last block; a block's tap is after its sum and ReLU."""
    x = b.conv(x, "conv1", 64, 7, strides=2, bias=False)
    x = b.tap(b.activate(b.batch_norm(x, "bn1"), "relu1"))
    x = b.tap(b.pool(x, "pool1", 3, padding=1))
    for layer, (depth, filters) in enumerate(zip(depths, _FILTERS, strict=True), start=1):
        for index in range(1, depth + 1):
            name = f"layer{layer}_block{index}"
            strides = 2 if layer > 1 and index == 1 else 1
            branch = residual(b, x, name, filters, strides)
            if index == 1 and (layer > 1 or expansion > 1):
                x = b.conv(
                    x, f"{name}_shortcut", filters * expansion, 1, strides=strides, bias=False
                )
                x = b.batch_norm(x, f"{name}_shortcut_bn")
            x = b.tap(b.activate(b.add(f"{name}_sum", branch, x), name))
    return x


def _basic(b: Builder, x: Feature, name: str, filters: int, strides: int) -> Feature:
    """Append two 3x3 convolutions."""
    x = _conv(b, x, name, 1, filters, 3, strides)
    return _conv(b, b.activate(x, f"{name}_relu1"), name, 2, filters, 3)


def _bottleneck(
    b: Builder, x: Feature, name: str, filters: int, strides: int, *, stride_in: int
) -> Feature:
    """Append 1x1, 3x3 and 1x1 convolutions; number ``stride_in`` halves the picture."""
    widths = ((filters, 1), (filters, 3), (filters * _EXPANSION, 1))
    for index, (width, kernel) in enumerate(widths, start=1):
        x = _conv(b, x, name, index, width, kernel, strides if index == stride_in else 1)
        if index < len(widths):
            x = b.activate(x, f"{name}_relu{index}")
    return x


def _conv(
    b: Builder, x: Feature, block: str, index: int, filters: int, kernel: int, strides: int = 1
) -> Feature:
    x = b.conv(x, f"{block}_conv{index}", filters, kernel, strides=strides, bias=False)
    return b.batch_norm(x, f"{block}_bn{index}")


def _architecture(
    depths: tuple[int, ...], residual: Callable[..., Feature], expansion: int = _EXPANSION
) -> Architecture:
    trunk = functools.partial(_trunk, depths=depths, residual=residual, expansion=expansion)
    return Architecture(trunk, averaging_head, "He et al. 2016")


# The paper (and keras.applications) halves the picture in a block's first convolution, "v1.5"
# (torchvision) in the 3x3 one, which drops no features.
_PAPER = functools.partial(_bottleneck, stride_in=1)
_V1_5 = functools.partial(_bottleneck, stride_in=2)

ARCHITECTURES = {
    "resnet18": _architecture((2, 2, 2, 2), _basic, expansion=1),
    "resnet34": _architecture((3, 4, 6, 3), _basic, expansion=1),
    "resnet50": _architecture((3, 4, 6, 3), _PAPER),
    "resnet101": _architecture((3, 4, 23, 3), _PAPER),
    "resnet152": _architecture((3, 8, 36, 3), _PAPER),
    "resnet50_v1_5": _architecture((3, 4, 6, 3), _V1_5),
    "resnet101_v1_5": _architecture((3, 4, 23, 3), _V1_5),
    "resnet152_v1_5": _architecture((3, 8, 36, 3), _V1_5),
}
