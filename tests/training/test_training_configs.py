"""The flag files of the pretrained models: the same command gives the same losses."""

import pathlib
import shutil
import subprocess
import sys

import pytest
from training_fakes import records

import stylezoo
from stylezoo import images

CONFIGS = pathlib.Path(stylezoo.__file__).parent.parent / "configs"
SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")
STYLE = "train_style --styles=retina.jpg,gravel.png --content=content"
COMMANDS = {
    "conditional": STYLE,
    "light": STYLE,
    "texture": "train_texture --source=gravel.png",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "content").mkdir()
    for name in SAMPLES:
        shutil.copy(images.sample_path(name), tmp_path / "content")
    for name in ("retina", "gravel"):
        shutil.copy(images.sample_path(name), tmp_path)
    return tmp_path


def first_losses(folder, config, run):
    """Return the losses of 20 steps, in a process of their own."""
    script = pathlib.Path(sys.executable).with_name("stylezoo")
    command = [script, *COMMANDS[config].split(), f"--flagfile={CONFIGS / config}.cfg"]
    # A later flag wins.
    command += ["--steps=20", "--log_every=1", "--sample_every=20", f"--run={run}"]
    subprocess.run(command, cwd=folder, check=True)
    return [row for row in records(folder / run) if "train/total" in row]


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("config", COMMANDS)
def test_the_same_command_gives_the_same_losses(folder, pretrained, config):
    """The losses are the same to the last digit, for 20 steps, and they fall."""
    pretrained("vgg16.torchvision_lpips")
    first, second = (first_losses(folder, config, run) for run in ("first", "second"))
    assert [row["step"] for row in first] == list(range(1, 21))
    assert first == second
    total = [row["train/total"] for row in first]
    assert sum(total[-5:]) < sum(total[:5])
