"""An import of TensorFlow that prints no start-up messages."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Import TensorFlow without its messages about processors and drivers.

    If the environment variable TF_CPP_MIN_LOG_LEVEL asks for them (0 or 1), messages are printed.
    """
    if os.environ.get(_LOG_LEVEL) in ("0", "1"):
        return
    os.environ[_LOG_LEVEL] = "3"
    # TensorFlow 2.21 heeds it only once its C++ log is initialised, which is late in the import.
    with silent_stderr():
        tensorflow = importlib.import_module("tensorflow")
    # It warns of a graph that is traced again and again: each size and layer has its own here.
    tensorflow.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard what the process, its C++ code included, writes to standard error."""
    sys.stderr.flush()
    stderr = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)
