"""Linear interpolation and a convolution in one step, at the smaller size."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

# How much of the rows i - 1, i, i + 1 of a picture is in what a 3-tap kernel sees around row 2i, and
# around row 2i + 1, of the picture that was doubled by linear interpolation: [place, row, tap].
_SHARES = np.array(
    [
        [[0.75, 0.25, 0.0], [0.25, 0.75, 0.75], [0.0, 0.0, 0.25]],
        [[0.25, 0.0, 0.0], [0.75, 0.75, 0.25], [0.0, 0.25, 0.75]],
    ],
    np.float32,
)


@keras.saving.register_keras_serializable("stylezoo")
class BilinearConv2D(keras.layers.Layer):
    """Double the size by linear interpolation, and convolve 3x3.

    Both together are one convolution of the smaller picture whose kernel makes the four pixels that take
    the place of one, four times as many channels. It has as many multiplications as the convolution of
    the larger picture, which is never made: 16 channels of it take longer to write than to convolve.

    Args:
        filters: Number of output channels.
        use_bias: Whether a number is added to each output channel.

    Input: [B, H + 2, W + 2, C], padded by one row or column on each side. Output: [B, 2·H, 2·W, filters].

    Raises:
        ValueError: If ``filters`` < 1.
    """

    def __init__(self, filters: int, *, use_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if filters < 1:
            raise ValueError(f"`filters` must be >= 1. Received: filters={filters}")
        self.filters = filters
        self.use_bias = use_bias

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [3, 3, C, filters], and the bias."""
        self.kernel = self.add_weight(name="kernel", shape=(3, 3, input_shape[-1], self.filters))
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, x: Any) -> Any:
        """Return the enlarged pictures, convolved."""
        kernel = tf.cast(self.kernel, tf.float32)
        folded = tf.einsum("ayk,bxl,klio->yxiabo", _SHARES, _SHARES, kernel)
        folded = tf.reshape(folded, [3, 3, kernel.shape[2], 4 * self.filters])
        # The four pixels of a plain picture are the same to the last digit, which normalisations would
        # enlarge, because only differences from one of its pixels go through the folded kernel.
        level = tf.stop_gradient(x[:, :1, :1])
        total = tf.reduce_sum(kernel, axis=(0, 1), keepdims=True)
        offset = tf.nn.conv2d(tf.cast(level, tf.float32), total, 1, "VALID")
        if self.bias is not None:
            offset += tf.cast(self.bias, tf.float32)
        differences = tf.nn.conv2d(x - level, tf.cast(folded, x.dtype), 1, "VALID")
        x = differences + tf.cast(tf.tile(offset, [1, 1, 1, 4]), x.dtype)
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the enlarged pictures."""
        batch, height, width, _ = input_shape
        sides = (None if side is None else 2 * (side - 2) for side in (height, width))
        return (batch, *sides, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "filters": self.filters, "use_bias": self.use_bias}
