"""Commands killed at random moments: nothing is half-written, and what was begun goes on as if not."""

import os
import pathlib
import random
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
from PIL import Image

from stylezoo import images, video
from stylezoo.binaries import main

ROOT = pathlib.Path(main.__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
TRAIN = [
    "train_texture",
    "--generator=texture_network",
    "--width=0.25",
    "--num_scales=2",
    "--source=photo.png",
    "--source_size=40",
    "--image_size=40",
    "--batch_size=1",
    "--steps=12",
    "--save_every=2",
    "--sample_every=100",
    "--weights=vgg16.h5",
    "--precision=float32",
]
STYLIZE = ["stylize", "photos", "--model=light", "--style=udnie", "--output=painted", "--overwrite"]
EXPORT = ["export", "--model=gravel", "--output=exports"]
VIDEO = ["video", "clip.mkv", "--model=light", "--style=udnie", "--stabilize"]

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path, monkeypatch, random_weights):
    monkeypatch.chdir(tmp_path)
    photo = Image.open(images.sample_path("astronaut")).resize((96, 80))
    photo.save("photo.png")
    pathlib.Path("photos").mkdir()
    for index in range(20):
        photo.rotate(18 * index).save(f"photos/{index}.png")
    pathlib.Path("vgg16.h5").symlink_to(random_weights("vgg16"))
    return tmp_path


def run(arguments, *, after=None):
    """Run a command, and kill it after some seconds if that is given; return its exit status."""
    command = [sys.executable, "-m", "stylezoo.binaries.start", *arguments]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            _, error = process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return -signal.SIGKILL
    assert process.returncode == 0, error
    return 0


def killed_until_done(arguments, *, seed, longest):
    """Run a command again and again, each time killed later, until it ends; return how often it was."""
    moments = random.Random(seed)
    count = 0
    while run(arguments, after=moments.uniform(0.3, 1) * longest) != 0:
        count, longest = count + 1, 1.3 * longest
        yield
    assert count, "a command that was never killed shows nothing"


@pytest.mark.parametrize("seed", [0, 1])
def test_training(folder, seed):
    run([*TRAIN, "--run=unbroken"])
    for _ in killed_until_done([*TRAIN, "--run=broken"], seed=seed, longest=12):
        pass
    unbroken, broken = (
        read_weights(f"{name}/model/model.weights.h5") for name in ("unbroken", "broken")
    )
    assert unbroken.keys() == broken.keys()
    for name, each in unbroken.items():
        np.testing.assert_array_equal(broken[name], each)


def read_weights(path):
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None
        )
    return found


def test_batch(folder):
    for _ in killed_until_done(STYLIZE, seed=2, longest=15):
        for path in pathlib.Path("painted").glob("[0-9]*"):
            images.read_image(path)  # whole
    names = {path.name for path in pathlib.Path("painted").iterdir()}
    assert names == {f"{index}.png" for index in range(20)}, "what was left behind is swept"


@pytest.mark.parametrize("seed", [4, 5])
def test_video(folder, seed):
    photo = images.read_image("photo.png")
    frames = video.at_rate(np.roll(photo, 2 * index, axis=2) for index in range(30))
    video.write_clip("clip.mkv", frames, video.Timing.constant(25))
    run([*VIDEO, "--output=unbroken.mp4"])
    unbroken, broken = (pathlib.Path(f"{each}.mp4") for each in ("unbroken", "broken"))
    for _ in killed_until_done([*VIDEO, "--output=broken.mp4"], seed=seed, longest=12):
        if broken.exists():  # it was killed between its last frame and its end
            break
    else:
        assert not list(folder.glob("*.unfinished"))
    assert broken.read_bytes() == unbroken.read_bytes()


def test_export(folder):
    for _ in killed_until_done(EXPORT, seed=3, longest=12):
        if pathlib.Path("exports/gravel/1").exists():  # it was killed when that was whole
            break
    left = [path.name for path in pathlib.Path("exports/gravel").iterdir()]
    assert not [name for name in left if name.startswith(".stylezoo-")]
    assert "1" in left
