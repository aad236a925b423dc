"""Fooling pictures: a change that nobody sees, and a network sees another class."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from stylezoo import perceptual
from stylezoo.images import Image
from stylezoo.progress import Callback, Progress
from stylezoo.visualize.fooling_config import FoolingConfig
from stylezoo.visualize.rectifiers import with_rectifiers


class Fooled(NamedTuple):
    """A picture that was changed towards a class.

    Attributes:
        image: [1, H, W, 3] float32 in [0, 1], of 8 bits, as a file keeps it.
        steps: Number of steps that were taken.
        before: Probabilities of the classes of the picture as it was, [num_classes].
        after: Those of ``image``.
    """

    image: np.ndarray
    steps: int
    before: np.ndarray
    after: np.ndarray


def fool(
    network: keras.Model,
    image: Image,
    target: int,
    *,
    config: FoolingConfig | None = None,
    callback: Callback | None = None,
) -> Fooled:
    """Change a picture by a little until a network takes it for another class.

    Every step goes along the sign of the gradient of the logarithm of the class's probability (Goodfellow et
    al. 2015), and no pixel leaves the range of ``config.epsilon`` about its value (Kurakin et al. 2017, the
    iterative method for a target class). Szegedy et al. 2014 found such pictures by L-BFGS.

    Args:
        network: Images -> {"scores": [B, num_classes]}.
        image: [1, H, W, 3] in [0, 1].
        target: Number of the class.
        config: See :class:`FoolingConfig`.
        callback: Called after every step.

    Raises:
        ValueError: If there is no such class.
    """
    config = config or FoolingConfig()
    count = network.output[perceptual.SCORES].shape[-1]
    if not 0 <= target < count:
        raise ValueError(f"`target` must be from 0 to {count - 1}. Received: target={target}")
    original = tf.convert_to_tensor(image)
    lowest = tf.maximum(original - config.epsilon, 0.0)
    highest = tf.minimum(original + config.epsilon, 1.0)
    # A class of SqueezeNet may be silent: then the gradient of its own goes through the closed ReLU.
    redirected = with_rectifiers(network, "redirected")
    gradient_of = tf.function(
        lambda pixels: _gradient(redirected, pixels, target),
        input_signature=[tf.TensorSpec(original.shape)],
        autograph=False,
    )
    before = after = _probabilities(network, original)
    pixels, step = original, 0
    while step < config.steps and not _is_fooled(after, target, config.confidence):
        step += 1
        moved = pixels + config.step_size * tf.sign(gradient_of(pixels))
        pixels = tf.clip_by_value(moved, lowest, highest)
        after = _probabilities(network, _rounded(pixels))
        if callback:
            loss = -float(np.log(np.maximum(after[target], 1e-30)))
            callback(Progress(step, config.steps, losses={"total": loss}))
    return Fooled(np.asarray(_rounded(pixels)), step, before, after)


def _gradient(network: keras.Model, pixels: tf.Tensor, target: int) -> tf.Tensor:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(pixels)
        scores = tf.cast(network(pixels)[perceptual.SCORES], tf.float32)
        value = tf.nn.log_softmax(scores)[:, target]
    return tape.gradient(value, pixels)


def _probabilities(network: keras.Model, pixels: tf.Tensor) -> np.ndarray:
    scores = tf.cast(network(pixels)[perceptual.SCORES], tf.float32)
    return np.asarray(tf.nn.softmax(scores)[0])


def _is_fooled(probabilities: np.ndarray, target: int, confidence: float) -> bool:
    likeliest = int(np.argmax(probabilities)) == target
    return likeliest and bool(probabilities[target] >= confidence)


def _rounded(pixels: tf.Tensor) -> tf.Tensor:
    return tf.round(pixels * 255.0) / 255.0
