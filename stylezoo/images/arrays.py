"""Types of pictures in memory. Needs NumPy only, not TensorFlow."""

from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tensorflow as tf

FloatArray: TypeAlias = npt.NDArray[np.float32]
"""An array of float32, of any shape."""

Image: TypeAlias = Union["np.ndarray", "tf.Tensor"]
"""A picture: float32, RGB, [B, H, W, 3], sRGB in [0, 1], unless a docstring says otherwise."""
