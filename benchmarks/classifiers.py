"""Speed of classifiers, forward and backward, by turns with ``keras.applications`` where it has them.

Usage: python -m benchmarks.classifiers [--network=NAME...] [--output=RESULT.json]

Weights are random: they don't change the time. Forward is inference, in a traced function; backward is
the gradient of the mean score with respect to every weight, in training mode, in a traced function.
"""

import gc
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from absl import app, flags

from benchmarks import results
from stylezoo import classifiers

_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/classifiers.json", "Where figures go.")
_NETWORKS = flags.DEFINE_multi_string("network", None, "Which; all if not given.")
_BATCHES = flags.DEFINE_multi_integer("batch", [1, 16], "Pictures at once.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Of each timing.", 1)

_THEIRS = {
    "vgg16": keras.applications.VGG16,
    "vgg19": keras.applications.VGG19,
    "resnet50": keras.applications.ResNet50,
    "resnet101": keras.applications.ResNet101,
    "resnet152": keras.applications.ResNet152,
}


def _forward(model: keras.Model, images: tf.Tensor) -> Callable[[], object]:
    function = tf.function(lambda x: model(x, training=False), autograph=False)
    return lambda: function(images).numpy()


def _backward(model: keras.Model, images: tf.Tensor) -> Callable[[], object]:
    variables = model.trainable_variables

    @tf.function(autograph=False)
    def step(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            score = tf.reduce_mean(model(x, training=True))
        gradients = tape.gradient(score, variables)
        # One number, so that all of them are computed and none is copied.
        return tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

    return lambda: step(images).numpy()


def speed(network: str, batch: int) -> dict[str, Any]:
    """Return the seconds of both projects' networks, and their ratio, which is < 1 if ours is faster."""
    models = {"stylezoo": classifiers.build(network)}
    if network in _THEIRS:
        # Ours has no softmax either.
        models["keras"] = _THEIRS[network](weights=None, classifier_activation=None)
    _, height, width, channels = models["stylezoo"].input.shape
    images = tf.random.stateless_uniform([batch, height, width, channels], seed=[0, 0])
    figures: dict[str, Any] = {}
    for what, prepare in (("forward", _forward), ("backward", _backward)):
        seconds = results.alternate(
            {whose: prepare(model, images) for whose, model in models.items()},
            repeats=_REPEATS.value,
        )
        figures[what] = dict(seconds)
        if "keras" in seconds:
            figures[what]["ratio"] = seconds["stylezoo"] / seconds["keras"]
    return figures


def main(_: list[str]) -> None:
    """Measure what the flags ask for."""
    figures: dict[str, Any] = {}
    for network in _NETWORKS.value or classifiers.list_models():
        figures[network] = {}
        for batch in _BATCHES.value:
            figures[network][batch] = speed(network, batch)
            keras.backend.clear_session()
            gc.collect()
    results.write(_OUTPUT.value, "classifiers", figures)


if __name__ == "__main__":
    app.run(main)
