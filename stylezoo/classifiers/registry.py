"""Which architectures there are, and what can be known of them without building them."""

import functools
import math

from stylezoo.classifiers import alexnet, efficientnet, googlenet, lenet, resnet, squeezenet, vgg
from stylezoo.classifiers.architecture import Architecture
from stylezoo.classifiers.building import Builder, Feature, Shapes, TapInfo

_FAMILIES = (lenet, alexnet, vgg, googlenet, resnet, squeezenet, efficientnet)
ARCHITECTURES: dict[str, Architecture] = {
    name: architecture
    for family in _FAMILIES
    for name, architecture in family.ARCHITECTURES.items()
}
ALIASES = vgg.ALIASES


def list_models() -> tuple[str, ...]:
    """The names of all architectures, without the aliases of :data:`ALIASES`."""
    return tuple(ARCHITECTURES)


def canonical(name: str) -> str:
    """The name under which an architecture is known: ``vgg16`` for ``vgg_d``.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    name = ALIASES.get(name, name)
    if name not in ARCHITECTURES:
        known = ", ".join((*ARCHITECTURES, *ALIASES))
        raise ValueError(f"`architecture` must be one of {known}. Received: architecture={name!r}")
    return name


def get(name: str) -> Architecture:
    """The architecture of that name or alias.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    return ARCHITECTURES[canonical(name)]


@functools.cache
def tap_infos(name: str) -> dict[str, TapInfo]:
    """Channels, stride, receptive field and minimum image size of every tap, in network order.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
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
    """The shape of every parameter by ``layer/variable``, from the image upwards.

    Args:
        name: of the architecture.
        num_classes: of the head; what it was published for if None.
        size: height and width of the images, px, on which a fully connected head depends; what it
            was published for if None.
        include_top: whether with the head.
        auxiliary: whether with the heads on the side that only training has.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
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
    """The parameters that :func:`shapes` has for the head alone, the last layer's at the end."""
    trunk = shapes(name, include_top=False)
    return tuple(parameter for parameter in shapes(name) if parameter not in trunk)


def num_parameters(name: str) -> int:
    """Of the network as published, head included; moving averages are no parameters."""
    return sum(
        math.prod(shape)
        for parameter, shape in shapes(name).items()
        if not parameter.endswith(("/moving_mean", "/moving_variance"))
    )


def depends_on_size(name: str) -> bool:
    """Whether an architecture's head has a weight for every position: images have one size then."""
    side = get(name).input_size
    larger = (2 * side, 2 * side)
    return shapes(name, size=larger) != shapes(name)
