"""TFLite files run by LiteRT's GPU delegate, on WebGPU in a headless Chromium."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stylezoo.errors import ExportError
from stylezoo.export.litert import read_tflite_record
from stylezoo.export.servables.servable import Servable, smooth_picture
from stylezoo.export.verify.verification import Check, verify_tflite
from stylezoo.weights import cache

_PROGRAM = pathlib.Path(__file__).with_name("webgpu.mjs")
# npm's packages and their hashes: package.json, package-lock.json.
_LOCKED = pathlib.Path(__file__).with_name("npm")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_INSTALL_SECONDS, _RUN_SECONDS = 300, 900


class NoBrowserError(OSError):
    """A program that the check needs is missing; the error says nothing about the export."""


def verify_on_gpu(servable: Servable, path: str | os.PathLike[str]) -> list[Check]:
    """Compare a TFLite file with the Keras model, run by the GPU delegate.

    The adapter may be one in software, SwiftShader, which is slow, so that small files are better.

    Raises:
        ExportError: If the file is damaged, or for pictures of any size.
        NoBrowserError: If Node.js, Chromium, npm's packages or a WebGPU adapter are missing.
    """
    record = read_tflite_record(path)
    if record["size"] is None:
        raise ExportError(f"`{path}` must be of one size to run on a GPU: it is of any")
    height, width = record["size"]
    pictures = [smooth_picture(height, width, seed=seed) for seed in range(2)]
    calls = [servable.portable_inputs(picture, index) for index, picture in enumerate(pictures)]
    answer = _run(path, calls)
    runtime = f"LiteRT, WebGPU ({answer['adapter']})"
    outputs = iter(answer["outputs"])

    def run(_: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            name: np.frombuffer(base64.b64decode(data), "<f4").reshape(record["outputs"][name])
            for name, data in next(outputs).items()
        }

    checks = verify_tflite(servable, path, pictures, run=run, runtime=runtime)
    whole = bool(answer["fullyAccelerated"])
    note = "" if whole else "the delegate left some to the CPU"
    return [Check(runtime, "all operators delegated", np.nan, np.nan, whole, note), *checks]


def _run(
    path: str | os.PathLike[str], calls: Sequence[Mapping[str, np.ndarray]]
) -> Mapping[str, Any]:
    node, browser = shutil.which("node"), next(filter(None, map(shutil.which, _BROWSERS)), None)
    for what, found in (("Node.js", node), ("Chromium", browser)):
        if not found:
            raise NoBrowserError(f"the check on a GPU needs {what}, which is not installed")
    request = {
        "model": str(pathlib.Path(path).resolve()),
        "calls": [{name: _encoded(each) for name, each in call.items()} for call in calls],
    }
    try:
        result = subprocess.run(
            [str(node), str(_PROGRAM), str(_node_modules()), str(browser)],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoBrowserError(f"the check on a GPU took longer than {_RUN_SECONDS} s") from error
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if "Error" in line] or [
            "no reason given"
        ]
        raise NoBrowserError(f"the check on a GPU failed: {lines[0].strip()}")
    return json.loads(result.stdout)


def _node_modules() -> pathlib.Path:
    """Return the folder of npm's packages in the cache, after installing those that are missing.

    npm compares them with the hashes of the lock file, and runs no script of theirs.
    """
    lock = (_LOCKED / "package-lock.json").read_bytes()
    folder = cache.root().parent / "npm" / hashlib.sha256(lock).hexdigest()[:16]
    modules = folder / "node_modules"
    if (modules / ".package-lock.json").is_file():
        return modules
    npm = shutil.which("npm")
    if not npm:
        raise NoBrowserError("the check on a GPU needs npm, which is not installed")
    shutil.copytree(_LOCKED, folder, dirs_exist_ok=True)
    command = [npm, "ci", "--prefix", str(folder), "--omit=dev", "--ignore-scripts"]
    command += ["--no-audit", "--no-fund"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
    except subprocess.SubprocessError as error:
        raise NoBrowserError(f"npm could not install {folder}/package.json: {error}") from error
    return modules


def _encoded(array: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()
    return {"shape": list(array.shape), "data": data}
