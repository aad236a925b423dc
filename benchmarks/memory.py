"""Peak memory of each command on a photograph of 12 megapixels at its defaults, and over a folder.

Usage: python -m benchmarks.memory [--output=RESULT.json] [--pictures=100] [--only=COMMAND,...]

Commands that optimise end after one step, which takes as much as all. A folder of small pictures shows
what is kept from one picture to the next: the peak after all of them less the peak after a tenth. The
figures are written as they come, so that those of a run that is interrupted are not lost.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks import results
from stylezoo import images

_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/memory.json", "JSON file to write figures to."
)
_PICTURES = flags.DEFINE_integer("pictures", 100, "Number of pictures in the folder.", 10)
_ONLY = flags.DEFINE_list("only", [], "Measure these only; by default all.")

_PHOTO_SIZE = 4032, 3024
_SMALL_SIZE = 160, 120
_COMMANDS = {  # the quickest first
    "classify": "classify photo.jpg",
    "visualize attribution": "visualize attribution --image=photo.jpg --class=285 --output=out.png",
    "visualize inversion": (
        "visualize inversion --image=photo.jpg --layers=fire3 --steps=1 --output=out.png"
    ),
    "visualize dream": (
        "visualize dream --image=photo.jpg --layers=fire8 --steps=1 --octaves=1 --output=out.png"
    ),
    "evaluate": "evaluate --picture=photo.jpg --content=photo.jpg --style=painting.jpg",
    "invert": "invert --image=photo.jpg --layer=relu3_1 --steps=1 --output=out.png",
    "transfer": "transfer --content=photo.jpg --style=painting.jpg --steps=1 --output=out.png",
    "texture": "texture --source=photo.jpg --steps=1 --output=out.png",
    "stylize light": "stylize photo.jpg --model=light --style=udnie --output=out.png",
    "stylize": "stylize photo.jpg --style=udnie --output=out.png",
}
_FOLDERS = {
    "stylize": "stylize FOLDER --model=light --style=udnie --output=painted",
    "classify": "classify FOLDER",
}


def peak_mb(command: str, folder: pathlib.Path) -> float:
    """Run a command in a folder, and return the peak of its resident memory, in MB.

    Raises:
        RuntimeError: If the command fails; the message is its last line.
    """
    overwrite = ["--overwrite"] if "--output" in command else []
    process = subprocess.Popen(
        [sys.executable, "-m", "stylezoo.binaries.start", *command.split(), *overwrite],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[1])},
    )
    assert process.stderr is not None
    error = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"stylezoo {command}: {error.splitlines()[-1:]}")
    return usage.ru_maxrss * 1024 / 1e6


def growth_mb(command: str, folder: pathlib.Path) -> float:
    """Return how much more a command takes for a whole folder than for a tenth of it, in MB."""
    tenth, whole = (peak_mb(command.replace("FOLDER", name), folder) for name in ("tenth", "whole"))
    return whole - tenth


def _make_pictures(folder: pathlib.Path) -> None:
    noise = np.random.default_rng(0).integers(0, 40, (*_PHOTO_SIZE[::-1], 1), np.uint8)
    photo = Image.open(images.sample_path("coffee")).convert("RGB").resize(_PHOTO_SIZE)
    photo = Image.fromarray(np.asarray(photo) // 8 * 7 + noise)
    photo.save(folder / "photo.jpg")
    Image.open(images.sample_path("retina")).save(folder / "painting.jpg")
    small = photo.resize(_SMALL_SIZE)
    for name, count in (("tenth", _PICTURES.value // 10), ("whole", _PICTURES.value)):
        (folder / name).mkdir()
        for index in range(count):
            small.save(folder / name / f"{index:03}.jpg")


def main(argv: list[str]) -> None:
    """Measure every command, and write the figures."""
    del argv
    figures: dict[str, dict[str, float]] = {"peak_mb_at_12_megapixels": {}, "growth_mb": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        _make_pictures(folder)
        for found, commands, measure in zip(
            figures.values(), (_COMMANDS, _FOLDERS), (peak_mb, growth_mb), strict=True
        ):
            for name, command in commands.items():
                if not _ONLY.value or name in _ONLY.value:
                    found[name] = measure(command, folder)
                    results.write(_OUTPUT.value, "memory", figures)


if __name__ == "__main__":
    app.run(main)
