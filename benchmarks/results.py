"""What every suite writes beside its figures."""

import datetime
import itertools
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from stylezoo.binaries.common import reporting
from stylezoo.progress import Callback


def write(path: str | pathlib.Path, suite: str, figures: Mapping[str, Any]) -> None:
    """Write a suite's figures as JSON, with the machine, versions and command; print them too."""
    result = {
        "suite": suite,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", f"benchmarks.{suite}", *sys.argv[1:]]),
        "machine": {
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.platform(terse=True),
            "device": reporting.device(),
        },
        "versions": reporting.versions(),
        "figures": figures,
    }
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def alternate(runs: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Return the median seconds of each run, timed in turn so that a drift of the machine meets all alike."""
    return {name: statistics.median(each) for name, each in timings(runs, repeats=repeats).items()}


def timings(runs: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each run, timed in turn; a run that returns a float has timed itself."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()  # traces and warms up
    for _ in range(repeats):
        for name, run in runs.items():
            began = time.perf_counter()
            own = run()
            elapsed = time.perf_counter() - began
            seconds[name].append(own if isinstance(own, float) else elapsed)
    return seconds


def seconds_per_step(train: Callable[[Callback], object]) -> float:
    """Run a training that calls back after each of its steps, and return the median seconds of a step."""
    moments: list[float] = []
    train(lambda _: moments.append(time.perf_counter()))
    seconds = [later - earlier for earlier, later in itertools.pairwise(moments)]
    # The first steps are traced and optimised, the last is followed by samples and saving.
    return statistics.median(seconds[2:-1])


def run_command(*arguments: str) -> dict[str, Any]:
    """Run a whole ``stylezoo`` process that makes a picture, and return its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        given = any(argument.startswith("--output=") for argument in arguments)
        outputs = [f"--report={report}", *([] if given else [f"--output={folder}/picture.png"])]
        command = [sys.executable, "-m", "stylezoo.binaries.main", *arguments, *outputs]
        subprocess.run(command, check=True)
        figures: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return figures


def cost(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the peak memory of a process that optimised a picture, and its seconds a step at full size."""
    last = report["levels"][-1]
    return {
        "peak_rss_mb": report["peak_rss_mb"],
        "seconds_per_step_at_full_size": last["seconds"] / last["steps"],
        "steps": last["steps"],
    }


def _processor() -> str:
    """Return the processor's name, as far as the system tells."""
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
