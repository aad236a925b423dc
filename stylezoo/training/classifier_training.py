"""Train classifiers, from random weights or from pretrained ones."""

import dataclasses
import functools
import math
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import classifiers, images, weights
from stylezoo.progress import Callback
from stylezoo.training import recognition
from stylezoo.training.classifier_config import ClassifierTraining
from stylezoo.training.labelled import LabelledPhotographs
from stylezoo.training.loop_config import LoopConfig
from stylezoo.training.trainer import train
from stylezoo.training.views import Views, colour_components
from stylezoo.weights import weights_files

# The number of held-out pictures, evenly spaced, that are evaluated on the way.
_NUM_TRIED = 2000


@dataclasses.dataclass(frozen=True)
class ClassifierResult:
    """The result of a classifier's training.

    Attributes:
        model: The trained network, without auxiliary heads; its weights are also in the run's
            ``model.weights.h5``.
        class_names: The names of the classes by number; also in the run's ``labels.txt``.
        skipped: The pictures that could not be read in this process, and why, by name.
    """

    model: keras.Model
    class_names: tuple[str, ...]
    skipped: Mapping[str, str]


def train_classifier(
    config: ClassifierTraining,
    *,
    loop: LoopConfig,
    run: str,
    callback: Callback | None = None,
    pictures: tuple[LabelledPhotographs, LabelledPhotographs] | None = None,
) -> ClassifierResult:
    """Train a classifier, or go on where a run stopped.

    The run's folder gets ``model.weights.h5`` and ``labels.txt``, the classes' names, one a line;
    ``classifiers.load(run)`` loads the trained network.

    Args:
        config: What is trained, on what and how.
        loop: The configuration of the loop, such as ``config.recipe.loop_config(...)``.
        run: The run's folder: a new one, or that of a run to go on with.
        callback: See :func:`~stylezoo.training.trainer.train`.
        pictures: The result of ``config.data.open()``, if the pictures are open already.

    Returns:
        The trained network and its classes.

    Raises:
        ValueError, OSError, FloatingPointError: As for :func:`~stylezoo.training.trainer.train` and
            :meth:`~stylezoo.training.LabelledConfig.open`.
        WeightsError: If the weights to start from can't be had, or are not this network's.
    """
    shown, held_out = config.data.open() if pictures is None else pictures
    return train(
        functools.partial(_ClassifierTask, config, pictures=shown, held_out=held_out),
        config=loop,
        describe=config.describe(),
        path=run,
        callback=callback,
    )


class _ClassifierTask:
    """The task of the training loop; see :class:`~stylezoo.training.trainer.Task`."""

    def __init__(
        self,
        config: ClassifierTraining,
        loop: LoopConfig,
        pictures: LabelledPhotographs,
        held_out: LabelledPhotographs,
    ) -> None:
        self._config, self._loop = config, loop
        architecture = classifiers.get(config.network)
        channels, augmentation = architecture.channels, config.recipe.augmentation
        self._class_names = pictures.class_names
        self._model, self._head = self._build(channels)
        self._network = classifiers.with_auxiliary_heads(self._model)
        components = colour_components(pictures) if augmentation.colour_noise else None
        self._views = Views(pictures, augmentation, config.size, channels, components)
        self._held_out = Views(held_out, augmentation, config.size, channels)
        self._tried = np.unique(np.linspace(0, len(held_out) - 1, _NUM_TRIED).round().astype(int))
        self._score = recognition.scorer(self._model)
        self._kernels = [
            variable for variable in self.variables if variable.path.endswith("kernel")
        ]

    def _build(self, channels: int) -> tuple[keras.Model, tuple[str, ...]]:
        """Return the network, and which of its layers are new although it is pretrained."""
        config, num_classes = self._config, len(self._class_names)
        name = classifiers.canonical(config.network)
        loaded = None
        if config.init_weights is not None:
            loaded = weights.load(config.init_weights, architecture=name)
        shape = (config.size, config.size, channels)
        model = classifiers.build(name, weights=loaded, num_classes=num_classes, input_shape=shape)
        if loaded is None:
            return model, ()
        if config.recipe.freeze_batch_norm:
            for layer in model.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.trainable = False  # which means inference mode, in training too
        return model, classifiers.new_layers(loaded, num_classes)

    @property
    def network(self) -> keras.Model:
        """The network with its auxiliary heads."""
        return self._network

    @property
    def variables(self) -> list[Any]:
        return self._network.trainable_variables

    @property
    def head_variables(self) -> list[Any]:
        """Those of new layers, auxiliary heads included."""
        new = {self._model.get_layer(name) for name in self._head}
        auxiliary = set(self._network.layers) - set(self._model.layers)
        return [
            variable
            for layer in self._network.layers
            if layer in new | auxiliary
            for variable in layer.trainable_variables
        ]

    @property
    def head_steps(self) -> int:
        """The steps of the recipe's first epochs, if there are new layers."""
        if not self._head:
            return 0
        epochs = self._config.recipe.head_epochs
        return math.ceil(epochs * len(self._views.pictures) / self._loop.batch_size)

    @property
    def skipped(self) -> dict[str, str]:
        return {**self._views.pictures.skipped, **self._held_out.pictures.skipped}

    def optimizer(self, learning_rate: Any) -> keras.optimizers.Optimizer:
        return self._config.recipe.make_optimizer(learning_rate)

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        return self._views.batches(
            batch_size=self._loop.batch_size,
            seed=self._loop.seed,
            num_steps=num_steps,
            first_step=first_step,
            shard=shard,
        )

    def loss(
        self, batch: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        pictures, labels = batch
        scores = _train_pass(self._network, pictures, seed)
        entropies = {
            name: tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(each, tf.float32))
            )
            for name, each in scores.items()
        }
        main = entropies.pop("scores")
        right = tf.equal(tf.argmax(scores["scores"], axis=1), labels)
        shares = {"cross_entropy": main, "accuracy": tf.reduce_mean(tf.cast(right, tf.float32))}
        total = main
        for name, entropy in entropies.items():
            shares[name] = entropy
            total += self._config.recipe.auxiliary_weight * entropy
        if self._config.recipe.weight_decay:
            # Its gradient is the decay times the kernel.
            squares = tf.add_n([tf.nn.l2_loss(kernel.value) for kernel in self._kernels])
            shares["weight_decay"] = self._config.recipe.weight_decay * squares
            total += shares["weight_decay"]
        return total, shares

    def held_out(self) -> tuple[dict[str, float], np.ndarray]:
        predictions = recognition.predict(
            self._score, self._held_out, batch_size=self._loop.batch_size, indices=self._tried
        )
        return predictions.figures(), recognition.predictions_sheet(predictions, self._held_out)

    def save(self, folder: pathlib.Path) -> None:
        network = classifiers.canonical(self._config.network)
        loaded = weights.LoadedWeights(
            name=f"{network}.{pathlib.Path(self._config.data.dataset).stem}",
            architecture=network,
            preprocessing=self._model.get_layer("preprocess").mode,
            tensors={
                f"{layer.name}/{variable.name}": variable.numpy()
                for layer in self._model.layers
                for variable in layer.weights
            },
            image_size=self._config.size,
        )
        with images.atomic_path(folder / classifiers.LABELS_FILE, overwrite=True) as temporary:
            temporary.write_text("".join(f"{name}\n" for name in self._class_names), "utf-8")
        with images.atomic_path(folder / weights.MODEL_FILE, overwrite=True) as temporary:
            temporary.unlink()  # a weights file is never written over
            weights_files.write(
                temporary, loaded, source="stylezoo train_classifier", license="not stated"
            )

    def result(self) -> ClassifierResult:
        return ClassifierResult(self._model, self._class_names, self.skipped)


def _train_pass(network: keras.Model, pictures: tf.Tensor, seed: tf.Tensor) -> Any:
    """Return the network's outputs in training, in a replica.

    Dropout follows ``seed`` and not a count of its own, which a resumed run would not have. Moving
    averages get the mean of the replicas' new values, and so stay equal.
    """
    states = [
        layer.seed_generator.state for layer in network.layers if hasattr(layer, "seed_generator")
    ]
    seeds = [_layer_seed(seed, number) for number in range(len(states))]
    with keras.StatelessScope(list(zip(states, seeds, strict=True))) as scope:
        outputs = network(pictures, training=True)
    moving = [
        variable
        for variable in network.non_trainable_variables
        if all(variable is not state for state in states)
    ]
    updated = [each for each in moving if scope.get_current_value(each) is not None]
    if updated:
        values = [scope.get_current_value(each) for each in updated]
        context = tf.distribute.get_replica_context()
        values = context.all_reduce(tf.distribute.ReduceOp.MEAN, values)
        for variable, value in zip(updated, values, strict=True):
            variable.assign(value)
    return outputs


def _layer_seed(seed: tf.Tensor, number: int) -> tf.Tensor:
    folded = tf.random.fold_in(seed, number)
    return tf.random.stateless_uniform([2], folded, minval=None, maxval=None, dtype=tf.uint32)
