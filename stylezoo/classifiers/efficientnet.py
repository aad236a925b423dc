"""EfficientNet-Lite0: Tan & Le 2019 without squeeze-and-excitation and with ReLU6 (Google 2020)."""

import functools

from stylezoo.classifiers.architecture import Architecture, averaging_head
from stylezoo.classifiers.building import Builder, Feature

# The stages' repeats, kernel, strides of the first block, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_EPSILON = 1e-3


def _padding(kernel: int, strides: int) -> tuple[int, int]:
    """Return the zeros before and after of TensorFlow's "same" padding for an even side.

    The network was trained with it.
    """
    zeros = kernel - strides
    return zeros // 2, zeros - zeros // 2


def _normalized(b: Builder, x: Feature, *, activate: bool = True) -> Feature:
    name = x.name
    x = b.batch_norm(x, f"{name}_bn", epsilon=_EPSILON)
    return b.activate(x, f"{name}_relu6", "relu6") if activate else x


def _inverted_residual(
    b: Builder,
    x: Feature,
    name: str,
    *,
    kernel: int,
    strides: int,
    expansion: int,
    filters: int,
    residual: bool,
) -> Feature:
    block = x
    if expansion > 1:
        expanded = b.conv(block, f"{name}_expand", x.channels * expansion, 1, bias=False)
        block = _normalized(b, expanded)
    padding = _padding(kernel, strides)
    block = b.depthwise(block, f"{name}_depthwise", kernel, strides=strides, padding=padding)
    block = _normalized(b, block)
    block = b.conv(block, f"{name}_project", filters, 1, bias=False)
    block = _normalized(b, block, activate=False)
    if residual:
        block = b.add(f"{name}_sum", block, x)
    return b.tap(block, name)


def _trunk(b: Builder, x: Feature) -> Feature:
    """Append stem to top; a block's tap is its sum, or its last normalisation."""
    stem = b.conv(x, "stem", 32, 3, strides=2, padding=_padding(3, 2), bias=False)
    x = b.tap(_normalized(b, stem), "stem")
    for stage, (repeats, kernel, strides, expansion, filters) in enumerate(_STAGES, start=1):
        for index in range(repeats):
            x = _inverted_residual(
                b,
                x,
                f"block{stage}{'abcd'[index]}",
                kernel=kernel,
                strides=1 if index else strides,
                expansion=expansion,
                filters=filters,
                residual=index > 0,
            )
    return b.tap(_normalized(b, b.conv(x, "top", 1280, 1, bias=False)), "top")


ARCHITECTURES = {
    "efficientnet_lite0": Architecture(
        _trunk,
        functools.partial(averaging_head, dropout=0.2),
        "Tan & Le 2019",
        preprocessing="lite",
    )
}
