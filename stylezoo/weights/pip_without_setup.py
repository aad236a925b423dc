"""Run pip so that it downloads a source distribution, and never runs what is in it.

``pip download`` runs a source distribution's ``setup.py`` for its metadata, which nobody needs here. This
program runs pip within itself, with the user's index, certificates and proxies, and ends it when it is about
to start Python once more: the file is there by then, and its hash has been checked.

Usage: python pip_without_setup.py DESTINATION ARGUMENTS OF PIP
"""

import os
import runpy
import shutil
import sys
from typing import Any

_ARCHIVE = ".tar.gz"


class _Watch:
    """An audit hook, which no code in the process can remove."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._archive = ""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(_ARCHIVE):
            self._archive = os.fspath(arguments[0])
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
            program = os.fspath(arguments[0] or "")
            # Programs of pip's own, such as a keyring's, may run.
            if event == "subprocess.Popen" and not _is_python(program, arguments[1]):
                return
            if self._archive:
                shutil.copy(self._archive, self._destination)
            os._exit(0)  # what pip would do next is to complain


def _is_python(program: str, arguments: Any) -> bool:
    first = program or (arguments if isinstance(arguments, str) else os.fspath(arguments[0]))
    return os.path.basename(first).startswith(("python", "pypy")) or first == sys.executable  # noqa: PTH119


def main() -> None:
    """Run pip with the arguments of the command line."""
    destination, *arguments = sys.argv[1:]
    sys.argv = ["pip", *arguments]
    sys.addaudithook(_Watch(destination))
    runpy.run_module("pip", run_name="__main__")


if __name__ == "__main__":
    main()
