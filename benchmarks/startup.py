"""How long a user waits for help: whole processes, from start to end.

Usage: python -m benchmarks.startup [--output=RESULT.json]
"""

import pathlib
import subprocess
import sys

from absl import app, flags

from benchmarks import results

_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/startup.json", "Where figures go.")
_REPEATS = flags.DEFINE_integer("repeats", 10, "Of each timing.", 1)

_STYLEZOO = str(pathlib.Path(sys.executable).with_name("stylezoo"))
_COMMANDS = {
    "python": [sys.executable, "-c", ""],
    "import stylezoo": [sys.executable, "-c", "import stylezoo"],
    "stylezoo --help": [_STYLEZOO, "--help"],
    "stylezoo transfer --help": [_STYLEZOO, "transfer", "--help"],
}


def main(argv: list[str]) -> None:
    """Time every command in turn."""
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
