"""A table of bad input for every command: one line on standard error each, and nothing is left."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from binaries_helpers import assert_one_line
from PIL import Image
from snapshots import snapshot

from stylezoo import images, synthesis, weights
from stylezoo.binaries import main
from stylezoo.errors import WeightsError
from stylezoo.synthesis import pyramid

LAYERS = "conv1_1, relu1_1, conv1_2"


@pytest.fixture(scope="module")
def files(tmp_path_factory, random_weights):
    """Return a folder of what a user has, good and bad."""
    folder = tmp_path_factory.mktemp("files")
    with contextlib.chdir(folder):
        photo = Image.open(images.sample_path("astronaut")).resize((48, 40))
        photo.save("photo.png")
        Image.open(images.sample_path("coffee")).resize((50, 60)).save("painting.jpg")
        photo.resize((12, 40)).save("narrow.png")
        photo.resize((24, 20)).save("other_size.png")
        data = pathlib.Path("painting.jpg").read_bytes()
        pathlib.Path("truncated.jpg").write_bytes(data[: len(data) // 2])
        pathlib.Path("text.png").write_text("no picture\n", encoding="utf-8")
        pathlib.Path("empty.png").write_bytes(b"")
        pathlib.Path("directory.png").mkdir()
        Image.fromarray(np.zeros([40, 48], np.uint8)).save("black.png")
        Image.fromarray(np.full([40, 48], 255, np.uint8)).save("white.png")
        pathlib.Path("existing.png").write_bytes(b"precious")
        pathlib.Path("existing.json").write_bytes(b"precious")
        pathlib.Path("out_00001.png").write_bytes(b"precious")
        pathlib.Path("out_relu1_1.png").write_bytes(b"precious")
        pathlib.Path("binary.flags").write_bytes(b"\xff\xfe\x00")
        pathlib.Path("wrong.flags").write_text("--nonsense=1\n", encoding="utf-8")
        pathlib.Path("circle.flags").write_text("--flagfile=circle.flags\n", encoding="utf-8")
        with random_weights("vgg16").open("rb") as whole:
            pathlib.Path("damaged.h5").write_bytes(whole.read(5000))
        pathlib.Path("vgg16.h5").symlink_to(random_weights("vgg16"))
        pathlib.Path("alexnet.h5").symlink_to(random_weights("alexnet_owt"))
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, files):
    """Make a copy of ``files`` the current folder, with a cache of its own."""
    shutil.copytree(files, tmp_path, symlinks=True, dirs_exist_ok=True)
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def idle(monkeypatch):
    """Fail the test if a step is about to be done."""

    def untouchable(*_, **__):
        pytest.fail("began to work before it found the error")

    monkeypatch.setattr(pyramid, "optimize_image", untouchable)


TRANSFER = "--content=photo.png --style=painting.jpg --output=out.png --weights=vgg16.h5 --size=40"
TEXTURE = "--source=photo.png --output=out.png --weights=vgg16.h5 --size=40"
INVERT = "--image=photo.png --layer=relu3_1 --output=out.png --weights=vgg16.h5 --size=40"

# Of every command that makes a picture: flags that replace or follow the good ones, and the message.
COMMON = [
    ("--output=missing/out.png", "`missing/out.png` cannot be written: `missing` does not exist"),
    ("--output=photo.png/out.png", "`photo.png` is not a folder"),
    ("--output=directory.png", "`directory.png` is a folder"),
    ("--output=out.xyz", r"`out.xyz` must end in one of .*\.png"),
    ("--output=out", r"`out` must end in one of .*\.png"),
    ("--output=existing.png", "`existing.png` already exists. Give another path, or `--overwrite`"),
    ("--output=/proc/out.png", "`/proc/out.png` cannot be written"),
    ("--output=", "`--output` must be given"),
    ("--report=missing/r.json", "`missing` does not exist"),
    ("--report=r.txt", r"`r.txt` must end in one of \.json"),
    ("--report=existing.json", "`existing.json` already exists"),
    ("--report=directory.png/../photo.png/r.json", "is not a folder"),
    ("--save_every=1", "`out_00001.png` already exists"),
    ("--save_every=0", "save_every"),
    ("--quality=0", "quality"),
    ("--max_pixels=99999999999", "`--max_pixels` must be <= 10,000,000,000"),
    ("--tolerance=nan", "`--tolerance` must be finite"),
    ("--output=loop.png", "`loop.png` cannot be written: Too many levels of symbolic links"),
    ("--flagfile=/dev/zero", "`/dev/zero` is a device, a pipe or a socket"),
    ("--max_pixels=1000", "above the limit of 1000.*`--max_pixels`"),
    ("junk", "expected flags only. Received: junk"),
    ("--nonsense=1", "Unknown command line flag 'nonsense'"),
    ("--flagfile=missing.flags", "missing.flags"),
    ("--flagfile=directory.png", "directory.png"),
    ("--flagfile=binary.flags", "decode"),
    ("--flagfile=wrong.flags", "Unknown command line flag 'nonsense'"),
    ("--network=vgg99", "vgg16, vgg19.*Received.*vgg99"),
    ("--pooling=min", "`--pooling` must be one of max, avg. Received: --pooling='min'"),
    ("--optimizer=sgd", "one of <lbfgs\\|adam>"),
    ("--learning_rate=0.1 --optimizer=lbfgs", "`--learning_rate` must come with --optimizer=adam"),
    ("--learning_rate=0 --optimizer=adam", "`--learning_rate` must be > 0"),
    ("--learning_rate=nan --optimizer=adam", "`--learning_rate` must be finite"),
    ("--steps=10000000000", "`--steps` must be <= 2,147,483,647"),
    ("--steps=-1", "steps"),
    ("--steps=many", "steps.*many"),
    ("--seed=1.5", "seed"),
    ("--tolerance=-1", "tolerance"),
    (
        "--weights=nonsense",
        "`--weights` must be 'imagenet', one of .*vgg16.torchvision_lpips, .*file",
    ),
    (
        "--weights=missing.h5",
        "`--weights` must be 'imagenet', one of .*Received: --weights='missing.h5'",
    ),
    ("--weights=directory.png", "`--weights` must be 'imagenet', one of "),
    ("--weights=photo.png", "photo.png: not a readable HDF5 file"),
    ("--weights=damaged.h5", "damaged.h5: "),
    ("--weights=alexnet.h5", "alexnet.h5: holds weights of alexnet_owt, not of vgg16"),
    ("--weights=alexnet_owt.torchvision_lpips", "`--weights` must be of the architecture vgg16"),
]

PICTURES = [
    ("missing.png", "`missing.png` does not exist"),
    ("truncated.jpg", "`truncated.jpg` is not an image that can be decoded"),
    ("text.png", "`text.png` is not an image that can be decoded"),
    ("/dev/zero", "`/dev/zero` is a device, a pipe or a socket, not a regular file"),
    ("pipe.png", "`pipe.png` is a device, a pipe or a socket, not a regular file"),
    ("empty.png", "`empty.png` is not an image that can be decoded: it is empty"),
    ("directory.png", "`directory.png` is a folder, not a file"),
]

TABLE = {
    "transfer": [
        *(
            (f"--{flag}={name}", message)
            for flag in ("content", "style", "init", "masks")
            for name, message in PICTURES
            if (flag, name) != ("init", "missing.png")
        ),
        ("--style=painting.jpg,missing.png", "`missing.png` does not exist"),
        ("--init=missing.png", "`--init` must be one of content, noise, style, or a picture"),
        ("--content=", "`--content` must be given"),
        ("--style=", "`--style` must be given"),
        ("--size=0", "size"),
        ("--size=12", "`--content` must be at least 16x16 px for the layer relu5_1.*: 12x10 px"),
        ("--content=narrow.png", "`--content` must be at least 16x16 px .*Received: 12x40 px"),
        ("--style=narrow.png", "`--style` must be at least 16x16 px .*Received: 12x40 px"),
        ("--style_scale=0.2", "`--style` must be at least 16x16 px"),
        ("--style_scale=0", "`--style_scale` must be > 0"),
        ("--style_scale=inf", "`--style_scale` must be finite"),
        ("--style_scale=1e9", "`--style_scale` must be <= 100"),
        ("--patch_scales=99", "`--patch_scales` must be <= 16"),
        ("--dream_weight=2", "`--dream_weight` must come with `--dream_layer`"),
        ("--preset=", "`--preset` must be given a value"),
        ("--content_layers=relu9_9", f"`--content_layers` of vgg16 must be among {LAYERS}"),
        ("--style_layers=relu1_1,x", f"`--style_layers` of vgg16 must be among {LAYERS}.*: x$"),
        (
            "--style_layers=relu1_1,relu1_1",
            "`--style_layers` must be different layers. Received: relu1_1, relu1_1",
        ),
        ("--content_layers=relu1_1,relu1_1", "`--content_layers` must be different layers"),
        ("--dream_layer=x", f"`--dream_layer` of vgg16 must be among {LAYERS}"),
        ("--preset=slow", "`--preset` must be one of fast, draft, high, print, gatys2016-paper"),
        ("--style_loss=x", "`--style_loss` must be one of gram, moments, sliced"),
        ("--objective=x", "`--objective` must be one of relative, gatys2016-paper"),
        ("--style_layer_weights=1,2", "`--style_layer_weights` must be .* one for each of relu1_1"),
        ("--method=dali", "one of <gatys\\|cnnmrf\\|nnst>"),
        (
            "--method=cnnmrf --preset=fast",
            "--method=cnnmrf must be one of cnnmrf, cnnmrf2016-paper",
        ),
        (
            "--method=gatys --preset=cnnmrf",
            "`--preset` of --method=gatys must be one of fast, draft, .*-code. Received: cnnmrf",
        ),
        (
            "--preset=gatys2016-code --style_loss=mrf",
            "`--scaling` must be one of relative, cnnmrf2016",
        ),
        (
            "--preset=cnnmrf2016-code --style_loss=gram",
            "`--scaling` must be one of relative, gatys",
        ),
        (
            "--method=cnnmrf --size=24",
            "`--content` must be at least 24x24 px for patches of 3 features",
        ),
        (
            "--method=cnnmrf --style_scale=0.5",
            "`--style` must be at least 24x24 px for patches",
        ),
        ("--patch_stride=2", "`--patch_stride` must come with --style_loss=mrf"),
        ("--match_memory=9", "`--match_memory` must come with --style_loss=mrf"),
        ("--method=cnnmrf --patch_stride=0", "patch_stride"),
        ("--method=cnnmrf --patch_scales=-1", "patch_scales"),
        ("--method=cnnmrf --match_every=0", "match_every"),
        ("--method=cnnmrf --match_memory=0", "match_memory"),
        ("--method=cnnmrf --guide_weight=0", "`--guide_weight` must be finite, > 0"),
        ("--style_masks=white.png", "`--style_masks` must come with `--masks`"),
        (
            "--masks=white.png --style_masks=white.png",
            "`--style_masks` must have their style's size",
        ),
        (
            "--style=photo.png --masks=white.png --style_masks=black.png",
            "`--style_masks` must not be empty",
        ),
        (
            "--style=photo.png --masks=white.png --style_masks=white.png,white.png",
            "`--style_masks` must be as many for each style as `--masks`. Received: 2 for 1 masks",
        ),
        (
            "--style=photo.png,photo.png --masks=white.png --style_masks=white.png",
            "`--style_masks` must be as many for each painting. Received: 1 for 2 paintings",
        ),
        (
            "--preserve_color=x",
            "`--preserve_color` must be one of none, luminance, linear, histogram",
        ),
        ("--style_weights=1,2", "`--style_weights` must be one a style. Received: 2 for 1 styles"),
        ("--style_weights=-1", "`--style_weights` must be finite, >= 0, not all 0"),
        ("--style_weights=0", "`--style_weights` must be finite, >= 0, not all 0"),
        ("--style_weights=much", "`--style_weights` must be numbers. Received: much"),
        ("--style_weights=1,", "`--style_weights` must be numbers"),
        (f"--style_weights={2**63}", "`--style_weights` must be numbers"),
        ("--masks=white.png,white.png", "`--masks` must be one a style. Received: 2 for 1 styles"),
        ("--masks=other_size.png", "`--masks` must have .* 48x40 px. Received: 24x20 px"),
        ("--masks=black.png", "black everywhere"),
        ("--masks=white.png --style_loss=sliced", "must not be 'sliced' with masks"),
        ("--tile=32 --style_loss=sliced", "`--tile` must not be set with style_loss='sliced'"),
        ("--tile=0", "tile"),
        ("--smallest=0", "smallest"),
        ("--content_weight=-1", "content_weight"),
        ("--content_weight=nan", "`--content_weight` must be finite"),
        ("--tv_weight=inf", "`--tv_weight` must be finite"),
        ("--average_decay=-1", "average_decay"),
    ],
    "texture": [
        *((f"--source={name}", message) for name, message in PICTURES),
        ("--source=", "`--source` must be given"),
        ("--source=narrow.png", "`--source` must be at least 16x16 px for the layer pool4"),
        ("--source_size=10", "`--source` must be at least 16x16 px for the layer pool4"),
        ("--source_size=0", "source_size"),
        ("--size=8", "`--size` must be at least 16x16 px for the layer pool4"),
        ("--size=40x8", "`--size` must be at least 16x16 px for the layer pool4"),
        ("--size=0", "`--size` must be HEIGHTxWIDTH in px. Received: 0"),
        ("--size=40x", "`--size` must be HEIGHTxWIDTH in px. Received: 40x"),
        ("--size=large", "`--size` must be HEIGHTxWIDTH in px. Received: large"),
        ("--style_layers=relu9_9", f"`--style_layers` of vgg16 must be among {LAYERS}"),
        ("--content_layers=relu4_2", "`--content_layers` must not be given for a texture"),
        ("--content_weight=2", "`--content_weight` must not be given for a texture"),
        ("--objective=x", "`--objective` must be one of relative, gatys2016-paper"),
        ("--style_loss=x", "`--style_loss` must be one of gram, moments, sliced"),
        ("--series", "`out_relu1_1.png` already exists"),
        ("--preset=slow", "`--preset` must be one of gatys, cnnmrf, cnnmrf2016-paper"),
        ("--method=cnnmrf --preset=gatys", "`--preset` of --method=cnnmrf must be one of cnnmrf,"),
        (
            "--method=cnnmrf --size=20",
            "`--size` must be at least 24x24 px for patches of 3 features",
        ),
        (
            "--method=cnnmrf --source_size=24",
            "`--source` must be at least 24x24 px for patches of 3",
        ),
        (
            "--preset=cnnmrf2016-code --style_loss=gram",
            "`--scaling` must be one of relative, gatys",
        ),
        ("--match_every=3", "`--match_every` must come with --style_loss=mrf or neighbors"),
        ("--patch_stride=1", "`--patch_stride` must come with --style_loss=mrf, as"),
        ("--layer_grid=4", "`--layer_grid` must come with --style_loss=neighbors, as"),
        ("--tv_weight=nan", "`--tv_weight` must be finite"),
        ("--window=9", "`--window` must come with --method=efros_leung or wei_levoy"),
        ("--mask=black.png", "`--mask` must come with --method=efros_leung"),
    ],
    "invert": [
        *((f"--image={name}", message) for name, message in PICTURES),
        ("--image=", "`--image` must be given"),
        ("--layer=", "`--layer` must be given"),
        ("--layer=relu9_9", f"`--layer` of vgg16 must be among {LAYERS}"),
        ("--size=0", "size"),
        ("--size=3", "`--image` must be at least 4x4 px for the layer relu3_1"),
        ("--image=narrow.png --size=8", "`--image` must be at least 4x4 px for the layer relu3_1"),
        ("--tv_weight=-1", "tv_weight"),
        ("--tv_weight=nan", "`--tv_weight` must be finite"),
        ("--tv_beta=0", "`--tv_beta` must be > 0"),
    ],
}
GOOD = {"transfer": TRANSFER, "texture": TEXTURE, "invert": INVERT}
CASES = [
    pytest.param(command, flags, message, id=f"{command} {flags}")
    for command, own in TABLE.items()
    for flags, message in itertools.chain(COMMON, own)
]


@pytest.mark.parametrize(("command", "flags", "message"), CASES)
def test_bad_input(command, flags, message, folder, idle, capsys):
    before = snapshot(folder)
    assert main.run([command, *GOOD[command].split(), *flags.split()]) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, command, message)
    assert snapshot(folder) == before


EFROS_LEUNG = "--method=efros_leung --source=photo.png --output=out.png --size=40"
WEI_LEVOY = "--method=wei_levoy --source=photo.png --output=out.png --size=40"


@pytest.mark.parametrize(
    ("good", "flags", "message"),
    [
        *(
            (good, flags, message)
            for good in (EFROS_LEUNG, WEI_LEVOY)
            for flags, message in (
                *((f"--source={name}", message) for name, message in PICTURES),
                ("--source=", "`--source` must be given"),
                ("--output=existing.png", "`existing.png` already exists"),
                ("--window=8", "`--window` must be odd, >= 3. Received: --window=8"),
                ("--window=1", "`--window` must be odd, >= 3. Received: --window=1"),
                ("--window=41", "`--source` must be at least the window, 41x41 px. .*48x40 px"),
                ("--window=21 --size=30x20", "`--size` must be at least the window, 21x21 px"),
                ("--size=4", "`--size` must be at least the window"),
                ("--size=0", "`--size` must be HEIGHTxWIDTH in px"),
                ("--style_layers=relu1_1", "`--style_layers` must not be given with --method="),
                ("--steps=3", "`--steps` must not be given with --method="),
                ("--report=r.txt", r"must end in one of \.json"),
            )
        ),
        (EFROS_LEUNG, "--epsilon=-1", "`--epsilon` must be finite, >= 0"),
        (EFROS_LEUNG, "--epsilon=nan", "`--epsilon` must be finite"),
        (EFROS_LEUNG, "--at_once=0", "`--at_once` must be >= 1"),
        (EFROS_LEUNG, "--tileable", "`--tileable` must not be given with --method=efros_leung"),
        (EFROS_LEUNG, "--mask=black.png", "`--size` must not be given with --mask"),
        (WEI_LEVOY, "--search=x", "`--search` must be one of tree, exhaustive"),
        (WEI_LEVOY, "--max_leaves=0", "`--max_leaves` must be >= 1"),
        (WEI_LEVOY, "--coherence=-1", "`--coherence` must be >= 0"),
        (WEI_LEVOY, "--mask=black.png", "`--mask` must not be given with --method=wei_levoy"),
        (
            EFROS_LEUNG.replace(" --size=40", ""),
            "--mask=white.png",
            "`--mask` must leave a window of 11x11 px known. Received: none",
        ),
        (
            EFROS_LEUNG.replace(" --size=40", ""),
            "--mask=other_size.png",
            "`--mask` must have the picture's size, 48x40 px. Received: 24x20 px",
        ),
    ],
)
def test_bad_input_of_the_classical_methods(good, flags, message, folder, capsys):
    before = snapshot(folder)
    assert main.run(["texture", *good.split(), *flags.split()]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "texture", message)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["transfer"], "`--content` must be given"),
        (["texture"], "`--source` must be given"),
        (["invert"], "`--image` must be given"),
        (["weights"], "expected `list`, `fetch NAME...`"),
        (["weights", "burn"], "expected `list`, .*Received: burn"),
        (["weights", "path"], "expected `list`"),
        (["weights", "path", "vgg99"], "must be one of .*vgg16.torchvision_lpips"),
        (["weights", "path", "vgg16.keras"], "run `stylezoo weights fetch vgg16.keras`"),
        (["weights", "fetch", "vgg16.keras", "vgg99"], "must be one of .*vgg19.keras"),
        (["weights", "verify", "vgg99"], "must be one of .*vgg19.keras"),
        (["weights", "list", ""], "an argument must not be empty"),
        (["weights", "--nonsense", "list"], "Unknown command line flag 'nonsense'"),
        (
            ["weights", "list", "--flagfile=circle.flags"],
            "the flag file circle.flags includes itself",
        ),
    ],
)
def test_bad_usage(command, message, folder, capsys):
    before = snapshot(folder)
    assert main.run(command) in (1, 2)
    assert_one_line(capsys.readouterr().err, command[0], message)
    assert snapshot(folder) == before


def test_unknown_command(capsys):
    assert main.run(["paint"]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"stylezoo: error: `COMMAND` must be one of {', '.join(main.COMMANDS)}. Received: paint\n"
    )


def cached_vgg16(folder, random_weights):
    """Make a cache entry as `stylezoo weights fetch` leaves it, but for its content."""
    entry = folder / "home" / "weights" / "vgg16.torchvision_lpips"
    entry.mkdir(parents=True)
    (entry / "weights.h5").write_bytes(random_weights("vgg16").read_bytes())
    (entry / "manifest.json").write_text(json.dumps({"sha256": "0" * 64}), encoding="utf-8")


def test_corrupted_cached_weights(folder, idle, capsys, random_weights):
    cached_vgg16(folder, random_weights)
    before = snapshot(folder)
    assert main.run(["transfer", *TRANSFER.split(), "--weights=imagenet"]) == 1
    message = (
        "is corrupt: .*Repair it with `stylezoo weights fetch vgg16.torchvision_lpips --force`"
    )
    assert_one_line(capsys.readouterr().err, "transfer", message)
    assert snapshot(folder) == before


def test_weights_that_can_not_be_fetched(folder, idle, capsys, monkeypatch):
    def fail(*_):
        raise WeightsError("example.org: no network")

    for spec in weights.list_weights("vgg16"):
        monkeypatch.setattr(type(spec.source), "download", fail)
    assert main.run(["transfer", *TRANSFER.split(), "--weights=imagenet"]) == 1
    *fetching, error = capsys.readouterr().err.splitlines(keepends=True)
    assert all(line.startswith("Fetching ") for line in fetching)
    assert_one_line(error, "transfer", "could not be fetched. Tried example.org: no network")
    assert not [path for path in (folder / "home" / "weights").iterdir() if path.is_dir()]


@pytest.mark.parametrize("command", GOOD)
@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted$"),
        (FloatingPointError("The loss is not finite at step 3: total"), 1, "at step 3: total"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (MemoryError(), 1, "out of memory: smaller pictures or batches"),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM"),
            1,
            "out of memory: smaller pictures or batches",
        ),
        (ValueError("two\nlines"), 1, "two lines"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_a_run(command, raised, status, message, folder, monkeypatch, capsys):
    def fail(*_, **__):
        raise raised

    monkeypatch.setattr(pyramid, "optimize_image", fail)
    before = snapshot(folder)
    assert main.run([command, *GOOD[command].split()]) == status
    assert_one_line(capsys.readouterr().err, command, message)
    assert snapshot(folder) == before


def test_a_bug_is_not_hidden(folder, monkeypatch):
    monkeypatch.setattr(synthesis, "transfer", lambda *_, **__: {}["bug"])
    with pytest.raises(KeyError, match="bug"):
        main.run(["transfer", *TRANSFER.split()])


def test_traceback_is_shown_when_asked_for(folder, capsys):
    assert main.run(["transfer", *TRANSFER.split(), "--content=missing.png", "--traceback"]) == 1
    *traceback, last = capsys.readouterr().err.splitlines()
    assert traceback[0] == "Traceback (most recent call last):"
    assert last == "stylezoo transfer: error: `missing.png` does not exist."


SCRIPT = pathlib.Path(sys.executable).with_name("stylezoo")


def test_one_line_from_a_process_of_its_own(folder):
    """TensorFlow's own messages are not shown either, once it has started."""
    flags = ["--size=40", "--steps=0", "--weights=damaged.h5"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    process = subprocess.run(
        [SCRIPT, "transfer", *TRANSFER.split(), *flags],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert process.returncode == 1
    assert process.stdout == ""
    assert_one_line(process.stderr, "transfer", "damaged.h5: ")


@pytest.mark.parametrize("level", [None, "2", "3"])
def test_tensorflow_says_nothing(level):
    script = (
        "from stylezoo.binaries.common import quiet\n"
        "quiet.import_tensorflow()\n"
        "import tensorflow as tf\n"
        "for size in range(8):\n"  # one function, traced eight times: worth a warning
        "    tf.function(lambda x: x + 1)(tf.zeros([size]))\n"
        "import sys\n"
        "print('heard', file=sys.stderr)"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    if level:
        environment["TF_CPP_MIN_LOG_LEVEL"] = level
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert (process.returncode, process.stderr) == (0, "heard\n")


def test_interrupted_in_the_middle(folder):
    """Ctrl-C after the first steps: the picture of --save_every stays, the rest never was."""
    before = snapshot(folder)
    flags = ["--steps=100000", "--save_every=1", "--report=cut.json", "--smallest=40"]
    process = subprocess.Popen(
        [SCRIPT, "transfer", *TRANSFER.replace("out.png", "cut.png").split(), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a script starts in the background ignores interrupts, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 120
        while not pathlib.Path("cut_00002.png").exists() and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert error.splitlines()[-1] == "stylezoo transfer: error: interrupted"
    assert "Traceback" not in error
    new = set(snapshot(folder)) - set(before)
    assert new
    for name in new:
        assert re.fullmatch(r"cut_\d{5}\.png", name)
        assert images.read_image(name).shape == (1, 33, 40, 3)
