"""Pillow alone."""

import pathlib
from collections.abc import Mapping
from typing import Any

from PIL import Image

from benchmarks.peers import worker


def codecs(inputs: Mapping[str, Any]) -> worker.Run:
    """Decode a PNG file, and encode it as JPEG of quality 95 in full colour resolution."""
    output = pathlib.Path(inputs["output"], "pillow.jpg")

    def run() -> None:
        with Image.open(inputs["content"]) as picture:
            picture.convert("RGB").save(output, quality=95, subsampling=0)

    return run


if __name__ == "__main__":
    worker.serve({"codecs": codecs}, ("pillow",))
