"""Layers that cut values to a range."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("stylezoo")
class UnitClip(keras.layers.Layer):
    """Cuts values to [0, 1], middle grey being 0; in training the gradient passes as if it didn't.

    So what has become black or white can come back, which behind a sigmoid it can't.

    Input and output: of any shape, float.
    """

    def call(self, x: Any, training: bool | None = None) -> Any:  # noqa: D102
        x = x + 0.5
        clipped = tf.clip_by_value(x, 0.0, 1.0)
        return x + tf.stop_gradient(clipped - x) if training else clipped

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape


@keras.saving.register_keras_serializable("stylezoo")
class Limit(keras.layers.Layer):
    """Cuts values to ±``limit``; not in training, where what is beyond needs its gradient.

    Args:
        limit: > 0.

    Input and output: of any shape, float.

    Raises:
        ValueError: if ``limit`` is not positive.
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
        """The constructor's arguments."""
        return {**super().get_config(), "limit": self.limit}
