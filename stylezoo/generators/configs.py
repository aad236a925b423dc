"""The architectures of painters: their fields, what each may be, and what follows from them.

Importing this module is cheap: neither TensorFlow nor Keras is used.
"""

import dataclasses
from typing import ClassVar, TypeAlias

from stylezoo.generators.checks import (
    MOST_BLOCKS,
    MOST_SCALES,
    MOST_STYLES,
    check_at_least,
    check_choice,
    check_count,
    check_eighth,
    check_odd,
    check_one_style,
    check_widths,
    scaled,
)

UPSAMPLINGS = ("nearest", "bilinear", "transposed")
INTERPOLATIONS = ("nearest", "bilinear")
PADDINGS = ("reflect", "once", "zero", "same")
OUTPUTS = ("sigmoid", "tanh", "linear")
FACTORS = (4, 8)

PHOTOGRAPHS = "photographs"
"""Painters of this kind stylise photographs."""

TEXTURES = "textures"
"""Painters of this kind make textures from noise."""

ENLARGEMENTS = "enlargements"
"""Painters of this kind enlarge pictures."""

IDENTITY = "identity"
"""A row of scales and shifts of this name paints the photograph itself."""


@dataclasses.dataclass(frozen=True)
class JohnsonConfig:
    """The architecture of :class:`Johnson`: the network of Johnson et al. 2016, section 3.1.

    It convolves, halves the size twice, passes residual blocks, doubles the size twice, and convolves.
    By default the last activation is the sigmoid of Dumoulin et al. 2017: Johnson et al.'s scaled
    tanh is the same function, except that the factor 150 / 127.5 of their code lets it clip.

    Attributes:
        widths: Numbers of channels at full, half and quarter size; 32, 64, 128 in the paper.
        num_blocks: Number of residual blocks.
        kernel: Side of the first and the last kernel, px; odd.
        normalization: ``"batch"`` (the paper), ``"instance"`` (Ulyanov et al. 2016) or
            ``"conditional"`` (Dumoulin et al. 2017: one scale and shift for each style).
        upsampling: ``"transposed"`` convolutions (the paper), or ``"nearest"`` and a convolution,
            which leaves no checkerboard (Odena et al. 2016), or ``"bilinear"`` and a convolution, which
            leaves no grid of 4 px in flat parts either.
        padding: ``"once"`` reflects 40 px at the start and leaves residual blocks unpadded (the
            paper's supplement and code; its other convolutions pad with zeros); ``"reflect"`` pads
            before every convolution (Dumoulin et al.); ``"zero"`` pads with zeros, ``"same"`` too,
            but as TensorFlow does: where the size is halved, at the bottom and at the right alone.
        normalize_output: Whether the last convolution is normalised too (Dumoulin et al.).
        num_styles: Number of styles with ``normalization="conditional"``; 0 with the others.
        skips: Whether what the convolutions at full and at half size saw is added to what the last
            two make of it (as in LinkNet, Chaurasia & Culurciello 2017; not in Johnson et al.): the
            photograph's detail need not pass through a quarter of the size. Not possible with
            ``padding="once"``.
        expanding_widths: Numbers of channels that the two doublings of the size leave, at half and
            at full size; by default those of ``widths``. Not possible with ``skips``.
        output: How the last convolution's numbers become colours: by a ``"sigmoid"``, by ``"tanh"``
            (150 tanh + 127.5 of 255 and cut, Johnson et al.'s code), or ``"linear"``: 0.5 is added, and
            they are cut.
        centred: Whether the first convolution sees the image in [-1, 1]; else in [0, 1]. That makes
            a difference at the border where it is padded with zeros.
        eighth_blocks: Number of residual blocks at an eighth of the size, whose result is added to what
            the blocks at a quarter of it take (not in Johnson et al.). They see twice as far, so that
            strokes can be larger. Not possible with ``padding="once"``.
        eighth_width: Number of channels of these blocks.
        margin: Number of px that the picture is mirrored by before it is painted and cut by afterwards, a
            multiple of :attr:`stride`, but not in training: what convolutions do otherwise at a border
            is cut off, and with it the frame that a loss network padded with zeros asks for. Not
            possible with ``padding="once"``.

    Raises:
        ValueError: If a field has a value that is not among those.
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
    expanding_widths: tuple[int, int] | None = None
    output: str = "sigmoid"
    centred: bool = True
    eighth_blocks: int = 0
    eighth_width: int = 192
    margin: int = 0

    paints: ClassVar[str] = PHOTOGRAPHS

    def __post_init__(self) -> None:
        check_choice(self, "normalization", ("batch", "instance", "conditional"))
        check_choice(self, "upsampling", UPSAMPLINGS)
        check_choice(self, "padding", PADDINGS)
        check_choice(self, "output", OUTPUTS)
        check_widths(self, "widths", 3)
        if self.expanding_widths is not None:
            check_widths(self, "expanding_widths", 2)
        check_count(self, "num_blocks", 0, MOST_BLOCKS)
        check_count(self, "num_styles", 0, MOST_STYLES)
        check_odd(self, "kernel")
        check_eighth(self)
        if (self.num_styles > 0) != (self.normalization == "conditional"):
            raise ValueError(
                "`num_styles` must be >= 1 with normalization='conditional', else 0. "
                f"Received: num_styles={self.num_styles}, normalization={self.normalization!r}"
            )
        if self.padding == "once" and self.num_blocks != 5:
            raise ValueError(
                f"`num_blocks` must be 5 with padding='once'. Received: {self.num_blocks}"
            )
        if self.skips and self.expanding_widths:
            raise ValueError("`skips` must be False with expanding widths. Received: skips=True")
        for field in ("skips", "eighth_blocks", "margin"):
            value = getattr(self, field)
            if self.padding == "once" and value:
                raise ValueError(
                    f"`{field}` must be {type(value)()} with padding='once'. "
                    f"Received: {field}={value}"
                )

    @property
    def reach(self) -> int:
        """The distance that an output pixel sees, px, apart from the moments of normalisation."""
        return _reach_at_full(self.kernel) + _reach_from_half(
            self.num_blocks, self.eighth_blocks, self.upsampling
        )

    @property
    def stride(self) -> int:
        """The number of px by which the image must be shifted so that the output is shifted alike."""
        return _stride(self.eighth_blocks)

    def scaled(self, width: float) -> "JohnsonConfig":
        """Return the same architecture with ``width`` times the channels."""
        full, half, quarter = (scaled(each, width) for each in self.widths)
        eighth, expanding = scaled(self.eighth_width, width), self.expanding_widths
        if expanding is not None:
            expanding = (scaled(expanding[0], width), scaled(expanding[1], width))
        return dataclasses.replace(
            self,
            widths=(full, half, quarter),
            expanding_widths=expanding,
            eighth_width=eighth,
        )

    def with_styles(self, num_styles: int) -> "JohnsonConfig":
        """Return the same architecture for a number of styles.

        Raises:
            ValueError: If it is not 1 and the normalisation is not conditional.
        """
        if self.normalization != "conditional":
            check_one_style(num_styles)
            return self
        return dataclasses.replace(self, num_styles=num_styles)


@dataclasses.dataclass(frozen=True)
class ArbitraryConfig:
    """The architecture of :class:`Arbitrary`: a painter of any style (Ghiasi et al. 2017, 1705.06830).

    A style-prediction network, MobileNetV2 (Sandler et al. 2018) up to its global average, reduces a
    painting to a vector. A network of the shape of Johnson et al.'s paints: the scales and shifts of
    its residual blocks and of all that follows them are linear in the vector. The paper predicts by
    Inception-v3; MobileNetV2 is what the authors distilled it to for phones.

    Attributes:
        widths: Numbers of channels at full, half and quarter size; 32, 64, 128 in the paper.
        num_blocks: Number of residual blocks.
        kernel: Side of the first and the last kernel, px; odd.
        vector_size: Number of numbers that describe a style; 100 in the paper.
        prediction_width: Factor of MobileNetV2's numbers of channels.
        style_size: Side of the square that a painting's middle is reduced to, px.
        normalization: Normalisation of the convolutions that no style decides: ``"batch"``, or
            ``"none"`` for biases into which trained batch normalisations were merged.

    Raises:
        ValueError: If a number is out of its range or the normalisation unknown.
    """

    widths: tuple[int, int, int] = (32, 64, 128)
    num_blocks: int = 5
    kernel: int = 9
    vector_size: int = 100
    prediction_width: float = 1.0
    style_size: int = 256
    normalization: str = "batch"

    paints: ClassVar[str] = PHOTOGRAPHS
    num_styles: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_choice(self, "normalization", ("batch", "none"))
        check_widths(self, "widths", 3)
        check_odd(self, "kernel")
        check_count(self, "num_blocks", 0, MOST_BLOCKS)
        for field in ("vector_size", "style_size"):
            check_at_least(self, field, 1)
        if not self.prediction_width > 0:
            raise ValueError(
                "`prediction_width` must be > 0. "
                f"Received: prediction_width={self.prediction_width}"
            )

    @property
    def reach(self) -> int:
        """The distance that an output pixel sees, px, apart from the moments of normalisation."""
        return _reach_at_full(self.kernel) + _reach_from_half(self.num_blocks)

    @property
    def stride(self) -> int:
        """The number of px by which the image must be shifted so that the output is shifted alike."""
        return 4

    def scaled(self, width: float) -> "ArbitraryConfig":
        """Return the same architecture with ``width`` times the channels of both networks."""
        full, half, quarter = (scaled(each, width) for each in self.widths)
        prediction_width = width * self.prediction_width
        return dataclasses.replace(
            self, widths=(full, half, quarter), prediction_width=prediction_width
        )

    def with_styles(self, num_styles: int) -> "ArbitraryConfig":
        """Return itself: it paints in any style."""
        del num_styles
        return self


@dataclasses.dataclass(frozen=True)
class LightConfig:
    """The architecture of :class:`Light`: Johnson et al.'s shape with nothing heavy at full size.

    The first convolution halves the size at once and the last one doubles it, so that full size sees
    three channels and half size few. Every convolution has conditional instance normalisation
    (Dumoulin et al. 2017). BUILD.md has the measurements behind the widths.

    Attributes:
        widths: Numbers of channels at half and at quarter size.
        num_blocks: Number of residual blocks.
        num_styles: Number of styles, >= 1.
        skips: Whether what the first convolution saw is added to what the last but one makes of it,
            as in ``JohnsonConfig``: the photograph's detail need not pass through a quarter of the
            size.
        upsampling: ``"nearest"`` or ``"bilinear"``, as in ``JohnsonConfig``.
        eighth_blocks: Number of residual blocks at an eighth of the size, as in ``JohnsonConfig``.
        eighth_width: Number of channels of these blocks.
        margin: Number of px that the picture is mirrored by before it is painted and cut by afterwards, as in
            ``JohnsonConfig``.

    Raises:
        ValueError: If a field has a value that is not among those, or is out of its range.
    """

    widths: tuple[int, int] = (16, 48)
    num_blocks: int = 5
    num_styles: int = 1
    skips: bool = False
    upsampling: str = "nearest"
    eighth_blocks: int = 0
    eighth_width: int = 96
    margin: int = 0

    paints: ClassVar[str] = PHOTOGRAPHS

    def __post_init__(self) -> None:
        check_widths(self, "widths", 2)
        check_count(self, "num_blocks", 0, MOST_BLOCKS)
        check_count(self, "num_styles", 1, MOST_STYLES)
        check_choice(self, "upsampling", INTERPOLATIONS)
        check_eighth(self)

    @property
    def reach(self) -> int:
        """The distance that an output pixel sees, px, apart from the moments of normalisation."""
        # The 5x5 and the 3x3 kernel at full size; the rest is at half the size and below.
        return (2 + 1) + _reach_from_half(self.num_blocks, self.eighth_blocks, self.upsampling)

    @property
    def stride(self) -> int:
        """The number of px by which the image must be shifted so that the output is shifted alike."""
        return _stride(self.eighth_blocks)

    def scaled(self, width: float) -> "LightConfig":
        """Return the same architecture with ``width`` times the channels."""
        half, quarter, eighth = (scaled(each, width) for each in (*self.widths, self.eighth_width))
        return dataclasses.replace(self, widths=(half, quarter), eighth_width=eighth)

    def with_styles(self, num_styles: int) -> "LightConfig":
        """Return the same architecture for a number of styles."""
        return dataclasses.replace(self, num_styles=num_styles)


@dataclasses.dataclass(frozen=True)
class SuperResolutionConfig:
    """The architecture of :class:`SuperResolution` (Johnson et al. 2016, section 3.1).

    It convolves, passes residual blocks, doubles the size as often as needed, and convolves. There is
    no instance normalisation, which takes away the very contrast that the output is to have. It differs
    from the paper in that every convolution except transposed ones reflects its input at the border.

    Attributes:
        factor: Factor by which the output is larger: 4 or 8.
        width: Number of channels of all convolutions; 64 in the paper.
        num_blocks: Number of residual blocks; 4 in the paper.
        upsampling: ``"transposed"`` convolutions (the paper) or ``"nearest"`` and a convolution,
            which leaves no checkerboard (Odena et al. 2016), or ``"bilinear"`` and a convolution.
        normalization: ``"batch"`` normalisation (the paper) or ``"none"``: the statistics of other
            pictures change the contrast of this one (Lim et al. 2017, section 3.1).
        residual: Whether the network paints what is missing in the image enlarged by linear
            interpolation (Kim et al. 2016, section 3.1), and the sum is cut to [0, 1]; else it paints
            the whole, which a sigmoid ends.

    Raises:
        ValueError: If a field has a value that is not among those.
    """

    factor: int = 4
    width: int = 64
    num_blocks: int = 4
    upsampling: str = "nearest"
    normalization: str = "batch"
    residual: bool = False

    kernel: ClassVar[int] = 9
    num_styles: ClassVar[int] = 0
    paints: ClassVar[str] = ENLARGEMENTS

    def __post_init__(self) -> None:
        check_choice(self, "factor", FACTORS)
        check_choice(self, "upsampling", UPSAMPLINGS)
        check_choice(self, "normalization", ("batch", "none"))
        check_at_least(self, "width", 1)
        check_count(self, "num_blocks", 0, MOST_BLOCKS)

    @property
    def stride(self) -> int:
        """The number of px by which the image is shifted where the output is shifted by ``factor`` px."""
        return 1

    @property
    def reach(self) -> int:
        """The distance that an output pixel sees, px of the image."""
        # What follows the blocks spans 2, and 2 more where upsampling looks at neighbours.
        after = 4 if self.upsampling == "bilinear" else 2
        return self.kernel // 2 + 2 * self.num_blocks + after

    def scaled(self, width: float) -> "SuperResolutionConfig":
        """Return the same architecture with ``width`` times the channels."""
        return dataclasses.replace(self, width=scaled(self.width, width))

    def with_styles(self, num_styles: int) -> "SuperResolutionConfig":
        """Return itself: it paints in no more than one style.

        Raises:
            ValueError: If ``num_styles`` is not 1.
        """
        check_one_style(num_styles)
        return self


@dataclasses.dataclass(frozen=True)
class TextureNetworkConfig:
    """The architecture of :class:`TextureNetwork` (Ulyanov et al. 2016, arXiv 1603.03417).

    A pyramid of noise is joined from coarse to fine. The scales are 1, 2, 4, ... of the full size;
    each has its own noise and, to stylise, the photograph reduced to it. A texture wraps around at its
    borders, so that it tiles where both sides are multiples of :attr:`stride`; a photograph is
    reflected. The output is linear, as the paper's, and cut to [0, 1]: behind a sigmoid, blobs that
    had become black or white stayed so.

    Attributes:
        stylize: Whether it paints photographs; if not, it paints textures.
        channels: Number of channels of one scale's convolutions; 8 in the paper. Joined scales have
            the sum of theirs.
        num_scales: Number of scales of the noise, each half as large as the one before; 6 in the authors'
            code. Small pictures and small elements of a texture want fewer.
        normalization: ``"batch"`` (the paper) or ``"instance"`` (Ulyanov et al. 2017, 1701.02096).
        limit: Normalised activations are cut to ±``limit`` except in training; 0 for no limit, as in
            the papers. Some channels are silent except in a few places, where they reach fifty
            standard deviations and paint droplets.
        grey: Whether the three channels of the output are the same.

    Raises:
        ValueError: If a number is < 1, the limit negative or the normalisation unknown.
    """

    stylize: bool = False
    channels: int = 8
    num_scales: int = 6
    normalization: str = "instance"
    limit: float = 0.0
    grey: bool = False

    num_styles: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_at_least(self, "channels", 1)
        check_count(self, "num_scales", 1, MOST_SCALES)
        check_choice(self, "normalization", ("batch", "instance"))
        if not self.limit >= 0:
            raise ValueError(f"`limit` must be >= 0. Received: limit={self.limit}")

    @property
    def paints(self) -> str:
        """``"photographs"`` or ``"textures"``."""
        return PHOTOGRAPHS if self.stylize else TEXTURES

    @property
    def scales(self) -> tuple[int, ...]:
        """The number that each scale divides the size by, the coarsest first: 32, 16, 8, 4, 2, 1."""
        return tuple(2**level for level in reversed(range(self.num_scales)))

    @property
    def stride(self) -> int:
        """The number of px by which image and noise must be shifted so that the output is shifted alike."""
        return self.scales[0]

    @property
    def reach(self) -> int:
        """The distance that an output pixel sees, px, apart from the moments of normalisation."""
        # Two 3x3 convolutions after each join, two before the first join, and the coarsest grid.
        return 2 * (self.stride - 1) + 2 * self.stride + (self.stride - 1)

    def scaled(self, width: float) -> "TextureNetworkConfig":
        """Return the same architecture with ``width`` times the channels."""
        return dataclasses.replace(self, channels=scaled(self.channels, width))

    def with_styles(self, num_styles: int) -> "TextureNetworkConfig":
        """Return itself: it paints in one style.

        Raises:
            ValueError: If ``num_styles`` is not 1.
        """
        check_one_style(num_styles)
        return self


GeneratorConfig: TypeAlias = (
    JohnsonConfig | ArbitraryConfig | LightConfig | SuperResolutionConfig | TextureNetworkConfig
)
"""The architecture of any painter."""


def _stride(eighth_blocks: int) -> int:
    """Return by how many px the coarsest features are apart."""
    return 8 if eighth_blocks else 4


def _reach_at_full(kernel: int) -> int:
    """Return how far an output pixel sees by the outer kernels and the 3x3 ones at full size, px."""
    return 2 * (kernel // 2) + (1 + 1)


def _reach_from_half(num_blocks: int, eighth_blocks: int = 0, upsampling: str = "nearest") -> int:
    """Return how far an output pixel sees through what happens at half the size and below, px."""
    # A 3x3 kernel down and one up at half the size, the coarsest grid, two 3x3 kernels a block.
    stride = _stride(eighth_blocks)
    reach = (2 + 2) + (stride - 1) + 2 * 4 * num_blocks
    if eighth_blocks:
        reach += (4 + 4) + 2 * 8 * eighth_blocks
    if upsampling == "bilinear":
        # One pixel more of what an upsampling makes: at full size, at half, at a quarter of it.
        reach += stride - 1
    return reach
