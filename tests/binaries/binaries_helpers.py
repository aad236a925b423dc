"""Helpers of the tests of bad input."""

import re


def assert_one_line(error, command, message):
    assert error.count("\n") == 1
    assert error.startswith(f"stylezoo {command}: error: ")
    assert re.search(message, error), error
    assert "Traceback" not in error
