"""Classifiers as graphs that are quick to build."""

import contextlib
import dataclasses
import functools

import keras
import numpy as np
from networks import Thin

from stylezoo import classifiers


@contextlib.contextmanager
def double_precision():
    """Let layers that are made inside compute in float64."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class Paths(Thin):
    """A network's windows and nothing else: linear, one filter a layer, every weight positive.

    What a feature depends on is then where its gradient is not 0. Average pooling, because a maximum
    depends on one of its inputs alone; and in float64, because a corner of the field of 50 layers
    of 3x3 weighs 9^-50.
    """

    def __init__(self):
        super().__init__(10**6, pooling="avg")

    def batch_norm(self, x, name, **options):
        return dataclasses.replace(x, name=name)

    def local_response_norm(self, x, name, **options):
        return dataclasses.replace(x, name=name)

    def activate(self, x, name, activation="relu"):
        return dataclasses.replace(x, name=name)


@functools.cache
def paths(architecture):
    """A model of :class:`Paths`: images of any size -> {tap: features}, [B, H, W, C] float64."""
    published = classifiers.get(architecture)
    with double_precision():
        builder = Paths()
        image = keras.Input([None, None, published.channels], dtype="float64")
        published.trunk(builder, classifiers.Feature("image", published.channels, image))
        model = keras.Model(image, {tap: each.tensor for tap, each in builder.taps.items()})
    for layer in model.layers:
        shapes = [variable.shape for variable in layer.weights]
        layer.set_weights(
            [np.full(s, 1 / (s[0] * s[1])) if len(s) == 4 else np.zeros(s) for s in shapes]
        )
    return model


class ThinHeads(Thin):
    """Thin in its fully connected layers too."""

    def dense(self, x, name, units):
        return super().dense(x, name, max(units // self._divisor, 1))


def variables(model):
    """Return the shape of each variable, named as `classifiers.shapes` names them."""
    return {
        f"{layer.name}/{variable.name}": tuple(variable.shape)
        for layer in model.layers
        for variable in layer.weights
    }
