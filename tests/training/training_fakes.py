"""A task that trains in milliseconds, and what a run leaves behind."""

import json
import pathlib

import keras
import numpy as np
import tensorflow as tf

from stylezoo import generators, training

SIZE = 8


class Task:
    """A small network that is to paint grey out of noise.

    Args:
        config: of the loop.
        broken: of a step, counted from 0 (a tensor), and ``"loss"`` or ``"gradient"``: what that
            is multiplied with.
    """

    def __init__(self, config, *, broken=lambda step, what: 1.0):
        self._loop, self._broken = config, broken
        tiny = generators.TextureNetworkConfig(channels=2, num_scales=1, normalization="batch")
        self.network = generators.build(tiny, styles=("grey",))
        self.skipped = {"broken.jpg": "it is broken"}

    @property
    def variables(self):
        return self.network.trainable_variables

    head_steps = 0
    head_variables = ()

    def batches(self, *, first_step, num_steps, shard):
        index, count = shard
        share = self._loop.batch_size // count

        def batch(step):
            shape = [self._loop.batch_size, SIZE, SIZE, 3]
            whole = tf.random.stateless_uniform(shape, [self._loop.seed, step])
            return whole[index * share : (index + 1) * share]

        return tf.data.Dataset.range(first_step, num_steps).map(batch)

    def loss(self, batch, seed):
        @tf.custom_gradient
        def spoil(painted):
            return painted, lambda gradient: gradient * self._broken(seed[1], "gradient")

        painted = spoil(self.network({"noise_1": batch}, training=True))
        noise = tf.random.stateless_uniform(tf.shape(painted), seed, -0.1, 0.1)
        shares = {
            "content": tf.reduce_mean(tf.square(painted - batch)),
            "style": 10 * tf.reduce_mean(tf.square(painted - 0.5 + noise)),
        }
        shares["style"] *= self._broken(seed[1], "loss")
        return tf.add_n(list(shares.values())), shares

    def held_out(self):
        painted = self.network({"noise_1": tf.ones([1, SIZE, SIZE, 3])}).numpy()
        return {"total": float(np.mean(np.square(painted - 0.5)))}, painted

    def optimizer(self, learning_rate):
        return keras.optimizers.Adam(learning_rate)

    def save(self, folder):
        self.network.save_to_preset(folder / "model", overwrite=True)

    def result(self):
        return training.TrainingResult(self.network, self.skipped)


def run(path, *, callback=None, broken=lambda step, what: 1.0, describe=None, **fields):
    """Trains a :class:`Task`; ``fields`` are of the LoopConfig."""
    settings = {"num_steps": 6, "batch_size": 2, "log_every": 2, "save_every": 3, "sample_every": 4}
    config = training.LoopConfig(**settings | fields)
    return training.train(
        lambda loop: Task(loop, broken=broken),
        config=config,
        describe={"task": "fake", **(describe or {})},
        path=str(path),
        callback=callback,
    )


class Interrupted(Exception):  # noqa: N818
    """Nothing that the code under test knows of."""


def interrupt_at(*steps):
    """A callback that raises :class:`Interrupted` after these steps."""

    def callback(progress):
        if progress.step in steps:
            raise Interrupted

    return callback


def state(path, step=None):
    """Every tensor in a saved state of a run's folder, the last by default, by name."""
    prefix = tf.train.latest_checkpoint(str(pathlib.Path(path, "checkpoints")))
    if step is not None:
        prefix = str(pathlib.Path(path, "checkpoints", f"ckpt-{step}"))
    reader = tf.train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_shape_map())
    # How often a state was saved is no part of it; the graph of objects is no tensor.
    names = [name for name in names if "save_counter" not in name and "OBJECT_GRAPH" not in name]
    return {name: reader.get_tensor(name) for name in names}


def weights(network):
    """Every variable of a network by its path."""
    return {variable.path: variable.numpy() for variable in network.variables}


def records(path):
    """The records in a run's ``losses.jsonl``."""
    lines = pathlib.Path(path, "losses.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def assert_equal(these, those):
    """Two dicts of arrays, bit for bit."""
    assert these.keys() == those.keys()
    for name, this in these.items():
        np.testing.assert_array_equal(this, those[name], err_msg=name, strict=True)


def differ(these, those):
    """The names of the arrays that are not equal."""
    return [name for name, this in these.items() if not np.array_equal(this, those[name])]
