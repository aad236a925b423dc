"""Plain gradient ascent, and the regularisers that it applies to the picture after every step.

Each regulariser is a function of the picture of its own (Yosinski et al. 2015, section 3); any number of
them are applied one after another.
"""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from stylezoo.synthesis import ImageParameter, Minimizer
from stylezoo.synthesis.minimizers import Loss, Terms

# What is "zero" in the papers, whose images have had the mean subtracted: ImageNet's mean colour.
MEAN_COLOUR = (0.485, 0.456, 0.406)


class Regularizer(abc.ABC):
    """What is done to a picture after a step."""

    @abc.abstractmethod
    def __call__(self, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """The picture to go on with.

        Args:
            picture: [B, H, W, 3] float32, minus the mean colour.
            gradient: of the loss with respect to the picture before the step.
            step: its number, from 1, int32.
        """


@dataclasses.dataclass(frozen=True)
class Decay(Regularizer):
    """Shrinks all pixels towards the mean colour: a prior of small contrast.

    Attributes:
        rate: by which fraction.
    """

    rate: float

    def __call__(self, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """See :meth:`Regularizer.__call__`."""
        return (1.0 - self.rate) * picture


@dataclasses.dataclass(frozen=True)
class Blur(Regularizer):
    """A Gaussian blur, which takes away what natural images have little of.

    Attributes:
        sigma: standard deviation, px.
        every: after every so many steps, since it costs time.
    """

    sigma: float
    every: int = 4

    def __call__(self, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """See :meth:`Regularizer.__call__`."""
        return tf.cond(step % self.every == 0, lambda: blur(picture, self.sigma), lambda: picture)


@dataclasses.dataclass(frozen=True)
class ClipNorm(Regularizer):
    """Sets the pixels of the smallest norms to the mean colour.

    Attributes:
        percentile: how many of them, %.
    """

    percentile: float

    def __call__(self, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """See :meth:`Regularizer.__call__`."""
        return _clip(picture, tf.norm(picture, axis=-1), self.percentile)


@dataclasses.dataclass(frozen=True)
class ClipContribution(Regularizer):
    """Sets the pixels that matter least for the score to the mean colour.

    How much one matters is ``|Σ x · ∂score/∂x|`` over its colours: to first order, by how much the score
    would change if it weren't there.

    Attributes:
        percentile: how many of them, %.
    """

    percentile: float

    def __call__(self, picture: tf.Tensor, gradient: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """See :meth:`Regularizer.__call__`."""
        contribution = tf.abs(tf.reduce_sum(picture * gradient, axis=-1))
        return _clip(picture, contribution, self.percentile)


@dataclasses.dataclass(frozen=True)
class GradientAscent:
    """Steps of one length along each picture's gradient, each followed by regularisers.

    Differs from Yosinski et al. in the length, which there is a rate times the gradient's: scores of
    different networks have gradients of very different lengths.

    Attributes:
        step_size: mean absolute change of a pixel, in pixel values, as of DeepDream.
        regularizers: in this order.
    """

    step_size: float = 0.01
    regularizers: tuple[Regularizer, ...] = ()

    def __post_init__(self) -> None:
        if not self.step_size > 0:
            raise ValueError(f"`step_size` must be > 0. Received: {self.step_size}")

    def start(
        self,
        parameter: ImageParameter,
        loss: Loss,
        previous: Minimizer | None = None,
        *,
        targets: tuple[Any, ...] = (),
    ) -> Minimizer:
        """A minimiser; it has no state but the number of steps."""
        return _AscentMinimizer(self, parameter, loss)


class _AscentMinimizer(Minimizer):
    def __init__(self, config: GradientAscent, parameter: ImageParameter, loss: Loss) -> None:
        super().__init__(parameter, loss)
        self._config = config
        self._steps = tf.Variable(0)

    def restart(self, *targets: Any) -> None:
        """From step 1 on."""
        self._steps.assign(0)

    def _step(self, *targets: Any) -> tuple[tf.Tensor, Terms, tf.Tensor]:
        total, terms, gradient = self.evaluate(*targets)
        step = self._steps.assign_add(1)
        length = tf.reduce_mean(tf.abs(gradient), axis=[1, 2, 3], keepdims=True)
        change = -self._config.step_size * tf.math.divide_no_nan(gradient, length)
        mean = tf.constant(MEAN_COLOUR)
        picture = self.parameter.variable + change - mean
        for regularizer in self._config.regularizers:
            picture = regularizer(picture, gradient, step)
        self.parameter.variable.assign(picture + mean)
        self.parameter.project()
        return total, terms, tf.constant(1)


def blur(picture: tf.Tensor, sigma: float) -> tf.Tensor:
    """A Gaussian blur of [B, H, W, C], mirrored at the border; ``sigma`` in px."""
    radius = max(int(3.0 * sigma + 0.5), 1)
    offsets = tf.range(-radius, radius + 1, dtype=tf.float32)
    weights = tf.exp(-tf.square(offsets) / (2.0 * sigma**2))
    weights /= tf.reduce_sum(weights)
    for axis in (1, 2):
        paddings = [[radius, radius] if each == axis else [0, 0] for each in range(4)]
        padded = tf.pad(picture, paddings, "SYMMETRIC")
        side = tf.shape(picture)[axis]
        picture = tf.add_n(
            [
                weights[index] * tf.gather(padded, tf.range(index, index + side), axis=axis)
                for index in range(2 * radius + 1)
            ]
        )
    return picture


def _clip(picture: tf.Tensor, importance: tf.Tensor, percentile: float) -> tf.Tensor:
    """Zeros where a picture's importance, [B, H, W], is among its smallest."""
    flat = tf.sort(tf.reshape(importance, [tf.shape(importance)[0], -1]), axis=1)
    count = tf.cast(tf.shape(flat)[1], tf.float32)
    rank = tf.cast(tf.floor(percentile / 100.0 * (count - 1.0)), tf.int32)
    threshold = flat[:, rank][:, None, None]
    return tf.where((importance >= threshold)[..., None], picture, 0.0)


def published(index: int) -> Sequence[Regularizer]:
    """One of the four sets of Yosinski et al. 2015 (table 1), ``index`` from 0."""
    sets: tuple[tuple[Regularizer, ...], ...] = (
        (Blur(0.5, 4), ClipNorm(50.0)),
        (Decay(0.3), ClipNorm(20.0)),
        (Decay(1e-4), Blur(1.0, 4)),
        (Blur(0.5, 4), ClipContribution(90.0)),
    )
    return sets[index]
