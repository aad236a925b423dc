"""Decoders: networks that make a picture of a classifier's features."""

from typing import Any

import keras

from stylezoo.generators.decoder_config import DecoderConfig
from stylezoo.generators.preset_model import PresetModel
from stylezoo.layers import Standardize

_LEAK = 0.2


@keras.saving.register_keras_serializable("stylezoo")
class Decoder(PresetModel):
    """Dosovitskiy & Brox's network that inverts a layer of a classifier: see :class:`DecoderConfig`.

    The input is the layer's features, [B, h, w, C] float32 as :class:`~stylezoo.perceptual.Perceptual`
    gives them for pictures of ``config.image_size``; the output is the picture,
    [B, image_size, image_size, 3] in [0, 1].

    Args:
        config: The architecture.
        name: The model's name.
    """

    config_type = DecoderConfig
    config: DecoderConfig

    def __init__(self, config: DecoderConfig, *, name: str | None = None) -> None:
        code = keras.Input(config.code, name="code")
        super().__init__(inputs=code, outputs=_decoded(config, code), name=name)
        self.config = config
        self.training_record = {}

    @property
    def statistics(self) -> Standardize:
        """The layer that holds the statistics of real codes."""
        layer: Standardize = self.get_layer("standardize")
        return layer

    def introduction(self) -> list[str]:
        """Return the lines of the default card."""
        return [
            "# Decoder",
            "",
            f"A decoder of {self.config.layer} of {self.config.network} to pictures of "
            f"{self.config.image_size} px with {self.count_params():,} parameters.",
            "",
            "    stylezoo visualize activation --prior=FOLDER --class=CLASS --output=PICTURE",
            "    stylezoo visualize inversion --prior=FOLDER --image=PICTURE --output=PICTURE",
        ]


def _decoded(config: DecoderConfig, code: Any) -> Any:
    """Connect the layers; return the picture."""
    widths = [config.width_at(doublings) for doublings in range(config.doublings, -1, -1)]
    x = Standardize(name="standardize")(code)
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=True, name="pooled")(x)
    pooled = keras.layers.Conv2D(widths[0], 1, name="whole")(pooled)
    x = keras.layers.Conv2D(widths[0], 1, name="enter")(x)
    x = _active(keras.layers.Add(name="sum")([x, pooled]), "sum")
    x = keras.layers.Resizing(config.base_side, config.base_side, name="resize")(x)
    for index in (1, 2):
        x = keras.layers.Conv2D(widths[0], 3, padding="same", name=f"conv{index}")(x)
        x = _active(x, f"conv{index}")
    for index, width in enumerate(widths[1:], start=1):
        # A kernel of 4 and a stride of 2 reach every pixel alike, so that there is no checkerboard.
        x = keras.layers.Conv2DTranspose(width, 4, 2, padding="same", name=f"up{index}")(x)
        x = _active(x, f"up{index}")
    x = keras.layers.Conv2D(3, 3, padding="same", name="conv_out")(x)
    return keras.layers.Activation("sigmoid", dtype="float32", name="sigmoid")(x)


def _active(x: Any, name: str) -> Any:
    return keras.layers.LeakyReLU(negative_slope=_LEAK, name=f"{name}_relu")(x)
