"""The configuration of a classifier's training; no TensorFlow, since flags are made from it."""

import dataclasses
from typing import TYPE_CHECKING, Any

from stylezoo import classifiers, errors
from stylezoo.generators.checks import check_at_least
from stylezoo.training.recipes import Recipe

if TYPE_CHECKING:
    from stylezoo.training.labelled import LabelledPhotographs

DEFAULT_VALIDATION_FRACTION = 0.2


@dataclasses.dataclass(frozen=True)
class LabelledConfig:
    """The pictures that a classifier is trained and evaluated on.

    See :func:`~stylezoo.training.open_labelled` for how pictures are named.

    Attributes:
        dataset: Pictures with their classes: a folder with a folder of pictures for each class, a
            NumPy file such as Keras's ``mnist.npz``, or a TensorFlow Datasets name; its part or
            split follows after a colon.
        held_out: Pictures for evaluation, named like ``dataset``. By default, the dataset's own test part if
            it has one, else ``validation_fraction`` of every class.
        validation_fraction: Part of every class that is held out for evaluation. By default, the
            dataset's own test part is used, or a fifth if it has none.
        data_dir: Folder where TensorFlow Datasets keeps its datasets; by default its own.
        seed: Seed of the choice of what is held out.

    Raises:
        ValueError: Both ``held_out`` and ``validation_fraction`` are given, the fraction is not in
            (0, 1), or the seed is negative.
    """

    dataset: str
    held_out: str | None = None
    validation_fraction: float | None = None
    data_dir: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_at_least(self, "seed", 0)
        if self.validation_fraction is not None:
            if self.held_out is not None:
                raise ValueError("`validation_fraction` must not come with `held_out`")
            if not 0 < self.validation_fraction < 1:
                raise ValueError(
                    "`validation_fraction` must be in (0, 1). "
                    f"Received: validation_fraction={self.validation_fraction}"
                )

    def open(self) -> "tuple[LabelledPhotographs, LabelledPhotographs]":
        """Open the pictures to train on and the held-out ones, with the same classes.

        Raises:
            ValueError, OSError: As for :func:`~stylezoo.training.open_labelled`.
        """
        from stylezoo.training.labelled import open_labelled

        pictures = open_labelled(self.dataset, data_dir=self.data_dir)
        if self.held_out is not None:
            with errors.renamed(dataset="held_out"):
                held_out = open_labelled(self.held_out, data_dir=self.data_dir, part="test")
                return pictures, held_out.with_classes(pictures.class_names)
        if self.validation_fraction is None and pictures.test_part is not None:
            held_out = open_labelled(pictures.test_part, data_dir=self.data_dir, part="test")
            return pictures, held_out.with_classes(pictures.class_names)
        fraction = self.validation_fraction or DEFAULT_VALIDATION_FRACTION
        with errors.renamed(fraction="validation_fraction"):
            return pictures.split(fraction, seed=self.seed)


@dataclasses.dataclass(frozen=True)
class ClassifierTraining:
    """Everything that decides a classifier's training, except for the loop.

    Attributes:
        network: Architecture, such as ``"lenet5"`` or ``"resnet18"``.
        data: The pictures.
        recipe: How the network is trained. Its learning rate, batches and epochs are in the loop, see
            :meth:`~stylezoo.training.recipes.Recipe.loop_config`.
        image_size: Side of the network's input, in pixels. By default, the size that it was
            published for.
        init_weights: Pretrained weights to start from: ``"imagenet"``, the name of registered
            weights, a weights file or a run's folder. A head for another number of classes is
            replaced by a new one. By default, weights are random.

    Raises:
        ValueError: If the architecture is unknown, the size is < 1, or there is colour noise for a
            network that sees grey.
    """

    network: str
    data: LabelledConfig
    recipe: Recipe
    image_size: int | None = None
    init_weights: str | None = None

    def __post_init__(self) -> None:
        with errors.renamed(architecture="network"):
            architecture = classifiers.get(self.network)
        if self.image_size is not None and self.image_size < 1:
            raise ValueError(f"`image_size` must be >= 1. Received: image_size={self.image_size}")
        noise = self.recipe.augmentation.colour_noise
        if noise and architecture.channels == 1:
            raise ValueError(
                f"`colour_noise` must be 0 for {self.network}, which sees grey. "
                f"Received: colour_noise={noise}"
            )

    @property
    def size(self) -> int:
        """The side of the network's input in px."""
        return self.image_size or classifiers.get(self.network).input_size

    def describe(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it, without what the loop's has."""
        described = {"task": "classifier", **dataclasses.asdict(self)}
        loop = ("learning_rate", "batch_size", "epochs", "decay_epochs", "decay_factor", "decay")
        for field in ("paper", *loop, "clip_norm"):
            del described["recipe"][field]
        return described
