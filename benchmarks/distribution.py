"""What training on several machines costs: throughput of one worker and of two, and what follows for more.

Usage: python -m benchmarks.distribution [--generator=NAME] [--output=RESULT.json]

Each worker is a process that is pinned to a core of its own and takes the same number of pictures, so that
with two of them the work of a step is twice as large. They find each other on this machine, whose network is
memory. What is said of more workers is computed: a ring all-reduce sends 2 (n - 1) / n times the gradient's
bytes from each worker at every step, after the step of one worker and at the bandwidth of its network. That
some of this is done while gradients are still computed, and what messages cost beside bytes, is left out.
"""

import functools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from absl import app, flags

from benchmarks import results
from stylezoo import generators, images, training

_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/distribution.json", "Where figures go.")
_GENERATOR = flags.DEFINE_string("generator", "light", "Preset of the network that is trained.")
_SIZE = flags.DEFINE_integer("image_size", 128, "Of the photographs, px.", 16)
_BATCH = flags.DEFINE_integer("batch_size", 2, "Of each worker.", 1)
_STEPS = flags.DEFINE_integer("steps", 12, "Of each training.", 5)
_REPEATS = flags.DEFINE_integer("repeats", 3, "Of each training.", 1)
_RUN = flags.DEFINE_string(
    "run", None, "Be a worker, train in this folder, and print seconds a step."
)
_WORKERS = (8, 64)
_GIGABITS = (1, 10, 100)


def seconds_per_step(run: str, num_workers: int) -> float:
    """Train, as one worker of so many, and return the seconds of a step after it was traced."""
    config = training.StyleTraining(
        generator=generators.generator_config(_GENERATOR.value),
        styles=(str(images.sample_path("retina")),),
        content=training.ContentConfig(
            str(images.sample_path("chelsea").parent), image_size=_SIZE.value
        ),
    )
    loop = training.LoopConfig(
        num_steps=_STEPS.value,
        batch_size=_BATCH.value * num_workers,
        save_every=_STEPS.value,
        sample_every=_STEPS.value,
        precision="float32",
        distribution="multi_worker" if num_workers > 1 else "none",
    )
    return results.seconds_per_step(
        lambda callback: training.train_style(config, loop=loop, run=run, callback=callback)
    )


def measure(num_workers: int) -> float:
    """Return the seconds of a step with so many workers, each on a core of its own."""
    hosts = [f"127.0.0.1:{port}" for port in _free_ports(num_workers)]
    cores = sorted(os.sched_getaffinity(0))[:num_workers]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.distribution", f"--run={folder}/run"]
        command += [f"--{flag.name}={flag.value}" for flag in (_GENERATOR, _SIZE, _BATCH, _STEPS)]
        processes = [
            subprocess.Popen(
                command,
                env={**os.environ, "TF_CONFIG": _tf_config(hosts, index)},
                stdout=subprocess.PIPE,
                preexec_fn=functools.partial(os.sched_setaffinity, 0, [core]),
            )
            for index, core in enumerate(cores)
        ]
        printed = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("a worker failed")
    return max(float(each.split()[-1]) for each in printed)


def _tf_config(hosts: list[str], index: int) -> str:
    return json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def sent_bytes(gradient_bytes: int, num_workers: int) -> float:
    """Return the bytes that each worker sends at a step."""
    return 2 * (num_workers - 1) / num_workers * gradient_bytes


def throughput(seconds: float, num_workers: int, alone: float) -> dict[str, float]:
    """Return what a step's seconds mean, and the share of them that one worker would need as well."""
    return {
        "seconds_per_step": seconds,
        "images_per_second": num_workers * _BATCH.value / seconds,
        "efficiency": alone / seconds,
    }


def figures() -> dict[str, Any]:
    """Measure one worker and two by turns, and compute what follows for more."""
    config = generators.generator_config(_GENERATOR.value)
    gradient_bytes = 4 * sum(
        variable.shape.num_elements() for variable in generators.build(config).trainable_variables
    )
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(_REPEATS.value):
        for num_workers, each in seconds.items():
            each.append(measure(num_workers))
    alone, both = (statistics.median(each) for each in seconds.values())
    return {
        "generator": _GENERATOR.value,
        "image_size": _SIZE.value,
        "batch_size_of_each_worker": _BATCH.value,
        "gradient_bytes": gradient_bytes,
        "measured_seconds": seconds,
        "measured": {1: throughput(alone, 1, alone), 2: throughput(both, 2, alone)},
        "computed": {
            f"{num_workers} workers, {gigabits} Gbit/s": {
                "sent_bytes_of_each_worker": sent_bytes(gradient_bytes, num_workers),
                **throughput(
                    alone + 8 * sent_bytes(gradient_bytes, num_workers) / (gigabits * 1e9),
                    num_workers,
                    alone,
                ),
            }
            for num_workers in _WORKERS
            for gigabits in _GIGABITS
        },
    }


def main(_: list[str]) -> None:
    """Be a worker, or start workers and measure them."""
    if _RUN.value:
        hosts = json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"]
        print(seconds_per_step(_RUN.value, len(hosts)))
    else:
        results.write(_OUTPUT.value, "distribution", figures())


if __name__ == "__main__":
    app.run(main)
