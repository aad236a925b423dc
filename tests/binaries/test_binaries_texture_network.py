"""`stylezoo texture --method=network`: one pass of a trained texture network."""

import json
import pathlib

import numpy as np
import pytest
from binaries_helpers import snapshot

from stylezoo import generators, images
from stylezoo.binaries import main

# An output file is rounded to 8 bits.
ROUNDING = 0.5 / 255 + 1e-6


@pytest.fixture
def generator(tmp_path, monkeypatch):
    """A texture network with random weights, in model.h5 of the current folder."""
    monkeypatch.chdir(tmp_path)
    config = generators.generator_config("texture_network", width=0.25)
    generator = generators.Generator(config, config.build(), ("bricks",), {"task": "texture"})
    generators.save("model.h5", generator)
    return generator


def run(arguments):
    return main.run(["texture", "--method=network", *arguments.split()])


def test_paints_what_the_library_does(generator):
    assert run("--model=model.h5 --size=35x50 --seed=3 --output=out.png --report=out.json") == 0
    painted = images.read_image("out.png")
    expected = generators.paint_texture(generator, (35, 50), seed=3).numpy()
    np.testing.assert_allclose(painted, expected, atol=ROUNDING)
    report = json.loads(pathlib.Path("out.json").read_text(encoding="utf-8"))
    assert report["training"] == {"task": "texture"}
    assert report["seconds"] > 0


def test_another_seed_is_another_texture(generator):
    first, again, second = (
        generators.paint_texture(generator, (32, 32), seed=seed).numpy() for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).mean() > ROUNDING


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--output=out.png", "`--model` must be given"),
        ("--model=none.h5 --output=out.png", "`--model` must be a file, or one of "),
        (
            "--model=model.h5 --source=a.png --output=out.png",
            "`--source` must not be given with --method=network",
        ),
        (
            "--model=model.h5 --steps=3 --output=out.png",
            "`--steps` must not be given with --method=network",
        ),
        ("--model=model.h5 --size=0 --output=out.png", "`--size` must be HEIGHTxWIDTH in px"),
        (
            "--model=johnson.h5 --output=out.png",
            "`--model` must be a texture network. Received: one of the type JohnsonConfig",
        ),
        ("--model=model.h5 --output=model.png", "`model.png` already exists"),
        (
            "--method=wei --model=model.h5 --output=out.png",
            "`--method` must be one of gatys, cnnmrf, efros_leung, wei_levoy, network. Received: wei",
        ),
        (
            "--method=gatys --source=a.png --model=model.h5 --output=out.png",
            "`--model` must come with --method=network",
        ),
    ],
)
def test_bad_input(arguments, message, generator, capsys):
    config = generators.generator_config("johnson", width=0.1)
    generators.save("johnson.h5", generators.Generator(config, config.build(), ("a",)))
    pathlib.Path("model.png").write_bytes(b"kept")
    before = snapshot()
    assert run(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("stylezoo texture: error: ")
    assert message in error
    assert error.count("\n") == 1
    assert snapshot() == before
