"""Exports loaded back by runtimes that know nothing of their Keras models, and compared with these."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from stylezoo import images
from stylezoo.errors import ExportError
from stylezoo.export import saved_models
from stylezoo.export.limits import DEFAULT_MAX_SIDE
from stylezoo.export.litert import LiteRtModel
from stylezoo.export.servables.servable import Call, Servable, smooth_picture
from stylezoo.export.serving import warmup
from stylezoo.export.serving.client import Client
from stylezoo.export.verify.saved_model_session import RuntimeStatusError, SavedModelSession

# The runtimes have the same kernels, in graphs that were optimised differently; rounding differs.
SAME_KERNELS = 1e-5
# The largest mean difference of encoded pictures.
ENCODED = 1 / 255

# The largest error of TFLite in float32, on CPUs and GPUs: moments of flat channels are amplified.
TFLITE = 2e-3
# The smallest PSNR of weights in float16, and of 8 bits, in dB.
MINIMUM_PSNR = {"float16": 40.0, "int8": 30.0}

_INVALID_ARGUMENT = 3


@dataclasses.dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        runtime: What ran the export.
        what: What was compared.
        error: How far apart they were; NaN for things that can only be right or wrong.
        limit: The largest error that passes.
        passed: Whether all is well.
        note: Why it did not pass.
    """

    runtime: str
    what: str
    error: float
    limit: float
    passed: bool
    note: str = ""


def require(checks: Iterable[Check], path: str | os.PathLike[str]) -> None:
    """Raise an ExportError that names the first check that failed."""
    for check in checks:
        if not check.passed:
            note = check.note or f"differs by {check.error:.3g}, limit {check.limit:.3g}"
            raise ExportError(f"`{path}` is not its model: {check.runtime}, {check.what}: {note}")


def verify_saved_model(servable: Servable, path: str | os.PathLike[str]) -> list[Check]:
    """Compare every signature of a SavedModel, in several sizes, with the Keras model.

    TensorFlow's C++ loader, the one of TensorFlow Serving, runs it in a process without Python's
    TensorFlow.

    Raises:
        ExportError: If the SavedModel can't be loaded.
    """
    runtime = "TensorFlow C API"
    checks = [_compare_requests(servable, path)]
    with SavedModelSession(path) as session:
        missing = servable.signatures().keys() - session.signatures.keys()
        if missing:
            raise ExportError(f"`{path}` lacks the signatures {', '.join(sorted(missing))}")
        for call in servable.calls():
            what = f"{call.signature}, {call.what}"
            try:
                got = session(call.signature, call.inputs)
            except RuntimeStatusError as error:
                checks.append(Check(runtime, what, np.nan, np.nan, False, _first_line(error)))
            else:
                checks += compare(runtime, what, got, servable.expected(call))
        if refused := servable.undecodable():
            call, message = refused
            what = f"{call.signature}, {call.what} refused"
            note = _wrong_refusal(session, call, message)
            checks.append(Check(runtime, what, np.nan, np.nan, not note, note))
    return checks


def _wrong_refusal(session: SavedModelSession, call: Call, message: str) -> str:
    """Return what is wrong with the answer to a request whose last row must be refused, or ""."""
    try:
        *others, last = session(call.signature, call.inputs).get("error", [b""])
    except RuntimeStatusError as error:
        right = error.code == _INVALID_ARGUMENT and message in str(error)
        return "" if right else f"code {error.code}, {_first_line(error)}"
    if any(others):
        return "a good row was refused too"
    return "" if message in last.decode() else "was not refused"


def _compare_requests(servable: Servable, path: str | os.PathLike[str]) -> Check:
    """Check that the warm-up requests are those that are compared below."""
    wanted = [(call.signature, call.inputs) for call in servable.calls()]
    found = list(warmup.read_requests(pathlib.Path(path) / saved_models.WARMUP))
    same = len(found) == len(wanted) and all(
        got[0] == own[0]
        and got[1].keys() == own[1].keys()
        and all(np.array_equal(got[1][name], own[1][name]) for name in own[1])
        for got, own in zip(found, wanted, strict=True)
    )
    note = "" if same else "other requests than those of this model"
    return Check("PredictionLog", f"{len(wanted)} warm-up requests", np.nan, np.nan, same, note)


def verify_server(servable: Servable, client: Client) -> list[Check]:
    """Compare what a running server answers with the Keras model, every signature in several sizes.

    Raises:
        ServerError: If the server does not answer, or refuses a valid request.
    """
    checks = []
    for call in servable.calls():
        inputs = dict(call.inputs)
        if call.signature == "stylize_bytes":  # by REST nothing may be left out
            rows = len(inputs["image_bytes"])
            inputs.setdefault("max_side", np.full(rows, DEFAULT_MAX_SIDE, np.int32))
        got = client.predict(call.signature, inputs)
        expected = servable.expected(call)
        checks += compare(client.endpoint.url, f"{call.signature}, {call.what}", got, expected)
    return checks


def verify_tflite(
    servable: Servable,
    path: str | os.PathLike[str],
    photographs: Sequence[np.ndarray] = (),
    *,
    run: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] | None = None,
    runtime: str = "LiteRT, CPU",
) -> list[Check]:
    """Compare a TFLite file with the Keras model, as it is before anything is replaced for TFLite.

    Args:
        servable: What :func:`stylezoo.export.load` returned.
        path: The file.
        photographs: Photographs that the file was not calibrated on, for 8 bits; [1, H, W, 3] of the file's
            size.
        run: A function that runs the file, inputs by name -> outputs; by default LiteRT's interpreter with
            XNNPACK.
        runtime: The name of the runtime that ``run`` is.

    Raises:
        ExportError: If the file can't be loaded, or is of operators that TFLite itself lacks.
    """
    model = LiteRtModel(path)
    foreign = {each for each in model.operators if each.startswith(("Flex", "CUSTOM"))}
    if foreign:
        raise ExportError(f"`{path}` must be of builtin operators: it has {', '.join(foreign)}")
    height, width = model.record["size"]
    pictures = photographs or [smooth_picture(height, width, seed=seed) for seed in range(2)]
    checks = []
    for index, picture in enumerate(pictures):
        inputs = servable.mobile_inputs(picture, index)
        got, expected = (run or model)(inputs), servable.mobile_expected(inputs)
        what = f"{height}x{width}, {model.record['quantize']}, picture {index + 1}"
        # Whatever runs it besides LiteRT's interpreter has to be as near with halved weights.
        if model.record["quantize"] == "none" or (run and model.record["quantize"] == "float16"):
            checks += compare(runtime, what, got, expected, limit=TFLITE)
        else:
            checks += [
                _compare_noise(
                    runtime, f"{what}: {name}", got[name], expected[name], servable, model
                )
                for name in expected
            ]
    return checks


def _compare_noise(
    runtime: str,
    what: str,
    got: np.ndarray,
    expected: np.ndarray,
    servable: Servable,
    model: LiteRtModel,
) -> Check:
    """Compare pictures by the root mean square of the noise over the peak, and classes by the likeliest."""
    error = float(np.sqrt(np.mean(np.square(got - expected))) / np.max(np.abs(expected)))
    limit = 10 ** (-MINIMUM_PSNR[model.record["quantize"]] / 20)
    if servable.kind == "classes":  # a probability near 1/2 changes most, and matters least
        same = bool(np.argmax(got) == np.argmax(expected))
        return Check(runtime, what, np.nan, np.nan, same, "" if same else "another class")
    return Check(runtime, f"{what}, noise", error, limit, error <= limit)


def compare(
    runtime: str,
    what: str,
    got: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    *,
    limit: float = SAME_KERNELS,
) -> list[Check]:
    """Check each output.

    Numbers are compared by their largest difference, relative to values above 1; names must be the
    same; picture files are compared by their mean difference.
    """
    if got.keys() != expected.keys():
        note = f"outputs {', '.join(sorted(got))}, must be {', '.join(sorted(expected))}"
        return [Check(runtime, what, np.nan, np.nan, False, note)]
    return [
        _compare(runtime, f"{what}: {name}", got[name], expected[name], limit) for name in expected
    ]


def _compare(runtime: str, what: str, got: np.ndarray, expected: np.ndarray, limit: float) -> Check:
    if got.shape != expected.shape:
        note = f"shape {got.shape}, must be {expected.shape}"
        return Check(runtime, what, np.nan, np.nan, False, note)
    if got.dtype != object:
        error = np.max(np.abs(got - expected), initial=0) / np.max(np.abs(expected), initial=1)
        return Check(runtime, what, float(error), limit, bool(error <= limit))
    if "_bytes" in what.rpartition(": ")[2]:
        errors = [_picture_error(*pair) for pair in zip(got, expected, strict=True)]
        error = max(errors, default=0.0)
        return Check(runtime, what, error, ENCODED, error <= ENCODED)
    same = bool(np.all(got == expected))
    return Check(runtime, what, np.nan, np.nan, same, "" if same else "other names")


def _picture_error(got: bytes, expected: bytes) -> float:
    """Return the mean absolute difference of two picture files; infinite for different sizes."""
    first, second = map(images.decode_image, (got, expected))
    return float(np.mean(np.abs(first - second))) if first.shape == second.shape else np.inf


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def check_origin(
    servable: Servable, record: Mapping[str, object], path: str | os.PathLike[str]
) -> None:
    """Raise an ExportError unless an export's record says that it was made of this very model."""
    own = servable.record()
    for field in ("kind", "fingerprint"):
        if own[field] != record.get(field):
            raise ExportError(
                f"`{path}` was exported from another {record.get('model')}, of the {field} "
                f"{str(record.get(field))[:16]}; this one has {own[field][:16]}"
            )
