"""SavedModels as TensorFlow Serving wants them: ``<name>/<version>/``."""

import contextlib
import errno
import functools
import inspect
import json
import os
import pathlib
from collections.abc import Iterator, Mapping
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

    What ``tf.saved_model.load`` returns can be called as the Keras model is, and has a method of each
    signature's name, which takes a dictionary, as :class:`keras.layers.TFSMLayer` passes one. ``serve`` is
    the name of ``serving_default`` that Keras looks for.

    Raises:
        OSError: If it can't be written.
    """
    module = tf.Module()
    # The module has TensorFlow's variables, not Keras's layers, of which a server knows nothing.
    module.weights = [variable.value for variable in servable.network.variables]
    signatures = servable.signatures()
    for name, function in _endpoints(signatures).items():
        setattr(module, name, function)
    folder = pathlib.Path(path)
    with system_errors():
        tf.saved_model.save(module, os.fspath(path), signatures=signatures)
    (folder / _EXTRA).mkdir()
    write_json(folder / _EXTRA / _RECORD, {**servable.record(), **_versions()})
    write_requests(folder / WARMUP, servable)


def _endpoints(signatures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Python calls of a loaded SavedModel, by the attribute's name."""
    default = signatures["serving_default"]
    found = {name: _of_a_dictionary(function) for name, function in signatures.items()}

    @tf.function(autograph=False, input_signature=default.input_signature)
    @functools.wraps(default.python_function)  # for the inputs' names
    def call(*inputs: tf.Tensor, **named: tf.Tensor) -> Any:
        outputs = default(*inputs, **named)
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    return {**found, "serve": found["serving_default"], "__call__": call}


def _of_a_dictionary(function: Any) -> Any:
    """Return the function of one dictionary, in which inputs that have a default may be missing."""
    parameters = inspect.signature(function.python_function).parameters
    specs = dict(zip(parameters, function.input_signature, strict=True))
    needed = {name for name, each in parameters.items() if each.default is each.empty}

    @tf.function(autograph=False)
    def endpoint(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return function(**inputs)

    for names in (specs.keys(), needed):  # the same function twice if nothing may be missing
        endpoint.get_concrete_function({name: specs[name] for name in names})
    return endpoint


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


@contextlib.contextmanager
def system_errors() -> Iterator[None]:
    """Turn TensorFlow's errors of writing, which name a node of a graph, into OSErrors with the reason."""
    reasons = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
    try:
        yield
    except tf.errors.OpError as error:
        known = (each for each in map(os.strerror, reasons) if each in error.message)
        raise OSError(next(known, error.message)) from error


def _versions() -> dict[str, str]:
    return {"stylezoo": stylezoo.__version__, "tensorflow": tf.__version__}
