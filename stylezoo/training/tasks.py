"""What the tasks share."""

import dataclasses
from typing import Any, Protocol

import keras

from stylezoo import generators
from stylezoo.training.loop import LoopConfig


class Described(Protocol):
    """A task's configuration."""

    def describe(self) -> dict[str, Any]:
        """As JSON can hold it."""


class GeneratorTask:
    """One generator, of which all weights are trained; see :class:`~stylezoo.training.loop.Task`.

    Args:
        config: of the task.
        loop: of the run.
        generator: to train.
    """

    def __init__(
        self, config: Described, loop: LoopConfig, generator: generators.Generator
    ) -> None:
        training = {**config.describe(), "loop": loop.deciding()}
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
