"""ONNX files, for any size and batch, with a record of their origin inside."""

import json
import os
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from stylezoo import reading
from stylezoo.errors import ExportError
from stylezoo.export.servables.servable import Servable

_METADATA = "stylezoo.json"
_AXES = ("batch", "height", "width")


def convert(servable: Servable) -> bytes:
    """Convert a model to the content of an ONNX file, by tf2onnx.

    Args:
        servable: What :func:`stylezoo.export.load` returned.

    Raises:
        ModuleNotFoundError: If tf2onnx isn't installed.
        ExportError: If the model needs operators that ONNX lacks.
    """
    import onnx
    import tf2onnx  # noqa: F401  # Keras imports it too, but its error has no name of a package

    network = servable.portable()
    network(network.input)  # Keras wants a model that has been called
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "model.onnx"
        try:
            network.export(file, format="onnx", verbose=False)
            onnx.checker.check_model(file)  # tf2onnx writes what it doesn't know as it is
        except (ValueError, onnx.checker.ValidationError) as error:
            reason = str(error).partition("\n")[0][:300]
            raise ExportError(f"ONNX can't hold this model: {reason}") from error
        model = onnx.load(file)
    for tensor in (*model.graph.input, *model.graph.output):
        _name_axes(tensor)
    record = {
        **servable.record(),
        "inputs": {each.name: _shape(each) for each in model.graph.input},
        "outputs": {each.name: _shape(each) for each in model.graph.output},
    }
    return with_record(model.SerializeToString(), record)


def _name_axes(tensor: Any) -> None:
    """Name the sides of a tensor that may be of any size, which tf2onnx numbers throughout."""
    for axis, dim in zip(_AXES, tensor.type.tensor_type.shape.dim, strict=False):
        if dim.dim_param:
            # Noise and features have sides of their own.
            dim.dim_param = axis if axis == "batch" else f"{tensor.name}_{axis}"


def _shape(tensor: Any) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in tensor.type.tensor_type.shape.dim]


def with_record(content: bytes, record: Mapping[str, Any]) -> bytes:
    """Return the file's content with a record in its metadata, in place of an earlier one."""
    import onnx

    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {_METADATA: json.dumps(record)})
    return model.SerializeToString()


class OnnxModel:
    """An ONNX file run by ONNX Runtime on the CPU.

    Args:
        path: The file.
        num_threads: Number of threads of the CPU; 0 for one per core.

    Attributes:
        record: What :func:`convert` recorded.

    Raises:
        ModuleNotFoundError: If ONNX Runtime isn't installed.
        ExportError: If the file can't be read, is damaged, or was not written by :func:`convert`.
    """

    def __init__(self, path: str | os.PathLike[str], *, num_threads: int = 0) -> None:
        import onnxruntime

        try:
            content = reading.read_bytes(path)
        except OSError as error:
            raise ExportError(f"`{path}` can't be read: {error.strerror or error}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors are derived from Exception alone
            raise ExportError(f"`{path}` is damaged: ONNX Runtime can't load it") from error
        properties = self._session.get_modelmeta().custom_metadata_map
        if _METADATA not in properties:
            raise ExportError(
                f"`{path}` must be what `stylezoo export` wrote: it has no {_METADATA}"
            )
        self.record: Mapping[str, Any] = json.loads(properties[_METADATA])

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model, and return its outputs by name."""
        names = [each.name for each in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, dict(inputs)), strict=True))


def read_onnx_record(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Read what :func:`convert` recorded in a file.

    Raises:
        ExportError: If the file can't be read, is damaged, or was not written by :func:`convert`.
    """
    return OnnxModel(path).record
