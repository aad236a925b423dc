"""What stands between an image in [0, 1] and the first convolution of a pretrained network."""

import keras

from stylezoo.images import colour

# mode: (scale, channel order, mean, standard deviation). "caffe" is what the VGG authors trained
# with (0-255, BGR, the training set's mean colour), "torch" what torchvision trains with.
_CONSTANTS = {
    "caffe": (255.0, (2, 1, 0), (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
    "torch": (1.0, (0, 1, 2), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "symmetric": (2.0, (0, 1, 2), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
    # What EfficientNet-Lite was trained with.
    "lite": (255.0, (0, 1, 2), (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
    "unit": (1.0, (0, 1, 2), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
PREPROCESSINGS = tuple(_CONSTANTS)


@keras.saving.register_keras_serializable("stylezoo")
class Preprocess(keras.layers.Layer):
    """Images in [0, 1] to what a network's weights were trained on.

    It is the first layer of every network with pretrained weights and is chosen by those weights,
    so that no caller can get range, channel order or mean wrong.

    Args:
        mode: ``"caffe"`` (0-255, BGR, minus 103.939/116.779/123.68), ``"torch"`` (RGB, minus
            ImageNet's mean, divided by its standard deviation), ``"symmetric"`` (-1 to 1),
            ``"lite"`` (0-255, minus 127, divided by 128) or ``"unit"`` (unchanged).

    Input and output: [B, H, W, 3] float; of any number of channels in the last three modes.

    Raises:
        ValueError: for an unknown ``mode``.
    """

    def __init__(self, mode: str, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if mode not in _CONSTANTS:
            raise ValueError(f"`mode` must be one of {PREPROCESSINGS}. Received: mode={mode!r}")
        self.mode = mode

    def call(self, images):  # type: ignore[no-untyped-def]  # noqa: D102
        scale, order, mean, std = _CONSTANTS[self.mode]
        if order != (0, 1, 2):
            images = keras.ops.flip(images, axis=-1)
        # One number where all channels share it: for images of any number of channels.
        factor = keras.ops.convert_to_tensor(_shared([scale / s for s in std]), dtype=images.dtype)
        shift = keras.ops.convert_to_tensor(
            _shared([m / s for m, s in zip(mean, std, strict=True)]), dtype=images.dtype
        )
        return images * factor - shift

    @property
    def gain(self) -> float:
        """How much values change with those of the image: the mean over channels."""
        scale, _, _, std = _CONSTANTS[self.mode]
        return sum(scale / each for each in std) / len(std)

    def compute_output_shape(self, input_shape):  # type: ignore[no-untyped-def]  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {**super().get_config(), "mode": self.mode}


def _shared(values: list[float]) -> float | list[float]:
    return values[0] if len(set(values)) == 1 else values


@keras.saving.register_keras_serializable("stylezoo")
class Luminance(keras.layers.Layer):
    """Colours to grey, as :func:`stylezoo.images.luminance`: for networks that see grey images.

    Input: [B, H, W, 3] float in [0, 1]. Output: [B, H, W, 1] float32.
    """

    def call(self, images):  # type: ignore[no-untyped-def]  # noqa: D102
        return colour.luminance(images)

    def compute_output_shape(self, input_shape):  # type: ignore[no-untyped-def]  # noqa: D102
        return (*input_shape[:-1], 1)
