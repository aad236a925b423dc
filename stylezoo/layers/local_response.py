"""Local response normalisation (Krizhevsky et al. 2012), which Keras lacks."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("stylezoo")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each feature by the energy of its neighbours among the channels.

    x / (bias + alpha · Σ x²)^beta, the sum over ``2·radius + 1`` channels around its own. Source:
    Krizhevsky et al. 2012, section 3.3, whose constants are the defaults.

    Args:
        radius: Number of channels on each side; the paper's n is 2·radius + 1 = 5.
        bias: The paper's k.
        alpha: Factor of the sum of squares. Caffe's alpha is a factor of the mean, so that it has to be
            divided by n to be used here.
        beta: The exponent.

    Input and output: [B, H, W, C] float; computed in float32.
    """

    def __init__(
        self,
        radius: int = 2,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.radius, self.bias, self.alpha, self.beta = radius, bias, alpha, beta

    def call(self, x: Any) -> Any:  # noqa: D102
        normalized = tf.nn.local_response_normalization(
            tf.cast(x, tf.float32), self.radius, self.bias, self.alpha, self.beta
        )
        return tf.cast(normalized, x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"radius": self.radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}
