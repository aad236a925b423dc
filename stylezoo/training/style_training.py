"""Training of networks that paint photographs in one or several styles."""

import functools
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from stylezoo import errors, generators, images, ops
from stylezoo.objectives import Reference, StyleReferences, TotalLoss
from stylezoo.progress import Callback
from stylezoo.training import data, motions
from stylezoo.training.content_pictures import Content
from stylezoo.training.loop_config import LoopConfig
from stylezoo.training.painter_configs import StyleTraining
from stylezoo.training.tasks import GeneratorTask, TrainingResult
from stylezoo.training.trainer import scalar_seed, train

# Of the paintings for a painter of any style one in so many, and no more than so many, are set apart.
_SHARE_SHOWN, _MOST_SHOWN = 5, 4


def train_style(
    config: StyleTraining, *, loop: LoopConfig, run: str, callback: Callback | None = None
) -> TrainingResult:
    """Train a style network, or go on where a run stopped.

    Source: Johnson et al. 2016, section 3; several styles: Dumoulin et al. 2017; any style: Ghiasi et
    al. 2017.

    Args:
        config: See :class:`StyleTraining`.
        loop: See :class:`~stylezoo.training.LoopConfig`.
        run: The run's folder.
        callback: See :func:`~stylezoo.training.trainer.train`.

    Raises:
        ValueError, OSError, FloatingPointError: As :func:`~stylezoo.training.trainer.train`; also for
            styles or photographs that can't be used.
        WeightsError: If the perceptual network's weights can't be had.
    """
    any_style = isinstance(config.generator, generators.ArbitraryConfig)
    return train(
        functools.partial(_AnyStyleTask if any_style else _StyleTask, config),
        config=loop,
        describe=config.describe(),
        path=run,
        callback=callback,
    )


class _StyleTask(GeneratorTask):
    """The task of training painters of photographs; see :class:`~stylezoo.training.trainer.Task`."""

    def __init__(self, config: StyleTraining, loop: LoopConfig) -> None:
        self._config = config
        self._loop = loop
        pictures = self._read_styles()
        self._content = Content(config.content, loop)
        self._shown = self._content.shown
        self._base, initial = _start(config)
        super().__init__(config, loop, initial)
        shown = tf.split(self._shown, len(self._shown))
        self._loss = config.objective.build(pictures=[*shown, *pictures])
        self._look_at_styles()
        self._evaluate = tf.function(self._evaluate_style, autograph=False)
        self._evaluate_identity = tf.function(
            lambda: self._identity_error(self._shown, tf.constant(0, tf.int64), training=False),
            autograph=False,
        )

    def _read_styles(self) -> list[images.Image]:
        """Read the paintings whose styles are learned; return those that the objective is scaled by."""
        self._references = [_style(self._config, path) for path in self._config.styles]
        return [picture for style in self._references for picture in style.images]

    def _look_at_styles(self) -> None:
        """Compute what is the same at every step."""
        self._styles = _style_targets(self._loss, self._references)

    @property
    def variables(self) -> list[Any]:
        if self._base is not None:
            return generators.style_variables(self.network)
        return super().variables

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        return self._content.batches(first_step=first_step, num_steps=num_steps, shard=shard)

    @property
    def skipped(self) -> dict[str, str]:
        return self._content.skipped

    def loss(self, batch: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        num_styles = len(self._config.styles)
        # XLA has no shuffle.
        order = tf.argsort(tf.random.stateless_uniform([num_styles], seed))
        # Every style as often as the others, as far as the batch has room.
        chosen = tf.gather(order, tf.range(tf.shape(batch)[0]) % num_styles)
        return self._loss_in(chosen, batch, seed)

    def _loss_in(
        self, chosen: tf.Tensor, batch: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the loss of photographs that are each painted in the chosen style."""
        batch += _quantization_noise(batch.shape, seed)
        painted = self._paint(batch, chosen, scalar_seed(seed), training=True)
        total, shares = self._compare(batch, painted, chosen)
        if self._config.grid_weight:
            shares["grid"] = self._config.grid_weight * tf.reduce_mean(ops.grid_energy(painted))
            total += shares["grid"]
        if self._config.temporal_weight:
            shares["temporal"] = self._config.temporal_weight * self._temporal_error(
                batch, painted, chosen, seed
            )
            total += shares["temporal"]
        if self._config.identity_weight:
            shares["identity"] = self._config.identity_weight * self._identity_error(
                batch[:1], scalar_seed(seed), training=True
            )
            total += shares["identity"]
        return total, shares

    def _temporal_error(
        self, photographs: tf.Tensor, painted: tf.Tensor, chosen: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Return how much a painting changes beyond what moves, as a mean squared difference.

        Source: Wang et al. 2020 (ReReVST), and Ruder et al. 2018, who train with moved photographs too.
        """
        flow, visible = motions.random_motion(photographs.shape, seed)
        moved = motions.as_seen_later(ops.warp(photographs, flow), seed)
        again = self._paint(moved, chosen, scalar_seed(seed), training=True)
        squares = tf.math.squared_difference(again, ops.warp(painted, flow))
        return tf.reduce_sum(visible * squares) / (3.0 * tf.reduce_sum(visible) + 1e-6)

    def _identity_error(
        self, photographs: tf.Tensor, seed: tf.Tensor, *, training: bool
    ) -> tf.Tensor:
        """Return the mean squared difference of photographs and what the identity makes of them.

        Both are normalised channel by channel, because instance normalisation takes away what
        brightness and contrast a photograph had.
        """
        row = tf.fill([photographs.shape[0]], self._config.rows.index(generators.IDENTITY))
        painted = self._paint(photographs, row, seed, training=training)
        return tf.reduce_mean(tf.square(_normalized(painted) - _normalized(photographs)))

    def _paint(
        self, photographs: tf.Tensor, chosen: tf.Tensor, seed: tf.Tensor, *, training: bool
    ) -> tf.Tensor:
        weights = tf.one_hot(chosen, len(self._config.rows))
        inputs = self.network.inputs_for(photographs, style=weights, seed=seed, varied=True)
        return self.network(inputs, training=training)

    def _compare(
        self, photographs: tf.Tensor, painted: tf.Tensor, chosen: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the loss of paintings of photographs, each in a style of its own."""
        features = self._loss.features(photographs)
        targets = {
            term.name: term.target(features) if term.reference == "content" else {}
            for term in self._loss.terms
        }
        targets["style"] = self._style_targets(chosen)
        return self._loss(painted, targets)

    def _style_targets(self, chosen: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the targets of the style term for a batch."""
        if len(self._config.styles) == 1:
            return self._styles
        return {key: tf.gather(values, chosen) for key, values in self._styles.items()}

    def _shown_styles(self) -> dict[str, tf.Tensor]:
        """Return the styles in which held-out photographs are painted, by name."""
        return {name: tf.constant(row) for row, name in enumerate(self._config.style_names)}

    def held_out(self) -> tuple[dict[str, float], np.ndarray]:
        names, styles = zip(*self._shown_styles().items(), strict=True)
        columns, losses = [self._shown.numpy()], []
        for style in styles:
            painted, values = self._evaluate(style)
            columns.append(painted.numpy())
            losses.append({name: float(value) for name, value in values.items()})
        means = {name: float(np.mean([each[name] for each in losses])) for name in losses[0]}
        by_style = {
            f"{name}/style": each["style"] for name, each in zip(names, losses, strict=True)
        }
        rows = [image for row in zip(*columns, strict=True) for image in row]
        if self._config.identity_weight:
            means["identity"] = float(self._evaluate_identity())
        return means | by_style, images.contact_sheet(rows, columns=len(columns))

    def _evaluate_style(self, style: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        chosen = tf.repeat(style[tf.newaxis], len(self._shown), axis=0)
        painted = self._paint(self._shown, chosen, tf.constant(0, tf.int64), training=False)
        total, shares = self._compare(self._shown, painted, chosen)
        return painted, {**shares, "total": total}

    def painter(self) -> generators.Painter:
        if self._base is None:
            return self.network
        joined = generators.append_styles(self._base, self.network)
        finetuned = {"finetuned": dict(self.network.training_record)}
        joined.training_record = {**joined.training_record, **finetuned}
        return joined


class _AnyStyleTask(_StyleTask):
    """A painter of any style: what is chosen for each photograph is a painting, not one of several.

    Paintings are drawn at every step, and the network that predicts their vectors is trained too.
    """

    network: generators.Arbitrary

    def _read_styles(self) -> list[images.Image]:
        (styles,) = self._config.styles
        with errors.renamed(content="styles"):
            paintings = data.open_photographs(styles, data_dir=self._config.content.data_dir)
        num_shown = min(_MOST_SHOWN, len(paintings) // _SHARE_SHOWN)
        if not num_shown:
            raise ValueError(
                f"`styles` must hold {_SHARE_SHOWN} pictures or more. "
                f"Received: {styles}, {len(paintings)}"
            )
        self._paintings, shown = paintings.hold_out(num_shown)
        squares = data.centre_crops(shown, range(num_shown), size=self._config.style_size)
        names = (str(pathlib.PurePath(name).with_suffix("")) for name in shown.names)
        self._shown_paintings = dict(zip(names, squares, strict=False))
        return tf.split(squares, num_shown)

    def _look_at_styles(self) -> None:
        self._term = next(term for term in self._loss.terms if term.name == "style")

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        steps: Any = {"first_step": first_step, "num_steps": num_steps, "shard": shard}
        paintings = data.crops(
            self._paintings,
            config=data.CropConfig(self._config.style_size, min_scale=1.0),
            batch_size=self._loop.batch_size,
            # Another order than the photographs', lest each always meets the same painting.
            seed=self._loop.seed + 1,
            **steps,
        )
        return tf.data.Dataset.zip((super().batches(**steps), paintings))

    @property
    def skipped(self) -> dict[str, str]:
        return super().skipped | self._paintings.skipped

    def loss(self, batch: Any, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        photographs, paintings = batch
        return self._loss_in(paintings, photographs, seed)

    def _paint(
        self, photographs: tf.Tensor, chosen: tf.Tensor, seed: tf.Tensor, *, training: bool
    ) -> tf.Tensor:
        vectors = self.network.predict_vectors(chosen, training=training)
        inputs = self.network.inputs_for(photographs, style=vectors, seed=seed, varied=True)
        return self.network(inputs, training=training)

    def _style_targets(self, chosen: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._term.target(self._loss.features(chosen))

    def _shown_styles(self) -> dict[str, tf.Tensor]:
        return self._shown_paintings


def _normalized(pictures: tf.Tensor) -> tf.Tensor:
    """Return pictures whose channels have the mean 0 and, unless they are flat, the variance 1."""
    mean, variance = tf.nn.moments(pictures, axes=(1, 2), keepdims=True)
    return (pictures - mean) / tf.sqrt(variance + 1e-3)


def _quantization_noise(shape: tf.TensorShape, seed: tf.Tensor) -> tf.Tensor:
    """Draw noise of the size of what rounding to 8 bits took away.

    Without it a crop of one colour has no variance, and instance normalisation multiplies gradients by
    1/sqrt(ε) = 316 in every layer, until they are infinite.
    """
    return tf.random.stateless_uniform(shape, seed, -0.5 / 255, 0.5 / 255)


def _style(config: StyleTraining, path: str) -> Reference:
    """Return a painting as the objective looks at it."""
    references = StyleReferences(config.objective, [images.read_image(path)])
    with errors.renamed(style=f"styles: {path}"):
        references.check_size(config.style_size)
    return references.at(config.style_size)["style"]


def _style_targets(loss: TotalLoss, styles: list[Reference]) -> dict[str, tf.Tensor]:
    """Return the targets of the style term, one a painting, stacked as those of a batch."""
    term = next(term for term in loss.terms if term.name == "style")
    style_loss = TotalLoss([term], loss.network)
    return term.stack([style_loss.targets({"style": style})["style"] for style in styles])


def _start(config: StyleTraining) -> tuple[generators.Painter | None, generators.Painter]:
    """Return the painter to add styles to, if any, and the one to train."""
    if config.finetune_style is not None:
        with errors.renamed(model="finetune_style", painter="finetune_style"):
            base = generators.load(config.finetune_style)
            blank = generators.blank_styles(base, config.style_names)
        if blank.config != config.generator:
            raise ValueError(
                f"`generator` must be that of `finetune_style`, {blank.config}. "
                f"Received: {config.generator}"
            )
        return base, blank
    initial = generators.initial(config.generator, config.init_weights, styles=config.rows)
    return None, initial
