"""Training of super-resolution networks (Johnson et al. 2016, section 4.2)."""

import functools

import numpy as np
import tensorflow as tf

from stylezoo import errors, generators, images, losses
from stylezoo.objectives import TotalLoss
from stylezoo.progress import Callback
from stylezoo.training.content_pictures import Content
from stylezoo.training.loop_config import LoopConfig
from stylezoo.training.painter_configs import SuperresTraining
from stylezoo.training.tasks import GeneratorTask, TrainingResult
from stylezoo.training.trainer import train


def train_superres(
    config: SuperresTraining, *, loop: LoopConfig, run: str, callback: Callback | None = None
) -> TrainingResult:
    """Train a super-resolution network, or go on where a run stopped.

    Johnson et al. match the result's colours to the input afterwards, which is not done here.

    Args:
        config: See :class:`SuperresTraining`.
        loop: See :class:`~stylezoo.training.LoopConfig`.
        run: The run's folder.
        callback: See :func:`~stylezoo.training.trainer.train`.

    Raises:
        ValueError, OSError, FloatingPointError: As :func:`~stylezoo.training.trainer.train`.
        WeightsError: If the perceptual network's weights can't be had.
    """
    return train(
        functools.partial(_SuperresTask, config),
        config=loop,
        describe=config.describe(),
        path=run,
        callback=callback,
    )


class _SuperresTask(GeneratorTask):
    """The task of training super-resolution; see :class:`~stylezoo.training.trainer.Task`."""

    def __init__(self, config: SuperresTraining, loop: LoopConfig) -> None:
        self._config = config
        self._content = Content(config.content, loop)
        initial = generators.initial(config.generator, config.init_weights)
        super().__init__(config, loop, initial)
        with errors.renamed(taps="content_layers"):
            network = config.perceptual.build(config.content_layers)
        terms: list[losses.LossTerm] = [losses.ContentLoss(config.content_layers, scale="relative")]
        if config.pixel_weight:
            pixels = losses.ContentLoss(
                [losses.IMAGE], weight=config.pixel_weight, scale="relative", name="pixels"
            )
            terms.append(pixels)
        if config.tv_weight:
            terms.append(losses.TotalVariationLoss(weight=config.tv_weight))
        self._loss = TotalLoss(terms, network)
        self._evaluate = tf.function(self._evaluate_shown, autograph=False)

    @property
    def skipped(self) -> dict[str, str]:
        return self._content.skipped

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        return self._content.batches(first_step=first_step, num_steps=num_steps, shard=shard)

    def loss(self, batch: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        del seed  # nothing is random but the crops
        small = generators.degrade(batch, self._config.generator.factor)
        return self._compare(batch, self.network({"image": small}, training=True))

    def _compare(
        self, photographs: tf.Tensor, enlarged: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        features = self._loss.features(photographs)
        targets = {term.name: term.target(features) for term in self._loss.terms}
        return self._loss(enlarged, targets)

    def held_out(self) -> tuple[dict[str, float], np.ndarray]:
        enlarged, bicubic, values = self._evaluate()
        rows = zip(bicubic.numpy(), enlarged.numpy(), self._content.shown.numpy(), strict=True)
        pictures = [picture for row in rows for picture in row]
        sheet = images.contact_sheet(pictures, columns=3)
        return {name: float(value) for name, value in values.items()}, sheet

    def _evaluate_shown(self) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        shown = self._content.shown
        small = generators.degrade(shown, self._config.generator.factor)
        enlarged = self.network({"image": small}, training=False)
        total, shares = self._compare(shown, enlarged)
        bicubic = tf.clip_by_value(tf.image.resize(small, shown.shape[1:3], "bicubic"), 0.0, 1.0)
        values = {
            **shares,
            "total": total,
            "psnr": tf.reduce_mean(tf.image.psnr(shown, enlarged, 1.0)),
            "bicubic_psnr": tf.reduce_mean(tf.image.psnr(shown, bicubic, 1.0)),
        }
        return enlarged, bicubic, values
