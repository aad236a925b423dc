"""GoogLeNet (Szegedy et al. 2015, table 1), and with batch normalisation as torchvision has it."""

import functools

from stylezoo.classifiers.architecture import Architecture, averaging_head
from stylezoo.classifiers.building import Builder, Feature

# Filters: 1x1; before 3x3, 3x3; before 5x5, 5x5; after pooling.
_MODULES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("inception_3a", (64, 96, 128, 16, 32, 32)),
    ("inception_3b", (128, 128, 192, 32, 96, 64)),
    ("pool3", ()),
    ("inception_4a", (192, 96, 208, 16, 48, 64)),
    ("inception_4b", (160, 112, 224, 24, 64, 64)),
    ("inception_4c", (128, 128, 256, 24, 64, 64)),
    ("inception_4d", (112, 144, 288, 32, 64, 64)),
    ("inception_4e", (256, 160, 320, 32, 128, 128)),
    ("pool4", ()),
    ("inception_5a", (256, 160, 320, 32, 128, 128)),
    ("inception_5b", (384, 192, 384, 48, 128, 128)),
)
_AUXILIARY_TAPS = {"aux1": "inception_4a", "aux2": "inception_4d"}


def _conv(
    b: Builder,
    x: Feature,
    name: str,
    filters: int,
    kernel: int,
    *,
    batch_norm: bool,
    strides: int = 1,
) -> Feature:
    x = b.conv(x, name, filters, kernel, strides=strides, bias=not batch_norm)
    if batch_norm:
        x = b.batch_norm(x, f"{name}_bn", epsilon=1e-3)
    return b.activate(x, f"{name}_relu")


def _inception(
    b: Builder, x: Feature, name: str, filters: tuple[int, ...], *, batch_norm: bool
) -> Feature:
    conv = functools.partial(_conv, b, batch_norm=batch_norm)
    one, before_three, three, before_five, five, after_pool = filters
    # torchvision's has 3x3 where the paper has 5x5, and published weights for it.
    large = 3 if batch_norm else 5
    pooled = b.pool(x, f"{name}_pool", 3, strides=1, padding=1)
    branches = (
        conv(x, f"{name}_1x1", one, 1),
        conv(conv(x, f"{name}_3x3_reduce", before_three, 1), f"{name}_3x3", three, 3),
        conv(conv(x, f"{name}_5x5_reduce", before_five, 1), f"{name}_5x5", five, large),
        conv(pooled, f"{name}_pool_proj", after_pool, 1),
    )
    return b.concat(name, *branches)


def _trunk(b: Builder, x: Feature, *, batch_norm: bool) -> Feature:
    """Append conv1 to inception_5b; poolings keep incomplete windows, as in the authors' Caffe."""
    conv = functools.partial(_conv, b, batch_norm=batch_norm)
    # Caffe divides alpha by the 5 channels.
    norm = functools.partial(b.local_response_norm, bias=1.0, alpha=1e-4 / 5)
    x = b.tap(conv(x, "conv1", 64, 7, strides=2), "relu1")
    x = b.tap(b.pool(x, "pool1", 3, ceil=True))
    x = x if batch_norm else norm(x, "norm1")
    x = conv(x, "conv2_reduce", 64, 1)
    x = b.tap(conv(x, "conv2", 192, 3), "relu2")
    x = x if batch_norm else norm(x, "norm2")
    x = b.tap(b.pool(x, "pool2", 3, ceil=True))
    for name, filters in _MODULES:
        if filters:
            x = b.tap(_inception(b, x, name, filters, batch_norm=batch_norm))
        else:
            kernel = 2 if batch_norm and name == "pool4" else 3
            x = b.tap(b.pool(x, name, kernel, ceil=True))
    return x


def _auxiliary_head(
    b: Builder, x: Feature, num_classes: int, size: tuple[int, int], *, name: str, batch_norm: bool
) -> Feature:
    """Append an auxiliary head, whose loss has the weight 0.3 in training (section 5)."""
    x = b.pool(x, f"{name}_pool", 5, strides=3, average=True)
    x = _conv(b, x, f"{name}_conv", 128, 1, batch_norm=batch_norm)
    x = b.activate(
        b.dense(b.flatten(x, size, f"{name}_flatten"), f"{name}_fc1", 1024), f"{name}_relu"
    )
    return b.dense(b.dropout(x, f"{name}_dropout", 0.7), f"{name}_fc2", num_classes)


def _architecture(*, batch_norm: bool) -> Architecture:
    return Architecture(
        functools.partial(_trunk, batch_norm=batch_norm),
        functools.partial(averaging_head, dropout=0.2 if batch_norm else 0.4),
        "Szegedy et al. 2015",
        auxiliary={
            name: (tap, functools.partial(_auxiliary_head, name=name, batch_norm=batch_norm))
            for name, tap in _AUXILIARY_TAPS.items()
        },
    )


ARCHITECTURES = {
    "googlenet": _architecture(batch_norm=False),
    "googlenet_bn": _architecture(batch_norm=True),
}
