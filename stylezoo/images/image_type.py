"""The type of images at public boundaries."""

from typing import TypeAlias

import numpy as np
import tensorflow as tf

# Float32, RGB, [B, H, W, 3], sRGB values in [0, 1], unless a docstring says otherwise.
Image: TypeAlias = tf.Tensor | np.ndarray
