"""Types of pictures in memory. Needs NumPy only, not TensorFlow."""

from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tensorflow as tf

FloatArray: TypeAlias = npt.NDArray[np.float32]

# What functions of this project take as a picture: float, [B, H, W, C], in [0, 1] unless they say otherwise.
Image: TypeAlias = Union["np.ndarray", "tf.Tensor"]
