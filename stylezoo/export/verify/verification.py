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
from stylezoo.export.onnx import OnnxModel
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
# The largest error of ONNX Runtime: 5e-6 for this project's networks at these sizes.
ONNX = 1e-4
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
        psnr: The agreement of each picture that was compared, in dB; none for what is not compared so.
    """

    runtime: str
    what: str
    error: float
    limit: float
    passed: bool
    note: str = ""
    psnr: tuple[float, ...] = ()


def agreement(checks: Iterable[Check]) -> str:
    """Say for a card how far a file agrees with its model."""
    checks = list(checks)
    if psnr := [each for check in checks for each in check.psnr]:
        found = f"{min(psnr):.1f} dB at least, {np.median(psnr):.1f} dB in the median"
        return f"{found}, of {len(psnr)} paintings"
    errors = [check.error for check in checks if not np.isnan(check.error)]
    return f"differs by {max(errors):.0e} at most" if errors else "the same classes"


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
        photographs: Photographs for 8 bits, which are compared in every style; [1, H, W, 3] of the file's
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
    quantize = model.record["quantize"]
    pictures = photographs or _pictures(servable, model.record["size"])
    checks = []
    for index, picture in enumerate(pictures):
        batch, height, width, _ = picture.shape
        what = f"{batch}x{height}x{width}, {quantize}, picture {index + 1}"
        # Whatever runs it besides LiteRT's interpreter has to be as near with halved weights.
        if quantize == "none" or (run and quantize == "float16"):
            inputs = servable.portable_inputs(picture, index)
            got, expected = (run or model)(inputs), servable.portable_expected(inputs)
            checks += compare(runtime, what, got, expected, limit=TFLITE)
            continue
        styles = range(servable.num_styles) if photographs and not run else [index]
        pairs = []
        for style in styles:
            inputs = servable.portable_inputs(picture, style)
            pairs.append(((run or model)(inputs), servable.portable_expected(inputs)))
        checks += _compare_noise(runtime, what, pairs, servable.kind, MINIMUM_PSNR[quantize])
    return checks


def _pictures(servable: Servable, size: Sequence[int] | None) -> list[np.ndarray]:
    """Return two pictures of a size, or some of several sizes."""
    if size is not None:
        return [smooth_picture(*size, seed=seed) for seed in range(2)]
    sizes = servable.picture_sizes()
    return [smooth_picture(height, width, seed=0, batch=batch) for height, width, batch in sizes]


def _compare_noise(
    runtime: str,
    what: str,
    pairs: Sequence[tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]],
    kind: str,
    minimum: float,
) -> list[Check]:
    """Compare paintings of a picture by their noise, and classes by the likeliest.

    Args:
        runtime: What ran the export.
        what: What is compared.
        pairs: What the export and the model gave, for each style.
        kind: The kind of the model.
        minimum: The smallest PSNR that passes, dB.
    """
    limit = 10 ** (-minimum / 20)
    checks = []
    for name in pairs[0][1]:
        outputs = [(got[name], expected[name]) for got, expected in pairs]
        if kind == "classes":  # a probability near 1/2 changes most, and matters least
            same = all(np.argmax(got) == np.argmax(expected) for got, expected in outputs)
            note = "" if same else "another class"
            checks.append(Check(runtime, f"{what}: {name}", np.nan, np.nan, same, note))
            continue
        noise = [_noise(*each) for each in outputs]
        psnr = tuple(float(-20 * np.log10(max(each, 1e-10))) for each in noise)
        where = f"{what}: {name}, noise"
        passed = max(noise) <= limit
        checks.append(Check(runtime, where, max(noise), limit, passed, psnr=psnr))
    return checks


def _noise(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the root mean square of the difference over the peak."""
    return float(np.sqrt(np.mean(np.square(got - expected))) / np.max(np.abs(expected)))


def verify_onnx(servable: Servable, path: str | os.PathLike[str]) -> list[Check]:
    """Compare an ONNX file with the Keras model in several sizes, by ONNX Runtime on the CPU.

    Raises:
        ModuleNotFoundError: If ONNX Runtime isn't installed.
        ExportError: If the file can't be loaded.
    """
    model = OnnxModel(path)
    checks = []
    for picture in _pictures(servable, None):
        inputs = servable.portable_inputs(picture, index=0)
        expected = servable.portable_expected(inputs)
        what = "x".join(map(str, picture.shape[:3]))
        checks += compare("ONNX Runtime, CPU", what, model(inputs), expected, limit=ONNX)
    return checks


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
