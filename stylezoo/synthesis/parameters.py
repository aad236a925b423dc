"""What is optimised: the picture, in one parametrisation or another."""

from typing import Protocol

import tensorflow as tf

from stylezoo import ops


class ImageParameter(Protocol):
    """A variable and the picture that it stands for.

    Attributes:
        variable: The float32 variable that an optimiser changes.
    """

    variable: tf.Variable

    def image(self) -> tf.Tensor:
        """Return the picture, [B, H, W, 3], differentiable with respect to ``variable``."""

    def project(self) -> None:
        """Move ``variable`` to the nearest value that is allowed."""

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """Return 1 where a step against ``gradient`` is allowed, 0 where a bound stops it."""


class Pixels:
    """The pixels themselves, kept within bounds.

    Args:
        initial: The picture to start from, [B, H, W, 3] float32.
        bounds: Smallest and largest value, scalars or [3] (one a channel).
        grey: Whether the channels are kept equal; then ``initial``, and bounds that are not scalars, are
            grey too.
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
        """Return the variable, repeated for all channels where the picture is grey."""
        picture = tf.convert_to_tensor(self.variable)
        return tf.repeat(picture, 3, axis=-1) if self._grey else picture

    def project(self) -> None:
        """Clip to the bounds."""
        self.variable.assign(tf.clip_by_value(self.variable, *self._bounds))

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """Return 0 at a bound that the step would cross, 1 elsewhere."""
        lower, upper = self._bounds
        held = ((self.variable <= lower) & (gradient > 0)) | (
            (self.variable >= upper) & (gradient < 0)
        )
        return 1.0 - tf.cast(held, tf.float32)


class LaplacianPyramid:
    """The levels of a Laplacian pyramid (Burt & Adelson 1983), so that a step moves coarse structure too.

    Each level has what the picture has beyond its own reduction to half of the size and enlargement; the
    coarsest, whose shorter side is 2 or 3 px, has what is left. Source: Kolkin et al. 2022, section 3. Sizes
    are changed bilinearly, as in the authors' code. There are no bounds.

    Args:
        initial: The picture to start from, [B, H, W, 3] float32.
    """

    def __init__(self, initial: tf.Tensor) -> None:
        picture = tf.cast(initial, tf.float32)
        levels = []
        while min(picture.shape[1:3]) >= 4:
            reduced = _resized(picture, (picture.shape[1] // 2, picture.shape[2] // 2))
            levels.append(picture - _resized(reduced, picture.shape[1:3]))
            picture = reduced
        levels.append(picture)
        self._shapes = [level.shape for level in levels]
        flat = [tf.reshape(level, [-1]) for level in levels]
        self.variable = tf.Variable(tf.concat(flat, axis=0), name="pyramid")

    def image(self) -> tf.Tensor:
        """Return the sum of the enlarged levels."""
        sizes = [shape.num_elements() for shape in self._shapes]
        levels = [
            tf.reshape(values, shape)
            for values, shape in zip(tf.split(self.variable, sizes), self._shapes, strict=True)
        ]
        picture = levels[-1]
        for level in reversed(levels[:-1]):
            picture = level + _resized(picture, level.shape[1:3])
        return picture

    def project(self) -> None:
        """Do nothing: every value is allowed."""

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """Return 1 everywhere: there are no bounds."""
        return tf.ones_like(gradient)


def _resized(picture: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    return tf.image.resize(picture, size, method="bilinear")


# Square root of the covariance of ImageNet's colours, from lucid (Olah et al. 2017): columns are
# light and dark, blue and orange, green and magenta.
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
# Pixels this close to black and white would need coefficients without end.
_MARGIN = 1e-3


class FourierImage:
    """Fourier coefficients of decorrelated colours, scaled by frequency, through a sigmoid.

    A step of one length in every coefficient is then one of a natural image's kind: coarse structure
    moves most. Source: Olah et al. 2017, "Feature Visualization", the section on preconditioning. Differs
    in the units alone: the gains have a mean square of 1, so that coefficients are on the scale of pixels.

    Args:
        initial: The picture to start from, [B, H, W, 3] float32 in [0, 1]. Values within 0.001 of black and
            white are moved to that distance.
        exponent: Coefficients are scaled by frequency^-exponent. It is 1 in the source; pictures are
            smoother with more.
    """

    def __init__(self, initial: tf.Tensor, *, exponent: float = 1.0) -> None:
        initial = tf.clip_by_value(tf.cast(initial, tf.float32), _MARGIN, 1.0 - _MARGIN)
        self._size = height, width = initial.shape[1], initial.shape[2]
        colours = tf.constant(_COLOURS)
        # The longest of the three directions gets a length of 1.
        self._colours = colours / tf.reduce_max(tf.norm(colours, axis=0))
        self._gains = (
            ops.frequency_gains(height, width, exponent=exponent) * (height * width) ** 0.5
        )
        logits = tf.math.log(initial / (1.0 - initial))
        decorrelated = tf.einsum("bhwr,cr->bchw", logits, tf.linalg.inv(self._colours))
        spectrum = tf.signal.rfft2d(decorrelated) / tf.cast(self._gains, tf.complex64)
        parts = tf.stack([tf.math.real(spectrum), tf.math.imag(spectrum)], axis=-1)
        self.variable = tf.Variable(parts, name="coefficients")

    def image(self) -> tf.Tensor:
        """Return the picture, strictly between 0 and 1."""
        spectrum = tf.complex(self.variable[..., 0], self.variable[..., 1])
        spectrum *= tf.cast(self._gains, tf.complex64)
        decorrelated = tf.signal.irfft2d(spectrum, fft_length=self._size)
        return tf.sigmoid(tf.einsum("bchw,rc->bhwr", decorrelated, self._colours))

    def project(self) -> None:
        """Do nothing: every value is allowed."""

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """Return 1 everywhere: there are no bounds."""
        return tf.ones_like(gradient)
