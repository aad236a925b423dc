"""Show a row of pixels of clips over time: python time_slices.py SHEET.jpg ROW FRAMES SCALE CLIP...

Every clip gives a picture whose lines are its frames, from the first at the top. What stands still is a
vertical line there, and flicker is noise across it. The sheet's quality falls until it is under 300 KB.
"""

import io
import itertools
import pathlib
import sys

import numpy as np
from PIL import Image

from stylezoo import video

_LIMIT = 300_000
_GAP = 6


def time_slice(clip: str, row: int, frames: int) -> np.ndarray:
    """Return a row of the first frames, [frames, width, 3] of 8 bits."""
    rows = [frame.image[0, row] for frame in itertools.islice(video.open_clip(clip), frames)]
    return np.uint8(255 * np.stack(rows) + 0.5)


def main() -> None:
    """Write the sheet that the arguments describe."""
    row, frames, scale = map(int, sys.argv[2:5])
    slices = [time_slice(clip, row, frames) for clip in sys.argv[5:]]
    gap = np.full([frames, _GAP, 3], 255, np.uint8)
    columns = list(itertools.chain.from_iterable((each, gap) for each in slices))[:-1]
    sheet = Image.fromarray(np.concatenate(columns, axis=1))
    sheet = sheet.resize((sheet.width, scale * sheet.height), Image.Resampling.NEAREST)
    for quality in range(92, 40, -4):
        data = io.BytesIO()
        sheet.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() < _LIMIT:
            break
    pathlib.Path(sys.argv[1]).write_bytes(data.getvalue())


if __name__ == "__main__":
    main()
