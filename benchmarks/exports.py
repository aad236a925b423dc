"""Exports: latency of the Keras call, the SavedModel through TensorFlow's C API, and TFLite, by turns.

Usage: python -m benchmarks.exports [--model=conditional] [--size=PX...] [--output=RESULT.json]

Of the SavedModel the seconds are those inside TF_SessionRun, of the Keras model those of its traced call.
The parts of `stylize_bytes` are `serving_default`, decoding and encoding.
"""

import functools
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks import results
from stylezoo import export, images
from stylezoo.export import saved_models, tflite
from stylezoo.export.servables import graph_codecs

_MODEL = flags.DEFINE_string("model", "conditional", "A generator that paints photographs.")
_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/exports.json", "Where figures go.")
_REPEATS = flags.DEFINE_integer("repeats", 15, "Of each timing.", 3)
_SIZES = flags.DEFINE_multi_integer("size", [256, 512], "Of the pictures, px.")
_THREADS = (1, 2)


def _lite(path: pathlib.Path, threads: int, inputs: export.Arrays) -> Callable[[], object]:
    model = export.LiteRtModel(path, num_threads=threads)
    return lambda: model(inputs)


def speed(size: int, folder: str) -> dict[str, Any]:
    """Return median and 99th percentile of seconds, megapixels a second, and the ratios that matter."""
    servable = export.load(_MODEL.value)
    photograph = images.centre_square(images.load_sample("chelsea"), size).numpy()
    inputs = servable.mobile_inputs(photograph, 0)
    data = images.encode_image(photograph, ".jpg")
    file_inputs = {
        "image_bytes": np.array([data, None], object)[:1],
        "max_side": np.array([size], np.int32),
        **{name: each for name, each in inputs.items() if name == "style_weights"},
    }
    saved = pathlib.Path(folder, f"saved_{size}")
    saved.mkdir()
    saved_models.save(servable, saved)
    given = {name: tf.constant(each) for name, each in inputs.items()}
    keras_call = tf.function(lambda x: servable.network(x, training=False), autograph=False)
    decode = tf.function(graph_codecs.decode, autograph=False)
    encode = tf.function(graph_codecs.encode, autograph=False)
    index, content = tf.constant(0), tf.constant(data)
    runs: dict[str, Callable[[], object]] = {
        "keras": lambda: keras_call(given).numpy(),
        "decode": lambda: decode(content, index).numpy(),
        "encode": lambda: encode(tf.constant(photograph[0])).numpy(),
    }
    photographs, _ = export.split(None, (size, size))
    for quantize in export.QUANTIZATIONS:
        path = pathlib.Path(folder, f"{size}_{quantize}.tflite")
        path.write_bytes(
            tflite.convert(servable, (size, size), quantize=quantize, photographs=photographs)
        )
        for threads in _THREADS:
            name = f"tflite {'float32' if quantize == 'none' else quantize}, {threads} threads"
            runs[name] = _lite(path, threads, inputs)
    with export.SavedModelSession(saved) as session:

        def call(signature: str, inputs: export.Arrays) -> float:
            return session.timed(signature, inputs)[1]

        runs["saved_model"] = functools.partial(call, "serving_default", inputs)
        runs["stylize_bytes"] = functools.partial(call, "stylize_bytes", file_inputs)
        seconds = results.timings(runs, repeats=_REPEATS.value)
    median = {name: float(np.median(each)) for name, each in seconds.items()}
    parts = median["saved_model"] + median["decode"] + median["encode"]
    return {
        "median_seconds": median,
        "p99_seconds": {name: float(np.percentile(each, 99)) for name, each in seconds.items()},
        "megapixels_per_second": {name: size**2 / 1e6 / each for name, each in median.items()},
        "ratios": {
            "saved_model to keras": median["saved_model"] / median["keras"],
            "stylize_bytes to its parts": median["stylize_bytes"] / parts,
            **{
                f"int8 times float32, {threads} threads": (
                    median[f"tflite float32, {threads} threads"]
                    / median[f"tflite int8, {threads} threads"]
                )
                for threads in _THREADS
            },
        },
    }


def main(_: list[str]) -> None:
    """Measure what the flags ask for."""
    with tempfile.TemporaryDirectory() as folder:
        figures = {size: speed(size, folder) for size in _SIZES.value}
    results.write(_OUTPUT.value, "exports", {"model": _MODEL.value, **figures})


if __name__ == "__main__":
    app.run(main)
