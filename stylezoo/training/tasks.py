"""What the tasks share."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, Protocol

import keras

from stylezoo import generators
from stylezoo.training.loop_config import LoopConfig


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What a generator's run ends with.

    Attributes:
        generator: the trained one, which is also in the folder's ``model.h5``.
        skipped: name and reason of the pictures that could not be read, in this process.
    """

    generator: generators.Generator
    skipped: Mapping[str, str]


class Described(Protocol):
    """A task's configuration."""

    def describe(self) -> dict[str, Any]:
        """As JSON can hold it."""


class GeneratorTask:
    """One generator, of which all weights are trained; see :class:`~stylezoo.training.trainer.Task`.

    Args:
        config: of the task.
        loop: of the run.
        generator: to train.
    """

    def __init__(
        self, config: Described, loop: LoopConfig, generator: generators.Generator
    ) -> None:
        training = _without_folders({**config.describe(), "loop": loop.deciding()})
        self._generator = dataclasses.replace(generator, training=training)

    @property
    def network(self) -> keras.Model:
        """The generator's."""
        return self._generator.network

    @property
    def variables(self) -> list[Any]:
        """All that its network trains."""
        return self.network.trainable_variables

    def generator(self) -> generators.Generator:
        """With its weights as they are, and the record of how they were trained."""
        return self._generator

    @property
    def skipped(self) -> Mapping[str, str]:
        """None, where no photographs are read."""
        return {}

    def optimizer(self, learning_rate: Any) -> keras.optimizers.Optimizer:
        """Adam."""
        return keras.optimizers.Adam(learning_rate)

    def save(self, folder: pathlib.Path) -> None:
        """Into ``model.h5``."""
        generators.save(folder / "model.h5", self.generator(), overwrite=True)

    def result(self) -> TrainingResult:
        """The generator, and what was skipped."""
        return TrainingResult(self.generator(), self.skipped)


def _without_folders(value: Any) -> Any:
    """Paths cut down to names: a model is passed on, and its owner's folders are nobody's business."""
    if isinstance(value, dict):
        return {key: _without_folders(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(each) for each in value]
    if isinstance(value, str) and pathlib.Path(value).exists():
        return pathlib.Path(value).name
    return value
