"""The multi-scale generator of Ulyanov et al., which paints textures from noise and photographs."""

import dataclasses
from typing import Any, ClassVar

import keras
import tensorflow as tf

from stylezoo.generators.blocks import Blocks, painted
from stylezoo.generators.checks import check_at_least, check_choice, check_one_style, scaled
from stylezoo.layers import NearestUpsampling, PadToMultiple

NORMALIZATIONS = ("batch", "instance")
NOISE_CHANNELS = 3

# Of Torch's LeakyReLU, which the authors' code takes as it is.
_LEAK = 0.01


@dataclasses.dataclass(frozen=True)
class TextureNetworkConfig:
    """A pyramid of noise, joined from coarse to fine (Ulyanov et al. 2016, arXiv 1603.03417).

    The scales are 1, 2, 4, ... of the full size; each has its own noise and, to stylise, the photograph
    reduced to it. A texture wraps around at its borders, so that it tiles where both sides are
    multiples of :attr:`stride`; a photograph is reflected. The output is linear, as the
    paper's, and cut to [0, 1]: behind a sigmoid, blobs that had become black or white stayed so.

    Attributes:
        stylize: whether it paints a photograph; False for a texture.
        channels: of the convolutions of one scale: 8 in the paper. Joining adds those of the scales
            so far.
        num_scales: 6 in the authors' code, down to 1/32 of the size.
        normalization: ``"batch"`` (the paper) or ``"instance"`` (Ulyanov et al. 2017, 1701.02096).
        limit: to which normalised activations are cut, ±, but in training; 0 for none, as in the papers.
            Some are silent but in a few places, where they reach fifty standard deviations: droplets.
        grey: whether the three channels of the output are one.

    Raises:
        ValueError: for a number < 1, a negative limit or an unknown normalisation.
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
        check_at_least(self, "num_scales", 1)
        check_choice(self, "normalization", NORMALIZATIONS)
        if not self.limit >= 0:
            raise ValueError(f"`limit` must be >= 0. Received: limit={self.limit}")

    @property
    def scales(self) -> tuple[int, ...]:
        """By what each scale divides the size, coarsest first: 32, 16, 8, 4, 2, 1."""
        return tuple(2**level for level in reversed(range(self.num_scales)))

    @property
    def stride(self) -> int:
        """A shift of the image and the noise by so many px shifts the output."""
        return self.scales[0]

    @property
    def reach(self) -> int:
        """How far, px, an output pixel sees, but for the moments of normalisation."""
        # Two 3x3 convolutions after each join, two before the first join, and the coarsest grid.
        return 2 * (self.stride - 1) + 2 * self.stride + (self.stride - 1)

    def scaled(self, width: float) -> "TextureNetworkConfig":
        """With ``width`` times the channels."""
        return dataclasses.replace(self, channels=scaled(self.channels, width))

    def with_styles(self, num_styles: int) -> "TextureNetworkConfig":
        """Itself, which paints one style."""
        check_one_style(num_styles)
        return self

    def noise_shapes(self, height: Any, width: Any) -> dict[str, tuple[Any, Any, int]]:
        """The noise for an output of a size.

        Args:
            height: of the output, px, >= 1; in a traced function an integer tensor too.
            width: likewise.

        Returns:
            Height, width and channels by input name: ``noise_1`` has the size of the output, the
            coarser ones cover it, rounded up to whole pixels of the coarsest.

        Raises:
            ValueError: if a side is not positive.
        """
        known = isinstance(height, int) and isinstance(width, int)
        if known and min(height, width) < 1:
            raise ValueError(f"`size` must be >= 1 px. Received: {height} x {width}")
        larger = max if known else tf.maximum
        whole = [
            larger(-(-side // self.stride) * self.stride, self._minimum) for side in (height, width)
        ]
        shapes = {
            f"noise_{scale}": (whole[0] // scale, whole[1] // scale, NOISE_CHANNELS)
            for scale in self.scales
        }
        return shapes | {"noise_1": (height, width, NOISE_CHANNELS)}

    @property
    def _minimum(self) -> int:
        # A single pixel can't be reflected, but wrapped around.
        return 2 * self.stride if self.stylize else self.stride

    def build(self) -> keras.Model:
        """The network with random weights.

        Returns:
            A functional Keras model: a dict of the noise tensors of :meth:`noise_shapes`, uniform in
            [0, 1], and to stylise ``image``, [B, H, W, 3] in [0, 1] of any size, -> [B, H, W, 3] in
            [0, 1], as large as ``noise_1``.
        """
        names = [*(["image"] if self.stylize else []), *self.noise_shapes(1, 1)]
        # Sorted, as Keras flattens a dict: whoever passes a list, as TFLite's converter, gets it right.
        inputs = {name: keras.Input([None, None, 3], name=name) for name in sorted(names)}
        pyramid = self._pyramid(inputs)
        blocks = Blocks(
            self.normalization,
            padding="reflect" if self.stylize else "wrap",
            leak=_LEAK,
            limit=self.limit,
        )
        coarsest, *finer = self.scales
        x = _convolve(blocks, pyramid[coarsest], self.channels, name=f"scale{coarsest}")
        for scale in finer:
            fine = _convolve(blocks, pyramid[scale], self.channels, name=f"scale{scale}")
            x = _join(blocks, x, fine, name=f"join{scale}")
        colours = 1 if self.grey else 3
        x = blocks.conv(x, colours, 1, activate=False, normalize=False, name="conv_out")
        if self.grey:
            x = keras.layers.Concatenate(name="grey")([x, x, x])
        return keras.Model(inputs, painted(x, inputs["noise_1"], linear=True))

    def _pyramid(self, inputs: dict[str, Any]) -> dict[int, Any]:
        """What goes in at each scale: noise, after the photograph if there is one."""
        pad = PadToMultiple(self.stride, self._minimum, name="pad_to_multiple")
        pyramid = {scale: inputs[f"noise_{scale}"] for scale in self.scales}
        pyramid[1] = pad(pyramid[1])
        if not self.stylize:
            return pyramid
        image = pad(inputs["image"])
        for scale, noise in pyramid.items():
            reduced = keras.layers.AveragePooling2D(scale, name=f"image_{scale}")(image)
            pyramid[scale] = keras.layers.Concatenate(name=f"input_{scale}")([reduced, noise])
        return pyramid


def texture_noise(
    config: TextureNetworkConfig,
    size: tuple[Any, Any],
    *,
    batch: int = 1,
    seed: int | tf.Tensor = 0,
) -> dict[str, tf.Tensor]:
    """The noise that a texture network paints an output of a size from.

    Args:
        config: of the network.
        size: height and width of the output, px; in a traced function integer tensors too.
        batch: how many.
        seed: the same gives the same noise, but in a step that XLA compiles, which draws other
            numbers. A scalar integer tensor in a traced step.

    Returns:
        By input name, [batch, H, W, 3], uniform in [0, 1), float32.

    Raises:
        ValueError: if a side is not positive.
    """
    return {
        name: tf.random.stateless_uniform([batch, *shape], seed=tf.stack([seed, level]))
        for level, (name, shape) in enumerate(config.noise_shapes(*size).items())
    }


def _convolve(blocks: Blocks, x: Any, filters: int, *, name: str) -> Any:
    for index, kernel in enumerate((3, 3, 1), start=1):
        x = blocks.conv(x, filters, kernel, name=f"{name}_conv{index}")
    return x


def _join(blocks: Blocks, coarse: Any, fine: Any, *, name: str) -> Any:
    # Before doubling, not after as in the authors' code: the moments of a quarter of the pixels are
    # the same.
    coarse = blocks.normalize(coarse, name=f"{name}_coarse_norm")
    coarse = NearestUpsampling(name=f"{name}_nearest")(coarse)
    fine = blocks.normalize(fine, name=f"{name}_fine_norm")
    x = keras.layers.Concatenate(name=f"{name}_concat")([coarse, fine])
    return _convolve(blocks, x, x.shape[-1], name=name)
