"""The loop that all training shares: one step in a graph, resumable after any of them."""

import contextlib
import dataclasses
import logging
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

import keras
import numpy as np
import tensorflow as tf

from stylezoo import errors
from stylezoo.progress import Callback, Progress
from stylezoo.training.averaging import RunningAverage
from stylezoo.training.loop_config import LoopConfig, Precision, StepDecay
from stylezoo.training.precision import fastest_precision
from stylezoo.training.run_folder import RunFolder, recorded

_logger = logging.getLogger(__name__)

# What TensorFlow raises of a worker that ended, was started anew alone, or never came.
_GONE = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Task(Protocol[Result_co]):
    """A task of the training loop: the network, its pictures and its loss."""

    @property
    def network(self) -> keras.Model:
        """The network, all of whose variables are saved, beside the optimiser's state."""

    @property
    def variables(self) -> list[Any]:
        """The variables that are trained."""

    @property
    def head_variables(self) -> list[Any]:
        """Those of them that alone are trained in the first :attr:`head_steps` steps."""

    @property
    def head_steps(self) -> int:
        """The number of steps at the start that train the head alone; 0 for none."""

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        """Return the batches of steps ``first_step`` to ``num_steps - 1``.

        Of each batch only part ``shard``, (index, count), is returned.
        """

    def loss(self, batch: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the mean loss of a batch, and each term's share; ``seed``, [2], decides what is random."""

    def held_out(self) -> tuple[dict[str, float], np.ndarray]:
        """Return losses by name and a picture, [1, H, W, 3], of held-out photographs."""

    def optimizer(self, learning_rate: Any) -> keras.optimizers.Optimizer:
        """Return the optimiser of the variables, for a learning rate or a Keras schedule of rates."""

    def save(self, folder: pathlib.Path) -> None:
        """Write the model as it is into the run's folder, atomically."""

    def result(self) -> Result_co:
        """Return the result of the training."""


def scalar_seed(seed: tf.Tensor) -> tf.Tensor:
    """Return an int64 that follows from a seed, [2], for functions that take a single number."""
    return tf.random.stateless_uniform([], seed, minval=None, maxval=None, dtype=tf.int64)


def strategy_of(distribution: str) -> tf.distribute.Strategy:
    """Return the strategy of a name in :data:`~stylezoo.training.DISTRIBUTIONS`.

    Raises:
        ValueError: If ``TF_CONFIG`` does not describe a cluster.
    """
    if distribution == "mirrored":
        return tf.distribute.MirroredStrategy()
    if distribution == "multi_worker":
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            described = os.environ.get("TF_CONFIG")
            raise ValueError(
                f"`TF_CONFIG` must describe the cluster in JSON. Received: {described} ({error})"
            ) from error
    return tf.distribute.get_strategy()


def train(
    make_task: Callable[[LoopConfig], Task[Result]],
    *,
    config: LoopConfig,
    describe: Mapping[str, Any],
    path: str,
    callback: Callback | None = None,
) -> Result:
    """Train a model, or go on where a run stopped.

    The state is saved after every ``save_every`` steps, and step s sees the same data and random
    numbers however often the run was interrupted before it, so that a resumed run ends with the
    weights of an unbroken one. TensorFlow's operations are made deterministic for the whole process, except
    under XLA, which lacks some of those.

    Args:
        make_task: Function that builds the task; it is called under the distribution's scope, with the
            configuration of the loop as it was resolved.
        config: The configuration of the loop.
        describe: The task's configuration, which is recorded with ``config`` and compared when the
            run is resumed.
        path: The run's folder, see :class:`~stylezoo.training.run_folder.RunFolder`.
        callback: Function that is called after every step. Its losses are the means since the last
            record where there is one, and empty at the other steps.

    Returns:
        The task's result; its model is also in the folder.

    Raises:
        ValueError: If the folder holds another run, or the batch doesn't divide over the replicas.
        FloatingPointError: If a loss or the gradient is not finite; the message names the step and the
            term. The last saved state stays.
        DistributionError: If another worker is gone. The last saved state stays.
        OSError: Something can't be written.
    """
    if not config.jit_compile:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.seed)
    config = dataclasses.replace(config, precision=_resolved(config.precision, path))
    with _policy(config.precision), _errors_of_workers():
        strategy = strategy_of(config.distribution)
        replicas = strategy.num_replicas_in_sync
        if config.batch_size % replicas:
            raise ValueError(
                f"`batch_size` must be a multiple of the {replicas} replicas. "
                f"Received: batch_size={config.batch_size}"
            )
        run = RunFolder(path, {**describe, "loop": config.deciding()}, writes=_is_chief(strategy))
        with strategy.scope():
            trainer = _Trainer(make_task(config), config, strategy, run)
        return trainer.run(callback)


@contextlib.contextmanager
def _errors_of_workers() -> Iterator[None]:
    """Raise the error of a collective operation as one of ours, which says what to do."""
    try:
        yield
    except _GONE as error:
        raise errors.DistributionError(
            "another worker does not answer. Start all workers again with the same command: they go on from "
            f"the last saved state ({errors.one_line(error)})"
        ) from error


def _resolved(precision: Precision, path: str) -> Precision:
    """Return the precision that is meant by ``"auto"``: that of the run so far, or the machine's."""
    if precision != "auto":
        return precision
    fastest = fastest_precision()
    began_with = recorded(path, "loop", "precision") or fastest
    if began_with != fastest:
        _logger.warning(
            "The run goes on in %s, in which it began; %s is faster on this machine.",
            began_with,
            fastest,
        )
    return began_with


def _is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process is the one of its cluster that writes."""
    cluster = strategy.cluster_resolver
    if cluster is None or not cluster.task_type:
        return True
    alone = "chief" not in cluster.cluster_spec().jobs
    return cluster.task_type == "chief" or (alone and cluster.task_id == 0)


@contextlib.contextmanager
def _policy(precision: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _schedule(config: LoopConfig) -> Any:
    if isinstance(config.decay, StepDecay):
        every, factor = config.decay.every, config.decay.factor
        return keras.optimizers.schedules.ExponentialDecay(
            config.learning_rate, every, factor, staircase=True
        )
    if config.decay == "cosine":
        return keras.optimizers.schedules.CosineDecay(config.learning_rate, config.num_steps)
    if config.decay == "ulyanov2016":
        # The last step of each rate, counted from 0; Keras wants one even if it is never reached.
        boundaries = list(range(999, max(config.num_steps, 1000), 200))
        rates = [config.learning_rate * 0.7**drops for drops in range(len(boundaries) + 1)]
        return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)
    return config.learning_rate


class _Trainer(Generic[Result]):
    """A task with its optimiser and its position in the run."""

    def __init__(
        self,
        task: Task[Result],
        config: LoopConfig,
        strategy: tf.distribute.Strategy,
        run: RunFolder,
    ) -> None:
        self._task, self._config, self._strategy, self._run = task, config, strategy, run
        self._optimizer = task.optimizer(_schedule(config))
        self._scaled = config.precision == "mixed_float16"
        if self._scaled:
            self._optimizer = keras.optimizers.LossScaleOptimizer(self._optimizer)
        self._optimizer.build(task.variables)
        self._step = tf.Variable(
            0,
            dtype=tf.int64,
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self._average = RunningAverage(task.variables, config.average) if config.average else None
        state = {"network": task.network, "optimizer": self._optimizer, "step": self._step}
        if self._average:
            state["average"] = self._average.averages
        self._checkpoint = tf.train.Checkpoint(**state)
        self._names: tuple[str, ...] = ()
        self._graph = tf.function(
            self._graph_step, autograph=False, jit_compile=config.jit_compile or None
        )
        run.restore(self._checkpoint)
        self._first = int(self._step.numpy())
        self._batches = self._open_batches()
        # Errors in the configuration have been raised by now, so that the folder is made only now.
        run.start(self._first)

    def run(self, callback: Callback | None) -> Result:
        config = self._config
        pending: list[tf.Tensor] = []
        if not self._first:
            self._sample(0)
        for step, batch in enumerate(self._batches, start=self._first + 1):
            pending.append(self._graph(batch, head_only=step <= self._task.head_steps))
            last = step == config.num_steps
            saves = last or step % config.save_every == 0
            samples = last or step % config.sample_every == 0
            records = saves or step % config.log_every == 0
            means: Mapping[str, float] = {}
            # The losses since the last record are fetched from the device only now.
            if records or samples:
                values = self._fetch(step, pending)
            if records:
                means = self._record(step, values)
                pending.clear()
            if samples:
                self._sample(step)
            if saves:
                self._save(step)
            if callback:
                callback(Progress(step, self._config.num_steps, means))
        if self._average:
            self._average.apply()
        return self._task.result()

    def _open_batches(self) -> Any:
        replicas = self._strategy.num_replicas_in_sync

        def of_pipeline(context: tf.distribute.InputContext) -> tf.data.Dataset:
            batches = self._task.batches(
                first_step=self._first,
                num_steps=self._config.num_steps,
                shard=(context.input_pipeline_id, context.num_input_pipelines),
            )
            local = replicas // context.num_input_pipelines
            return (
                batches
                if local == 1
                else batches.unbatch().batch(
                    self._config.batch_size // replicas, drop_remainder=True
                )
            )

        if replicas == 1:
            return of_pipeline(tf.distribute.InputContext())
        return self._strategy.distribute_datasets_from_function(of_pipeline)

    def _graph_step(self, batch: Any, head_only: bool) -> tf.Tensor:
        """Run one step; return its mean losses and its gradient's norm in the order of ``_names``."""
        values = self._strategy.run(self._replica_step, args=(batch, head_only))
        if self._average:
            self._average.update(self._step)
        self._step.assign_add(1)
        return self._strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None)

    def _replica_step(self, batch: tf.Tensor, head_only: bool) -> tf.Tensor:
        replicas = self._strategy.num_replicas_in_sync
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        place = tf.cast(self._step, tf.int64) * replicas + tf.cast(replica, tf.int64)
        with tf.GradientTape() as tape:
            total, shares = self._task.loss(batch, tf.stack([self._config.seed, place]))
            objective = total / replicas
            if self._scaled:
                objective = self._optimizer.scale_loss(objective)
        variables = self._task.head_variables if head_only else self._task.variables
        gradients = tape.gradient(objective, [variable.value for variable in variables])
        gradients, norm = self._clip(gradients)
        self._optimizer.apply(gradients, variables)
        values = {**shares, "total": total}
        if not self._scaled:
            # A scaled gradient overflows now and then, which is the optimiser's to handle.
            values["gradient_norm"] = norm
        self._names = tuple(values)
        return tf.stack(list(values.values()))

    def _clip(self, gradients: list[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Return each replica's part of the summed gradients, clipped, and the norm of the sum."""
        replicas = self._strategy.num_replicas_in_sync
        if replicas > 1:
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        norm = tf.linalg.global_norm(gradients)
        factor = 1.0 / replicas  # Keras adds up what the replicas give it
        if self._config.clip_norm:
            limit = self._config.clip_norm
            if self._scaled:
                limit *= self._optimizer.dynamic_scale
            factor *= tf.minimum(limit / norm, 1.0)
        return [gradient * factor for gradient in gradients], norm

    def _fetch(self, step: int, pending: list[tf.Tensor]) -> np.ndarray:
        """Return the values of the steps up to ``step``, [steps, len(_names)].

        Raises:
            FloatingPointError: If a value is not finite.
        """
        values = np.stack([value.numpy() for value in pending])
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            row, column = bad[0]
            raise FloatingPointError(
                f"step {step - len(pending) + 1 + row}: {self._names[column]} is "
                f"{values[row, column]}; a smaller `learning_rate` may help. The last saved state stays"
            )
        return values

    def _record(self, step: int, values: np.ndarray) -> dict[str, float]:
        averages = values.mean(axis=0)
        means = dict(zip(self._names, map(float, averages), strict=True))
        self._run.log(step, {f"train/{name}": value for name, value in means.items()})
        return means

    def _sample(self, step: int) -> None:
        with self._averaged():
            losses, sheet = self._task.held_out()
        self._run.log(step, {f"held_out/{name}": value for name, value in losses.items()})
        self._run.show(step, sheet)

    def _averaged(self) -> contextlib.AbstractContextManager[None]:
        """Return a context in which the network has the weights that it is judged by."""
        return self._average.applied() if self._average else contextlib.nullcontext()

    def _save(self, step: int) -> None:
        # The state comes last: after it has been written, nothing before it is done again.
        with self._averaged():
            self._run.save_model(self._task.save)
        self._run.flush()
        self._run.save(self._checkpoint, step)
