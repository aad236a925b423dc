"""Padding and upsampling in operations that every export understands."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("stylezoo")
class MirrorPadding(keras.layers.Layer):
    """Mirrors rows and columns at the border, which shows no edge where padding with zeros does.

    Args:
        padding: Number of rows or columns that each of the four sides gets.
        mode: ``"reflect"`` (without the border's own row) or ``"wrap"`` (from the opposite side, so
            that a texture tiles).

    Input: [B, H, W, C] with H, W > padding. Output: [B, H + 2·padding, W + 2·padding, C].

    Raises:
        ValueError: For a negative ``padding`` or an unknown ``mode``.
    """

    def __init__(self, padding: int, mode: str = "reflect", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if padding < 0:
            raise ValueError(f"`padding` must be >= 0. Received: padding={padding}")
        if mode not in ("reflect", "wrap"):
            raise ValueError(f"`mode` must be reflect or wrap. Received: mode={mode!r}")
        self.padding = padding
        self.mode = mode

    def call(self, x: Any) -> Any:  # noqa: D102
        n = self.padding
        if not n:
            return x
        if self.mode == "reflect":
            return tf.pad(x, [[0, 0], [n, n], [n, n], [0, 0]], "REFLECT")
        x = tf.concat([x[:, -n:], x, x[:, :n]], axis=1)
        return tf.concat([x[:, :, -n:], x, x[:, :, :n]], axis=2)

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        batch, height, width, channels = input_shape
        return (batch, *(_plus(side, 2 * self.padding) for side in (height, width)), channels)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "padding": self.padding, "mode": self.mode}


@keras.saving.register_keras_serializable("stylezoo")
class Margin(MirrorPadding):
    """Mirrors a picture that is to be painted beyond its border; does nothing in training.

    A network that is trained with a perceptual loss paints a frame of a few px, because the loss
    network pads with zeros, and the frame makes up for that. What is painted is cut out of more than
    was asked for (:class:`CutMargin`), so that the frame is cut off.

    Args:
        padding: Number of rows or columns that each of the four sides gets.

    Input: [B, H, W, C] with H, W > padding. Output: [B, H + 2·padding, W + 2·padding, C]; with
    ``training=True`` the input.
    """

    def call(self, x: Any, training: bool | None = None) -> Any:  # noqa: D102
        return x if training else super().call(x)


@keras.saving.register_keras_serializable("stylezoo")
class CutMargin(keras.layers.Cropping2D):
    """Cuts off the margin that :class:`Margin` added; does nothing in training.

    The argument ``cropping`` is :class:`keras.layers.Cropping2D`'s.

    Input: [B, H, W, C] with H, W > 2·cropping. Output: [B, H - 2·cropping, W - 2·cropping, C]; with
    ``training=True`` the input.
    """

    def call(self, x: Any, training: bool | None = None) -> Any:  # noqa: D102
        return x if training else super().call(x)


@keras.saving.register_keras_serializable("stylezoo")
class PadToMultiple(keras.layers.Layer):
    """Mirrors a picture at its bottom and right until its sides are multiples of a stride.

    A static shape that fits already adds no operation to an export.

    Args:
        multiple: Stride that both sides become a multiple of, px.
        minimum: Smallest side, px; a multiple of ``multiple``.

    Input: [B, H, W, C], H, W >= 1. Output: [B, H', W', C], the input in its top left corner.

    Raises:
        ValueError: Unless ``multiple`` >= 1 and ``minimum`` is one of its multiples.
    """

    def __init__(self, multiple: int, minimum: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if multiple < 1:
            raise ValueError(f"`multiple` must be >= 1. Received: multiple={multiple}")
        if minimum < 0 or minimum % multiple:
            raise ValueError(
                f"`minimum` must be a multiple of {multiple}, >= 0. Received: minimum={minimum}"
            )
        self.multiple = multiple
        self.minimum = minimum

    def _padded(self, side: Any) -> Any:
        larger = max if isinstance(side, int) else tf.maximum
        # tf2onnx rounds the quotients of negative integers towards zero: there are none here.
        return larger((side + self.multiple - 1) // self.multiple * self.multiple, self.minimum)

    def call(self, x: Any) -> Any:  # noqa: D102
        for axis in (1, 2):
            static = x.shape[axis]
            if static is None or self._padded(static) != static:
                x = self._mirror(x, axis)
        return x

    def _mirror(self, x: Any, axis: int) -> Any:
        side = x.shape[axis] or tf.shape(x)[axis]
        # The order 0 1 2 3 3 2 1 0 0 1 ... is defined for any number of rows, however few there are.
        position = tf.range(self._padded(side)) % (2 * side)
        return tf.gather(x, tf.minimum(position, 2 * side - 1 - position), axis=axis)

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        batch, height, width, channels = input_shape
        sides = (None if side is None else self._padded(side) for side in (height, width))
        return (batch, *sides, channels)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "multiple": self.multiple, "minimum": self.minimum}


@keras.saving.register_keras_serializable("stylezoo")
class CropTo(keras.layers.Layer):
    """Cuts out the top left corner of a picture, as large as another picture times a factor.

    Args:
        factor: Factor of super-resolution; 1 for the same size.

    Raises:
        ValueError: If ``factor`` is not positive.
    """

    def __init__(self, factor: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if factor < 1:
            raise ValueError(f"`factor` must be >= 1. Received: factor={factor}")
        self.factor = factor

    def call(self, x: Any, like: Any) -> Any:
        """Cut ``x`` to the size of ``like`` times the factor.

        Args:
            x: [B, H', W', C].
            like: [B, H, W, D] with factor·H <= H' and factor·W <= W'.
        """
        sides = [like.shape[axis] and like.shape[axis] * self.factor for axis in (1, 2)]
        if None not in sides and sides == list(x.shape[1:3]):
            return x
        height, width = tf.unstack(tf.shape(like)[1:3] * self.factor)
        return x[:, :height, :width]

    def compute_output_shape(self, x_shape: Any, like_shape: Any) -> Any:  # noqa: D102
        sides = (side and side * self.factor for side in like_shape[1:3])
        return (x_shape[0], *sides, x_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "factor": self.factor}


class _Doubling(keras.layers.Layer):
    """The base of layers that double the size, row by row and column by column.

    Rows and columns are interleaved by a concatenation and a reshape of rank 4, because ``UpSampling2D``
    becomes operations of rank 5, which no GPU delegate of TFLite takes, and ``tf.image.resize`` has no
    gradient under XLA.
    """

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the enlarged pictures."""
        batch, height, width, channels = input_shape
        return (batch, height and 2 * height, width and 2 * width, channels)


@keras.saving.register_keras_serializable("stylezoo")
class NearestUpsampling(_Doubling):
    """Repeat every pixel in each direction.

    Input: [B, H, W, C]. Output: [B, 2·H, 2·W, C].
    """

    def call(self, x: Any) -> Any:
        """Return the enlarged pictures."""
        x = _interleaved(x, x, 2)
        return _interleaved(x, x, 1)


@keras.saving.register_keras_serializable("stylezoo")
class BilinearUpsampling(_Doubling):
    """Double the size by linear interpolation in each direction, as ``tf.image.resize`` does.

    Input: [B, H, W, C]. Output: [B, 2·H, 2·W, C].
    """

    def call(self, x: Any) -> Any:
        """Return the enlarged pictures."""
        return _interpolated(_interpolated(x, 2), 1)


def _interpolated(x: Any, axis: int) -> Any:
    """Double one side: what becomes of a row is 3/4 of itself and 1/4 of the row before or after."""
    before = tf.concat([_part(x, axis, 0, 1), _part(x, axis, 0, -1)], axis)
    after = tf.concat([_part(x, axis, 1, None), _part(x, axis, -1, None)], axis)
    return _interleaved(0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after, axis)


def _interleaved(first: Any, second: Any, axis: int) -> Any:
    """Return rows (axis 1) or columns (axis 2) of both by turns."""
    height, width = _sides(first)
    both = tf.concat([first, second], axis=3 if axis == 2 else 2)
    sides = (height, 2 * width) if axis == 2 else (2 * height, width)
    return tf.reshape(both, [-1, *sides, first.shape[-1]])


def _sides(x: Any) -> tuple[Any, Any]:
    """Return height and width, as numbers where they are known."""
    return x.shape[1] or tf.shape(x)[1], x.shape[2] or tf.shape(x)[2]


def _part(x: Any, axis: int, begin: int, end: int | None) -> Any:
    """Return some rows (axis 1) or columns (axis 2)."""
    return x[:, begin:end] if axis == 1 else x[:, :, begin:end]


def _plus(side: int | None, amount: int) -> int | None:
    return None if side is None else side + amount
