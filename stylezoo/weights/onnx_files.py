"""Read the weights of ONNX files by protobuf, which TensorFlow needs too, and without the package onnx.

Only the fields that are read are declared here, by the numbers of the format's ``onnx.proto3``.
"""

import functools
import types
from typing import Any

import numpy as np

from stylezoo import messages
from stylezoo.errors import WeightsError

# The name, the number and the type of each field; the types of repeated ones are in brackets.
_MESSAGES: dict[str, tuple[tuple[str, int, Any], ...]] = {
    "Tensor": (
        ("dims", 1, ["int64"]),
        ("data_type", 2, "int32"),
        ("name", 8, "string"),
        ("raw_data", 9, "bytes"),
    ),
    "Node": (("input", 1, ["string"]), ("output", 2, ["string"]), ("op_type", 4, "string")),
    "Graph": (("node", 1, ["Node"]), ("initializer", 5, ["Tensor"])),
    "Model": (("graph", 7, "Graph"),),
}
# Dtypes by the numbers of TensorProto.DataType.
_DTYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8"}


def read_onnx(contents: bytes) -> dict[str, np.ndarray]:
    """Return the kernels, biases and other parameters of a network.

    Args:
        contents: The file's bytes.

    Returns:
        Float32 arrays by the format's names, quantised ones as the numbers that they stand for. A
        convolution's bias is called ``KERNEL:bias``, whatever its own name is: equal ones may have one
        between them.

    Raises:
        WeightsError: If it is not a readable ONNX file.
    """
    from google.protobuf.message import DecodeError

    model = _classes().Model()
    try:
        model.ParseFromString(contents)
    except DecodeError as error:
        raise WeightsError(f"not a readable ONNX file: {error}") from error
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    arrays = {
        name: _array(tensor)
        for name, tensor in stored.items()
        if _DTYPES.get(tensor.data_type) == "<f4" and tensor.raw_data
    }
    # A convolution reads what DequantizeLinear made of an array, a scale and a zero point.
    names = {name: name for name in stored}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            array, scale, zero = (_array(stored[name]) for name in node.input)
            names[node.output[0]] = node.input[0]
            arrays[node.input[0]] = _dequantized(array, scale, zero)
        elif node.op_type == "Conv" and len(node.input) == 3:
            _, kernel, bias = (names.get(name, "") for name in node.input)
            arrays[f"{kernel}:bias"] = arrays[bias]
    return arrays


def _dequantized(array: np.ndarray, scale: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """Return (array - zero) scale, in float32, each channel of the first axis by its own."""
    channels = (-1,) + (1,) * (array.ndim - 1)
    shifted = array.astype(np.int64) - zero.astype(np.int64).reshape(channels)
    return shifted.astype(np.float32) * scale.reshape(channels)


def _array(tensor: Any) -> np.ndarray:
    dtype = _DTYPES.get(tensor.data_type)
    if dtype is None or not tensor.raw_data:
        raise WeightsError(f"{tensor.name} is stored in a way that is not understood")
    return np.frombuffer(tensor.raw_data, dtype).reshape(list(tensor.dims))


@functools.cache
def _classes() -> types.SimpleNamespace:
    return messages.declare("onnx", _MESSAGES)
