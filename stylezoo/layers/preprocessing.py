"""Layers that turn an image in [0, 1] into the input of a pretrained network."""

import keras

from stylezoo.images import colour
from stylezoo.weights.input_scaling import INPUT_SCALINGS

PREPROCESSINGS = tuple(INPUT_SCALINGS)
"""The modes of ``Preprocess``."""


@keras.saving.register_keras_serializable("stylezoo")
class Preprocess(keras.layers.Layer):
    """Scales images in [0, 1] to what a network's weights were trained on.

    It is the first layer of every network with pretrained weights and is chosen by those weights,
    so that no caller can get range, channel order or mean wrong.

    Args:
        mode: ``"caffe"`` (0-255, BGR, minus 103.939/116.779/123.68), ``"torch"`` (RGB, minus
            ImageNet's mean, divided by its standard deviation), ``"symmetric"`` (-1 to 1),
            ``"lite"`` (0-255, minus 127, divided by 128), ``"bytes"`` (0-255) or ``"unit"`` (unchanged).

    Input and output: [B, H, W, 3] float; the last four modes take any number of channels.

    Raises:
        ValueError: For an unknown ``mode``.
    """

    def __init__(self, mode: str, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if mode not in INPUT_SCALINGS:
            raise ValueError(f"`mode` must be one of {PREPROCESSINGS}. Received: mode={mode!r}")
        self.mode = mode

    def call(self, images):  # type: ignore[no-untyped-def]  # noqa: D102
        scale, reverse, mean, std = INPUT_SCALINGS[self.mode]
        if reverse:
            images = keras.ops.flip(images, axis=-1)
        # Channels that share a number have it once, so that images may have any number of channels.
        factor = keras.ops.convert_to_tensor(_shared([scale / s for s in std]), dtype=images.dtype)
        shift = keras.ops.convert_to_tensor(
            _shared([m / s for m, s in zip(mean, std, strict=True)]), dtype=images.dtype
        )
        return images * factor - shift

    @property
    def gain(self) -> float:
        """The factor from changes of the image to changes of the input, averaged over channels."""
        scale, _, _, std = INPUT_SCALINGS[self.mode]
        return sum(scale / each for each in std) / len(std)

    def compute_output_shape(self, input_shape):  # type: ignore[no-untyped-def]  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, object]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mode": self.mode}


def _shared(values: list[float]) -> float | list[float]:
    """Return the one number that all of a list are, or else the list."""
    return values[0] if len(set(values)) == 1 else values


@keras.saving.register_keras_serializable("stylezoo")
class Luminance(keras.layers.Layer):
    """Turns colours to grey, as :func:`stylezoo.images.luminance` does, for networks of grey images.

    Input: [B, H, W, 3] float in [0, 1]. Output: [B, H, W, 1] float32.
    """

    def call(self, images):  # type: ignore[no-untyped-def]  # noqa: D102
        return colour.luminance(images)

    def compute_output_shape(self, input_shape):  # type: ignore[no-untyped-def]  # noqa: D102
        return (*input_shape[:-1], 1)
