"""What an architecture is."""

import dataclasses
from collections.abc import Callable, Mapping

from stylezoo.classifiers.building import Builder, Feature

Head = Callable[[Builder, Feature, int, tuple[int, int]], Feature]


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A classifier, written down.

    Attributes:
        trunk: appends the convolutional part and names its taps.
        head: appends what makes scores of the trunk's features: how many classes, and the image's
            height and width, px, which a fully connected layer's size depends on.
        paper: where it is from.
        input_size: side of the images it was published for, px.
        channels: of these images.
        num_classes: it was published for.
        preprocessing: of images for networks without pretrained weights.
        auxiliary: heads on the side that only training has: the tap of each, and what appends it.
    """

    trunk: Callable[[Builder, Feature], Feature]
    head: Head
    paper: str
    input_size: int = 224
    channels: int = 3
    num_classes: int = 1000
    preprocessing: str = "torch"
    auxiliary: Mapping[str, tuple[str, Head]] = dataclasses.field(default_factory=dict)


def fully_connected_head(
    b: Builder, x: Feature, num_classes: int, size: tuple[int, int]
) -> Feature:
    """Two hidden layers of 4096 with dropout: AlexNet's and VGG's."""
    x = b.flatten(x, size)
    for name in ("6", "7"):
        x = b.dense(x, f"fc{name}", 4096)
        x = b.dropout(b.activate(x, f"relu{name}"), f"dropout{name}", 0.5)
    return b.dense(x, "fc8", num_classes)


def averaging_head(
    b: Builder, x: Feature, num_classes: int, size: tuple[int, int], *, dropout: float = 0.0
) -> Feature:
    """The mean over all positions, and one layer."""
    del size
    x = b.global_average(x)
    if dropout:
        x = b.dropout(x, "dropout", dropout)
    return b.dense(x, "fc", num_classes)
