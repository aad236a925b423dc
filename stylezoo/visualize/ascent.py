"""Plain gradient ascent, and what its regularisers do to the picture after every step.

Activation maximisation and DeepDream take the same step. Each regulariser is a function of the picture
alone (Yosinski et al. 2015, section 3), so that any number of them can be applied one after another.
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from stylezoo import ops
from stylezoo.synthesis import ImageParameter, Minimizer
from stylezoo.synthesis.minimizers import Loss, Terms
from stylezoo.visualize.activation_config import GradientAscent
from stylezoo.visualize.priors import Blur, ClipContribution, ClipNorm, Decay, Regularizer
from stylezoo.weights.input_scaling import IMAGENET_MEAN


@functools.singledispatch
def regularize(
    regularizer: Regularizer, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor
) -> tf.Tensor:
    """Return the picture that a regulariser makes of the one after a step.

    The papers' images have had the mean subtracted. Where they say "zero", the mean colour of ImageNet is
    meant, and a regulariser sees the picture minus that colour.

    Args:
        regularizer: The regulariser, by whose class the function is chosen.
        picture: [B, H, W, 3] float32, minus the mean colour.
        gradient: [B, H, W, 3], of the loss with respect to the picture before the step.
        step: The step's number, from 1, int32.

    Returns:
        [B, H, W, 3] float32, minus the mean colour.

    Raises:
        TypeError: If no function is registered for the regulariser.
    """
    raise TypeError(f"no function is registered for {type(regularizer).__name__}")


@regularize.register
def _(regularizer: Decay, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    return (1.0 - regularizer.rate) * picture


@regularize.register
def _(regularizer: Blur, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    return tf.cond(
        step % regularizer.every == 0,
        lambda: ops.gaussian_blur(picture, regularizer.sigma),
        lambda: picture,
    )


@regularize.register
def _(regularizer: ClipNorm, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    return _clip(picture, tf.norm(picture, axis=-1), regularizer.percentile)


@regularize.register
def _(
    regularizer: ClipContribution, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor
) -> tf.Tensor:
    contribution = tf.abs(tf.reduce_sum(picture * gradient, axis=-1))
    return _clip(picture, contribution, regularizer.percentile)


class AscentMinimizer(Minimizer):
    """Plain gradient ascent of one parameter; see :class:`~stylezoo.visualize.GradientAscent`."""

    def __init__(self, config: GradientAscent, parameter: ImageParameter, loss: Loss) -> None:
        super().__init__(parameter, loss)
        self._config = config
        self._steps = tf.Variable(0)

    def restart(self, *targets: Any) -> None:
        """Begin again with step 1."""
        self._steps.assign(0)

    def _step(self, *targets: Any) -> tuple[tf.Tensor, Terms, tf.Tensor]:
        total, terms, gradient = self.evaluate(*targets)
        step = self._steps.assign_add(1)
        mean = tf.constant(IMAGENET_MEAN)
        # The score is minus the loss.
        picture = self.parameter.variable + step_along(-gradient, self._config.step_size) - mean
        for regularizer in self._config.regularizers:
            picture = regularize(regularizer, picture, gradient, step)
        self.parameter.variable.assign(picture + mean)
        self.parameter.project()
        return total, terms, tf.constant(1)


def step_along(gradient: tf.Tensor, step_size: float) -> tf.Tensor:
    """Return a step along each picture's gradient, whatever the gradient's length.

    Args:
        gradient: [B, H, W, 3] float32, of the score with respect to the pictures.
        step_size: Mean absolute change of a pixel, in pixel values.

    Returns:
        [B, H, W, 3] float32; 0 for a picture whose gradient is 0.
    """
    length = tf.reduce_mean(tf.abs(gradient), axis=[1, 2, 3], keepdims=True)
    return step_size * tf.math.divide_no_nan(gradient, length)


def tiled_gradient(
    score: Callable[[tf.Tensor], tf.Tensor], image: tf.Tensor, counts: tf.Tensor
) -> tf.Tensor:
    """Return the gradient of a score that is the sum of the scores of a picture's tiles.

    Only one tile's features are in memory at a time.

    Args:
        score: Function that returns the score, a scalar, of a tile [1, h, w, 3].
        image: [1, H, W, 3] float32.
        counts: [2] int32, how many rows and columns of tiles there are.

    Returns:
        [1, H, W, 3] float32.
    """
    size = tf.shape(image)[1:3]

    def of_tile(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        index = tf.stack([row, column])
        begin, end = index * size // counts, (index + 1) * size // counts
        pixels = image[:, begin[0] : end[0], begin[1] : end[1]]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(pixels)
            value = score(pixels)
        return tape.gradient(value, pixels)

    def of_row(row: tf.Tensor) -> tf.Tensor:
        return _concat(lambda column: of_tile(row, column), counts[1], axis=2)

    return _concat(of_row, counts[0], axis=1)


def _concat(piece: Callable[[tf.Tensor], tf.Tensor], count: tf.Tensor, *, axis: int) -> tf.Tensor:
    """Join ``piece(0)`` to ``piece(count - 1)``, computed one at a time."""
    shape: list[int | None] = [1, None, None, 3]
    _, joined = tf.while_loop(
        lambda index, _: index < count,
        lambda index, done: (index + 1, tf.concat([done, piece(index)], axis=axis)),
        (tf.constant(1), piece(tf.constant(0))),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape(shape)),
        parallel_iterations=1,
    )
    return joined


def _clip(picture: tf.Tensor, importance: tf.Tensor, percentile: float) -> tf.Tensor:
    """Set the pixels to zero whose importance, [B, H, W], is among the smallest of their picture."""
    flat = tf.sort(tf.reshape(importance, [tf.shape(importance)[0], -1]), axis=1)
    count = tf.cast(tf.shape(flat)[1], tf.float32)
    rank = tf.cast(tf.floor(percentile / 100.0 * (count - 1.0)), tf.int32)
    threshold = flat[:, rank][:, None, None]
    return tf.where((importance >= threshold)[..., None], picture, 0.0)
