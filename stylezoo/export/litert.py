"""TFLite files as LiteRT reads them: their record, and what they compute on the CPU; no TensorFlow."""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from stylezoo import reading
from stylezoo.errors import ExportError

# The name of the record in a file's metadata.
METADATA = "stylezoo.json"


class LiteRtModel:
    """A TFLite file run by LiteRT on the CPU, by XNNPACK where that has the operator.

    Args:
        path: The file.
        num_threads: Number of threads of the CPU.

    Attributes:
        record: What :func:`stylezoo.export.export_tflite` recorded.
        operators: Names of the operators, in the order of execution.

    Raises:
        ExportError: If the file can't be read, is damaged, or was not written by ``stylezoo export``.
    """

    def __init__(self, path: str | os.PathLike[str], *, num_threads: int = 1) -> None:
        try:
            content = reading.read_bytes(path)
        except OSError as error:
            raise ExportError(f"`{path}` can't be read: {error.strerror or error}") from error
        interpreter = _interpreter(path, content, num_threads)
        self.record = _metadata(path, content)
        self._runner = interpreter.get_signature_runner()
        self.operators = [each["op_name"] for each in interpreter._get_ops_details()]

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model, and return its outputs by name."""
        return self._runner(**inputs)


def read_tflite_record(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Read what ``stylezoo export`` recorded in a file.

    Raises:
        ExportError: If the file can't be read, is damaged, or was not written by ``stylezoo export``.
    """
    return LiteRtModel(path).record


def _interpreter(path: str | os.PathLike[str], content: bytes, num_threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    try:
        return Interpreter(model_content=content, num_threads=num_threads)
    except (RuntimeError, ValueError) as error:
        raise ExportError(f"`{path}` is damaged: LiteRT can't load it") from error


def _metadata(path: str | os.PathLike[str], content: bytes) -> Mapping[str, Any]:
    """Return the record in a file that the interpreter has found to be whole."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == METADATA.encode():
            return json.loads(bytes(model.Buffers(entry.Buffer()).DataAsNumpy()))
    raise ExportError(f"`{path}` must be what `stylezoo export` wrote: it has no {METADATA}")
