"""libvips by pyvips."""

import pathlib
from collections.abc import Mapping
from typing import Any

import pyvips

from benchmarks.peers import worker


def codecs(inputs: Mapping[str, Any]) -> worker.Run:
    """Decode a PNG file, and encode it as JPEG of quality 95 in full colour resolution."""
    output = str(pathlib.Path(inputs["output"], "pyvips.jpg"))

    def run() -> None:
        picture = pyvips.Image.new_from_file(inputs["content"])
        picture.write_to_file(output, Q=95, subsample_mode="off")

    return run


if __name__ == "__main__":
    worker.serve({"codecs": codecs}, ("pyvips", "pyvips-binary"))
