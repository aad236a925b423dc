"""`stylezoo texture --method=network`: one pass of a trained texture network."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from snapshots import snapshot

from stylezoo import generators, images
from stylezoo.binaries import main

# An output file is rounded to 8 bits.
ROUNDING = 0.5 / 255 + 1e-6


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a texture network with random weights, and the path of its preset."""
    config = generators.generator_config("texture_network", width=0.25)
    painter = generators.build(config, styles=("bricks",))
    painter.training_record = {"task": "texture"}
    preset = tmp_path_factory.mktemp("made") / "model"
    painter.save_to_preset(preset)
    return painter, preset


@pytest.fixture
def painter(made, tmp_path, monkeypatch):
    """Return the network, whose preset is ``model`` in the current folder."""
    painter, preset = made
    shutil.copytree(preset, tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    return painter


def run(arguments):
    return main.run(["texture", "--method=network", *arguments.split()])


def test_paints_what_the_library_does(painter):
    assert run("--model=model --size=35x50 --seed=3 --output=out.png --report=out.json") == 0
    painted = images.read_image("out.png")
    expected = painter.paint(size=(35, 50), seed=3)
    np.testing.assert_allclose(painted, expected, atol=ROUNDING)
    report = json.loads(pathlib.Path("out.json").read_text(encoding="utf-8"))
    assert report["training"] == {"task": "texture"}
    assert report["seconds"] > 0


def test_another_seed_is_another_texture(painter):
    first, again, second = (painter.paint(size=(32, 32), seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).mean() > ROUNDING


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--output=out.png", "`--model` must be given"),
        ("--model=none --output=out.png", "`--model` must be a preset's folder, or one of "),
        (
            "--model=model --source=a.png --output=out.png",
            "`--source` must not be given with --method=network",
        ),
        (
            "--model=model --steps=3 --output=out.png",
            "`--steps` must not be given with --method=network",
        ),
        ("--model=model --size=0 --output=out.png", "`--size` must be HEIGHTxWIDTH in px"),
        (
            "--model=johnson --output=out.png",
            "`--model` must be a texture network. Received: one that paints photographs",
        ),
        ("--model=model --output=model.png", "`model.png` already exists"),
        (
            "--method=wei --model=model --output=out.png",
            "`--method` must be one of gatys, cnnmrf, efros_leung, wei_levoy, network. Received: wei",
        ),
        (
            "--method=gatys --source=a.png --model=model --output=out.png",
            "`--model` must come with --method=network",
        ),
    ],
)
def test_bad_input(arguments, message, painter, capsys):
    config = generators.generator_config("johnson", width=0.1)
    generators.build(config, styles=("a",)).save_to_preset("johnson")
    pathlib.Path("model.png").write_bytes(b"kept")
    before = snapshot()
    assert run(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("stylezoo texture: error: ")
    assert message in error
    assert error.count("\n") == 1
    assert snapshot() == before
