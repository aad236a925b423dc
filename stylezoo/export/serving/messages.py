"""The messages of TensorFlow Serving's gRPC service that a client needs, without TensorFlow.

The generated modules of ``tensorflow-serving-api`` import all of TensorFlow, which takes seconds. The numbers
of the fields are those of ``tensorflow_serving/apis/*.proto`` and ``tensorflow/core/framework/*.proto``.
"""

import functools
import math
import types
from typing import Any

import numpy as np

from stylezoo import messages

SERVICE = "/tensorflow.serving.PredictionService"

_MESSAGES: dict[str, tuple[tuple[str, int, Any], ...]] = {
    "Dim": (("size", 1, "int64"),),
    "Shape": (("dim", 2, ["Dim"]),),
    "Tensor": (
        ("dtype", 1, "int32"),
        ("tensor_shape", 2, "Shape"),
        ("tensor_content", 4, "bytes"),
        ("float_val", 5, ["float"]),
        ("int_val", 7, ["int32"]),
        ("string_val", 8, ["bytes"]),
    ),
    "NamedTensor": (("key", 1, "string"), ("value", 2, "Tensor")),
    "ModelSpec": (("name", 1, "string"), ("signature_name", 3, "string")),
    "PredictRequest": (("model_spec", 1, "ModelSpec"), ("inputs", 2, ["NamedTensor"])),
    "PredictResponse": (("outputs", 1, ["NamedTensor"]),),
    "MetadataRequest": (("model_spec", 1, "ModelSpec"), ("metadata_field", 2, ["string"])),
    "Any": (("type_url", 1, "string"), ("value", 2, "bytes")),
    "Metadata": (("key", 1, "string"), ("value", 2, "Any")),
    "MetadataResponse": (("metadata", 2, ["Metadata"]),),
    "TensorInfo": (("tensor_shape", 3, "Shape"),),
    "NamedInfo": (("key", 1, "string"), ("value", 2, "TensorInfo")),
    "Signature": (("inputs", 1, ["NamedInfo"]), ("outputs", 2, ["NamedInfo"])),
    "NamedSignature": (("key", 1, "string"), ("value", 2, "Signature")),
    "SignatureMap": (("signature_def", 1, ["NamedSignature"]),),
}
# Numbers of DataType: the dtype of an array, and the field that may have its values one by one.
_TYPES = {1: ("<f4", "float_val"), 3: ("<i4", "int_val")}
_STRING = 7


@functools.cache
def classes() -> types.SimpleNamespace:
    """Return the classes of the messages by name."""
    return messages.declare("tensorflow.serving", _MESSAGES)


def to_tensor(array: np.ndarray) -> Any:
    """Return the message of an array of float32, int32, or bytes objects."""
    tensor = classes().Tensor()
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if array.dtype == object:
        tensor.dtype = _STRING
        tensor.string_val.extend(array.ravel().tolist())
        return tensor
    (tensor.dtype,) = (number for number, (dtype, _) in _TYPES.items() if array.dtype == dtype)
    tensor.tensor_content = array.tobytes()
    return tensor


def to_array(tensor: Any) -> np.ndarray:
    """Return the array of a message.

    Raises:
        ValueError: If it is of another type, or has not as many values as it declares. TensorFlow would
            repeat the last one, as often as a server likes.
    """
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.dtype == _STRING:
        values = np.empty(len(tensor.string_val), object)
        values[:] = list(tensor.string_val)
    elif tensor.dtype in _TYPES:
        dtype, field = _TYPES[tensor.dtype]
        stored = tensor.tensor_content
        values = np.frombuffer(stored, dtype) if stored else np.array(getattr(tensor, field), dtype)
    else:
        raise ValueError(f"a tensor of the type {tensor.dtype}")
    if values.size != math.prod(shape):
        raise ValueError(f"{values.size} values for the shape {shape}")
    return values.reshape(shape)
