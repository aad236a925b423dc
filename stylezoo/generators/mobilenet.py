"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381), which predicts a style's vector."""

import dataclasses
from typing import Any

import keras

from stylezoo.generators.checks import scaled

# Table 2 of the paper: expansion, channels, repeats, strides of the first block.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_FIRST, _LAST = 32, 1280
# The numbers are those of the authors' code; a padding of zeros is TensorFlow's "same".
_EPSILON, _LIMIT = 1e-3, 6.0


@dataclasses.dataclass(frozen=True)
class _Layers:
    """The layers of the network; ``batch`` is whether its convolutions are normalised."""

    batch: bool

    def conv(self, x: Any, filters: int, kernel: int, *, name: str, **options: Any) -> Any:
        """Convolve, without a bias where a normalisation follows."""
        x = keras.layers.Conv2D(
            filters, kernel, padding="same", use_bias=not self.batch, name=name, **options
        )(x)
        return self._normalize(x, name)

    def depthwise(self, x: Any, *, name: str, strides: int) -> Any:
        """Convolve every channel by itself, 3x3."""
        x = keras.layers.DepthwiseConv2D(
            3, strides, padding="same", use_bias=not self.batch, name=name
        )(x)
        return self.activate(self._normalize(x, name), name)

    def activate(self, x: Any, name: str) -> Any:
        """Cut to 0 to 6."""
        return keras.layers.ReLU(_LIMIT, name=f"{name}_relu6")(x)

    def _normalize(self, x: Any, name: str) -> Any:
        if not self.batch:
            return x
        return keras.layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_norm")(x)

    def block(self, x: Any, filters: int, *, name: str, expansion: int, strides: int) -> Any:
        """Widen, convolve every channel, narrow; the input is added where the shape is the same."""
        channels, y = x.shape[-1], x
        if expansion > 1:
            y = self.conv(y, expansion * channels, 1, name=f"{name}_expand")
            y = self.activate(y, f"{name}_expand")
        y = self.depthwise(y, name=f"{name}_depthwise", strides=strides)
        y = self.conv(y, filters, 1, name=f"{name}_project")
        if strides == 1 and channels == filters:
            y = keras.layers.Add(name=f"{name}_sum")([x, y])
        return y


def average_features(image: Any, *, width: float, batch: bool) -> Any:
    """Return the mean of MobileNetV2's last features.

    Args:
        image: A KerasTensor [B, H, W, 3], in [0, 1].
        width: Factor of the numbers of channels; the last convolution too becomes narrower by it,
            where the paper's keeps 1280 channels.
        batch: Whether convolutions have batch normalisation; else they have biases.

    Returns:
        A KerasTensor [B, width·1280].
    """
    layers = _Layers(batch)
    x = layers.conv(image, scaled(_FIRST, width), 3, strides=2, name="conv_in")
    x = layers.activate(x, "conv_in")
    number = 0
    for expansion, channels, repeats, strides in _STAGES:
        for index in range(repeats):
            number += 1
            x = layers.block(
                x,
                scaled(channels, width),
                name=f"block{number}",
                expansion=expansion,
                strides=1 if index else strides,
            )
    x = layers.conv(x, scaled(_LAST, width), 1, name="conv_out")
    x = layers.activate(x, "conv_out")
    return keras.layers.GlobalAveragePooling2D(name="mean")(x)
