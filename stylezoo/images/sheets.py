"""Contact sheets: several pictures in one, each with a caption if there are any."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_GAP = 4


def contact_sheet(
    pictures: Sequence[np.ndarray], *, columns: int, captions: Sequence[str] | None = None
) -> np.ndarray:
    """Return pictures in rows, each centred in its cell, on white.

    Args:
        pictures: [H, W, 3] in [0, 1] each; sizes may differ.
        columns: Number of pictures in a row, >= 1.
        captions: Text below each picture, of one line; what is wider than the cell is cut off. An empty
            text leaves the line blank.

    Returns:
        [1, H', W', 3] float32 in [0, 1].

    Raises:
        ValueError: If there are no pictures, no columns, or captions for another number of pictures.
    """
    if not len(pictures) or columns < 1:
        raise ValueError(
            "`pictures` and `columns` must be >= 1. "
            f"Received: {len(pictures)} pictures, columns={columns}"
        )
    if captions is not None:
        if len(captions) != len(pictures):
            raise ValueError(
                f"`captions` must be one for each of {len(pictures)} pictures. "
                f"Received: {len(captions)} captions"
            )
        width = max(picture.shape[1] for picture in pictures)
        pictures = [
            captioned(picture, text, width=width)
            for picture, text in zip(pictures, captions, strict=True)
        ]
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


def caption_height(width: int) -> int:
    """Return the height of a caption below cells of a width, both in px."""
    return round(1.5 * _font_size(width))


def captioned(picture: np.ndarray, text: str, *, width: int | None = None) -> np.ndarray:
    """Return a picture with a line of text below it, black on white.

    Args:
        picture: [H, W, 3] float32 in [0, 1].
        text: The text, of which what is wider than the cell is cut off; "…" stands for the rest.
        width: Width of the cell in px, in whose middle the picture and the text are; by default the
            picture's, which is never cut.

    Returns:
        [H', W', 3] float32 in [0, 1], ``caption_height(W')`` px higher than the picture.
    """
    height, own = picture.shape[:2]
    width = max(width or 0, own)
    below = caption_height(width)
    font = ImageFont.load_default(_font_size(width))
    while text and font.getlength(text) > width:
        text = text.rstrip("…")[:-1].rstrip() + "…" if text != "…" else ""
    line = Image.new("L", (width, below), 255)
    ImageDraw.Draw(line).text((width / 2, below / 2), text, fill=0, font=font, anchor="mm")
    cell = np.ones((height + below, width, 3), np.float32)
    left = (width - own) // 2
    cell[:height, left : left + own] = picture
    cell[height:] = np.asarray(line, np.float32)[..., None] / 255.0
    return cell


def _font_size(width: int) -> int:
    """Return a size of text, in px, that is read as easily as cells of a width are seen."""
    return min(max(width // 17, 11), 24)
