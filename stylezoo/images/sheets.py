"""Contact sheets: several pictures in one."""

from collections.abc import Sequence

import numpy as np

_GAP = 4


def contact_sheet(pictures: Sequence[np.ndarray], *, columns: int) -> np.ndarray:
    """Return pictures in rows, each centred in its cell, on white.

    Args:
        pictures: [H, W, 3] in [0, 1] each; sizes may differ.
        columns: Number of pictures in a row, >= 1.

    Returns:
        [1, H', W', 3] float32 in [0, 1].

    Raises:
        ValueError: If there are no pictures, or no columns.
    """
    if not len(pictures) or columns < 1:
        raise ValueError(
            "`pictures` and `columns` must be >= 1. "
            f"Received: {len(pictures)} pictures, columns={columns}"
        )
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    width = max(picture.shape[1] for picture in pictures)
    heights = [max(picture.shape[0] for picture in row) for row in rows]
    used = min(columns, len(pictures))
    shape = (sum(heights) + _GAP * (len(rows) - 1), used * (width + _GAP) - _GAP, 3)
    sheet = np.ones(shape, np.float32)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            y = top + (height - picture.shape[0]) // 2
            x = column * (width + _GAP) + (width - picture.shape[1]) // 2
            sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
        top += height + _GAP
    return sheet[None]
