"""Textures from a trained network."""

import tensorflow as tf

from stylezoo.generators.models import Generator
from stylezoo.generators.texture_network import TextureNetworkConfig, texture_noise


def paint_texture(generator: Generator, size: tuple[int, int], *, seed: int = 0) -> tf.Tensor:
    """A texture of any size in one pass; it tiles if both sides are multiples of the coarsest scale.

    Args:
        generator: a texture network that takes noise only.
        size: height and width, px.
        seed: of the noise.

    Returns:
        [1, H, W, 3] in [0, 1].

    Raises:
        ValueError: if the generator is another one, or a side is not positive.
    """
    config = generator.config
    if not isinstance(config, TextureNetworkConfig) or config.stylize:
        raise ValueError(
            f"`model` must be a texture network. Received: one of the type {type(config).__name__}"
        )
    return generator.network(texture_noise(config, size, seed=seed), training=False)
