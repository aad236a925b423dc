"""Networks and numerics for tests that need no pretrained weights."""

import keras
import numpy as np
import tensorflow as tf

from stylezoo import classifiers, weights
from stylezoo.layers import Preprocess
from stylezoo.weights import weights_files


def random_image(height, width, *, seed=0, batch=1):
    """Return random pictures, [B, H, W, 3] in [0, 1]."""
    image = np.random.default_rng(seed).uniform(size=(batch, height, width, 3))
    return tf.constant(image, tf.float32)


def randomize(variables):
    """Assign weights that keep the activations' scale, and no normalisation that changes nothing."""
    random = np.random.default_rng(0)
    for variable in variables:
        values = random.standard_normal(variable.shape)
        if len(variable.shape) == 4:
            # A depthwise kernel, [3, 3, C, 1], sees one channel.
            sees = variable.shape[:3] if variable.shape[3] > 1 else variable.shape[:2]
            values *= np.sqrt(2 / np.prod(sees))
        elif variable.name in ("scale", "gamma", "moving_variance"):
            values = random.uniform(0.5, 1.5, variable.shape)
        else:
            values *= 0.2
        variable.assign(values)


def he_tensors(shapes, *, seed=0):
    """Random kernels that keep the activations' scale (He et al. 2015), the rest near 0 or near 1."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes.items():
        kind = name.rpartition("/")[2]
        if kind == "kernel":
            fan_in = np.prod(shape[:-1]) if shape[-1] > 1 or len(shape) < 4 else shape[0] * shape[1]
            tensors[name] = random.standard_normal(shape, np.float32) * np.float32(
                np.sqrt(2 / fan_in)
            )
        else:
            middle = kind in ("gamma", "moving_variance")
            tensors[name] = middle + random.uniform(-0.1, 0.1, shape).astype(np.float32)
    return tensors


def write(file, architecture, tensors=None, *, preprocessing="torch"):
    """Write a weights file of ours, random and without head by default, and return its path."""
    if tensors is None:
        tensors = he_tensors(classifiers.shapes(architecture, include_top=False))
    loaded = weights.LoadedWeights(f"{architecture}.random", architecture, preprocessing, tensors)
    weights_files.write(file, loaded, source="random", license="CC0-1.0")
    return file


class Thin(classifiers.Builder):
    """Networks of the same geometry with fewer filters, at least one."""

    def __init__(self, divisor, **options):
        super().__init__(**options)
        self._divisor = divisor

    def conv(self, x, name, filters, *arguments, groups=1, **options):
        filters = max(filters // self._divisor, groups)
        if x.channels % groups or filters % groups:
            groups = 1
        return super().conv(x, name, filters, *arguments, groups=groups, **options)


def thin_infos(architecture, *, divisor):
    """The geometry of a thin network's taps."""
    builder = Thin(divisor)
    classifiers.get(architecture).trunk(builder, classifiers.Feature("image", 3))
    return {tap: feature.info for tap, feature in builder.taps.items()}


def build(architecture, taps, *, divisor=1, pooling="max", tensors=None):
    """A perceptual network, thin if told so, with weights of :func:`he_tensors` by default."""
    images = keras.Input([None, None, 3])
    builder = Thin(divisor, pooling=pooling, until=taps)
    start = classifiers.Feature("preprocess", 3, Preprocess("torch")(images))
    classifiers.get(architecture).trunk(builder, start)
    model = keras.Model(images, {tap: builder.taps[tap].tensor for tap in taps})
    tensors = he_tensors(builder.shapes) if tensors is None else tensors
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
    """Compare a scalar function's gradient with central differences along three directions.

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
