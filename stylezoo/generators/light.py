"""The project's own small network, for CPUs and phones."""

from typing import Any

import keras

from stylezoo.generators.blocks import Blocks, entered, painted, style_inputs
from stylezoo.generators.configs import LightConfig
from stylezoo.generators.painter import Painter


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
        kind = config.upsampling
        x = entered(image, config.stride, mirrored=max(2, config.margin), margin=config.margin)
        at_half = blocks.conv(x, half, 5, strides=2, name="conv_in")
        x = blocks.conv(at_half, quarter, 3, strides=2, name="down")
        if config.eighth_blocks:
            x = blocks.wider_view(
                x, config.eighth_width, config.eighth_blocks, kind=kind, name="eighth"
            )
        for index in range(config.num_blocks):
            x = blocks.residual(x, name=f"block{index + 1}")
        x = blocks.upsample(x, half, kind=kind, name="up")
        if config.skips:
            x = keras.layers.Add(name="skip_half")([x, at_half])
        x = blocks.upsample(x, 3, kind=kind, name="conv_out", activate=False)
        return inputs, painted(x, image, margin=config.margin)
