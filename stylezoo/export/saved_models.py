"""SavedModels as TensorFlow Serving wants them: ``<name>/<version>/``."""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

import stylezoo
from stylezoo.errors import ExportError
from stylezoo.export.servables.servable import Servable
from stylezoo.export.serving.warmup import write_requests

# Files beside the model that no server looks at.
_EXTRA = "assets.extra"
_RECORD = "stylezoo.json"
# TensorFlow Serving looks here for requests to warm a model up with.
WARMUP = pathlib.Path(_EXTRA) / "tf_serving_warmup_requests"


def versions(folder: str | os.PathLike[str]) -> list[int]:
    """Return the versions in a model's folder, ascending; none if there is no such folder."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    return sorted(
        int(each.name) for each in folder.iterdir() if each.name.isdecimal() and each.is_dir()
    )


def save(servable: Servable, path: str | os.PathLike[str]) -> None:
    """Write a SavedModel into an empty folder, with a record of what it is and warm-up requests.

    Raises:
        OSError: If it can't be written.
    """
    module = tf.Module()
    # The module has TensorFlow's variables, not Keras's layers, of which a server knows nothing.
    module.weights = [variable.value for variable in servable.network.variables]
    signatures = servable.signatures()
    folder = pathlib.Path(path)
    try:
        tf.saved_model.save(module, os.fspath(path), signatures=signatures)
    except tf.errors.OpError as error:  # a full disk, for instance
        raise OSError(f"`{path}` cannot be written: {error.message}") from error
    (folder / _EXTRA).mkdir()
    write_json(folder / _EXTRA / _RECORD, {**servable.record(), **_versions()})
    write_requests(folder / WARMUP, servable)


def read_record(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Read what :func:`save` recorded of a SavedModel.

    Raises:
        ExportError: If there is no such record, or it is damaged.
    """
    file = pathlib.Path(path) / _EXTRA / _RECORD
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(
            f"`{path}` must be what `stylezoo export` wrote: {_EXTRA}/{_RECORD} can't be read"
        ) from error


def write_json(path: pathlib.Path, content: Any) -> None:
    """Write a file of JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    return {"stylezoo": stylezoo.__version__, "tensorflow": tf.__version__}
