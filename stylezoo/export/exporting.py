"""Export models: files get their names once a foreign runtime has loaded them and agrees with the models."""

import contextlib
import os
import pathlib
import re
from collections.abc import Callable, Iterator

import numpy as np

from stylezoo import images
from stylezoo.export import cards, onnx, saved_models, tflite
from stylezoo.export.photographs import read_photographs
from stylezoo.export.servables.servable import Servable
from stylezoo.export.tflite_config import TfliteConfig
from stylezoo.export.verify import verification

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def export_saved_model(
    servable: Servable,
    output: str | os.PathLike[str],
    *,
    name: str,
    version: int | None = None,
) -> tuple[pathlib.Path, list[verification.Check]]:
    """Write ``output/name/version/``, a SavedModel for TensorFlow Serving, and the model's card.

    The model is written beside its place first, compared by
    :func:`~stylezoo.export.verify_saved_model`, and moved to its place if all is well.

    Args:
        servable: What :func:`stylezoo.export.load` returned.
        output: The folder of all exports, which is made if there is none.
        name: The name under which the model is served.
        version: A number >= 1 that does not exist yet; by default the one after the last.

    Returns:
        The path of the export, and the comparisons.

    Raises:
        OSError: If the export can't be written, or that version exists.
        ValueError: If the name or the version is not allowed.
        ExportError: If what was written does not do what the model does.
    """
    check_name(name)
    parent = pathlib.Path(output) / name
    if version is None:
        version = max(saved_models.versions(parent), default=0) + 1
    if version < 1:
        raise ValueError(f"`version` must be >= 1. Received: version={version}")
    path = parent / str(version)
    if path.exists():
        raise FileExistsError(f"`{path}` already exists, and a version is never replaced")
    with made(parent), images.atomic_folder(path) as temporary:
        with _written(path):
            saved_models.save(servable, temporary)
        checks = verification.verify_saved_model(servable, temporary)
        verification.require(checks, path)
    cards.write(servable, parent)
    return path, checks


def export_tflite(
    servable: Servable,
    output: str | os.PathLike[str],
    config: TfliteConfig,
    *,
    name: str,
    overwrite: bool = False,
) -> tuple[pathlib.Path, list[verification.Check]]:
    """Write ``output/name/name_HEIGHTxWIDTH_QUANTIZE.tflite``, and the model's card.

    A file for pictures of any size has ``any`` in place of the sides. The file gets its name after
    :func:`~stylezoo.export.verify_tflite` has compared it.

    Args:
        servable: What :func:`stylezoo.export.load` returned.
        output: The folder of all exports, which is made if there is none.
        config: See :class:`TfliteConfig`.
        name: The name of the model's folder.
        overwrite: Whether to replace a file.

    Returns:
        The path of the export, and the comparisons.

    Raises:
        OSError: If the file can't be written, or exists.
        ValueError: If the name is not allowed, the model can't take the size, or there are no photographs.
        ExportError: If what was written does not do what the model does.
    """
    kind = "float32" if config.quantize == "none" else config.quantize
    size = "x".join(map(str, config.size)) if config.size else "any"
    photographs: list[np.ndarray] = []
    if config.quantize == "int8" and config.size:
        photographs = read_photographs(config.photographs, config.size)
    return _export_file(
        servable,
        output,
        name,
        f"_{size}_{kind}.tflite",
        convert=lambda: tflite.convert(servable, config),
        verify=lambda path: verification.verify_tflite(servable, path, photographs),
        overwrite=overwrite,
    )


def export_onnx(
    servable: Servable, output: str | os.PathLike[str], *, name: str, overwrite: bool = False
) -> tuple[pathlib.Path, list[verification.Check]]:
    """Write ``output/name/name.onnx``, for pictures of any size, and the model's card.

    The file gets its name after :func:`~stylezoo.export.verify_onnx` has compared it.

    Args:
        servable: What :func:`stylezoo.export.load` returned.
        output: The folder of all exports, which is made if there is none.
        name: The name of the model's folder.
        overwrite: Whether to replace a file.

    Returns:
        The path of the export, and the comparisons.

    Raises:
        OSError: If the file can't be written, or exists.
        ValueError: If the name is not allowed.
        ModuleNotFoundError: If tf2onnx or ONNX Runtime isn't installed.
        ExportError: If what was written does not do what the model does.
    """
    return _export_file(
        servable,
        output,
        name,
        ".onnx",
        convert=lambda: onnx.convert(servable),
        verify=lambda path: verification.verify_onnx(servable, path),
        overwrite=overwrite,
    )


def _export_file(
    servable: Servable,
    output: str | os.PathLike[str],
    name: str,
    ending: str,
    *,
    convert: Callable[[], bytes],
    verify: Callable[[pathlib.Path], list[verification.Check]],
    overwrite: bool,
) -> tuple[pathlib.Path, list[verification.Check]]:
    """Write a file that has been verified, with the figures of that in its record, and the card."""
    check_name(name)
    kind = onnx if ending == ".onnx" else tflite
    path = pathlib.Path(output) / name / f"{name}{ending}"
    with made(path.parent), images.atomic_path(path, overwrite=overwrite) as temporary:
        with _written(path):
            content = convert()
            temporary.write_bytes(content)
        checks = verify(temporary)
        verification.require(checks, path)
        record = {**cards.read_file_record(temporary), "agreement": verification.agreement(checks)}
        temporary.write_bytes(kind.with_record(content, record))
    cards.write(servable, path.parent)
    return path, checks


@contextlib.contextmanager
def _written(path: pathlib.Path) -> Iterator[None]:
    """Name the export in an error of writing, in place of a temporary file that is gone by then."""
    try:
        yield
    except OSError as error:
        raise OSError(f"`{path}` cannot be written: {error.strerror or error}") from error


def check_name(name: str) -> None:
    """Raise a ValueError if no folder and no address of a server can have a name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"`name` must be letters, digits, _ . and -. Received: name={name!r}")


@contextlib.contextmanager
def made(folder: pathlib.Path) -> Iterator[None]:
    """Make a folder for the files that the block writes, and remove it after an error.

    Raises:
        OSError: If the folder can't be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise type(error)(f"`{folder}` can't be made: {reason}") from error
    try:
        yield
    except BaseException:
        for each in missing:
            with contextlib.suppress(OSError):
                each.rmdir()
        raise
