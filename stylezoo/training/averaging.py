"""Running averages of weights, which paint more steadily than the weights of the last step."""

import contextlib
from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf


class RunningAverage:
    """An exponential average of variables over the steps of a training.

    Source: Polyak & Juditsky 1992, with exponential weights. In the first steps the average forgets
    faster, so that the initial values have no lasting share.

    Args:
        variables: The variables.
        decay: Share of the average that is left after a step, in (0, 1).

    Attributes:
        averages: The averages, in the order of the variables.
    """

    def __init__(self, variables: Sequence[keras.Variable], decay: float) -> None:
        self._variables = [variable.value for variable in variables]
        self._decay = decay
        self.averages = [tf.Variable(each, trainable=False) for each in self._variables]

    def update(self, step: tf.Tensor) -> None:
        """Take in the values after a step, counted from 0; call it outside replicas."""
        count = tf.cast(step, tf.float32)
        decay = tf.minimum(self._decay, (1 + count) / (10 + count))
        for average, variable in zip(self.averages, self._variables, strict=True):
            average.assign(decay * average + (1 - decay) * variable)

    def apply(self) -> None:
        """Give the variables their averages."""
        for average, variable in zip(self.averages, self._variables, strict=True):
            variable.assign(average)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Give the variables their averages for a while."""
        kept = [tf.identity(variable) for variable in self._variables]
        self.apply()
        try:
            yield
        finally:
            for variable, value in zip(self._variables, kept, strict=True):
                variable.assign(value)
