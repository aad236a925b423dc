"""Put pictures side by side: python contact_sheet.py SHEET.jpg COLUMNS CELL_PX PICTURE...

Every picture is fitted into a square cell. The sheet's quality falls until it is under 300 KB.
"""

import io
import pathlib
import sys

from PIL import Image, ImageOps

_LIMIT = 300_000
_GAP = 6


def main() -> None:
    """Write the sheet that the arguments describe."""
    sheet_path, columns, cell = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    pictures = [Image.open(path).convert("RGB") for path in sys.argv[4:]]
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    fitted = [[ImageOps.contain(picture, (cell, cell)) for picture in row] for row in rows]
    heights = [max(picture.height for picture in row) for row in fitted]
    size = (columns * (cell + _GAP) - _GAP, sum(heights) + _GAP * (len(rows) - 1))
    sheet = Image.new("RGB", size, "white")
    top = 0
    for row, height in zip(fitted, heights, strict=True):
        for column, picture in enumerate(row):
            left = column * (cell + _GAP) + (cell - picture.width) // 2
            sheet.paste(picture, (left, top + (height - picture.height) // 2))
        top += height + _GAP
    for quality in range(92, 40, -4):
        data = io.BytesIO()
        sheet.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() < _LIMIT:
            break
    sheet_path.write_bytes(data.getvalue())


if __name__ == "__main__":
    main()
