"""Texture synthesis with a convolutional network (Gatys et al. 2015; Li & Wand 2016)."""

import dataclasses
import functools

import tensorflow as tf

from stylezoo import errors, images
from stylezoo.objectives import StyleReferences, Targets, TotalLoss
from stylezoo.progress import Callback
from stylezoo.synthesis.configurations import Size, TextureConfig
from stylezoo.synthesis.parameters import Pixels
from stylezoo.synthesis.pyramid import PyramidResult, coarse_to_fine, size_of


def synthesize_texture(
    source: tf.Tensor,
    size: Size,
    *,
    config: TextureConfig = TextureConfig(),
    callback: Callback | None = None,
) -> PyramidResult:
    """Paint a new picture, from noise, with the feature statistics of ``source``, or with its patches.

    A grey source gives a grey texture.

    Differs from the paper in that each layer's loss is relative to its target (a layer counts the same
    whatever its scale), in the coarse-to-fine schedule, which gives structures larger than a receptive
    field at full size, and in the network unless it is VGG-19 with average pooling.

    Args:
        source: [1, H, W, 3] in [0, 1].
        size: Height and width of the result, px; not bound to the source's.
        config: See :class:`TextureConfig`.
        callback: Called after every step.

    Returns:
        The texture and how it came about. Values stay in the source's range, channel by channel.

    Raises:
        ValueError: If the source or the size is too small for the layers.
        WeightsError: If the network's weights can't be had.
    """
    source = tf.convert_to_tensor(source)
    config = config.resolved()
    for name, sides in (("source", size_of(source)), ("size", size)):
        with errors.renamed(image=name):
            config.objective.check_image_size(*sides)
    references = StyleReferences(config.objective, [source])
    loss = config.objective.build(pictures=[source], seed=config.seed)

    def problem(level: Size) -> tuple[TotalLoss, Targets]:
        return loss, loss.targets(references.at(level[0] / size[0] * max(size_of(source))))

    bounds = (tf.reduce_min(source, axis=[0, 1, 2]), tf.reduce_max(source, axis=[0, 1, 2]))

    def noise(level: Size) -> tf.Tensor:
        uniform = tf.random.stateless_uniform([1, *level, 3], seed=[config.seed, 0])
        return bounds[0] + uniform * (bounds[1] - bounds[0])

    result = coarse_to_fine(
        problem,
        noise,
        levels=config.schedule.levels(*size, minimum=config.objective.minimum_size),
        config=config.optimization,
        parametrize=functools.partial(Pixels, bounds=bounds, grey=images.is_grey(source)),
        callback=callback,
    )
    if not config.match_histogram:
        return result
    return dataclasses.replace(result, image=images.match_histogram(result.image, source))
