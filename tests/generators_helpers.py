"""What generators are fed, and networks whose every pixel in reach has an effect."""

import functools

import keras
import numpy as np
import tensorflow as tf
from networks import random_image

from stylezoo import generators, painting


def network_of(config):
    """Return a painter with the same random weights every time."""
    keras.utils.set_random_seed(0)
    return generators.build(config)


@functools.cache
def noise_of(config):
    """Return the function that draws the noise of a texture network."""
    return generators.build(config).noise


def inputs_for(config, size, *, image=None, batch=1, seed=0):
    """Return everything that a painter takes; `image` is random by default."""
    inputs = {}
    if isinstance(config, generators.TextureNetworkConfig):
        inputs.update(noise_of(config)(size, batch=batch, seed=seed))
    if config.paints != generators.TEXTURES:
        inputs["image"] = random_image(*size, batch=batch, seed=seed) if image is None else image
    if config.num_styles:
        inputs["style_weights"] = tf.one_hot([0] * batch, config.num_styles)
    if isinstance(config, generators.ArbitraryConfig):
        inputs["style_vector"] = tf.ones([batch, config.vector_size])
    return inputs


def with_frozen_moments(network):
    """A function of the network's inputs that normalises by the mean -1 and the variance 1."""
    extra, values = {}, {}
    for layer in painting.normalization_layers(network):
        shape = [1, 1, layer.scale.shape[-1]]
        for name, value in (("mean", -1.0), ("variance", 1.0)):
            key = f"{layer.name}_{name}"
            extra[key] = keras.Input(shape, name=key)
            values[key] = tf.fill([1, *shape], value)
    rewired = painting.rewire(
        network,
        lambda layer, _: (extra[f"{layer.name}_mean"], extra[f"{layer.name}_variance"]),
        extra_inputs=extra,
    )
    return lambda inputs: rewired({**inputs, **values})


def transparent(config):
    """A function of a generator's inputs: kernels are positive, no ReLU is ever off.

    Moments are fixed, of batch normalisation too, and the sigmoid is far from its ends.
    """
    network = network_of(config)
    random = np.random.default_rng(0)
    for variable in network.weights:
        if len(variable.shape) == 4:
            values = random.uniform(0.5, 1.5, variable.shape) / np.prod(variable.shape[:3])
            variable.assign(1e-3 * values if "conv_out" in variable.path else values)
        elif variable.name == "moving_mean":
            variable.assign(-np.ones(variable.shape))
    return with_frozen_moments(network)
