"""The project's own small network, for CPUs and phones."""

from typing import Any

import keras

from stylezoo.generators.blocks import Blocks, painted, style_inputs
from stylezoo.generators.configs import LightConfig
from stylezoo.generators.painter import Painter
from stylezoo.layers import PadToMultiple


@keras.saving.register_keras_serializable("stylezoo")
class Light(Painter):
    """Johnson et al.'s shape with nothing heavy at full size: see :class:`LightConfig`.

    Inputs and output are those of :class:`Johnson` with conditional normalisation.
    """

    config_type = LightConfig
    config: LightConfig

    @classmethod
    def _connect(cls, config: LightConfig) -> tuple[dict[str, Any], Any]:
        inputs = style_inputs(config.num_styles)
        image = inputs["image"]
        blocks = Blocks(
            "conditional",
            padding="reflect",
            num_styles=config.num_styles,
            style=inputs["style_weights"],
        )
        half, quarter = config.widths
        x = PadToMultiple(4, 8, name="pad_to_multiple")(image)
        x = keras.layers.Rescaling(2.0, -1.0, name="rescale")(x)
        at_half = blocks.conv(x, half, 5, strides=2, name="conv_in")
        x = blocks.conv(at_half, quarter, 3, strides=2, name="down")
        for index in range(config.num_blocks):
            x = blocks.residual(x, name=f"block{index + 1}")
        x = blocks.nearest(x, half, name="up")
        if config.skips:
            x = keras.layers.Add(name="skip_half")([x, at_half])
        x = blocks.nearest(x, 3, name="conv_out", activate=False)
        return inputs, painted(x, image)
