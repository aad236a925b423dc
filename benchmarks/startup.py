"""Time from the start of a process to its end for commands that only print help.

Usage: python -m benchmarks.startup [--output=RESULT.json]
"""

import pathlib
import subprocess
import sys

from absl import app, flags

from benchmarks import results

_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/startup.json", "JSON file to write figures to."
)
_REPEATS = flags.DEFINE_integer("repeats", 10, "Number of repetitions of each timing.", 1)

_STYLEZOO = str(pathlib.Path(sys.executable).with_name("stylezoo"))
_COMMANDS = {
    "python": [sys.executable, "-c", ""],
    "import stylezoo": [sys.executable, "-c", "import stylezoo"],
    "stylezoo --help": [_STYLEZOO, "--help"],
    "stylezoo transfer --help": [_STYLEZOO, "transfer", "--help"],
    "stylezoo train_style --help": [_STYLEZOO, "train_style", "--help"],
}


def main(argv: list[str]) -> None:
    """Time every command in turn, and write the figures."""
    del argv
    runs = {
        name: lambda command=command: subprocess.run(command, check=True, capture_output=True)
        for name, command in _COMMANDS.items()
    }
    results.write(
        _OUTPUT.value, "startup", {"seconds": results.alternate(runs, repeats=_REPEATS.value)}
    )


if __name__ == "__main__":
    app.run(main)
