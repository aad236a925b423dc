"""Conversions and checks of pictures that both methods need."""

import numpy as np
import numpy.typing as npt

from stylezoo import errors, images
from stylezoo.images import FloatArray


def channels_of(source: npt.ArrayLike) -> FloatArray:
    """Return [1, H, W, 3] as [H, W, C]; a grey picture has one channel."""
    picture = np.asarray(source, np.float32)
    if picture.ndim != 4 or len(picture) != 1:
        raise ValueError(f"`source` must be [1, height, width, 3]. Received: {picture.shape}")
    return picture[0, ..., :1] if images.is_grey(picture) else picture[0]


def picture_of(channels: FloatArray) -> FloatArray:
    """Return [H, W, C] as [1, H, W, 3]."""
    return np.array(np.broadcast_to(channels, (*channels.shape[:2], 3)))[np.newaxis]


def check_window(window: int) -> None:
    """Raise a ValueError unless a window has a middle and something around it."""
    if window < 3 or window % 2 == 0:
        raise ValueError(f"`window` must be odd, >= 3. Received: window={window}")


def check_holds_window(size: tuple[int, int], window: int) -> None:
    """Raise a ValueError if a window does not fit into (height, width)."""
    if min(size) < window:
        raise ValueError(
            f"`size` must be at least the window, {window}x{window} px. "
            f"Received: {size[1]}x{size[0]} px"
        )


def checked_sample(source: npt.ArrayLike, size: tuple[int, int], window: int) -> FloatArray:
    """Return a source as :func:`channels_of` does, once a window fits into it and into a result.

    Raises:
        ValueError: If ``source`` or ``size``, (height, width), is smaller than the window.
    """
    sample = channels_of(source)
    with errors.renamed(size="source"):
        check_holds_window(sample.shape[:2], window)
    check_holds_window(size, window)
    return sample
