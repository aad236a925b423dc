"""Training of texture networks (Ulyanov et al. 2016, section 3)."""

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from stylezoo import generators, images
from stylezoo.objectives import StyleReferences
from stylezoo.progress import Callback
from stylezoo.training.loop_config import LoopConfig
from stylezoo.training.painter_configs import TextureTraining
from stylezoo.training.tasks import GeneratorTask, TrainingResult
from stylezoo.training.trainer import scalar_seed, train

_NUM_SHOWN = 4


def train_texture(
    config: TextureTraining, *, loop: LoopConfig, run: str, callback: Callback | None = None
) -> TrainingResult:
    """Train a texture network, or go on where a run stopped.

    Args:
        config: See :class:`TextureTraining`.
        loop: See :class:`~stylezoo.training.LoopConfig`.
        run: The run's folder.
        callback: See :func:`~stylezoo.training.trainer.train`.

    Raises:
        ValueError, OSError, FloatingPointError: As :func:`~stylezoo.training.trainer.train`.
        WeightsError: If the perceptual network's weights can't be had.
    """
    return train(
        functools.partial(_TextureTask, config),
        config=loop,
        describe=config.describe(),
        path=run,
        callback=callback,
    )


class _TextureTask(GeneratorTask):
    """The task of training painters of textures; see :class:`~stylezoo.training.trainer.Task`."""

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
        """Return places in a batch and nothing else, since a texture is painted from noise alone."""
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
