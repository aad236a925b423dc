"""The commands that train, end to end in two steps, and a table of bad input for each."""

import dataclasses
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import tensorflow as tf
import tqdm
from binaries_helpers import assert_one_line
from PIL import Image
from snapshots import snapshot

from stylezoo import generators, images, objectives, training
from stylezoo.binaries import main
from stylezoo.generators import mobilenet
from stylezoo.perceptual import Perceptual
from stylezoo.training import trainer

NETWORK = "--network=alexnet_owt --weights=alexnet.h5 --content_layers=relu2"
LOOP = "--steps=2 --batch_size=2 --image_size=48 --width=0.1 --log_every=1 --save_every=1 --run=run"
STYLE = (
    "--styles=paintings/one.png --content=photos --generator=light --style_layers=relu1,relu2 "
    f"{NETWORK} {LOOP}"
)
TEXTURE = (
    "--source=paintings/one.png --network=alexnet_owt --weights=alexnet.h5 "
    f"--style_layers=relu1,relu2 {LOOP} --width=0.25"
)
SUPERRES = f"--content=photos {NETWORK} {LOOP} --width=0.05"
FINETUNE = STYLE.replace("--generator=light", "").replace("--width=0.1", "")
GOOD = {"train_style": STYLE, "train_texture": TEXTURE, "train_superres": SUPERRES}


def spots(seed, size):
    """A PIL image of soft spots of colour."""
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


SMALL = {
    "light": generators.LightConfig(num_blocks=1),
    "arbitrary": generators.ArbitraryConfig(num_blocks=1),
    "texture_network": generators.TextureNetworkConfig(num_scales=2),
    "superres_x4": generators.SuperResolutionConfig(num_blocks=1),
}


@pytest.fixture
def small(monkeypatch):
    """Give the presets that are trained here fewer layers, so that each takes a second."""
    monkeypatch.setattr(mobilenet, "_STAGES", mobilenet._STAGES[:2])
    for name, config in SMALL.items():
        monkeypatch.setitem(generators.ARCHITECTURES, name, config)


@pytest.fixture(scope="module")
def files(tmp_path_factory, random_weights):
    """A folder with photographs, paintings and weights, and with what can't be used."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("photos", "paintings", "empty", "notes", "lonely", "broken", "other"):
        (folder / name).mkdir()
    for seed in range(5):
        spots(seed, (50 + 4 * seed, 60)).save(folder / "photos" / f"{seed}.jpg")
    spots(10, (40, 50)).save(folder / "paintings" / "one.png")
    spots(11, (50, 40)).save(folder / "paintings" / "two.jpg")
    (folder / "alexnet.h5").symlink_to(random_weights("alexnet_owt"))
    (folder / "notes" / "text.txt").write_text("no picture", encoding="utf-8")
    spots(1, (60, 60)).save(folder / "lonely" / "only.jpg")
    spots(1, (8, 256)).save(folder / "narrow.png")
    cut = (folder / "photos" / "0.jpg").read_bytes()[:100]
    for name in ("0.jpg", "1.jpg", "one.jpg"):
        (folder / "broken" / name).write_bytes(cut)
    (folder / "other" / "config.json").write_text('{"task": "other"}', encoding="utf-8")
    (folder / "damaged.h5").write_bytes((folder / "alexnet.h5").read_bytes()[:5000])
    johnson = generators.JohnsonConfig((1, 1, 1), num_blocks=0)
    generators.build(johnson, styles=("x",)).save_to_preset(folder / "johnson")
    light = generators.LightConfig((1, 1), num_blocks=0)
    generators.build(light, styles=("one",)).save_to_preset(folder / "one")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, files):
    """The current folder, a copy of ``files``."""
    shutil.copytree(files, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path / "home"))
    return tmp_path


def run(command, *flags):
    """Flags may be given as one string."""
    return main.run([command, *(flag for each in flags for flag in each.split())])


def train(command, *flags):
    return run(command, GOOD[command], *flags)


def records(path):
    lines = pathlib.Path(path, "losses.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def numbers(path):
    """Return all weights in a preset."""
    return [variable.numpy() for variable in generators.load(path).variables]


def paint(model, weights):
    image = tf.constant(images.read_image("photos/0.jpg"))
    return model({"image": image, "style_weights": tf.constant([weights])}).numpy()


def assert_same_weights(path, other):
    ours, theirs = numbers(path), numbers(other)
    assert len(ours) == len(theirs)
    for one, two in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, two)


def assert_run(path, *, losses, steps=2):
    """Assert that a run's folder has all that every one has."""
    path = pathlib.Path(path)
    names = {each.name for each in path.iterdir()}
    (events,) = (name for name in names if name.startswith("events.out.tfevents."))
    assert names == {"checkpoints", "config.json", "losses.jsonl", "model", "samples", events}
    assert (path / events).stat().st_size > 1000  # with a picture in it
    shown = [f"{0:06d}.jpg", f"{steps:06d}.jpg"]
    assert sorted(each.name for each in (path / "samples").iterdir()) == shown
    found = records(path)
    assert [each["step"] for each in found if "train/total" in each] == list(range(1, steps + 1))
    assert [each["step"] for each in found if "held_out/total" in each] == [0, steps]
    for name in losses:
        assert all(f"train/{name}" in each for each in found if "train/total" in each)
    assert all(np.all(np.isfinite(list(each.values()))) for each in found)
    return json.loads((path / "config.json").read_text(encoding="utf-8"))


# --- end to end -------------------------------------------------------------------------------


def test_train_style_of_any_picture(folder, small):
    flags = "--generator=arbitrary --styles=photos --style_size=48"
    assert train("train_style", flags) == 0
    config = assert_run("run", losses=("style", "content"))
    assert (config["task"], config["styles"]) == ("style", ["photos"])
    paint = "--model=run/model --style=paintings/one.png --output=out.png"
    assert main.run(["stylize", "photos/1.jpg", *paint.split()]) == 0
    painter = generators.load("run/model")
    expected = painter.paint(images.read_image("photos/1.jpg"), style="paintings/one.png")
    # 8 bits have steps of 1 / 255.
    np.testing.assert_allclose(images.read_image("out.png"), expected, atol=0.003)


def test_train_style(folder, small, capsys):
    flags = "--styles=paintings/one.png,paintings/two.jpg --style_size=45 --seed=3"
    assert train("train_style", flags, "--tv_weight=0.5 --style_weight=7") == 0
    captured = capsys.readouterr()
    assert captured.out == "run/model\n"
    assert "run: 100%" in captured.err  # the progress bar
    assert re.search(r"2/2 .*content=.*style=.*tv=.*total=", captured.err)
    config = assert_run("run", losses=("style", "content", "tv"))
    assert (config["task"], config["style_size"]) == ("style", 45)
    assert config["styles"] == ["paintings/one.png", "paintings/two.jpg"]
    assert config["content"] == {
        "content": "photos",
        "held_out": None,
        "data_dir": None,
        "image_size": 48,
        "min_scale": 0.0,
    }
    objective = config["objective"]
    assert (objective["style_weight"], objective["content_weight"]) == (7, 1)
    assert objective["scaling"] == "relative"
    assert objective["perceptual"]["weights"] == "alexnet.h5"
    assert objective["style_layers"] == ["relu1", "relu2"]
    assert (config["loop"]["seed"], config["loop"]["num_steps"]) == (3, 2)
    model = generators.load("run/model")
    assert model.styles == ("one", "two")
    assert model.config == SMALL["light"].with_styles(2).scaled(0.1)
    assert paint(model, [0.5, 0.5]).shape == (1, 60, 50, 3)
    # Four photographs are held out, and one is left to train on.
    assert images.read_image("run/samples/000002.jpg").shape == (1, 4 * 48 + 12, 3 * 48 + 8, 3)


def test_train_texture(folder, small, capsys):
    assert train("train_texture", "--source_size=48 --objective_is=no") == 2
    capsys.readouterr()
    assert train("train_texture", "--source_size=48 --decay=cosine --learning_rate=0.01") == 0
    assert capsys.readouterr().out == "run/model\n"
    config = assert_run("run", losses=("style",))
    assert (config["task"], config["source"]) == ("texture", "paintings/one.png")
    assert (config["image_size"], config["source_size"]) == (48, 48)
    assert config["objective"]["content_layers"] == []
    assert (config["loop"]["decay"], config["loop"]["learning_rate"]) == ("cosine", 0.01)
    model = generators.load("run/model")
    assert model.styles == ("one",)
    assert model.config == SMALL["texture_network"].scaled(0.25)
    painted = model(model.noise((40, 72)))
    assert painted.shape == (1, 40, 72, 3)


def test_train_superres(folder, small, capsys):
    spots(20, (64, 64)).save("photos/broken.jpg")
    data = pathlib.Path("photos/broken.jpg").read_bytes()
    pathlib.Path("photos/broken.jpg").write_bytes(data[:200])
    assert train("train_superres", "--tv_weight=0.5 --min_scale=1 --batch_size=5") == 0
    captured = capsys.readouterr()
    assert captured.out == "run/model\n"
    assert captured.err.splitlines()[-1] == "1 pictures could not be read: broken.jpg"
    config = assert_run("run", losses=("content", "tv"))
    assert (config["task"], config["content_layers"]) == ("superres", ["relu2"])
    assert config["content"]["min_scale"] == 1
    assert config["generator"]["factor"] == 4
    assert "held_out/psnr" in records("run")[0]
    model = generators.load("run/model")
    assert model({"image": tf.zeros([1, 9, 11, 3])}).shape == (1, 36, 44, 3)


def interrupt_after(step, monkeypatch):
    """Ctrl-C when the progress bar moves to a step."""
    original = tqdm.tqdm.update

    def update(bar, count=1):
        original(bar, count)
        if bar.n == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(tqdm.tqdm, "update", update)


def test_interrupted_and_resumed(folder, small, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        interrupt_after(3, patch)
        assert train("train_style", "--steps=4 --save_every=2") == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("stylezoo train_style: error: interrupted. `run` keeps what was saved")
    assert train("train_style", "--steps=4") == 0
    captured = capsys.readouterr()
    assert captured.out == "run/model\n"
    assert "4/4" in captured.err
    assert "1/4" not in captured.err  # the bar begins where the run stopped
    assert [each["step"] for each in records("run") if "train/total" in each] == [1, 2, 3, 4]
    before = snapshot("run")
    assert train("train_style", "--steps=4") == 0  # nothing is left to do
    assert capsys.readouterr().out == "run/model\n"
    assert snapshot("run") == before


def test_finetune_style(folder):
    config = generators.LightConfig((2, 3), num_blocks=1, num_styles=2)
    base = generators.initial(config, styles=("one", "two"))
    for variable in base.variables:
        noise = np.random.default_rng(0).uniform(-0.3, 0.3, variable.shape)
        variable.assign_add(noise.astype(np.float32))
    base.save_to_preset("base")
    spots(12, (50, 40)).save("paintings/three.png")
    assert run("train_style", FINETUNE, "--styles=paintings/three.png --finetune_style=base") == 0
    joined = generators.load("run/model")
    assert joined.styles == ("one", "two", "three")
    for weights in ([1.0, 0.0], [0.0, 1.0]):
        np.testing.assert_array_equal(paint(joined, [*weights, 0.0]), paint(base, weights))
    assert np.abs(paint(joined, [0.0, 0.0, 1.0]) - paint(base, [0.5, 0.5])).max() > 1e-4


# --- flags ------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """Record what the commands ask `training` for, which does nothing here."""
    calls = []

    def train(config, *, loop, run, callback):
        calls.append((config, loop, run))
        return training.TrainingResult(None, {})

    for command in GOOD:
        monkeypatch.setattr(training, command, train)
    return calls


def test_every_flag_reaches_its_setting(folder, asked):
    settings = {
        "steps": 7,
        "batch_size": 3,
        "learning_rate": 0.5,
        "clip_norm": 1.5,
        "average": 0.25,
        "decay": "cosine",
        "precision": "mixed_float16",
        "distribution": "mirrored",
        "seed": 4,
        "log_every": 11,
        "save_every": 12,
        "sample_every": 13,
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    for command in GOOD:
        assert train(command, *flags, "--run=there") == 0
        _, found, path = asked.pop()
        wanted = {"num_steps" if name == "steps" else name: v for name, v in settings.items()}
        wanted["jit_compile"] = False  # it does not go with several replicas
        assert dataclasses.asdict(found) == wanted
        assert path == "there"

    photographs = "--held_out=coco/2014 --data_dir=there --min_scale=0.5 --image_size=64"
    objective = "--pooling=avg --style_weight=2 --tv_weight=3 --style_layers=relu1"
    more = "--style_size=99 --content_weight=4 --objective=dumoulin2017 --init_weights=w.h5"
    assert train("train_style", photographs, objective, more, "--generator=conditional") == 0
    config, _, _ = asked.pop()
    content = training.ContentConfig("photos", "coco/2014", "there", 64, 0.5)
    assert config == training.StyleTraining(
        generator=generators.ARCHITECTURES["conditional"].scaled(0.1).with_styles(1),
        styles=("paintings/one.png",),
        content=content,
        objective=objectives.Objective(
            Perceptual("alexnet_owt", "alexnet.h5", "avg"),
            content_layers=("relu2",),
            style_layers=("relu1",),
            content_weight=4.0,
            style_weight=2.0,
            tv_weight=3.0,
            scaling="dumoulin2017",
        ),
        style_size=99,
        init_weights="w.h5",
    )
    shares = "--style_layers=relu1,relu2 --style_layer_weights=1,0.5"
    assert train("train_style", photographs, shares) == 0
    assert asked.pop()[0].objective.style_layer_weights == (1.0, 0.5)
    more = "--source_size=98 --image_size=64 --init_weights=w.h5 --generator=ulyanov2016-texture"
    assert train("train_texture", objective, f"{more} --num_scales=4") == 0
    config, _, _ = asked.pop()
    assert config == training.TextureTraining(
        generator=generators.TextureNetworkConfig(channels=2, num_scales=4, normalization="batch"),
        source="paintings/one.png",
        objective=objectives.Objective(
            Perceptual("alexnet_owt", "alexnet.h5", "avg"),
            content_layers=(),
            style_layers=("relu1",),
            style_weight=2.0,
            tv_weight=3.0,
        ),
        image_size=64,
        source_size=98,
        init_weights="w.h5",
    )
    more = "--pooling=avg --tv_weight=3 --init_weights=w.h5 --generator=johnson2016-superres-x8"
    assert train("train_superres", photographs, more) == 0
    config, _, _ = asked.pop()
    assert config == training.SuperresTraining(
        generator=generators.SuperResolutionConfig(8, width=3, upsampling="transposed"),
        content=content,
        perceptual=Perceptual("alexnet_owt", "alexnet.h5", "avg"),
        content_layers=("relu2",),
        tv_weight=3.0,
        init_weights="w.h5",
    )


def test_what_is_not_given(folder, asked):
    content = training.ContentConfig("photos")
    assert run("train_style", "--styles=a/x.png --content=photos --run=run") == 0
    assert run("train_texture", "--source=x.png --run=run") == 0
    assert run("train_superres", "--content=photos --run=run") == 0
    assert asked == [
        (config, training.LoopConfig(), "run")
        for config in (
            training.StyleTraining(generators.JohnsonConfig(), ("a/x.png",), content),
            training.TextureTraining(generators.ARCHITECTURES["texture_network"], "x.png"),
            training.SuperresTraining(generators.ARCHITECTURES["superres_x4"], content),
        )
    ]


def test_flagfile(folder, asked):
    lines = ["# small", *STYLE.split(), "--seed=5"]
    pathlib.Path("small.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run("train_style", "--flagfile=small.cfg --steps=1") == 0
    assert train("train_style", "--seed=5 --steps=1") == 0
    assert asked[0] == asked[1]
    assert asked[0][1].seed == 5


@pytest.mark.parametrize("name", ["conditional", "light"])
def test_shipped_flagfiles(name, asked):
    file = pathlib.Path(main.__file__).parents[2] / "configs" / f"{name}.cfg"
    text = file.read_text(encoding="utf-8").splitlines()
    lines = [line for line in text if not line.startswith("#")]
    assert any(f"configs/{name}.cfg" in line for line in text if line.startswith("#"))
    flags = f"--flagfile={file} --styles=a.png,b.png --content=photos --run=run"
    assert run("train_style", flags) == 0
    ((config, settings, _),) = asked
    said = dict(line.removeprefix("--").split("=") for line in lines)
    generator = generators.ARCHITECTURES[said["generator"]].scaled(float(said.get("width", 1)))
    identity = "identity_weight" in said  # one more row of scales and shifts
    assert config.generator == generator.with_styles(2 + identity)
    assert config.style_size == int(said["style_size"])
    assert settings.num_steps == int(said["steps"])
    assert settings.decay == said.get("decay", "none")
    assert settings.average == float(said["average"])


# --- bad input --------------------------------------------------------------------------------


@pytest.fixture
def idle(monkeypatch):
    """Fail the test if a step is about to be done."""

    def untouchable(*_):
        pytest.fail("began to work before it found the error")

    monkeypatch.setattr(trainer._Trainer, "run", untouchable)


CONTENT = [
    ("--data_dir=photos", "`--data_dir` must come with a dataset of TensorFlow Datasets"),
    ("--content=", "`--content` must be given"),
    ("--content=empty", "`--content` must hold pictures .*'empty', which has none"),
    ("--content=notes", "`--content` must hold pictures .*'notes', which has none"),
    ("--content=lonely", "`--content` must hold 2 pictures or more. Received: lonely, 1 picture"),
    ("--content=broken", "must hold a picture that can be read"),
    (
        "--content=paintings/one.png",
        "`--content` must be a folder of pictures or the name .*a file",
    ),
    (
        "--content=nowhere",
        "`--content` must be a folder of pictures or the name of a TensorFlow Data",
    ),
    ("--held_out=empty", "`--held_out` must hold pictures .*'empty', which has none"),
    ("--min_scale=2", "min_scale"),
    ("--content_layers=relu9", "`--content_layers` of alexnet_owt must be among .*: relu9"),
    ("--image_size=12", "`--image_size` must be at least .*for the layer relu2 of alexnet_owt"),
]
STYLES = [
    ("--style_layers=relu9", "`--style_layers` of alexnet_owt must be among .*: relu9"),
    ("--style_weight=nan", "`--style_weight` must be finite"),
    ("--style_weight=-1", "style_weight"),
]
# Of every command: flags that replace or follow the good ones, and the message.
COMMON = [
    ("--run=", "`--run` must be given"),
    ("--run=photos", "`--run` must be a run's folder, or empty. Received: photos"),
    ("--run=paintings/one.png", "Not a directory: 'paintings/one.png'"),
    ("--run=/proc/run", "/proc/run"),
    (
        "--run=other",
        r"`--run` must be .*configuration. Received: other \(.*loop.seed was None, is 0",
    ),
    ("junk", "expected flags only. Received: junk"),
    ("--nonsense=1", "Unknown command line flag 'nonsense'"),
    ("--flagfile=missing.cfg", "missing.cfg"),
    ("--generator=vgg16", "`--generator` must be one of johnson, .* Received: --generator='vgg16'"),
    ("--width=-1", "width"),
    ("--width=0", "`--width` must be > 0. Received: --width=0"),
    ("--steps=0", "steps"),
    ("--steps=many", "steps.*many"),
    ("--batch_size=0", "batch_size"),
    ("--learning_rate=0", "`--learning_rate` must be > 0"),
    ("--learning_rate=nan", "`--learning_rate` must be finite"),
    ("--clip_norm=-1", "clip_norm"),
    ("--clip_norm=nan", "`--clip_norm` must be finite"),
    ("--average=1", "`--average` must be in \\[0, 1\\). Received: --average=1.0"),
    ("--decay=linear", "`--decay` must be one of none, cosine, ulyanov2016. .*decay='linear'"),
    ("--precision=half", "`--precision` must be one of auto, float32, mixed_bfloat16"),
    ("--distribution=tpu", "`--distribution` must be one of none, mirrored, multi_worker"),
    ("--seed=-1", "seed"),
    ("--save_every=0", "save_every"),
    ("--network=vgg99", "vgg16, vgg19.*Received.*vgg99"),
    ("--weights=none.h5", "`--weights` must be 'imagenet', one of .*none.h5"),
    ("--weights=damaged.h5", "damaged.h5"),
    ("--pooling=min", "`--pooling` must be one of max, avg. Received: --pooling='min'"),
    ("--tv_weight=-1", "tv_weight"),
    (
        "--init_weights=none",
        "`--init_weights` must be a preset's folder, or one of .*Received: none",
    ),
    ("--init_weights=damaged.h5", "`--init_weights` must be a preset of this version"),
    ("--init_weights=johnson", "`--init_weights` must (be a .* like|fit into) `--generator`"),
]
TABLE = {
    "train_style": [
        *CONTENT,
        *STYLES,
        ("--styles=", "`--styles` must be given"),
        ("--styles=none.png", "`none.png` does not exist"),
        ("--styles=broken/0.jpg", "`broken/0.jpg` is not an image that can be decoded"),
        ("--styles=paintings", "`paintings` is a folder"),
        (
            "--generator=arbitrary --styles=paintings --style_size=48",
            "`--styles` must hold 5 pictures or more. Received: paintings, 2",
        ),
        (
            "--generator=arbitrary --style_size=48",
            "`--styles` must be a folder of pictures or the name .*one.png', a file",
        ),
        (
            "--generator=arbitrary --styles=paintings,photos --style_size=48",
            "`--styles` must be one folder of paintings",
        ),
        (
            "--styles=paintings/one.png,broken/one.jpg --generator=conditional",
            "`--styles` must be pictures of different names. Received: paintings/one.png, broken/one",
        ),
        ("--styles=narrow.png", "`styles: narrow.png` must be at least .*for the layer relu2"),
        ("--style_size=10", "`styles: paintings/one.png` must be at least .*for the layer relu2"),
        ("--style_size=0", "style_size"),
        (
            "--styles=paintings/one.png,paintings/two.jpg --generator=johnson",
            "`--styles` must be 1 without conditional normalisation. Received: --styles=2",
        ),
        ("--generator=superres_x4", "`--generator` must paint photographs"),
        ("--generator=texture_network", "`--generator` must paint photographs"),
        (
            "--objective=gatys2016",
            "`--objective` must be one of relative, gatys2016-paper, .*: gatys2016$",
        ),
        ("--content_weight=inf", "`--content_weight` must be finite"),
        (
            "--style_layer_weights=1",
            "`--style_layer_weights` must be .* one for each of relu1, relu2",
        ),
        ("--style_layer_weights=1,x", "--style_layer_weights=1,x: .*could not convert"),
        ("--patch_stride=2", "`--patch_stride` must come with --style_loss=mrf"),
        (
            "--objective=cnnmrf --styles=paintings/one.png,paintings/two.jpg --generator=light",
            "`--styles` must be one picture with the style loss of patches",
        ),
        ("--finetune_style=one", "`--generator` must not be given with --finetune_style"),
    ],
    "train_texture": [
        *STYLES,
        ("--source=", "`--source` must be given"),
        ("--source=none.png", "`none.png` does not exist"),
        ("--source=narrow.png", "`--source` must be at least .*for the layer relu2"),
        ("--source_size=12", "`--source` must be at least .*for the layer relu2"),
        ("--image_size=12", "`--image_size` must be at least .*for the layer relu2"),
        ("--generator=johnson", "`--generator` must be a texture network. Received: johnson"),
        ("--generator=ulyanov2017-stylize", "`--generator` must paint textures"),
    ],
    "train_superres": [
        *CONTENT,
        ("--image_size=50", "`--image_size` must be a multiple of 4"),
        ("--generator=superres_x8 --image_size=52", "`--image_size` must be a multiple of 8"),
        ("--generator=johnson", "`--generator` must be for super-resolution. Received: johnson"),
    ],
}
CASES = [
    pytest.param(command, flags, message, id=f"{command} {flags}")
    for command, own in TABLE.items()
    for flags, message in itertools.chain(COMMON, own)
]


@pytest.mark.parametrize(("command", "flags", "message"), CASES)
def test_bad_input(command, flags, message, folder, idle, capsys):
    before = snapshot(folder)
    assert train(command, flags) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, command, message)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("", "`--styles` must be new to the model. Received: one$"),
        ("--width=0.5", "`--width` must not be given with --finetune_style"),
        ("--init_weights=one", "`--init_weights` must not be given with --finetune_style"),
        (
            "--finetune_style=johnson --styles=paintings/two.jpg",
            "`--finetune_style` must be a conditional one",
        ),
        (
            "--finetune_style=johnson --styles=paintings/one.png,paintings/two.jpg",
            "`--styles` must be 1 without",
        ),
        (
            "--finetune_style=none",
            "`--finetune_style` must be a preset's folder, or one of .*Received: none",
        ),
        ("--finetune_style=damaged.h5", "`--finetune_style` must be a preset of this version"),
    ],
)
def test_bad_finetuning(flags, message, folder, idle, capsys):
    before = snapshot(folder)
    assert run("train_style", FINETUNE, "--finetune_style=one", flags) == 1
    assert_one_line(capsys.readouterr().err, "train_style", message)
    assert snapshot(folder) == before


def test_batch_that_does_not_divide(folder, idle, capsys, monkeypatch):
    three = types.SimpleNamespace(num_replicas_in_sync=3)
    monkeypatch.setattr(trainer, "strategy_of", lambda _: three)
    before = snapshot(folder)
    assert train("train_superres", "--distribution=mirrored") == 1
    message = "`--batch_size` must be a multiple of the 3 replicas. Received: --batch_size=2"
    assert_one_line(capsys.readouterr().err, "train_superres", message)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    "cluster",
    ["{", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 7}}'],
)
def test_bad_cluster(cluster, folder, idle, capsys, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", cluster)
    before = snapshot(folder)
    assert train("train_style", "--distribution=multi_worker") == 1
    message = f"`TF_CONFIG` must describe the cluster in JSON. Received: {re.escape(cluster)}"
    assert_one_line(capsys.readouterr().err, "train_style", message)
    assert snapshot(folder) == before


def test_run_of_another_configuration(folder, small, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(trainer._Trainer, "run", lambda *_: training.TrainingResult(None, {}))
        assert train("train_style") == 0
    before = snapshot(folder)
    capsys.readouterr()
    flags = "--learning_rate=0.01 --style_weight=3 --styles=paintings/two.jpg --log_every=7"
    assert train("train_style", flags) == 1
    message = (
        r"Received: run \(loop.learning_rate was 0.001, is 0.01, objective.style_weight was 10.0, "
        r"is 3.0, styles was \['paintings/one.png'\], is \['paintings/two.jpg'\]\)$"
    )
    assert_one_line(capsys.readouterr().err, "train_style", message)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [
        (FloatingPointError("step 3: style is nan"), 1, "step 3: style is nan"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted$"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_a_run(raised, status, message, folder, monkeypatch, capsys):
    def fail(*_):
        raise raised

    monkeypatch.setattr(trainer._Trainer, "run", fail)
    assert train("train_style") == status
    assert_one_line(capsys.readouterr().err, "train_style", message)


# --- killed -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_and_resumed(folder):
    """SIGKILL, which nothing can answer, at three moments; then once more to the end."""
    script = pathlib.Path(sys.executable).with_name("stylezoo")
    flags = [*STYLE.split(), "--steps=60", "--save_every=5", "--sample_every=10"]
    command = [script, "train_style", *flags]
    subprocess.run([*command, "--run=unbroken"], capture_output=True, check=True, timeout=200)
    rng = np.random.default_rng()
    state = pathlib.Path("run/checkpoints/checkpoint")
    stopped = []
    for _ in range(3):
        before = state.stat().st_mtime_ns if state.exists() else 0
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 120
            while not state.exists() or state.stat().st_mtime_ns == before:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.3))
        finally:
            process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            stopped.append(tf.train.latest_checkpoint("run/checkpoints"))
    assert stopped  # unless it was done before the signal
    subprocess.run(command, capture_output=True, check=True, timeout=200)
    assert_same_weights("run/model", "unbroken/model")
    assert records("run") == records("unbroken")
    samples = [snapshot(f"{name}/samples") for name in ("run", "unbroken")]
    assert samples[0] == samples[1]


# --- several machines -------------------------------------------------------------------------


@pytest.mark.slow
def test_two_workers(folder):
    """As two machines would be started, with a folder that both see; the first one writes."""
    script = pathlib.Path(sys.executable).with_name("stylezoo")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    hosts = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    command = [script, "train_style", *STYLE.split(), "--distribution=multi_worker"]
    processes = []
    try:
        for index in range(2):
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            processes.append(
                subprocess.Popen(
                    command,
                    env={**os.environ, "TF_CONFIG": json.dumps(task)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        for process in processes:
            output, error = process.communicate(timeout=150)
            assert (process.returncode, output) == (0, "run/model\n"), error
            assert "2/2" in error
            assert "Traceback" not in error
    finally:
        for process in processes:
            process.kill()
    config = assert_run("run", losses=("style", "content"))
    assert config["loop"]["distribution"] == "multi_worker"
