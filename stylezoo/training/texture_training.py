"""Training of texture networks (Ulyanov et al. 2016, section 3)."""

import dataclasses
import functools
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from stylezoo import errors, generators, images
from stylezoo.objectives import OBJECTIVES, Objective, StyleReferences
from stylezoo.progress import Callback
from stylezoo.training.loop_config import LoopConfig
from stylezoo.training.tasks import GeneratorTask, TrainingResult
from stylezoo.training.trainer import scalar_seed, train

_NUM_SHOWN = 4


@dataclasses.dataclass(frozen=True)
class TextureTraining:
    """What decides a texture network's training, but for the loop.

    Attributes:
        generator: the network; ``grey`` follows from the source.
        source: path of the texture's picture; its stem names the texture.
        objective: what is minimised; without content.
        image_size: side of the textures painted in training, px.
        source_size: longest side that the source is resized to, px; None for as it is.
        init_weights: A painter of the same configuration to start from.

    Raises:
        ValueError: for a network or an objective that needs photographs, or a size that is too small.
    """

    generator: generators.TextureNetworkConfig
    source: str
    objective: Objective = OBJECTIVES["texture"]
    image_size: int = 256
    source_size: int | None = None
    init_weights: str | None = None

    def __post_init__(self) -> None:
        if self.generator.stylize:
            raise ValueError(
                "`generator` must paint textures. Received: one that paints photographs"
            )
        self.objective.check_texture()
        with errors.renamed(image="image_size"):
            self.objective.check_image_size(self.image_size, self.image_size)

    def read_source(self) -> tf.Tensor:
        """The texture to learn, [1, H, W, 3] in [0, 1].

        Raises:
            OSError, ValueError: if it can't be read, or is too small.
        """
        source = images.read_image(self.source)
        if self.source_size is not None:
            source = images.resize_longest_side(source, self.source_size)
        with errors.renamed(image="source"):
            self.objective.check_image_size(*source.shape[1:3])
        return source

    def describe(self) -> dict[str, Any]:
        """As JSON can hold it."""
        resolved = dataclasses.replace(self, objective=self.objective.resolved())
        return {"task": "texture", **dataclasses.asdict(resolved)}


def train_texture(
    config: TextureTraining, *, loop: LoopConfig, run: str, callback: Callback | None = None
) -> TrainingResult:
    """Train a texture network, or go on where a run stopped.

    Args:
        config: see :class:`TextureTraining`.
        loop: see :class:`~stylezoo.training.LoopConfig`.
        run: the run's folder.
        callback: see :func:`~stylezoo.training.trainer.train`.

    Raises:
        ValueError, OSError, FloatingPointError: as :func:`~stylezoo.training.trainer.train`.
        WeightsError: if the perceptual network's weights can't be had.
    """
    return train(
        functools.partial(_TextureTask, config, loop),
        config=loop,
        describe=config.describe(),
        path=run,
        callback=callback,
    )


class _TextureTask(GeneratorTask):
    """See :class:`~stylezoo.training.trainer.Task`."""

    def __init__(self, config: TextureTraining, loop: LoopConfig) -> None:
        self._config, self._loop = config, loop
        self._source = config.read_source()
        name = pathlib.Path(config.source).stem
        generator = dataclasses.replace(config.generator, grey=images.is_grey(self._source))
        initial = generators.initial(generator, config.init_weights, styles=(name,))
        super().__init__(config, loop, initial)
        self._loss = config.objective.build(pictures=[self._source])
        references = StyleReferences(config.objective, [self._source])
        self._targets = self._loss.targets(references.at(max(self._source.shape[1:3])))
        self._evaluate = tf.function(self._evaluate_shown, autograph=False)

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        """Nothing but places in a batch: a texture is painted from noise alone."""
        _, count = shard
        places = tf.zeros([self._loop.batch_size // count], tf.int32)
        return tf.data.Dataset.from_tensors(places).repeat(num_steps - first_step)

    def loss(self, batch: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        painted = self._paint(batch.shape[0], scalar_seed(seed), training=True)
        return self._loss(painted, self._targets)

    def _paint(self, batch: int, seed: tf.Tensor, *, training: bool) -> tf.Tensor:
        size = (self._config.image_size,) * 2
        noise = self.network.noise(size, batch=batch, seed=seed)
        return self.network(noise, training=training)

    def held_out(self) -> tuple[dict[str, float], np.ndarray]:
        painted, values = self._evaluate()
        pictures = [self._source[0], *painted.numpy()]
        sheet = images.contact_sheet(pictures, columns=len(pictures))
        return {name: float(value) for name, value in values.items()}, sheet

    def _evaluate_shown(self) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        painted = self._paint(_NUM_SHOWN, tf.constant(0, tf.int64), training=False)
        total, shares = self._loss(painted, self._targets)
        return painted, {**shares, "total": total}
