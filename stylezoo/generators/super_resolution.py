"""Johnson et al.'s network for super-resolution with a perceptual loss."""

import dataclasses
import math
from typing import ClassVar

import keras

from stylezoo.generators.blocks import UPSAMPLINGS, Blocks, painted
from stylezoo.generators.checks import check_at_least, check_choice, check_one_style, scaled
from stylezoo.layers import PadToMultiple

FACTORS = (4, 8)
_KERNEL = 9


@dataclasses.dataclass(frozen=True)
class SuperResolutionConfig:
    """Convolve, residual blocks, double as often as needed, convolve (Johnson et al. 2016, 3.1).

    Batch normalisation as in the paper: instance normalisation takes away the very contrast that the
    output is to have. Differs from the paper in that every convolution reflects its input at the
    border, but for transposed ones.

    Attributes:
        factor: 4 or 8 times the size.
        width: channels of all convolutions, 64 in the paper.
        num_blocks: residual blocks, 4 in the paper.
        upsampling: ``"transposed"`` convolutions (the paper) or ``"nearest"`` and a convolution,
            which leaves no checkerboard (Odena et al. 2016).

    Raises:
        ValueError: for a value that is not among those.
    """

    factor: int = 4
    width: int = 64
    num_blocks: int = 4
    upsampling: str = "nearest"

    num_styles: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_choice(self, "factor", FACTORS)
        check_choice(self, "upsampling", UPSAMPLINGS)
        check_at_least(self, "width", 1)
        check_at_least(self, "num_blocks", 0)

    @property
    def stride(self) -> int:
        """A shift of the image by so many px shifts the output by ``factor`` times as many."""
        return 1

    @property
    def reach(self) -> int:
        """How far, px of the image, an output pixel sees."""
        # What follows the blocks spans 2 at either kind of upsampling.
        return _KERNEL // 2 + 2 * self.num_blocks + 2

    def scaled(self, width: float) -> "SuperResolutionConfig":
        """With ``width`` times the channels."""
        return dataclasses.replace(self, width=scaled(self.width, width))

    def with_styles(self, num_styles: int) -> "SuperResolutionConfig":
        """Itself, which paints one style."""
        check_one_style(num_styles)
        return self

    def build(self) -> keras.Model:
        """The network with random weights.

        Returns:
            A functional Keras model: a dict of ``image``, [B, H, W, 3] in [0, 1] of any size, ->
            [B, factor·H, factor·W, 3] in [0, 1].
        """
        image = keras.Input([None, None, 3], name="image")
        blocks = Blocks("batch", padding="reflect")
        # Reflecting needs as many pixels as it mirrors.
        x = PadToMultiple(1, _KERNEL // 2 + 1, name="pad_to_multiple")(image)
        x = keras.layers.Rescaling(2.0, -1.0, name="rescale")(x)
        x = blocks.conv(x, self.width, _KERNEL, name="conv_in")
        for index in range(self.num_blocks):
            x = blocks.residual(x, name=f"block{index + 1}")
        for index in range(int(math.log2(self.factor))):
            x = blocks.upsample(x, self.width, kind=self.upsampling, name=f"up{index + 1}")
        x = blocks.conv(x, 3, _KERNEL, activate=False, normalize=False, name="conv_out")
        return keras.Model({"image": image}, painted(x, image, factor=self.factor))
