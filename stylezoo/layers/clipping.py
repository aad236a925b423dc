"""Layers that cut values to a range."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("stylezoo")
class UnitClip(keras.layers.Layer):
    """Adds 0.5 and cuts values to [0, 1]; in training the gradient passes as if nothing were cut.

    What has become black or white can therefore come back, which it can't behind a sigmoid.

    Input and output have any shape, float.
    """

    def call(self, x: Any, training: bool | None = None) -> Any:  # noqa: D102
        x = x + 0.5
        clipped = tf.clip_by_value(x, 0.0, 1.0)
        return x + tf.stop_gradient(clipped - x) if training else clipped

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape


@keras.saving.register_keras_serializable("stylezoo")
class Limit(keras.layers.Layer):
    """Cuts values to ±``limit``, except in training, where values beyond it need their gradient.

    Args:
        limit: Largest absolute value, > 0.

    Input and output have any shape, float.

    Raises:
        ValueError: If ``limit`` is not positive.
    """

    def __init__(self, limit: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not limit > 0:
            raise ValueError(f"`limit` must be > 0. Received: limit={limit}")
        self.limit = limit

    def call(self, x: Any, training: bool | None = None) -> Any:  # noqa: D102
        return x if training else tf.clip_by_value(x, -self.limit, self.limit)

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "limit": self.limit}
