"""Features by the statistics of real ones."""

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("stylezoo")
class Standardize(keras.layers.Layer):
    """Subtracts each channel's mean and divides by its standard deviation, which it keeps as weights.

    ``keras.layers.Normalization`` does the same, but it does not know the range of real features.

    Input and output: [..., C] float32.
    """

    def build(self, input_shape: Any) -> None:
        """Make the statistics: a mean of 0, a deviation of 1 and a least value of minus infinity's stand-in.

        Args:
            input_shape: Shape of the input.
        """
        for name, initial in (("mean", "zeros"), ("deviation", "ones"), ("least", "zeros")):
            weight = self.add_weight(
                name=name, shape=(input_shape[-1],), initializer=initial, trainable=False
            )
            setattr(self, name, weight)

    def assign_statistics(self, features: Any) -> None:
        """Take the statistics of real features, [..., C].

        A channel that is constant gets a deviation of 1.
        """
        values = np.asarray(features, np.float64).reshape(-1, np.shape(features)[-1])
        deviation = values.std(axis=0)
        self.mean.assign(values.mean(axis=0))
        self.deviation.assign(np.where(deviation > 0, deviation, 1.0))
        self.least.assign(values.min(axis=0))

    def bounds(self, deviations: float) -> tuple[Any, Any]:
        """Return the least and the largest value of each channel within some standard deviations, [C].

        None is less than the least of real features, which is 0 after a ReLU.
        """
        reach = deviations * self.deviation
        low = keras.ops.maximum(self.mean - reach, self.least)
        return low, self.mean + reach

    def call(self, x: Any) -> Any:  # noqa: D102
        return (x - self.mean) / self.deviation

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape
