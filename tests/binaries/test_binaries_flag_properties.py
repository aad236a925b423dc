"""The parser of flags, given anything (Hypothesis): a value within its bounds, or one line."""

import contextlib
import io
import math

import hypothesis
import pytest
from hypothesis import strategies

from stylezoo.binaries import main
from stylezoo.binaries.common import flag_checks

COMMANDS = [name for name in main.COMMANDS if not getattr(main._module(name), "SUBCOMMANDS", ())]
COMMANDS += [f"visualize_{name}" for name in main._module("visualize").SUBCOMMANDS]
ODD = [
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e308",
    "9" * 30,
    "-" + "9" * 30,
    "",
    "\0",
    "é",
    "0x10",
    "1_0",
]
TEXTS = strategies.sampled_from(ODD) | strategies.text(max_size=10) | strategies.integers().map(str)


def flags_of(command):
    return sorted(set(main._flag_values(main._module(command))) - {"flagfile", "undefok"})


def parsed(command, *arguments):
    values = main._flag_values(main._module(command))
    values([command, *arguments])
    flag_checks.check([], values)
    return values


FLAGS = [(command, name) for command in COMMANDS for name in flags_of(command)]


@hypothesis.settings(max_examples=300, deadline=None, derandomize=True, database=None)
@hypothesis.given(strategies.sampled_from(FLAGS), TEXTS)
def test_any_value_of_any_flag(flag, text):
    command, name = flag
    try:
        values = parsed(command, f"--{name}={text}")
    except (flag_checks.flags.Error, ValueError):
        return
    value = values[name].value
    for each in value if isinstance(value, list | tuple) else [value]:
        assert not isinstance(each, float) or math.isfinite(each)
        assert not isinstance(each, int | float) or abs(each) <= 1e18
        assert each != "" or name == "class"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_number_is_bounded(command):
    for name in flags_of(command):
        values = main._flag_values(main._module(command))
        parser = type(values[name].parser).__name__
        if parser in ("IntegerParser", "FloatParser"):
            odd = ["9" * 30] if parser == "IntegerParser" else ["nan", "inf", "-inf", "1e300"]
            for text in odd:
                with pytest.raises((ValueError, flag_checks.flags.Error), match=name):
                    parsed(command, f"--{name}={text}")


@hypothesis.settings(max_examples=100, deadline=None, derandomize=True, database=None)
@hypothesis.given(
    strategies.lists(TEXTS.filter(lambda text: text not in ("list", "fetch", "import")))
)
def test_any_arguments_are_one_line(arguments):
    hypothesis.assume("--help" not in arguments)
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        status = main.run(["weights", *arguments])
    assert status in (1, 2)
    assert error.getvalue().count("\n") == 1
