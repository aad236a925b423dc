"""What a batch does with every picture."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from stylezoo import errors
from stylezoo.objectives.named import OBJECTIVES
from stylezoo.objectives.objective import Objective

if TYPE_CHECKING:
    from stylezoo.evaluation import Judge
    from stylezoo.generators import Painter


class Outcome(NamedTuple):
    """What a network made of one picture.

    Attributes:
        picture: What is to be written, [1, H, W, 3] in [0, 1]; None if the row says it all.
        classes: What a classifier saw, the likeliest first.
        scores: How good a painting is, the fields of :class:`~stylezoo.evaluation.Scores`.
    """

    picture: np.ndarray | None = None
    classes: list[dict[str, Any]] | None = None
    scores: dict[str, Any] | None = None


class Task(Protocol):
    """What is done with every picture. It is sent to the workers, and holds no network."""

    @property
    def writes(self) -> bool:
        """Whether there is a picture to write for each that is read."""

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture, [1, H, W, 3] in [0, 1], in the size that the network takes."""

    def load(self) -> Any:
        """Return the network, which each worker loads once."""

    def apply(self, network: Any, pictures: np.ndarray) -> Sequence[Outcome]:
        """Return what the network makes of pictures of one size, [B, H, W, 3] in [0, 1]."""


def load_painter(model: str) -> "Painter":
    """Return a painter of photographs, by name or folder.

    Raises:
        OSError, ValueError: If there is none, or it paints textures.
    """
    from stylezoo import generators

    painter = generators.load(model)
    if painter.paints == generators.TEXTURES:
        raise ValueError(
            "`model` must be one that paints or enlarges photographs. Received: one of textures"
        )
    return painter


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

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture with the longest side that was asked for."""
        from stylezoo import images

        if self.size is None:
            return picture
        return images.resize_longest_side(picture, self.size).numpy()

    def load(self) -> "Painter":
        """Return the painter.

        Raises:
            ValueError: If it paints no photographs, or lacks the style.
        """
        painter = load_painter(self.model)
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

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture as it is: how it is resized is the classifier's."""
        return picture

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


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Say how good a painter's painting of every picture is, as ``stylezoo evaluate --model`` does.

    Attributes:
        model: Name of the painter, or the folder of its preset, which every worker must see.
        style: Name of the painter's style.
        style_image: File of the painting that has the style, which every worker must see.
        size: Side of the square that is cut out of each picture and painted, px.
        objective: What the paintings should match.
        lpips: Architectures of :class:`~stylezoo.evaluation.Lpips`.
    """

    model: str
    style: str
    style_image: str
    size: int = 256
    objective: Objective = OBJECTIVES["relative"]
    lpips: tuple[str, ...] = ("alexnet_owt", "vgg16")

    writes = False

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        """Return the largest square in the middle of a picture, resized."""
        from stylezoo import images

        return images.centre_square(picture, self.size).numpy()

    def load(self) -> "_Evaluator":
        """Return the painter and the judge of its paintings.

        Raises:
            OSError: If the painting of the style can't be read.
            ValueError: If the painter paints no photographs, or lacks the style.
            WeightsError: If a network's weights can't be had.
        """
        from stylezoo import evaluation, images

        painter = load_painter(self.model)
        with errors.renamed(painter="model", styles="style"):
            evaluation.check_styles(painter, (self.style,))
        judge = evaluation.Judge(
            self.objective,
            photographs={},
            styles={self.style: images.read_image(self.style_image)},
            style_size=evaluation.style_size_of(painter),
            lpips=self.lpips,
        )
        return _Evaluator(painter, judge)

    def apply(self, network: "_Evaluator", pictures: np.ndarray) -> list[Outcome]:
        """Return the scores of the paintings."""
        from stylezoo import evaluation

        outcomes = []
        for picture in pictures:
            judge = network.judge.of({"picture": picture[np.newaxis]})
            (painting,) = evaluation.paint_and_score(network.painter, judge)
            outcomes.append(Outcome(scores=dataclasses.asdict(painting.scores)))
        return outcomes


@dataclasses.dataclass(frozen=True)
class _Evaluator:
    """A painter and the judge of its paintings."""

    painter: "Painter"
    judge: "Judge"
