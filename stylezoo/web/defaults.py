"""The zoo's own painters for the page, exported into the cache when they are first wanted."""

import hashlib
import pathlib
from collections.abc import Iterator

import stylezoo
from stylezoo import pretrained
from stylezoo.export.tflite_config import Quantization, TfliteConfig
from stylezoo.weights import cache

_FILES: tuple[tuple[str, int, Quantization], ...] = (
    ("light", 256, "float16"),
    ("light", 384, "float16"),
    ("light", 512, "float16"),
    ("light", 720, "float16"),
    ("gravel", 256, "none"),
    ("wheat", 256, "none"),
    ("grass", 256, "none"),
)


def exports_folder() -> pathlib.Path:
    """Return the folder of these exports: one for each version of this package and its weights."""
    digest = hashlib.sha256(stylezoo.__version__.encode())
    for model in sorted({model for model, _, _ in _FILES}):
        digest.update(pretrained.MODELS[model].sha256.encode())
    return cache.root().parent / "exports" / digest.hexdigest()[:16]


def missing_exports() -> Iterator[tuple[str, TfliteConfig]]:
    """Yield the model and configuration of each file that is not in :func:`exports_folder` yet."""
    for model, size, quantize in _FILES:
        kind = "float32" if quantize == "none" else quantize
        if not (exports_folder() / model / f"{model}_{size}x{size}_{kind}.tflite").is_file():
            yield model, TfliteConfig((size, size), quantize)
