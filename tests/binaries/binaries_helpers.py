"""Helpers of the tests of bad input."""

import pathlib
import re


def snapshot(folder="."):
    """Return every file below a folder with its content, and every folder."""
    folder = pathlib.Path(folder)
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def assert_one_line(error, command, message):
    assert error.count("\n") == 1
    assert error.startswith(f"stylezoo {command}: error: ")
    assert re.search(message, error), error
    assert "Traceback" not in error
