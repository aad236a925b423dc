"""What a batch does with every picture."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np


class Outcome(NamedTuple):
    """What a network made of one picture.

    Attributes:
        picture: What is to be written, [1, H, W, 3] in [0, 1]; None if the row says it all.
        classes: What a classifier saw, the likeliest first.
    """

    picture: np.ndarray | None = None
    classes: list[dict[str, Any]] | None = None


class Task(Protocol):
    """What is done with every picture. It is sent to the workers, and holds no network."""

    @property
    def writes(self) -> bool:
        """Whether there is a picture to write for each that is read."""

    @property
    def size(self) -> int | None:
        """Longest side that pictures are resized to, px; None if they keep their size."""

    def load(self) -> Any:
        """Return the network, which each worker loads once."""

    def apply(self, network: Any, pictures: np.ndarray) -> Sequence[Outcome]:
        """Return what the network makes of pictures of one size, [B, H, W, 3] in [0, 1]."""


@dataclasses.dataclass(frozen=True)
class Stylize:
    """Paint every picture.

    Attributes:
        model: Name of the painter, or the folder of its preset, which every worker must see.
        options: Arguments of :meth:`~stylezoo.generators.Painter.paint` beside the picture.
        size: Longest side that pictures are resized to, px; None if they keep their size.
    """

    model: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    size: int | None = None

    writes = True

    def load(self) -> Any:
        """Return the painter.

        Raises:
            ValueError: If it paints no photographs, or lacks the style.
        """
        from stylezoo import generators

        painter = generators.load(self.model)
        if painter.paints == generators.TEXTURES:
            raise ValueError(
                "`model` must be one that paints or enlarges photographs. Received: one of textures"
            )
        painter.mix_styles(self.options.get("style"))
        return painter

    def apply(self, network: Any, pictures: np.ndarray) -> list[Outcome]:
        """Return the paintings."""
        paintings = network.paint(pictures, **self.options)
        return [Outcome(picture=painted[np.newaxis]) for painted in paintings]


@dataclasses.dataclass(frozen=True)
class Classify:
    """Name the likeliest classes of every picture.

    Attributes:
        network: Name of the classifier.
        weights: Its weights, a name or a file that every worker must see.
        top: Number of classes.
    """

    network: str
    weights: str = "imagenet"
    top: int = 5

    writes = False
    size = None

    def load(self) -> Any:
        """Return the classifier.

        Raises:
            ValueError: If there is no such classifier.
            WeightsError: If its weights can't be had.
        """
        from stylezoo import classifiers

        return classifiers.build(self.network, weights=self.weights)

    def apply(self, network: Any, pictures: np.ndarray) -> list[Outcome]:
        """Return the likeliest classes."""
        from stylezoo import classifiers

        labels = classifiers.imagenet_labels()
        known = labels if network.output_shape[-1] == len(labels) else None
        single = [picture[np.newaxis] for picture in pictures]
        return [
            Outcome(classes=classifiers.likeliest(row, known, self.top))
            for row in classifiers.classify(network, single)
        ]
