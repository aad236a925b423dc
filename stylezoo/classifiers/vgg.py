"""VGG A to E (Simonyan & Zisserman 2015, table 1)."""

import functools

from stylezoo.classifiers.architecture import Architecture, fully_connected_head
from stylezoo.classifiers.building import Builder, Feature

_PAPER = "Simonyan & Zisserman 2015"
_FILTERS = (64, 128, 256, 512, 512)


def _trunk(
    b: Builder,
    x: Feature,
    *,
    depths: tuple[int, ...],
    last_kernel: int,
    response_norm: bool,
    batch_norm: bool,
) -> Feature:
    """Append conv1_1 to pool5.

    ``depths`` counts the convolutions of each block; C's third ones are 1x1 (``last_kernel``).
    """
    for block, (depth, filters) in enumerate(zip(depths, _FILTERS, strict=True), start=1):
        for index in range(1, depth + 1):
            name = f"{block}_{index}"
            kernel = last_kernel if index == 3 else 3
            x = b.tap(b.conv(x, f"conv{name}", filters, kernel))
            if batch_norm:
                x = b.batch_norm(x, f"bn{name}")
            x = b.tap(b.activate(x, f"relu{name}"))
            if response_norm and block == 1:
                x = b.tap(b.local_response_norm(x, "norm1_1"))
        x = b.tap(b.pool(x, f"pool{block}"))
    return x


def _architecture(
    depths: tuple[int, ...],
    *,
    last_kernel: int = 3,
    response_norm: bool = False,
    batch_norm: bool = False,
) -> Architecture:
    trunk = functools.partial(
        _trunk,
        depths=depths,
        last_kernel=last_kernel,
        response_norm=response_norm,
        batch_norm=batch_norm,
    )
    return Architecture(trunk, fully_connected_head, _PAPER)


_A, _B, _D, _E = (1, 1, 2, 2, 2), (2, 2, 2, 2, 2), (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)
ARCHITECTURES = {
    "vgg11": _architecture(_A),
    "vgg_a_lrn": _architecture(_A, response_norm=True),
    "vgg13": _architecture(_B),
    "vgg_c": _architecture(_D, last_kernel=1),
    "vgg16": _architecture(_D),
    "vgg19": _architecture(_E),
    # torchvision's; the paper is older than batch normalisation.
    "vgg11_bn": _architecture(_A, batch_norm=True),
    "vgg13_bn": _architecture(_B, batch_norm=True),
    "vgg16_bn": _architecture(_D, batch_norm=True),
    "vgg19_bn": _architecture(_E, batch_norm=True),
}
ALIASES = {"vgg_a": "vgg11", "vgg_b": "vgg13", "vgg_d": "vgg16", "vgg_e": "vgg19"}
