"""Networks and numerics for tests that need no pretrained weights."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from stylezoo import classifiers, weights
from stylezoo.layers import Preprocess
from stylezoo.weights import files


def random_image(height, width, *, seed=0, batch=1):
    """[B, H, W, 3] in [0, 1]."""
    image = np.random.default_rng(seed).uniform(size=(batch, height, width, 3))
    return tf.constant(image, tf.float32)


def he_tensors(chain, *, seed=0):
    """Random kernels that keep the activations' scale (He et al. 2015), and random biases."""
    random = np.random.default_rng(seed)
    tensors, channels = {}, 3
    for layer in chain:
        if isinstance(layer, classifiers.Conv):
            shape = (layer.kernel, layer.kernel, channels, layer.filters)
            kernel = random.standard_normal(shape, np.float32)
            kernel *= np.sqrt(2 / (layer.kernel**2 * channels))
            tensors[f"conv{layer.name}/kernel"] = kernel
            bias = random.uniform(-0.1, 0.1, layer.filters).astype(np.float32)
            tensors[f"conv{layer.name}/bias"] = bias
        channels = layer.filters
    return tensors


def write(file, architecture, tensors=None, *, preprocessing="torch"):
    """Writes a weights file of ours, random by default; its path."""
    if tensors is None:
        tensors = he_tensors(classifiers.chain(architecture))
    loaded = weights.LoadedWeights(f"{architecture}.random", architecture, preprocessing, tensors)
    files.write(file, loaded, source="random", license="CC0-1.0")
    return file


def thin(architecture, *, divisor):
    """A chain of the same geometry with fewer filters, at least one."""
    return tuple(
        dataclasses.replace(layer, filters=max(layer.filters // divisor, 1))
        for layer in classifiers.chain(architecture)
    )


def build(chain, taps, *, pooling="max", tensors=None):
    """A perceptual network of any chain, with weights of :func:`he_tensors` by default."""
    images = keras.Input([None, None, 3])
    order = list(classifiers.tap_infos(chain))
    outputs = classifiers.build_taps(
        chain, Preprocess("torch")(images), pooling=pooling, deepest=max(taps, key=order.index)
    )
    model = keras.Model(images, {tap: outputs[tap] for tap in taps})
    tensors = he_tensors(chain) if tensors is None else tensors
    for layer in model.layers:
        layer.set_weights([tensors[f"{layer.name}/{v.name}"] for v in layer.weights])
    model.trainable = False
    return model


def value_and_gradient(function, x):
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return value, tape.gradient(value, x)


def assert_gradient(function, x, *, step=1e-2, rtol=5e-3):
    """Compares a scalar function's gradient with central differences along three directions.

    Each is the gradient's own plus as much noise, so that the slope is not small against the value.
    The function is float32: its rounding, 1e-7 of the value and more after a long sum, divided by
    the step is about 1e-4 of the slope, and the truncation error is step² = 1e-4 times the third
    derivative (none for quadratic functions). The 5e-3 are a margin on both, and less than the
    1/sqrt(size) of a gradient that is wrong across its own direction, for the sizes in use.
    """
    x = tf.convert_to_tensor(x)
    _, gradient = value_and_gradient(function, x)
    assert gradient is not None
    size = float(tf.sqrt(tf.reduce_mean(gradient**2)))
    assert 0 < size < np.inf
    for seed in range(3):
        noise = np.random.default_rng(seed).standard_normal(x.shape).astype(np.float32)
        direction = gradient / size + noise
        slope = float(tf.reduce_sum(tf.cast(gradient * direction, tf.float64)))
        ahead, behind = x + step * direction, x - step * direction
        difference = float(function(ahead)) - float(function(behind))
        np.testing.assert_allclose(difference / (2 * step), slope, rtol=rtol)
