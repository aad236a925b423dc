"""Speed of pictures of units and of dreams, and the memory of a large dream.

Usage: python -m benchmarks.visualize [--part=PART...] [--output=RESULT.json]

The part ``activation`` measures the steps a second of pictures of classes at 224 px, in batches of 1 and 16,
for two networks. The part ``dream`` measures the seconds and the peak memory of a whole process at 2000 px.
Weights are fetched.
"""

import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

from absl import app, flags

from benchmarks import results
from stylezoo import images, perceptual, visualize
from stylezoo.progress import Progress

_PARTS = ("activation", "dream")
_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/visualize.json", "File to write the figures to."
)
_ONLY = flags.DEFINE_multi_enum("part", list(_PARTS), _PARTS, "Part to measure.")
_STEPS = flags.DEFINE_integer("steps", 12, "Number of steps of each run.", 4)
_DREAM_SIZE = flags.DEFINE_integer("dream_size", 2000, "Longest side of the dream, px.", 1)
_NETWORKS = ("squeezenet1_1", "efficientnet_lite0")


def activation_speed(network: str, batch: int) -> dict[str, float]:
    """Return the steps a second of the default preset, without the first ones, which are traced."""
    config = dataclasses.replace(visualize.PRESETS["robust"], network=network, steps=_STEPS.value)
    moments: list[float] = []

    def callback(_: Progress) -> None:
        moments.append(time.perf_counter())

    classes = tuple(range(batch))
    visualize.maximize(
        visualize.Unit(perceptual.SCORES, classes), config=config, batch=batch, callback=callback
    )
    steps = len(moments) - 3
    rate = steps / (moments[-1] - moments[2])
    return {"steps_per_second": rate, "pictures_times_steps_per_second": batch * rate}


def dream_costs(size: int) -> dict[str, float]:
    """Return the memory and time of the command in a process of its own: four octaves of two steps."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "stylezoo.binaries.main", "visualize", "dream"),
            *(f"--image={images.sample_path('retina')}", f"--size={size}", "--layers=fire6"),
            *("--steps=2", f"--output={folder}/dream.jpg", f"--report={report}"),
        ]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        content: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return {"peak_rss_mb": content["peak_rss_mb"], "seconds": content["seconds"]}


def main(_: list[str]) -> None:
    """Measure what the flags ask for."""
    figures: dict[str, Any] = {}
    if "activation" in _ONLY.value:
        figures["activation"] = {
            network: {batch: activation_speed(network, batch) for batch in (1, 16)}
            for network in _NETWORKS
        }
    if "dream" in _ONLY.value:
        figures["dream"] = dream_costs(_DREAM_SIZE.value)
    results.write(_OUTPUT.value, "visualize", figures)


if __name__ == "__main__":
    app.run(main)
