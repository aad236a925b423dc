"""A program that runs a SavedModel through TensorFlow's C API and never imports TensorFlow's Python.

Usage: python -P c_session.py SAVED_MODEL

It loads the model with the C++ loader that TensorFlow Serving is built on, from the shared library of
TensorFlow's wheel, and answers requests on standard input until that ends. A request is a pickled pair of
inputs, which are arrays by tensor name, and names of output tensors. An answer is pickled too: it is
``("ok", arrays, seconds)``, or ``("error", code, message)`` with a code of ``absl::StatusCode``. The first
answer tells whether the model was loaded.
``saved_model_session.py`` is the other end.
"""

import contextlib
import ctypes
import importlib.util
import os
import pathlib
import pickle
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

_INVALID_ARGUMENT = 3
# NumPy's types by the numbers of TF_DataType.
_TYPES = {"float32": 1, "uint8": 4, "int32": 3, "int64": 9, "object": 7}
_STRING = _TYPES["object"]
_NAMES = {number: name for name, number in _TYPES.items()}
# This is sizeof(TF_TString).
_STRING_SIZE = 24

_Pointer = ctypes.c_void_p
_String = ctypes.c_char_p
_Int64Array = ctypes.POINTER(ctypes.c_int64)
# Types of the results and arguments of the functions in use.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "TF_NewStatus": (_Pointer, []),
    "TF_DeleteStatus": (None, [_Pointer]),
    "TF_GetCode": (ctypes.c_int, [_Pointer]),
    "TF_Message": (_String, [_Pointer]),
    "TF_NewGraph": (_Pointer, []),
    "TF_NewSessionOptions": (_Pointer, []),
    "TF_LoadSessionFromSavedModel": (
        _Pointer,
        [
            *(_Pointer, _Pointer, _String, ctypes.POINTER(_String), ctypes.c_int),
            *(_Pointer, _Pointer, _Pointer),
        ],
    ),
    "TF_GraphOperationByName": (_Pointer, [_Pointer, _String]),
    "TF_AllocateTensor": (_Pointer, [ctypes.c_int, _Int64Array, ctypes.c_int, ctypes.c_size_t]),
    "TF_DeleteTensor": (None, [_Pointer]),
    "TF_TensorType": (ctypes.c_int, [_Pointer]),
    "TF_NumDims": (ctypes.c_int, [_Pointer]),
    "TF_Dim": (ctypes.c_int64, [_Pointer, ctypes.c_int]),
    "TF_TensorData": (_Pointer, [_Pointer]),
    "TF_TensorByteSize": (ctypes.c_size_t, [_Pointer]),
    "TF_StringInit": (None, [_Pointer]),
    "TF_StringCopy": (None, [_Pointer, _String, ctypes.c_size_t]),
    "TF_StringGetDataPointer": (_Pointer, [_Pointer]),
    "TF_StringGetSize": (ctypes.c_size_t, [_Pointer]),
    "TF_StringDealloc": (None, [_Pointer]),
}


class _Output(ctypes.Structure):
    """TF_Output: one of an operation's outputs."""

    _fields_ = (("operation", _Pointer), ("index", ctypes.c_int))


class StatusError(Exception):
    """TensorFlow answered with an error status."""


def load_library() -> Any:
    """Load TensorFlow's shared library and declare its functions."""
    spec = importlib.util.find_spec("tensorflow")  # finds TensorFlow without importing it
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("tensorflow is not installed")
    folder = pathlib.Path(spec.submodule_search_locations[0])
    library = ctypes.CDLL(str(next(folder.glob("libtensorflow_cc.*"))))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    pointers = ctypes.POINTER(_Pointer)
    outputs = ctypes.POINTER(_Output)
    library.TF_SessionRun.restype = None
    library.TF_SessionRun.argtypes = [
        *(_Pointer, _Pointer),
        *(outputs, pointers, ctypes.c_int),
        *(outputs, pointers, ctypes.c_int),
        *(_Pointer, ctypes.c_int, _Pointer, _Pointer),
    ]
    return library


class Session:
    """A loaded SavedModel, which several threads may run at the same time."""

    def __init__(self, library: Any, path: str) -> None:
        self._tf = library
        self._graph = library.TF_NewGraph()
        with self._status() as status:
            self._session = library.TF_LoadSessionFromSavedModel(
                library.TF_NewSessionOptions(),
                None,
                os.fsencode(path),
                (_String * 1)(b"serve"),
                1,
                self._graph,
                None,
                status,
            )

    def run(
        self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> tuple[list[np.ndarray], float]:
        """Return the outputs, and the seconds that TensorFlow took."""
        fed = (_Output * len(inputs))(*map(self._output, inputs))
        tensors = [self._tensor(array) for array in inputs.values()]
        fetched = (_Output * len(outputs))(*map(self._output, outputs))
        results = (_Pointer * len(outputs))()
        began = time.perf_counter()
        try:
            with self._status() as status:
                self._tf.TF_SessionRun(
                    *(self._session, None),
                    *(fed, (_Pointer * len(tensors))(*tensors), len(tensors)),
                    *(fetched, results, len(outputs)),
                    *(None, 0, None, status),
                )
        finally:
            for tensor in tensors:
                self._delete(tensor)
        seconds = time.perf_counter() - began
        tensors = [result or 0 for result in results]
        arrays = [self._array(tensor) for tensor in tensors]
        for tensor in tensors:
            self._delete(tensor)
        return arrays, seconds

    @contextlib.contextmanager
    def _status(self) -> Iterator[int]:
        """Yield a status for the block's call, and raise a StatusError if it is one of an error then."""
        status = self._tf.TF_NewStatus()
        try:
            yield status
            if code := self._tf.TF_GetCode(status):
                raise StatusError(code, self._tf.TF_Message(status).decode(errors="replace"))
        finally:
            self._tf.TF_DeleteStatus(status)

    def _output(self, name: str) -> _Output:
        operation, _, index = name.partition(":")
        found = self._tf.TF_GraphOperationByName(self._graph, operation.encode())
        if not found:
            raise StatusError(_INVALID_ARGUMENT, f"the graph has no operation {operation}")
        return _Output(found, int(index))

    def _tensor(self, array: np.ndarray) -> int:
        """Make a tensor of an array; an array of objects, which are bytes, becomes a string tensor."""
        kind = _TYPES[array.dtype.name]
        size = array.size * _STRING_SIZE if kind == _STRING else array.nbytes
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        tensor = self._tf.TF_AllocateTensor(kind, shape, array.ndim, size)
        data = self._tf.TF_TensorData(tensor)
        if kind != _STRING:
            ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
            return tensor
        for index, value in enumerate(array.ravel()):
            string = data + index * _STRING_SIZE
            self._tf.TF_StringInit(string)
            self._tf.TF_StringCopy(string, value, len(value))
        return tensor

    def _array(self, tensor: int) -> np.ndarray:
        kind = _NAMES[self._tf.TF_TensorType(tensor)]
        shape = [self._tf.TF_Dim(tensor, axis) for axis in range(self._tf.TF_NumDims(tensor))]
        array = np.empty(shape, kind)
        if kind != "object":
            ctypes.memmove(array.ctypes.data, self._tf.TF_TensorData(tensor), array.nbytes)
            return array
        array.ravel()[:] = [self._string(string) for string in self._strings(tensor)]
        return array

    def _strings(self, tensor: int) -> range:
        """Return the addresses of the strings of a tensor."""
        data = self._tf.TF_TensorData(tensor) or 0
        return range(data, data + self._tf.TF_TensorByteSize(tensor), _STRING_SIZE)

    def _string(self, string: int) -> bytes:
        size = self._tf.TF_StringGetSize(string)
        return ctypes.string_at(self._tf.TF_StringGetDataPointer(string), size)

    def _delete(self, tensor: int) -> None:
        if self._tf.TF_TensorType(tensor) == _STRING:
            for string in self._strings(tensor):
                self._tf.TF_StringDealloc(string)
        self._tf.TF_DeleteTensor(tensor)


def _serve(path: str, requests: Any, answers: Any) -> None:
    def answer(*content: Any) -> None:
        if "tensorflow" in sys.modules:
            raise AssertionError("TensorFlow's Python was imported")
        pickle.dump(content, answers)
        answers.flush()

    try:
        session = Session(load_library(), path)
    except StatusError as error:
        answer("error", *error.args)
        return
    answer("ok", [], 0.0)
    while True:
        try:
            inputs, outputs = pickle.load(requests)
        except EOFError:
            return
        try:
            answer("ok", *session.run(inputs, outputs))
        except StatusError as error:
            answer("error", *error.args)


def _main() -> None:
    # Answers have a descriptor of their own: what TensorFlow prints must not get among them.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        _serve(sys.argv[1], sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
