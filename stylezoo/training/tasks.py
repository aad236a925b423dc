"""The base of the tasks that train painters, and their result."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, Protocol

import keras

from stylezoo import generators
from stylezoo.training.loop_config import LoopConfig


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """The result of a painter's run.

    Attributes:
        painter: The trained painter, which is also in the preset ``model`` in the run's folder.
        skipped: The pictures that could not be read in this process, and why, by name.
    """

    painter: generators.Painter
    skipped: Mapping[str, str]


class Described(Protocol):
    """A task's configuration."""

    def describe(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""


class GeneratorTask:
    """Train all weights of one painter; see :class:`~stylezoo.training.trainer.Task`.

    Args:
        config: The task's configuration.
        loop: The run's configuration.
        painter: The painter to train.
    """

    def __init__(self, config: Described, loop: LoopConfig, painter: generators.Painter) -> None:
        self._network = painter
        painter.training_record = without_folders({**config.describe(), "loop": loop.deciding()})

    @property
    def network(self) -> generators.Painter:
        """The painter that is trained."""
        return self._network

    @property
    def variables(self) -> list[Any]:
        """All of its variables that can be trained."""
        return self.network.trainable_variables

    @property
    def head_variables(self) -> list[Any]:
        """No variables: generators train all weights from the first step."""
        return []

    @property
    def head_steps(self) -> int:
        """0, since no steps train a head alone."""
        return 0

    def painter(self) -> generators.Painter:
        """Return the painter that is saved, with its weights as they are and the record of the training."""
        return self.network

    @property
    def skipped(self) -> Mapping[str, str]:
        """The pictures that could not be read; none where no photographs are read."""
        return {}

    def optimizer(self, learning_rate: Any) -> keras.optimizers.Optimizer:
        """Return Adam."""
        return keras.optimizers.Adam(learning_rate)

    def save(self, folder: pathlib.Path) -> None:
        """Write the preset ``model``."""
        self.painter().save_to_preset(folder / "model", overwrite=True)

    def result(self) -> TrainingResult:
        """Return the painter, and the pictures that were skipped."""
        return TrainingResult(self.painter(), self.skipped)


def without_folders(value: Any) -> Any:
    """Reduce paths to names, since a model that is passed on should not tell of its owner's folders."""
    if isinstance(value, dict):
        return {key: without_folders(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(each) for each in value]
    if isinstance(value, str) and pathlib.Path(value).exists():
        return pathlib.Path(value).name
    return value
