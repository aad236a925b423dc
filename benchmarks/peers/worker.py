"""What the processes that are compared have in common: a task is made ready, then run when it is its turn.

Usage: python -m benchmarks.peers.SIDE TASK INPUTS.json

This runs in the environments of peers too, so that it imports nothing but the standard library.
"""

import importlib.metadata
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figures = dict[str, Any]
Run = Callable[[], Mapping[str, Any] | None]
Task = Callable[[Mapping[str, Any]], Run]


def _peak_memory() -> float:
    """Return the process's own peak in MB; getrusage's is at least that of whoever started it."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def serve(tasks: Mapping[str, Task], packages: Sequence[str]) -> None:
    """Make the command line's task ready, and answer every line of standard input with a run's figures."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(figures: Mapping[str, Any]) -> None:
        print(json.dumps(figures), file=answers, flush=True)

    try:
        inputs = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
        run = tasks[sys.argv[1]](inputs)
        run()  # traces and warms up
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        return
    answer({"versions": {name: importlib.metadata.version(name) for name in packages}})
    for _ in sys.stdin:
        began = time.perf_counter()
        figures = dict(run() or {})
        figures["seconds"] = time.perf_counter() - began
        figures["peak_rss_mb"] = _peak_memory()
        answer(figures)
