"""Grey pictures as NumPy arrays: which are grey, and how bright colours are. Needs no TensorFlow."""

import numpy as np
import numpy.typing as npt

from stylezoo.images.arrays import FloatArray

LUMA_WEIGHTS = (0.299, 0.587, 0.114)
"""The shares of red, green and blue in luma (ITU-R BT.601), which is the Y of YIQ.

They add up to 1.
"""


def is_grey(image: npt.ArrayLike) -> bool:
    """Return whether all channels of ``[..., channels]`` are the same."""
    values = np.asarray(image)
    return bool(np.all(values == values[..., :1]))


def luma(image: FloatArray) -> FloatArray:
    """Return the luma of an array; :func:`stylezoo.images.luminance` is the same for tensors.

    Args:
        image: A ``float32`` array ``[..., 3]``, sRGB in ``[0, 1]``.

    Returns:
        A ``float32`` array ``[..., 1]`` in ``[0, 1]``: 0.299 R + 0.587 G + 0.114 B. Grey keeps its value
        exactly.
    """
    red, green, blue = np.split(image, 3, axis=-1)
    # 0.587 G is written as what red and blue leave, so that grey has no rounding error.
    of_red, _, of_blue = map(np.float32, LUMA_WEIGHTS)
    return np.clip(green + of_red * (red - green) + of_blue * (blue - green), 0, 1)
