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
        self._size = height, width = initial.shape[1], initial.shape[2]
        self._gains = (
            ops.frequency_gains(height, width, exponent=exponent) * (height * width) ** 0.5
        )
        spectrum = tf.signal.rfft2d(decorrelated_logits(initial)) / tf.cast(
            self._gains, tf.complex64
        )
        parts = tf.stack([tf.math.real(spectrum), tf.math.imag(spectrum)], axis=-1)
        self.variable = tf.Variable(parts, name="coefficients")

    def image(self) -> tf.Tensor:
        """Return the picture, strictly between 0 and 1."""
        spectrum = tf.complex(self.variable[..., 0], self.variable[..., 1])
        spectrum *= tf.cast(self._gains, tf.complex64)
        return _recorrelated(tf.signal.irfft2d(spectrum, fft_length=self._size))

    def project(self) -> None:
        """Do nothing: every value is allowed."""

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """Return 1 everywhere: there are no bounds."""
        return tf.ones_like(gradient)


class MagnitudeConstrainedImage:
    """The phases of Fourier coefficients of decorrelated colours, whose magnitudes are fixed.

    Source: Fel et al. 2023, section 3. It differs in the units: magnitudes are those of photographs, and the
    picture is not standardised, so that it has their contrast. The mean colour is fixed too.

    Args:
        phases: The phases to start from, [B, 3, H, W // 2 + 1] float32, in radians.
        magnitudes: Magnitudes of the coefficients, [3, H, W // 2 + 1], as ``tf.signal.rfft2d`` has them of
            :func:`decorrelated_logits`.
        size: Height and width of the picture, px.
    """

    def __init__(self, phases: tf.Tensor, magnitudes: tf.Tensor, size: tuple[int, int]) -> None:
        self._magnitudes = tf.cast(magnitudes, tf.complex64)
        self._size = size
        self.variable = tf.Variable(phases, name="phases")

    def image(self) -> tf.Tensor:
        """Return the picture, strictly between 0 and 1."""
        angles = tf.complex(tf.cos(self.variable), tf.sin(self.variable))
        return _recorrelated(tf.signal.irfft2d(self._magnitudes * angles, fft_length=self._size))

    def project(self) -> None:
        """Do nothing: every angle is allowed."""

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """Return 1 everywhere: there are no bounds."""
        return tf.ones_like(gradient)


def decorrelated_logits(image: tf.Tensor, *, margin: float = _MARGIN) -> tf.Tensor:
    """Return the logits of a picture's values in the directions of natural colours.

    Args:
        image: [B, H, W, 3] in [0, 1]. Values within ``margin`` of black and white are moved to that distance.
        margin: See ``image``.

    Returns:
        [B, 3, H, W] float32: light and dark, blue and orange, green and magenta.
    """
    image = tf.clip_by_value(tf.cast(image, tf.float32), margin, 1.0 - margin)
    logits = tf.math.log(image / (1.0 - image))
    return tf.einsum("bhwr,cr->bchw", logits, tf.linalg.inv(_directions()))


def _recorrelated(decorrelated: tf.Tensor) -> tf.Tensor:
    """Return the picture, [B, H, W, 3] in [0, 1], of :func:`decorrelated_logits`."""
    return tf.sigmoid(tf.einsum("bchw,rc->bhwr", decorrelated, _directions()))


def _directions() -> tf.Tensor:
    """Return the directions of natural colours as columns; the longest has a length of 1."""
    colours = tf.constant(_COLOURS)
    return colours / tf.reduce_max(tf.norm(colours, axis=0))
