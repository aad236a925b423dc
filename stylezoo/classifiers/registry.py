"""The registry of architectures, and what is known of each without building it."""

import functools
import math

from stylezoo import weights as weights_lib
from stylezoo.classifiers import alexnet, efficientnet, googlenet, lenet, resnet, squeezenet, vgg
from stylezoo.classifiers.architecture import Architecture
from stylezoo.classifiers.building import Builder, Feature, Shapes, TapInfo
from stylezoo.weights.sources import PackageArtefact

_FAMILIES = (lenet, alexnet, vgg, googlenet, resnet, squeezenet, efficientnet)
ARCHITECTURES: dict[str, Architecture] = {
    name: architecture
    for family in _FAMILIES
    for name, architecture in family.ARCHITECTURES.items()
}
"""All architectures by name."""

ALIASES = vgg.ALIASES
"""Other names of architectures."""


def list_models(*, pretrained: bool = False) -> tuple[str, ...]:
    """Return the names of the architectures, without the aliases of :data:`ALIASES`.

    Args:
        pretrained: Whether to list only those whose ImageNet weights, head included, come from a
            package index: :func:`~stylezoo.classifiers.load` takes these by name with nothing else
            at hand.
    """
    whole = {
        spec.architecture
        for spec in weights_lib.list_weights()
        if spec.includes_top and isinstance(spec.source, PackageArtefact)
    }
    return tuple(name for name in ARCHITECTURES if name in whole or not pretrained)


def canonical(name: str) -> str:
    """Return the name under which an architecture is known: ``vgg16`` for ``vgg_d``.

    Raises:
        ValueError: If the name is unknown; the message lists the known ones.
    """
    name = ALIASES.get(name, name)
    if name not in ARCHITECTURES:
        known = ", ".join((*ARCHITECTURES, *ALIASES))
        raise ValueError(f"`architecture` must be one of {known}. Received: architecture={name!r}")
    return name


def get(name: str) -> Architecture:
    """Return the architecture of a name or alias.

    Raises:
        ValueError: If the name is unknown; the message lists the known ones.
    """
    return ARCHITECTURES[canonical(name)]


@functools.cache
def tap_infos(name: str) -> dict[str, TapInfo]:
    """Return the geometry of every tap by name, in the order of the network.

    Raises:
        ValueError: If the name is unknown; the message lists the known ones.
    """
    architecture, builder = get(name), Builder()
    architecture.trunk(builder, Feature("image", architecture.channels))
    return {tap: feature.info for tap, feature in builder.taps.items()}


def shapes(
    name: str,
    *,
    num_classes: int | None = None,
    size: tuple[int, int] | None = None,
    include_top: bool = True,
    auxiliary: bool = False,
) -> Shapes:
    """Return the shape of every parameter by ``layer/variable``, from the image upwards.

    Args:
        name: The name of the architecture.
        num_classes: The number of classes of the head; None for the published number.
        size: Height and width of the images in px, on which a fully connected head depends; None for
            the published size.
        include_top: Whether to include the head.
        auxiliary: Whether to include the auxiliary heads that only training has.

    Raises:
        ValueError: If the name is unknown; the message lists the known ones.
    """
    architecture, builder = get(name), Builder()
    num_classes = num_classes or architecture.num_classes
    size = size or (architecture.input_size,) * 2
    x = architecture.trunk(builder, Feature("image", architecture.channels))
    if include_top:
        architecture.head(builder, x, num_classes, size)
    if auxiliary:
        for tap, head in architecture.auxiliary.values():
            head(builder, builder.taps[tap], num_classes, size)
    return builder.shapes


def head(name: str) -> tuple[str, ...]:
    """Return the names of the head's parameters, the last layer's at the end."""
    trunk = shapes(name, include_top=False)
    return tuple(parameter for parameter in shapes(name) if parameter not in trunk)


def num_parameters(name: str) -> int:
    """Return the number of parameters of the published network, without moving averages."""
    return sum(
        math.prod(shape)
        for parameter, shape in shapes(name).items()
        if not parameter.endswith(("/moving_mean", "/moving_variance"))
    )


def depends_on_size(name: str) -> bool:
    """Return whether the head has a weight for every position, so that images have one size."""
    side = get(name).input_size
    larger = (2 * side, 2 * side)
    return shapes(name, size=larger) != shapes(name)
