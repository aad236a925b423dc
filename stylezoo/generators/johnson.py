"""The image transformation network of Johnson et al. and the networks of its shape."""

from typing import Any

import keras

from stylezoo.generators.blocks import Blocks, entered, painted, style_inputs
from stylezoo.generators.configs import JohnsonConfig
from stylezoo.generators.painter import Painter
from stylezoo.layers import MirrorPadding

# Johnson et al. pad by this once; ten unpadded convolutions at a quarter of the size eat it up.
_ONCE = 40


@keras.saving.register_keras_serializable("stylezoo")
class Johnson(Painter):
    """Johnson et al.'s network (2016, section 3.1): see :class:`JohnsonConfig`.

    Inputs are a dict of ``image``, [B, H, W, 3] in [0, 1] of any size, and with conditional
    normalisation ``style_weights``, [B, num_styles]. The output is [B, H, W, 3] in [0, 1].
    """

    config_type = JohnsonConfig
    config: JohnsonConfig

    @classmethod
    def _connect(cls, config: JohnsonConfig) -> tuple[dict[str, Any], Any]:
        inputs = style_inputs(config.num_styles)
        image = inputs["image"]
        once = config.padding == "once"
        blocks = Blocks(
            config.normalization,
            padding="zero" if once else config.padding,
            num_styles=config.num_styles,
            style=inputs.get("style_weights"),
        )
        x = entered(
            image,
            config.stride,
            mirrored=max(config.kernel // 2, _ONCE if once else config.margin),
            margin=config.margin,
            centred=config.centred,
        )
        if once:
            x = MirrorPadding(_ONCE, name="pad_once")(x)
        full, half, quarter = config.widths
        at_full = blocks.conv(x, full, config.kernel, name="conv_in")
        at_half = blocks.conv(at_full, half, 3, strides=2, name="down1")
        x = blocks.conv(at_half, quarter, 3, strides=2, name="down2")
        if config.eighth_blocks:
            x = blocks.wider_view(
                x, config.eighth_width, config.eighth_blocks, kind=config.upsampling, name="eighth"
            )
        for index in range(config.num_blocks):
            x = blocks.residual(x, name=f"block{index + 1}", padded=not once)
        late, last = config.expanding_widths or (half, full)
        x = blocks.upsample(x, late, kind=config.upsampling, name="up1")
        if config.skips:
            x = keras.layers.Add(name="skip_half")([x, at_half])
        x = blocks.upsample(x, last, kind=config.upsampling, name="up2")
        if config.skips:
            x = keras.layers.Add(name="skip_full")([x, at_full])
        x = blocks.conv(
            x, 3, config.kernel, activate=False, normalize=config.normalize_output, name="conv_out"
        )
        return inputs, painted(x, image, output=config.output, margin=config.margin)
