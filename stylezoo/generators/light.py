"""The project's own small network, for CPUs and phones."""

import dataclasses

import keras

from stylezoo.generators.blocks import Blocks, painted, style_inputs
from stylezoo.generators.checks import check_at_least, check_widths, scaled
from stylezoo.layers import PadToMultiple


@dataclasses.dataclass(frozen=True)
class LightConfig:
    """Johnson et al.'s shape with nothing heavy at full size.

    The first convolution halves the size at once, the last one doubles it, so that full size sees
    three channels and half size few; conditional instance normalisation on every convolution
    (Dumoulin et al. 2017). BUILD.md has the measurements behind the widths.

    Attributes:
        widths: channels at half and at quarter size.
        num_blocks: residual blocks.
        num_styles: >= 1.
        skips: add what the first convolution saw to what the last but one makes of it, as those of
            ``JohnsonConfig``: the photograph's detail need not pass through a quarter of the size.

    Raises:
        ValueError: for a number out of its range.
    """

    widths: tuple[int, int] = (16, 48)
    num_blocks: int = 5
    num_styles: int = 1
    skips: bool = False

    def __post_init__(self) -> None:
        check_widths(self.widths, 2)
        check_at_least(self, "num_blocks", 0)
        check_at_least(self, "num_styles", 1)

    @property
    def reach(self) -> int:
        """How far, px, an output pixel sees, but for the moments of normalisation."""
        # A kernel at each change of size, the coarsest grid, two 3x3 ones a block.
        return (2 + 2 + 2 + 1) + (4 - 1) + 2 * 4 * self.num_blocks

    @property
    def stride(self) -> int:
        """A shift of the image by so many px shifts the output."""
        return 4

    def scaled(self, width: float) -> "LightConfig":
        """With ``width`` times the channels."""
        half, quarter = (scaled(each, width) for each in self.widths)
        return dataclasses.replace(self, widths=(half, quarter))

    def with_styles(self, num_styles: int) -> "LightConfig":
        """For so many styles."""
        return dataclasses.replace(self, num_styles=num_styles)

    def build(self) -> keras.Model:
        """The network with random weights; inputs and output as of ``JohnsonConfig.build``."""
        inputs = style_inputs(self.num_styles)
        image = inputs["image"]
        blocks = Blocks(
            "conditional",
            padding="reflect",
            num_styles=self.num_styles,
            style_weights=inputs["style_weights"],
        )
        half, quarter = self.widths
        x = PadToMultiple(4, 8, name="pad_to_multiple")(image)
        x = keras.layers.Rescaling(2.0, -1.0, name="rescale")(x)
        at_half = blocks.conv(x, half, 5, strides=2, name="conv_in")
        x = blocks.conv(at_half, quarter, 3, strides=2, name="down")
        for index in range(self.num_blocks):
            x = blocks.residual(x, name=f"block{index + 1}")
        x = blocks.nearest(x, half, name="up")
        if self.skips:
            x = keras.layers.Add(name="skip_half")([x, at_half])
        x = blocks.nearest(x, 3, name="conv_out", activate=False)
        return keras.Model(inputs, painted(x, image))
