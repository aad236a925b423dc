"""Johnson et al.'s network for super-resolution with a perceptual loss."""

import math
from typing import Any

import keras
import tensorflow as tf

from stylezoo import ops
from stylezoo.generators.blocks import Blocks, entered, painted
from stylezoo.generators.configs import SuperResolutionConfig
from stylezoo.generators.painter import Painter
from stylezoo.layers import BilinearUpsampling

# Deviation of the Gaussian that photographs are blurred with before they are reduced (section 4.2), px.
_SIGMA = 1.0


def degrade(image: tf.Tensor, factor: int) -> tf.Tensor:
    """Blur pictures with σ = 1 px, and reduce them by bicubic interpolation (section 4.2).

    Args:
        image: [B, H, W, 3] in [0, 1], H and W multiples of ``factor``.
        factor: Factor by which the result is smaller.

    Returns:
        [B, H / factor, W / factor, 3] in [0, 1].
    """
    blurred = ops.gaussian_blur(image, _SIGMA, border="REFLECT")
    size = tf.shape(image)[1:3] // factor
    return tf.clip_by_value(tf.image.resize(blurred, size, "bicubic"), 0.0, 1.0)


@keras.saving.register_keras_serializable("stylezoo")
class SuperResolution(Painter):
    """Johnson et al.'s network that enlarges pictures: see :class:`SuperResolutionConfig`.

    The input is a dict of ``image``, [B, H, W, 3] in [0, 1] of any size; the output is
    [B, factor·H, factor·W, 3] in [0, 1].
    """

    config_type = SuperResolutionConfig
    config: SuperResolutionConfig

    @property
    def factor(self) -> int:
        """How many times larger than the image the painting is."""
        return self.config.factor

    @classmethod
    def _connect(cls, config: SuperResolutionConfig) -> tuple[dict[str, Any], Any]:
        inputs = {"image": keras.Input([None, None, 3], name="image")}
        blocks = Blocks(config.normalization, padding="reflect")
        x = enlarged = entered(inputs["image"], 1, mirrored=config.kernel // 2)
        x = blocks.conv(x, config.width, config.kernel, name="conv_in")
        for index in range(config.num_blocks):
            x = blocks.residual(x, name=f"block{index + 1}")
        for index in range(int(math.log2(config.factor))):
            x = blocks.upsample(x, config.width, kind=config.upsampling, name=f"up{index + 1}")
            enlarged = BilinearUpsampling(name=f"enlarge{index + 1}")(enlarged)
        x = blocks.conv(x, 3, config.kernel, activate=False, normalize=False, name="conv_out")
        if not config.residual:
            return inputs, painted(x, inputs["image"], factor=config.factor)
        x = keras.layers.Add(name="sum")([x, enlarged])
        x = keras.layers.Rescaling(0.5, dtype="float32", name="colours")(x)
        return inputs, painted(x, inputs["image"], factor=config.factor, output="linear")
