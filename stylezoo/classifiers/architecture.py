"""The description of an architecture."""

import dataclasses
from collections.abc import Callable, Mapping

from stylezoo.classifiers.building import Builder, Feature

Head = Callable[[Builder, Feature, int, tuple[int, int]], Feature]


@dataclasses.dataclass(frozen=True)
class Architecture:
    """An architecture of a classifier.

    Attributes:
        trunk: Function that appends the convolutional part and names its taps.
        head: Function that appends the layers from the trunk's features to the scores. It takes the
            number of classes, and the image's height and width in px, on which the size of a fully
            connected layer depends.
        paper: Source of the architecture.
        input_size: Side in px of the images that it was published for.
        channels: Channels of these images.
        num_classes: Number of classes that it was published for.
        preprocessing: Preprocessing of the images if the weights are random; see
            :class:`~stylezoo.weights.WeightsSpec`.
        auxiliary: Auxiliary heads that only training has, by name: the tap that each is appended to,
            and the function that appends it.
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
    """Append the head of AlexNet and VGG: two hidden layers of 4096 units with dropout."""
    x = b.flatten(x, size)
    for name in ("6", "7"):
        x = b.dense(x, f"fc{name}", 4096)
        x = b.dropout(b.activate(x, f"relu{name}"), f"dropout{name}", 0.5)
    return b.dense(x, "fc8", num_classes)


def averaging_head(
    b: Builder, x: Feature, num_classes: int, size: tuple[int, int], *, dropout: float = 0.0
) -> Feature:
    """Append the mean over all positions, and one layer."""
    del size
    x = b.global_average(x)
    if dropout:
        x = b.dropout(x, "dropout", dropout)
    return b.dense(x, "fc", num_classes)
