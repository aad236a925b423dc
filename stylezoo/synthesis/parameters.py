"""What is optimised: the picture, in one parametrisation or another."""

from typing import Protocol

import tensorflow as tf


class ImageParameter(Protocol):
    """A variable and the picture that it stands for.

    Attributes:
        variable: float32; what an optimiser changes.
    """

    variable: tf.Variable

    def image(self) -> tf.Tensor:
        """The picture, [B, H, W, 3], differentiable with respect to ``variable``."""

    def project(self) -> None:
        """Move ``variable`` to the nearest value that is allowed."""

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """1 where a step against ``gradient`` is allowed, 0 where a bound stops it."""


class Pixels:
    """The pixels themselves, kept within bounds.

    Args:
        initial: [B, H, W, 3] float32.
        bounds: smallest and largest value, scalars or [3] (one a channel).
        grey: keep the channels equal; then ``initial`` and bounds that are not scalars are grey too.
    """

    def __init__(
        self,
        initial: tf.Tensor,
        *,
        bounds: tuple[tf.Tensor | float, tf.Tensor | float] = (0.0, 1.0),
        grey: bool = False,
    ) -> None:
        self._bounds = tuple(tf.convert_to_tensor(bound, tf.float32) for bound in bounds)
        self._grey = grey
        if grey:
            initial = initial[..., :1]
            self._bounds = tuple(tf.reshape(bound, [-1])[0] for bound in self._bounds)
        self.variable = tf.Variable(tf.clip_by_value(initial, *self._bounds), name="pixels")

    def image(self) -> tf.Tensor:
        """The variable, thrice where the picture is grey."""
        picture = tf.convert_to_tensor(self.variable)
        return tf.repeat(picture, 3, axis=-1) if self._grey else picture

    def project(self) -> None:
        """Clip to the bounds."""
        self.variable.assign(tf.clip_by_value(self.variable, *self._bounds))

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """0 at a bound that the step would cross."""
        lower, upper = self._bounds
        held = ((self.variable <= lower) & (gradient > 0)) | (
            (self.variable >= upper) & (gradient < 0)
        )
        return 1.0 - tf.cast(held, tf.float32)
