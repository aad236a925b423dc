"""Attribution: which pixels a unit's score comes from."""

from collections.abc import Callable

import keras
import tensorflow as tf

from stylezoo import images as images_lib
from stylezoo.visualize.attribution_config import CAM_METHODS, AttributionConfig, Method
from stylezoo.visualize.rectifiers import has_rectifiers, operations, with_rectifiers
from stylezoo.visualize.unit_scores import Score, check_score
from stylezoo.weights.input_scaling import IMAGENET_MEAN

_RULES: dict[Method, str] = {
    "deconvnet": "deconvnet",
    "guided_backprop": "guided",
    "guided_grad_cam": "guided",
}


def unsuitable_methods(network: keras.Model) -> dict[Method, str]:
    """Return the methods whose attributions would say nothing with a network, and why.

    Deconvnet's gradients pass ReLUs whatever the picture was, so that only the switches of maximum pooling
    depend on it (Springenberg et al. 2015, section 3.4). Without any, its attribution is the same for all
    pictures. The rules of guided backpropagation and deconvnet are those of ReLUs.

    Args:
        network: A functional or sequential model, such as :class:`Attribution` takes.
    """
    if not has_rectifiers(network):
        return dict.fromkeys(_RULES, f"{network.name} has no ReLUs")
    if not any(isinstance(each, keras.layers.MaxPooling2D) for each in operations(network)):
        return {
            "deconvnet": f"{network.name} has no maximum pooling, whose switches alone tell it of the "
            "picture"
        }
    return {}


class Attribution:
    """An attribution method bound to a network and an objective: a function of pictures.

    It may be traced by ``tf.function``.

    Args:
        network: A functional model, images -> {tap: features}, such as
            :meth:`stylezoo.perceptual.Perceptual.build` gives. It is not changed: other backward passes
            run through a copy.
        objective: The score.
        config: See :class:`AttributionConfig`.

    Raises:
        ValueError: If the network lacks a layer or channel, or has no ReLUs where the method needs some.
    """

    def __init__(self, network: keras.Model, objective: Score, config: AttributionConfig) -> None:
        check_score(objective, {tap: each.shape for tap, each in network.output.items()})
        if config.method in CAM_METHODS and config.cam_layer not in network.output:
            raise ValueError(
                f"`cam_layer` must be among {', '.join(network.output)}. "
                f"Received: {config.cam_layer}"
            )
        self._network = network
        self._objective = objective
        self._config = config
        rule = _RULES.get(config.method)
        self._backward = with_rectifiers(network, rule) if rule else network

    def score(self, images: tf.Tensor) -> tf.Tensor:
        """Return the scores of [B, H, W, 3] in [0, 1], [B] float32."""
        return self._objective(self._network(images))

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Return the attribution of pictures.

        Args:
            images: [B, H, W, 3] float32 in [0, 1].

        Returns:
            [B, H, W, 3] float32: the derivative of the score with respect to each pixel, as the method
            defines it. Integrated gradients give each pixel's share of the score's difference to a black
            picture's score, and guided Grad-CAM gives the product of both maps. Grad-CAM gives
            [B, H, W, 1], >= 0, and so does occlusion: how far the score falls when a square about the
            pixel is hidden, on average over the squares that hide it.

        Raises:
            ValueError: If the score doesn't depend on ``cam_layer``.
        """
        method = self._config.method
        if method == "smoothgrad":
            return self._smooth(images)
        if method == "integrated_gradients":
            return self._integrate(images)
        if method == "grad_cam":
            return self._cam(images)
        if method == "occlusion":
            return self._occlude(images)
        gradient = self._gradient(images)
        return gradient * self._cam(images) if method == "guided_grad_cam" else gradient

    def _gradient(self, images: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            scores = self._objective(self._backward(images))
        return tape.gradient(scores, images)

    def _smooth(self, images: tf.Tensor) -> tf.Tensor:
        lowest = tf.reduce_min(images, axis=[1, 2, 3], keepdims=True)
        highest = tf.reduce_max(images, axis=[1, 2, 3], keepdims=True)
        deviation = self._config.noise * (highest - lowest)

        def sample(index: tf.Tensor) -> tf.Tensor:
            noise = tf.random.stateless_normal(tf.shape(images), seed=[self._config.seed, index])
            return self._gradient(images + deviation * noise)

        return _mean(sample, self._config.samples, images)

    def _integrate(self, images: tf.Tensor) -> tf.Tensor:
        steps = self._config.steps

        def at(index: tf.Tensor) -> tf.Tensor:
            return self._gradient((tf.cast(index, tf.float32) + 0.5) / steps * images)

        return images * _mean(at, steps, images)

    def _occlude(self, images: tf.Tensor) -> tf.Tensor:
        side, stride = self._config.occluder, self._config.occluder_stride
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        rows, columns = tf.range(height), tf.range(width)
        # Squares stick out of the picture, so that its border is hidden as often as its middle.
        downs = tf.range(stride - side, height, stride)
        rights = tf.range(stride - side, width, stride)
        score = self.score(images)

        def hide(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            top, left = downs[index // tf.size(rights)], rights[index % tf.size(rights)]
            hidden = (
                ((rows >= top) & (rows < top + side))[:, None]
                & ((columns >= left) & (columns < left + side))[None]
            )[None, :, :, None]
            fall = score - self.score(tf.where(hidden, tf.constant(IMAGENET_MEAN), images))
            hidden = tf.cast(hidden, tf.float32)
            return fall[:, None, None, None] * hidden, hidden

        zeros = tf.zeros_like(images[..., :1])
        _, falls, counts = tf.while_loop(
            lambda index, *_: index < tf.size(downs) * tf.size(rights),
            lambda index, falls, counts: (
                index + 1,
                *(total + each for total, each in zip((falls, counts), hide(index), strict=True)),
            ),
            (tf.constant(0), zeros, zeros[:1]),
            parallel_iterations=1,
        )
        return tf.nn.relu(tf.math.divide_no_nan(falls, counts))

    def _cam(self, images: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            features = self._network(images)
            scores = self._objective(features)
        activations = features[self._config.cam_layer]
        gradient = tape.gradient(scores, activations)
        if gradient is None:
            raise ValueError(
                f"`cam_layer` must come before {', '.join(self._objective.layers)}. "
                f"Received: {self._config.cam_layer}"
            )
        importance = tf.reduce_mean(gradient, axis=[1, 2], keepdims=True)
        weighted = tf.nn.relu(tf.reduce_sum(importance * activations, axis=-1, keepdims=True))
        return tf.image.resize(tf.cast(weighted, tf.float32), tf.shape(images)[1:3])


def _mean(sample: Callable[[tf.Tensor], tf.Tensor], count: int, like: tf.Tensor) -> tf.Tensor:
    """Return the mean of ``sample(0)`` to ``sample(count - 1)``, computed one at a time."""
    _, total = tf.while_loop(
        lambda index, _: index < count,
        lambda index, total: (index + 1, total + sample(index)),
        (tf.constant(0), tf.zeros_like(like)),
        parallel_iterations=1,
    )
    return total / count


def colours(attribution: tf.Tensor) -> tf.Tensor:
    """Return signed attributions as pictures: 0 is grey, and the 99.5th percentile has full colour.

    Args:
        attribution: [B, H, W, 3] float32.

    Returns:
        [B, H, W, 3] in [0, 1].
    """
    return 0.5 + 0.5 * tf.clip_by_value(attribution / _scale(attribution), -1.0, 1.0)


def magnitudes(attribution: tf.Tensor) -> tf.Tensor:
    """Return the largest absolute value over colours as pictures, from black to white.

    Source: Simonyan et al. 2014, section 3.1. Shapes and range are those of :func:`colours`.
    """
    largest = tf.reduce_max(tf.abs(attribution), axis=-1, keepdims=True)
    return tf.tile(tf.clip_by_value(largest / _scale(largest), 0.0, 1.0), [1, 1, 1, 3])


def heat(attribution: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Return a map of Grad-CAM or occlusion over the pictures, from dark blue to red, which is the strongest.

    Args:
        attribution: [B, H, W, 1] float32, >= 0.
        images: [B, H, W, 3] in [0, 1].

    Returns:
        [B, H, W, 3] in [0, 1].
    """
    strongest = tf.reduce_max(attribution, axis=[1, 2, 3], keepdims=True)
    level = tf.math.divide_no_nan(attribution, strongest)
    # These colours go by the name of jet.
    centres = tf.constant([3.0, 2.0, 1.0])
    jet = tf.clip_by_value(1.5 - tf.abs(4.0 * level - centres), 0.0, 1.0)
    grey = images_lib.luminance(images)
    return 0.5 * grey + 0.5 * jet


def _scale(attribution: tf.Tensor) -> tf.Tensor:
    """Return the 99.5th percentile of each picture's absolute values that aren't 0, [B, 1, 1, 1]."""
    values = tf.sort(tf.reshape(tf.abs(attribution), [tf.shape(attribution)[0], -1]), axis=1)
    empty = tf.reduce_sum(tf.cast(values == 0, tf.int32), axis=1)
    length = tf.shape(values)[1]
    rank = empty + tf.cast(0.995 * tf.cast(length - empty, tf.float32), tf.int32)
    chosen = tf.gather(values, tf.minimum(rank, length - 1), axis=1, batch_dims=1)
    return tf.maximum(chosen, 1e-30)[:, None, None, None]
