"""TensorFlow without its start-up messages."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Import TensorFlow for a command: what it says of CPUs and drivers is not a user's concern.

    With $TF_CPP_MIN_LOG_LEVEL set to anything it says what that asks for.
    """
    if _LOG_LEVEL in os.environ:
        return
    os.environ[_LOG_LEVEL] = "3"
    # TensorFlow 2.21 heeds it only once its C++ log is initialised, which is late in the import.
    with silent_stderr():
        tensorflow = importlib.import_module("tensorflow")
    # It warns of a graph that is traced again and again: each size and layer has its own here.
    tensorflow.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Standard error of the process, C++ included, to nowhere."""
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
