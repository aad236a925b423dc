"""Time from the start of a process to its end, of commands that print help and of a first painting.

Usage: python -m benchmarks.startup [--output=RESULT.json]
"""

import pathlib
import subprocess
import sys
import tempfile

from absl import app, flags

from benchmarks import results
from stylezoo import images

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
    "import tensorflow, keras": [sys.executable, "-c", "import tensorflow, keras"],
}


def main(argv: list[str]) -> None:
    """Time every command in turn, and write the figures."""
    del argv
    with tempfile.TemporaryDirectory() as folder:
        paint = [_STYLEZOO, "stylize", str(images.sample_path("chelsea")), "--model=light"]
        output = [f"--output={folder}/painting.png", "--overwrite"]
        commands = {**_COMMANDS, "stylezoo stylize": [*paint, "--style=udnie", *output]}
        runs = {
            name: lambda command=command: subprocess.run(command, check=True, capture_output=True)
            for name, command in commands.items()
        }
        seconds = results.alternate(runs, repeats=_REPEATS.value)
    results.write(_OUTPUT.value, "startup", {"seconds": seconds})


if __name__ == "__main__":
    app.run(main)
