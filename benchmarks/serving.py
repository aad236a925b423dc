"""Load on exported signatures, and the memory that uploads take, by TensorFlow's C++ runtime.

Usage: python -m benchmarks.serving [--part=load] [--part=memory] [--model=NAME...] [--output=RESULT.json]

Load: clients send requests at the same time to one session, as a server's threads do, in a process that has
no TensorFlow in Python. Every tenth upload is no picture. Each answer is compared with that to the same
request sent alone. Memory: the peak of a new process for each upload, the largest that are accepted among
them.
"""

import concurrent.futures
import io
import multiprocessing
import pathlib
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from absl import app, flags
from PIL import Image

from stylezoo.export.verify import c_session

_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/serving.json", "File that the figures are written to."
)
_EXPORTS = flags.DEFINE_string("exports", "exports", "Folder of the exports.")
_MODELS = flags.DEFINE_multi_string("model", ["conditional", "light"], "Exports of photographs.")
_PARTS = flags.DEFINE_multi_enum(
    "part", ["load", "memory"], ["load", "memory"], "What is measured."
)
_REQUESTS = flags.DEFINE_integer("requests", 500, "Number of requests of each signature.", 20)
_CLIENTS = flags.DEFINE_integer("clients", 8, "Number of clients at the same time.", 1)
_SIZE = flags.DEFINE_integer("size", 256, "Side of the photographs of the requests, px.", 16)

# A request: its inputs, and whether it must be answered.
Request = tuple[dict[str, np.ndarray], bool]
_INVALID_ARGUMENT = 3
_DIFFERENT = 20
# What may be uploaded: height, width, kind, colours, and the side that is asked for.
_UPLOADS = (
    (768, 1024, "JPEG", "RGB", 1024),
    (3000, 4000, "JPEG", "RGB", 1024),
    (4000, 4000, "JPEG", "RGB", 1024),
    (4000, 4000, "PNG", "1", 64),
    (4000, 4000, "PNG", "RGBA", 1024),
    (1536, 2048, "JPEG", "RGB", 2048),
    (2048, 2048, "JPEG", "RGB", 2048),
    (4000, 4000, "JPEG", "RGB", 2048),
    (4000, 4000, "PNG", "RGBA", 2048),
)


def load(path: pathlib.Path) -> dict[str, Any]:
    """Send requests to every signature of an export that paints photographs."""
    from stylezoo.export.verify import saved_model_session

    figures = {}
    for name, signature in saved_model_session.read_signatures(path).items():
        if "image" in signature.inputs or "image_bytes" in signature.inputs:
            requests = [
                _named(signature, inputs, is_good)
                for inputs, is_good in _requests("image_bytes" in signature.inputs)
            ]
            outputs = [each.name for each in signature.outputs.values()]
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                arguments = (str(path), requests, outputs, _REQUESTS.value, _CLIENTS.value)
                figures[name] = pool.apply(send, arguments)
    return figures


def _requests(are_files: bool) -> Iterator[tuple[dict[str, np.ndarray], bool]]:
    """Yield requests that differ in picture, size and style, and whether they must be answered."""
    for index in range(_DIFFERENT):
        side = _SIZE.value - index
        is_good = not are_files or index % 10 != 9
        inputs: dict[str, np.ndarray] = {"style_weights": np.eye(64, dtype=np.float32)[[index % 3]]}
        if are_files:
            data = upload(side, _SIZE.value, "JPEG", "RGB", seed=index)
            content = data if is_good else data[: len(data) // 2]
            inputs["image_bytes"] = np.array([content, None], object)[:1]
            inputs["max_side"] = np.array([_SIZE.value], np.int32)
        else:
            picture = Image.open(io.BytesIO(upload(side, _SIZE.value, "PNG", "RGB", seed=index)))
            inputs["image"] = np.asarray(picture, np.float32)[None] / 255
        yield inputs, is_good


def _named(signature: Any, inputs: Mapping[str, np.ndarray], is_good: bool) -> Request:
    """Return the inputs that a signature has by the names of its tensors."""
    given = {}
    for name, info in signature.inputs.items():
        value = inputs[name]
        if name == "style_weights":
            value = value[:, : info.tensor_shape.dim[1].size]
        given[info.name] = value
    return given, is_good


def upload(height: int, width: int, kind: str, colours: str, *, seed: int = 0) -> bytes:
    """Return a file of blots of random colours with noise, which compress like a photograph."""
    random = np.random.default_rng(seed)
    blots = random.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), np.uint8)
    picture = Image.fromarray(blots).resize((width, height)).convert(colours)
    if colours == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize((width, height)))
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def send(
    path: str, requests: list[Request], outputs: list[str], count: int, num_clients: int
) -> dict[str, Any]:
    """Send requests, first each alone and then by several clients at once, in this process.

    Raises:
        RuntimeError: If an answer is lost, another's, or one to an upload that is no picture.
    """
    session = c_session.Session(c_session.load_library(), path)

    def ask(index: int) -> tuple[list[np.ndarray] | None, float]:
        inputs, is_good = requests[index % len(requests)]
        began = time.perf_counter()
        try:
            answer = session.run(inputs, outputs)[0]
        except c_session.StatusError as error:
            if is_good or error.args[0] != _INVALID_ARGUMENT:
                raise RuntimeError(f"request {index} failed: {error}") from error
            answer = None
        return answer, time.perf_counter() - began

    alone = [ask(index)[0] for index in range(len(requests))]
    for (_, is_good), answer in zip(requests, alone, strict=True):
        if is_good != (answer is not None):
            raise RuntimeError("a bad upload was answered")
    memory = _memory_mb("VmRSS", "self")
    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(num_clients) as pool:
        seconds = list(pool.map(lambda index: _checked(ask(index), alone, index), range(count)))
    elapsed = time.perf_counter() - began
    return {
        "requests": len(seconds),
        "refused": sum(alone[index % len(alone)] is None for index in range(count)),
        "requests_per_second": count / elapsed,
        "median_seconds": float(np.median(seconds)),
        "p99_seconds": float(np.percentile(seconds, 99)),
        "rss_mb_at_start": memory,
        "rss_mb_at_end": _memory_mb("VmRSS", "self"),
        "peak_rss_mb": _memory_mb("VmHWM", "self"),
    }


def _checked(answer: tuple[list[np.ndarray] | None, float], alone: list[Any], index: int) -> float:
    """Return the seconds of an answer that is the one to the same request alone."""
    got, expected = answer[0], alone[index % len(alone)]
    if (got is None) != (expected is None):
        raise RuntimeError(f"request {index} is answered as another")
    for one, other in zip(got or [], expected or [], strict=True):
        if not np.array_equal(one, other):
            raise RuntimeError(f"request {index} got another answer than alone")
    return answer[1]


def memory(path: pathlib.Path) -> list[dict[str, Any]]:
    """Measure the peak of a new process for each upload."""
    from stylezoo import export

    rows = []
    for height, width, kind, colours, side in _UPLOADS:
        data = upload(height, width, kind, colours)
        with export.SavedModelSession(path) as session:
            idle = _memory_mb("VmHWM", session.process_id)
            inputs = {
                "image_bytes": np.array([data, None], object)[:1],
                "max_side": np.array([side], np.int32),
            }
            if style := session.signatures["stylize_bytes"].inputs.get("style_weights"):
                inputs["style_weights"] = np.eye(style.tensor_shape.dim[1].size, dtype=np.float32)[
                    :1
                ]
            _, seconds = session.timed("stylize_bytes", inputs)
            rows.append(
                {
                    "upload": f"{kind} {width}x{height} {colours}",
                    "kilobytes": len(data) / 1e3,
                    "max_side": side,
                    "idle_mb": idle,
                    "peak_mb": _memory_mb("VmHWM", session.process_id),
                    "seconds": seconds,
                }
            )
    return rows


def _memory_mb(field: str, process: int | str) -> float:
    status = pathlib.Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def main(_: list[str]) -> None:
    """Measure what the flags ask for."""
    from benchmarks import results

    figures: dict[str, Any] = {}
    for name in _MODELS.value:
        folder = pathlib.Path(_EXPORTS.value, name)
        path = max(
            (each for each in folder.iterdir() if each.name.isdecimal()), key=lambda p: int(p.name)
        )
        figures[name] = {
            part: {"load": load, "memory": memory}[part](path) for part in _PARTS.value
        }
    results.write(_OUTPUT.value, "serving", figures)


if __name__ == "__main__":
    app.run(main)
