"""Latency of the Keras call, the SavedModel through TensorFlow's C API, TFLite and ONNX files, by turns.

Usage: python -m benchmarks.exports [--model=conditional] [--size=PX...] [--output=RESULT.json]

The seconds of the SavedModel are those inside TF_SessionRun, and those of the Keras model its traced call's.
The parts of ``stylize_bytes`` are ``serving_default``, decoding and encoding.
"""

import functools
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks import results
from stylezoo import export, images
from stylezoo.export import onnx, saved_models, tflite
from stylezoo.export.limits import DEFAULT_MAX_PIXELS
from stylezoo.export.servables import graph_codecs

_MODEL = flags.DEFINE_string("model", "conditional", "Generator that paints photographs.")
_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/exports.json", "File that the figures are written to."
)
_REPEATS = flags.DEFINE_integer("repeats", 15, "Number of repetitions of each timing.", 3)
_SIZES = flags.DEFINE_multi_integer("size", [256, 512], "Side of the photograph, px.")
_THREADS = (1, 2)

Run = Callable[[], object]


def speed(size: int, folder: pathlib.Path) -> dict[str, Any]:
    """Measure every runtime on one photograph.

    Args:
        size: Side of the photograph, px.
        folder: Where the exports are written.

    Returns:
        Median and 99th percentile of the seconds, megapixels a second, and the ratios that matter.
    """
    servable = export.load(_MODEL.value)
    photograph = images.centre_square(images.load_sample("chelsea"), size).numpy()
    inputs = servable.portable_inputs(photograph, 0)
    data = images.encode_image(photograph, ".jpg")
    saved_models.save(servable, folder)
    runs = {
        "keras": _keras(servable.network, inputs),
        **_codecs(photograph[0], data),
        **_files(servable, size, folder, inputs),
    }
    file_inputs = {
        "image_bytes": np.array([data, None], object)[:1],
        "max_side": np.array([size], np.int32),
        **{name: each for name, each in inputs.items() if name == "style_weights"},
    }
    with export.SavedModelSession(folder) as session:

        def call(signature: str, inputs: export.Arrays) -> float:
            return session.timed(signature, inputs)[1]

        runs["saved_model"] = functools.partial(call, "serving_default", inputs)
        runs["stylize_bytes"] = functools.partial(call, "stylize_bytes", file_inputs)
        seconds = results.timings(runs, repeats=_REPEATS.value)
    median = {name: float(np.median(each)) for name, each in seconds.items()}
    return {
        "median_seconds": median,
        "p99_seconds": {name: float(np.percentile(each, 99)) for name, each in seconds.items()},
        "megapixels_per_second": {name: size**2 / 1e6 / each for name, each in median.items()},
        "ratios": _ratios(median),
    }


def _keras(network: keras.Model, inputs: export.Arrays) -> Run:
    """Return the call of the Keras model, traced."""
    given = {name: tf.constant(each) for name, each in inputs.items()}
    traced = tf.function(lambda x: network(x, training=False), autograph=False)
    return lambda: traced(given).numpy()


def _codecs(photograph: np.ndarray, data: bytes) -> dict[str, Run]:
    """Return the decoding and the encoding of a photograph, [H, W, 3], inside a graph."""
    decode = tf.function(
        functools.partial(graph_codecs.decode, max_pixels=DEFAULT_MAX_PIXELS), autograph=False
    )
    encode = tf.function(graph_codecs.encode, autograph=False)
    side, content = tf.constant(max(photograph.shape)), tf.constant(data)
    return {
        "decode": lambda: decode(content, side)[0].numpy(),
        "encode": lambda: encode(tf.constant(photograph)).numpy(),
    }


def _files(
    servable: export.Servable, size: int, folder: pathlib.Path, inputs: export.Arrays
) -> dict[str, Run]:
    """Return the calls of files of each kind, with each number of threads."""
    runs: dict[str, Run] = {}
    for quantize in export.QUANTIZATIONS:
        path = folder / f"{quantize}.tflite"
        path.write_bytes(tflite.convert(servable, export.TfliteConfig((size, size), quantize)))
        for threads in _THREADS:
            name = f"tflite {'float32' if quantize == 'none' else quantize}, {threads} threads"
            model: Callable[..., object] = export.LiteRtModel(path, num_threads=threads)
            runs[name] = functools.partial(model, inputs)
    path = folder / "model.onnx"
    path.write_bytes(onnx.convert(servable))
    for threads in _THREADS:
        model = export.OnnxModel(path, num_threads=threads)
        runs[f"onnx, {threads} threads"] = functools.partial(model, inputs)
    return runs


def _ratios(median: dict[str, float]) -> dict[str, float]:
    """Return what the exports cost in comparison, from the median seconds."""
    parts = median["saved_model"] + median["decode"] + median["encode"]
    return {
        "saved_model to keras": median["saved_model"] / median["keras"],
        "stylize_bytes to its parts": median["stylize_bytes"] / parts,
        **{
            f"int8 times float32, {threads} threads": (
                median[f"tflite float32, {threads} threads"]
                / median[f"tflite int8, {threads} threads"]
            )
            for threads in _THREADS
        },
    }


def main(_: list[str]) -> None:
    """Measure what the flags ask for."""
    figures = {}
    for size in _SIZES.value:
        with tempfile.TemporaryDirectory() as folder:
            figures[size] = speed(size, pathlib.Path(folder))
    results.write(_OUTPUT.value, "exports", {"model": _MODEL.value, **figures})


if __name__ == "__main__":
    app.run(main)
