"""Have pictures painted or classified by TensorFlow Serving, Triton or another server of KServe's protocol.

Usage:
  stylezoo client IMAGE... --url=http://HOST:8501 --model=conditional --style=NAME --output=PICTURE|FOLDER
  stylezoo client IMAGE... --url=grpc://HOST:8500 --model=squeezenet1_1
  stylezoo client IMAGE... --url=http://HOST:8000 --protocol=kserve --model=conditional --style=NAME ...

An IMAGE is a JPEG, PNG, GIF or BMP file, a folder, or a pattern. --style takes names of a model that comes
with stylezoo, as `stylezoo stylize` does; other models need --style_weights. A request is made again only if
the server is unavailable. A picture that fails is named, the others go on, and the exit status is 1.

A painting is decoded before it is written, since a server may answer anything. https:// and
grpcs:// encrypt, and --header='Authorization:Bearer TOKEN' goes with every request.
"""

import concurrent.futures
import pathlib
from collections.abc import Callable

import numpy as np
from absl import flags

from stylezoo import images, pretrained, reading
from stylezoo.binaries.common import config_flags, flag_checks, options, reporting
from stylezoo.errors import StylezooError
from stylezoo.export.limits import DEFAULT_MAX_SIDE
from stylezoo.export.serving.client import Client, Endpoint, ServerError
from stylezoo.export.serving.connect import connect

_ENDPOINT = config_flags.ConfigFlags(Endpoint)
_EXTENSIONS = (".jpg", ".jpeg")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    _ENDPOINT.define(values)
    string("style", None, "Style of the model, or NAME:WEIGHT,NAME:WEIGHT,... for a blend.")
    flags.DEFINE_list(
        "style_weights",
        None,
        "Weights of all styles in the order of the model, with commas between them.",
        flag_values=values,
    )
    string(
        "output",
        None,
        "JPEG file to write; for several pictures a folder, which is made if there is none.",
    )
    flags.DEFINE_integer(
        "max_side",
        DEFAULT_MAX_SIDE,
        "Longest side that larger pictures are reduced to, in pixels.",
        1,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "concurrency",
        1,
        "Number of requests that are under way at the same time.",
        1,
        256,
        flag_values=values,
    )
    flags.DEFINE_bool("overwrite", False, "Replace existing outputs.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    paths = options.pictures(arguments)
    targets = _targets(values, paths) if values.output else []
    endpoint = _ENDPOINT.create(values)
    style_weights = _style_weights(values, endpoint.model)
    client = connect(endpoint)
    signatures = client.signatures()
    if "classify_bytes" in signatures:
        _each(values, paths, lambda index: _classified(client, paths[index]))
        return 0
    if "stylize_bytes" not in signatures:
        raise ValueError(
            f"`model` must paint photographs or classify. Received: {client.endpoint.model}, which has "
            f"the signatures {', '.join(signatures)}"
        )
    options.require(values, "output")
    inputs = {"max_side": np.array([values.max_side], np.int32)}
    if shape := signatures["stylize_bytes"][0].get("style_weights"):
        inputs["style_weights"] = _checked(style_weights, endpoint.model, shape[-1])

    def paint(index: int) -> str:
        picture = _painted(client, paths[index], inputs)
        targets[index].parent.mkdir(exist_ok=True)
        with images.atomic_path(targets[index], overwrite=values.overwrite) as temporary:
            temporary.write_bytes(picture)
        return ""

    _each(values, paths, paint)
    return 0


def _each(values: flags.FlagValues, paths: list[pathlib.Path], work: Callable[[int], str]) -> None:
    """Do the work for each picture, and print what it returns, in order.

    Raises:
        ValueError: If it failed for some; the message names each.
    """
    failures: dict[pathlib.Path, Exception] = {}
    pool = concurrent.futures.ThreadPoolExecutor(values.concurrency)
    try:
        futures = [pool.submit(work, index) for index in range(len(paths))]
        one = len(paths) == 1
        with reporting.bar("client", "picture", total=len(paths), leave=False, disable=one) as bar:
            for path, future in zip(paths, futures, strict=True):
                try:
                    if text := future.result():
                        print(text)
                except (OSError, ValueError, StylezooError) as error:
                    failures[path] = error
                bar.update()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if failures:
        if not paths[1:]:
            raise failures[paths[0]]
        listed = reporting.first_of([f"{path}: {error}" for path, error in failures.items()], "; ")
        raise ValueError(f"{len(failures)} of {len(paths)} pictures failed: {listed}")


def _painted(client: Client, path: pathlib.Path, inputs: dict[str, np.ndarray]) -> bytes:
    """Return the bytes of the JPEG that a server painted of a picture."""
    found = client.predict("stylize_bytes", {"image_bytes": _content(path), **inputs})
    url = client.endpoint.url
    _check_row(client, found)
    try:
        (picture,) = found["stylized_bytes"]
        if not picture.startswith(b"\xff\xd8"):
            raise ValueError("no JPEG")
        images.decode_image(picture, max_pixels=int(inputs["max_side"][0]) ** 2)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise ServerError(
            f"{url} sent something else than a painting for {path}: {error}"
        ) from error
    return picture


def _classified(client: Client, path: pathlib.Path) -> str:
    """Return the classes that a server finds in a picture, as text."""
    found = client.predict("classify_bytes", {"image_bytes": _content(path)})
    _check_row(client, found)
    try:
        pairs = list(zip(found["classes"][0], found["scores"][0], strict=True))
        rows = [(f"  {_printable(name)}", f"{float(score):.4f}") for name, score in pairs]
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise ServerError(f"{client.endpoint.url} sent no classes for {path}: {error}") from error
    return f"{path}\n{reporting.table(rows)}" if rows else str(path)


def _check_row(client: Client, found: dict[str, np.ndarray]) -> None:
    """Raise a ServerError if the server says of the only row that it failed."""
    reasons = [each for each in found.get("error", np.array([], object)).ravel().tolist() if each]
    if reasons:
        raise ServerError(f"{client.endpoint.url} answered: {_printable(reasons[0])}")


def _printable(text: bytes) -> str:
    """Return what a server sent without characters that a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in text.decode(errors="replace"))


def _targets(values: flags.FlagValues, paths: list[pathlib.Path]) -> list[pathlib.Path]:
    """Return the files of the paintings, which can be written as far as that can be known now."""
    output = pathlib.Path(values.output)
    if len(paths) == 1 and not output.is_dir():
        targets = [output]
    else:
        targets = [output / f"{path.stem}.jpg" for path in paths]
        if len(set(targets)) < len(targets):
            raise ValueError("`IMAGE` must be files of different names")
        if not output.exists():
            images.check_output_path(output, overwrite=False, extensions=[output.suffix.lower()])
            return targets
    for target in targets:
        images.check_output_path(target, overwrite=values.overwrite, extensions=_EXTENSIONS)
    return targets


def _style_weights(values: flags.FlagValues, name: str) -> np.ndarray | None:
    """Return the weights of the styles that the flags ask for, [1, num_styles]; None if they don't say."""
    if values.style_weights is not None:
        if values.style is not None:
            raise ValueError("`--style` must not be given with --style_weights")
        weights = options.numbers("style_weights", values.style_weights)
        if min(weights) < 0 or not any(weights):
            raise ValueError("`--style_weights` must be >= 0, not all 0")
        return np.array([weights], np.float32)
    if name not in pretrained.MODELS:
        flag_checks.needs(values, "style", "a --model that comes with stylezoo", met=False)
    return _weights_of(name, values.style) if values.style is not None else None


def _weights_of(name: str, style: str | None) -> np.ndarray:
    """Return the weights of a style of a model that comes with stylezoo, [1, num_styles]."""
    from stylezoo import generators

    model = pretrained.MODELS[name]
    shares = generators.style_shares(model.styles, style)
    return np.array([[shares.get(row, 0.0) for row in model.style_rows]], np.float32)


def _checked(weights: np.ndarray | None, name: str, num_styles: int) -> np.ndarray:
    """Return the weights of the styles of a model that has some, [1, num_styles].

    Raises:
        ValueError: If there are none, or not one for each style.
    """
    if weights is None and name in pretrained.MODELS:
        weights = _weights_of(name, None)
    if weights is None:
        raise ValueError("`--style_weights` must be given for a model that stylezoo doesn't know")
    if weights.shape != (1, num_styles):
        raise ValueError(
            f"`--style_weights` must be {num_styles} for this model. Received: {weights.size}"
        )
    return weights


def _content(path: pathlib.Path) -> np.ndarray:
    """Return an array, [1], of the bytes of a file."""
    return np.array([reading.read_bytes(path), None], object)[:1]
