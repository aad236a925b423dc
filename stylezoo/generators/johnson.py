"""The image transformation network of Johnson et al. and the networks of its shape."""

import dataclasses

import keras

from stylezoo.generators.blocks import NORMALIZATIONS, UPSAMPLINGS, Blocks, painted, style_inputs
from stylezoo.generators.checks import (
    check_at_least,
    check_choice,
    check_one_style,
    check_widths,
    scaled,
)
from stylezoo.layers import MirrorPadding, PadToMultiple

PADDINGS = ("reflect", "once", "zero")

# Johnson et al. pad by this once; ten unpadded convolutions at a quarter of the size eat it up.
_ONCE = 40


@dataclasses.dataclass(frozen=True)
class JohnsonConfig:
    """Convolve, halve twice, residual blocks, double twice, convolve (Johnson et al. 2016, 3.1).

    The last activation is the sigmoid of Dumoulin et al. 2017, for all: Johnson et al.'s scaled tanh
    is the same function, but for their code's factor of 150 / 127.5 that lets it clip.

    Attributes:
        widths: channels at full, half and quarter size: 32, 64, 128 in the paper.
        num_blocks: residual blocks.
        kernel: side of the first and the last kernel, odd.
        normalization: ``"batch"`` (the paper), ``"instance"`` (Ulyanov et al. 2016) or
            ``"conditional"`` (Dumoulin et al. 2017: one scale and shift a style).
        upsampling: ``"transposed"`` convolutions (the paper) or ``"nearest"`` and a convolution,
            which leaves no checkerboard (Odena et al. 2016).
        padding: ``"once"``, 40 px reflected at the start and unpadded residual blocks (the paper's
            supplement and code; its other convolutions pad with zeros), ``"reflect"`` before every
            convolution (Dumoulin et al.) or ``"zero"``.
        normalize_output: normalise the last convolution too (Dumoulin et al.).
        num_styles: of ``"conditional"``; 0 for the others.
        skips: add what the convolutions at full and at half size saw to what the last two make of it
            (as LinkNet does, Chaurasia & Culurciello 2017; not in Johnson et al.): the photograph's
            detail need not pass through a quarter of the size. Not with ``padding="once"``.

    Raises:
        ValueError: for a value that is not among those.
    """

    widths: tuple[int, int, int] = (32, 64, 128)
    num_blocks: int = 5
    kernel: int = 9
    normalization: str = "instance"
    upsampling: str = "nearest"
    padding: str = "reflect"
    normalize_output: bool = False
    num_styles: int = 0
    skips: bool = False

    def __post_init__(self) -> None:
        check_choice(self, "normalization", NORMALIZATIONS)
        check_choice(self, "upsampling", UPSAMPLINGS)
        check_choice(self, "padding", PADDINGS)
        check_widths(self.widths, 3)
        check_at_least(self, "num_blocks", 0)
        check_at_least(self, "num_styles", 0)
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"`kernel` must be odd, >= 1. Received: kernel={self.kernel}")
        if (self.num_styles > 0) != (self.normalization == "conditional"):
            raise ValueError(
                "`num_styles` must be >= 1 with normalization='conditional', else 0. "
                f"Received: num_styles={self.num_styles}, normalization={self.normalization!r}"
            )
        if self.padding == "once" and self.num_blocks != 5:
            raise ValueError(
                f"`num_blocks` must be 5 with padding='once'. Received: {self.num_blocks}"
            )
        if self.padding == "once" and self.skips:
            raise ValueError("`skips` must be False with padding='once'. Received: skips=True")

    @property
    def reach(self) -> int:
        """How far, px, an output pixel sees, but for the moments of normalisation."""
        # The outer kernels, a 3x3 one at each change of size, the coarsest grid, two 3x3 ones a block.
        return 2 * (self.kernel // 2) + (1 + 2 + 2 + 1) + (4 - 1) + 2 * 4 * self.num_blocks

    @property
    def stride(self) -> int:
        """A shift of the image by so many px shifts the output."""
        return 4

    def scaled(self, width: float) -> "JohnsonConfig":
        """With ``width`` times the channels."""
        full, half, quarter = (scaled(each, width) for each in self.widths)
        return dataclasses.replace(self, widths=(full, half, quarter))

    def with_styles(self, num_styles: int) -> "JohnsonConfig":
        """For so many styles; only one unless the normalisation is conditional."""
        if self.normalization != "conditional":
            check_one_style(num_styles)
            return self
        return dataclasses.replace(self, num_styles=num_styles)

    def build(self) -> keras.Model:
        """The network with random weights.

        Returns:
            A functional Keras model: a dict of ``image``, [B, H, W, 3] in [0, 1] of any size, and for
            a conditional one ``style_weights``, [B, num_styles], -> [B, H, W, 3] in [0, 1].
        """
        inputs = style_inputs(self.num_styles)
        image = inputs["image"]
        once = self.padding == "once"
        blocks = Blocks(
            self.normalization,
            padding="zero" if once else self.padding,
            num_styles=self.num_styles,
            style_weights=inputs.get("style_weights"),
        )
        # Reflecting needs as many pixels as it mirrors, at a quarter of the size too.
        minimum = max(8, 4 * -(-(self.kernel // 2 + 1) // 4), 44 if once else 0)
        x = PadToMultiple(4, minimum, name="pad_to_multiple")(image)
        x = keras.layers.Rescaling(2.0, -1.0, name="rescale")(x)
        if once:
            x = MirrorPadding(_ONCE, name="pad_once")(x)
        full, half, quarter = self.widths
        at_full = blocks.conv(x, full, self.kernel, name="conv_in")
        at_half = blocks.conv(at_full, half, 3, strides=2, name="down1")
        x = blocks.conv(at_half, quarter, 3, strides=2, name="down2")
        for index in range(self.num_blocks):
            x = blocks.residual(x, name=f"block{index + 1}", padded=not once)
        x = blocks.upsample(x, half, kind=self.upsampling, name="up1")
        if self.skips:
            x = keras.layers.Add(name="skip_half")([x, at_half])
        x = blocks.upsample(x, full, kind=self.upsampling, name="up2")
        if self.skips:
            x = keras.layers.Add(name="skip_full")([x, at_full])
        x = blocks.conv(
            x, 3, self.kernel, activate=False, normalize=self.normalize_output, name="conv_out"
        )
        return keras.Model(inputs, painted(x, image))
