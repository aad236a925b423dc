"""A SavedModel run by TensorFlow's C++ loader and runtime in a process without TensorFlow's Python."""

import os
import pathlib
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from stylezoo.errors import ExportError

_PROGRAM = pathlib.Path(__file__).with_name("c_session.py")
SAVED_MODEL_FILE = "saved_model.pb"


class RuntimeStatusError(Exception):
    """TensorFlow's C API answered with an error status.

    Attributes:
        code: The number of the ``absl::StatusCode``; 3 is INVALID_ARGUMENT.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_signatures(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Return the SignatureDefs of a SavedModel by name, as it declares them.

    Raises:
        ExportError: If ``path`` is no SavedModel that is whole as far as its graph goes.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    file = pathlib.Path(path) / SAVED_MODEL_FILE
    try:
        model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except OSError as error:
        raise ExportError(f"`{path}` must be a SavedModel: {error.strerror}") from error
    except DecodeError as error:
        raise ExportError(f"`{path}` is damaged: {SAVED_MODEL_FILE} can't be parsed") from error
    if not model.meta_graphs or not model.meta_graphs[0].signature_def:
        raise ExportError(f"`{path}` is damaged: {SAVED_MODEL_FILE} has no signatures")
    return model.meta_graphs[0].signature_def


class SavedModelSession:
    """A SavedModel in a process of its own, to be used in a ``with`` block.

    Args:
        path: The SavedModel's folder.
        environment: Variables that the process gets besides this one's.

    Raises:
        ExportError: If the C++ loader can't load it.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.signatures = read_signatures(path)
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
        # -P: the program's folder must not come before the standard library.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM), os.fspath(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**quiet, **os.environ, **(environment or {})},
        )
        try:
            self._answer()
        except RuntimeStatusError as error:
            self.close()
            raise ExportError(f"`{path}` can't be loaded: {_brief(error)}") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "SavedModelSession":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int:
        """The number of the process."""
        return self._process.pid

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def __call__(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a signature, and return its outputs by name; strings are arrays of bytes.

        Raises:
            RuntimeStatusError: If TensorFlow refuses the request.
        """
        return self.timed(signature, inputs)[0]

    def timed(
        self, signature: str, inputs: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], float]:
        """Run a signature, and return its outputs and the seconds inside TensorFlow."""
        declared = self.signatures[signature]
        names = list(declared.outputs)
        request = (
            {declared.inputs[name].name: np.asarray(each) for name, each in inputs.items()},
            [declared.outputs[name].name for name in names],
        )
        assert self._process.stdin is not None
        pickle.dump(request, self._process.stdin)
        self._process.stdin.flush()
        arrays, seconds = self._answer()
        return dict(zip(names, arrays, strict=True)), seconds

    def _answer(self) -> tuple[list[np.ndarray], float]:
        assert self._process.stdout is not None
        try:
            kind, *content = pickle.load(self._process.stdout)
        except EOFError:
            status = self._process.wait()
            raise ExportError(f"TensorFlow's C++ runtime ended with status {status}") from None
        if kind == "error":
            raise RuntimeStatusError(*content)
        arrays, seconds = content
        return arrays, seconds


def _brief(error: RuntimeStatusError) -> str:
    """Return the first line of an error's message, without the trace of nodes that follows."""
    return str(error).partition("\n")[0]
