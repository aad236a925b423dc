"""The multi-scale network of Ulyanov et al., which paints textures from noise, and photographs."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo.generators.blocks import Blocks, painted
from stylezoo.generators.configs import TextureNetworkConfig
from stylezoo.generators.painter import Painter
from stylezoo.layers import NearestUpsampling, PadToMultiple

NOISE_CHANNELS = 3

# The slope of Torch's LeakyReLU, which the authors' code takes as it is.
_LEAK = 0.01


@keras.saving.register_keras_serializable("stylezoo")
class TextureNetwork(Painter):
    """Ulyanov et al.'s network (2016, 2017): see :class:`TextureNetworkConfig`.

    Inputs are a dict of the noise tensors of :meth:`noise` and, to stylise, ``image``, [B, H, W, 3]
    in [0, 1] of any size. The output is [B, H, W, 3] in [0, 1], as large as ``noise_1``. A texture
    tiles if both sides are multiples of ``config.stride``.
    """

    config_type = TextureNetworkConfig
    config: TextureNetworkConfig

    def noise_shapes(self, height: Any, width: Any) -> dict[str, tuple[Any, Any, int]]:
        """Return the shapes of the noise for an output of a size.

        Args:
            height: Height of the output, px, >= 1; in a traced function an integer tensor too.
            width: Width of the output, likewise.

        Returns:
            Height, width and channels by input name: ``noise_1`` has the size of the output, the
            coarser ones cover it, rounded up to whole pixels of the coarsest.

        Raises:
            ValueError: If a side is not positive.
        """
        known = isinstance(height, int) and isinstance(width, int)
        if known and min(height, width) < 1:
            raise ValueError(f"`size` must be >= 1 px. Received: {height} x {width}")
        larger = max if known else tf.maximum
        stride = self.config.stride
        whole = [
            larger(-(-side // stride) * stride, _minimum(self.config)) for side in (height, width)
        ]
        shapes = {
            f"noise_{scale}": (whole[0] // scale, whole[1] // scale, NOISE_CHANNELS)
            for scale in self.config.scales
        }
        return shapes | {"noise_1": (height, width, NOISE_CHANNELS)}

    def noise(
        self, size: tuple[Any, Any], *, batch: int = 1, seed: int | tf.Tensor = 0
    ) -> dict[str, tf.Tensor]:
        """Draw the noise that an output of a size is painted from.

        Args:
            size: Height and width of the output, px; in a traced function integer tensors too.
            batch: Number of pictures.
            seed: The same seed gives the same noise, except in a step that XLA compiles, which draws
                other numbers. In a traced step it may be a scalar integer tensor.

        Returns:
            Tensors by input name, [batch, H, W, 3], uniform in [0, 1), float32.

        Raises:
            ValueError: If a side is not positive.
        """
        return {
            name: tf.random.stateless_uniform([batch, *shape], seed=tf.stack([seed, level]))
            for level, (name, shape) in enumerate(self.noise_shapes(*size).items())
        }

    def inputs_for(
        self, image: Any, *, style: Any = None, seed: Any = 0, varied: bool = False
    ) -> dict[str, Any]:
        """Return all that the network takes to paint pictures; see :meth:`Painter.inputs_for`."""
        inputs = super().inputs_for(image, style=style)
        batch, height, width, _ = keras.ops.shape(image)
        noise = self.noise((height, width), batch=batch if varied else 1, seed=seed)
        if not varied:
            noise = {name: tf.repeat(each, batch, axis=0) for name, each in noise.items()}
        return inputs | noise

    def _input_strides(self) -> dict[str, int]:
        return {"image": 1} | {f"noise_{scale}": scale for scale in self.config.scales}

    def _whole_texture(self, size: tuple[int, int], seed: int) -> np.ndarray:
        return self(self.noise(size, seed=seed), training=False).numpy()

    @classmethod
    def _connect(cls, config: TextureNetworkConfig) -> tuple[dict[str, Any], Any]:
        names = [f"noise_{scale}" for scale in config.scales] + ["image"] * config.stylize
        # Keras flattens a dict in this order, so that a list, as TFLite's converter passes it, is right.
        inputs = {name: keras.Input([None, None, 3], name=name) for name in sorted(names)}
        pyramid = _pyramid(config, inputs)
        blocks = Blocks(
            config.normalization,
            padding="reflect" if config.stylize else "wrap",
            leak=_LEAK,
            limit=config.limit,
        )
        coarsest, *finer = config.scales
        x = _convolve(blocks, pyramid[coarsest], config.channels, name=f"scale{coarsest}")
        for scale in finer:
            fine = _convolve(blocks, pyramid[scale], config.channels, name=f"scale{scale}")
            x = _join(blocks, x, fine, name=f"join{scale}")
        colours = 1 if config.grey else 3
        x = blocks.conv(x, colours, 1, activate=False, normalize=False, name="conv_out")
        if config.grey:
            x = keras.layers.Concatenate(name="grey")([x, x, x])
        return inputs, painted(x, inputs["noise_1"], output="linear")


def _minimum(config: TextureNetworkConfig) -> int:
    """Return the smallest side, px: a single pixel can't be reflected, but wrapped around."""
    return 2 * config.stride if config.stylize else config.stride


def _pyramid(config: TextureNetworkConfig, inputs: dict[str, Any]) -> dict[int, Any]:
    """Return what goes in at each scale: noise, after the photograph if there is one."""
    pad = PadToMultiple(config.stride, _minimum(config), name="pad_to_multiple")
    pyramid = {scale: inputs[f"noise_{scale}"] for scale in config.scales}
    pyramid[1] = pad(pyramid[1])
    if not config.stylize:
        return pyramid
    image = pad(inputs["image"])
    for scale, noise in pyramid.items():
        reduced = keras.layers.AveragePooling2D(scale, name=f"image_{scale}")(image)
        pyramid[scale] = keras.layers.Concatenate(name=f"input_{scale}")([reduced, noise])
    return pyramid


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
