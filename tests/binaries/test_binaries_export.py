"""`stylezoo export` and `verify_export`: the whole way, and a table of bad input."""

import pathlib
import resource
import shutil

import numpy as np
import pytest
from binaries_helpers import assert_one_line
from snapshots import snapshot

from stylezoo import generators
from stylezoo.binaries import main


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A folder with what a user has: models, and an export that was verified."""
    folder = tmp_path_factory.mktemp("template")
    config = generators.LightConfig((2, 3), num_blocks=0, num_styles=2)
    for name, seed in (("painter", 0), ("other", 1)):
        painter = generators.build(config, styles=("a", "b"))
        random = np.random.default_rng(seed)
        for variable in painter.weights:
            variable.assign(random.normal(0.3, 0.3, variable.shape))
        painter.save_to_preset(folder / name)
    config = generators.SuperResolutionConfig(factor=4).scaled(0.05)
    generators.build(config).save_to_preset(folder / "x4")
    (folder / "text.h5").write_text("no model\n", encoding="utf-8")
    (folder / "file").write_text("a file\n", encoding="utf-8")
    exports = f"--output={folder / 'exports'}"
    export = ["export", f"--model={folder / 'painter'}", exports]
    assert main.run(export) == 0
    assert main.run([*export, "--format=tflite", "--image_size=16x16"]) == 0
    return folder


@pytest.fixture
def folder(template, tmp_path, monkeypatch):
    """The current folder, a copy of the user's."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize("num_bytes", [0, 1000])
@pytest.mark.parametrize("kind", ["", "--format=tflite --image_size=16x16"])
def test_files_that_can_not_be_written_whole(kind, num_bytes, folder, capsys):
    """As on a full disk: TensorFlow's own message names a temporary folder and a node of a graph."""
    before = snapshot(folder)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, limits[1]))
    try:
        status = main.run(["export", "--model=painter", "--output=new", *kind.split()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert status == 1
    assert_one_line(
        capsys.readouterr().err, "export", "`new/painter.* cannot be written: File too large"
    )
    assert snapshot(folder) == before


def test_what_was_exported_is_verified_again(folder, capsys):
    assert main.run(["verify_export", "exports/painter/1", "--model=painter"]) == 0
    out = capsys.readouterr().out
    assert "TensorFlow C API  serving_default, 2x64x80: stylized" in out
    assert "truncated JPEG refused" in out
    assert out.endswith("exports/painter/1: does what painter does\n")


EXPORT = "--model=painter --output=exports"
VERIFY = "exports/painter/1 --model=painter"
TABLE = {
    "export": [
        ("--model=", "`--model` must be given"),
        ("--output=", "`--output` must be given"),
        ("junk", "expected flags only. Received: junk"),
        (
            "--model=nothing",
            "`--model` must be a preset's folder, or one of conditional, light, .*",
        ),
        ("--model=text.h5", "`--model` must be a preset of this version"),
        ("--model=x4", "`--model` must paint photographs or textures"),
        ("--layers=relu1_1", "`--layers` must come with a classifier"),
        ("--weights=vgg16.keras", "`--weights` must come with a classifier"),
        ("--model=vgg16 --layers=x", "`--layers` of vgg16 must be among conv1_1.*Received: x"),
        ("--model=vgg16 --weights=text.h5", "text.h5: not a readable HDF5 file"),
        ("--model=vgg16 --weights=missing.h5", "`--weights` must be 'imagenet', one of "),
        ("--version=1", "`exports/painter/1` already exists, and a version is never replaced"),
        ("--version=0", "version"),
        ("--name=a/b", "`--name` must be letters, digits"),
        ("--name=../up", "`--name` must be letters, digits"),
        ("--output=file", "`file/painter` can't be made: Not a directory"),
        ("--output=/proc/exports", "`/proc/exports/painter` can't be made"),
        ("--format=h5", "format"),
        ("--format=onnx --image_size=64x64", "`--image_size` must come with --format=tflite"),
        ("--format=onnx --max_pixels=64", "`--max_pixels` must come with --format=saved_model"),
        ("--image_size=64x64", "`--image_size` must come with --format=tflite"),
        ("--quantize=int8", "`--quantize` must come with --format=tflite"),
        ("--format=tflite", "`--image_size` must be HEIGHTxWIDTH in px, or any. Received: nothing"),
        ("--format=tflite --image_size=64", "`--image_size` must be HEIGHTxWIDTH in px"),
        ("--format=tflite --image_size=any --quantize=int8", "`--image_size` must be given for"),
        ("--format=tflite --image_size=0x64", "`--image_size` must be HEIGHTxWIDTH in px"),
        (
            "--format=tflite --image_size=30x32",
            "`--image_size` must be multiples of 4 px of at least 8 for this model. Received: 30x32",
        ),
        ("--format=tflite --image_size=32x32 --quantize=int4", "`--quantize` must be one of none"),
        ("--format=tflite --image_size=32x32 --version=2", "`--version` must come with"),
        ("--format=tflite --image_size=16x16", "painter_16x16_float32.tflite` already exists"),
        (
            "--format=tflite --image_size=32x32 --quantize=int8 --photographs=exports",
            "`--photographs` must be a folder of photographs. Received: exports",
        ),
    ],
    "verify_export": [
        ("missing", "`missing` must be what `stylezoo export` wrote"),
        ("file", "`file` must be what `stylezoo export` wrote"),
        ("--model=other", "was exported from another painter, of the fingerprint"),
        ("--model=missing.h5", "`--model` must be a preset's folder, or one of"),
        ("--url=http://localhost a.tflite", "`--url` must come with folders of SavedModels alone"),
        ("--protocol=kserve", "`--protocol` must come with --url"),
        ("--gpu", "`--gpu` must come with .tflite files"),
    ],
}
GOOD = {"export": EXPORT, "verify_export": VERIFY}


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        pytest.param(command, flags, message, id=f"{command} {flags}")
        for command, rows in TABLE.items()
        for flags, message in rows
    ],
)
def test_bad_input(command, flags, message, folder, capsys):
    before = snapshot(folder)
    good = GOOD[command]
    if command == "verify_export" and not flags.startswith("--"):
        good = "--model=painter"
    assert main.run([command, *good.split(), *flags.split()]) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, command, message)
    assert snapshot(folder) == before


def test_a_tflite_file_is_verified_again(folder, capsys):
    path = "exports/painter/painter_16x16_float32.tflite"
    assert main.run(["verify_export", path, "--model=painter"]) == 0
    assert capsys.readouterr().out.endswith(f"{path}: does what painter does\n")
    card = pathlib.Path("exports/painter/README.md").read_text(encoding="utf-8")
    assert "| `painter_16x16_float32.tflite` |" in card
    assert "## SavedModel: `1/`" in card


def test_an_onnx_file_is_written_and_verified(folder, capsys):
    assert main.run(["export", *EXPORT.split(), "--format=onnx"]) == 0
    out = capsys.readouterr().out
    assert "ONNX Runtime, CPU  1x37x53: stylized" in out
    path = "exports/painter/painter.onnx"
    assert out.endswith(f"{path}\n")
    assert main.run(["verify_export", path, "--model=painter"]) == 0
    assert capsys.readouterr().out.endswith(f"{path}: does what painter does\n")
    assert main.run(["export", *EXPORT.split(), "--format=onnx"]) == 1
    assert_one_line(capsys.readouterr().err, "export", f"`{path}` already exists")


def test_truncated_tflite(folder, capsys):
    path = "exports/painter/painter_16x16_float32.tflite"
    truncate(path)
    assert main.run(["verify_export", path, "--model=painter"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    message = f"`{path}` is damaged: LiteRT can't load it"
    assert_one_line(captured.err, "verify_export", message)


def truncate(path):
    content = pathlib.Path(path).read_bytes()
    pathlib.Path(path).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("saved_model.pb", "is damaged: saved_model.pb can't be parsed"),
        ("variables/variables.data-00000-of-00001", "`exports/painter/1` can't be loaded: "),
        ("variables/variables.index", "`exports/painter/1` can't be loaded: "),
        ("assets.extra/stylezoo.json", "assets.extra/stylezoo.json can't be read"),
        ("assets.extra/tf_serving_warmup_requests", "is damaged: warm-up requests can't be read"),
    ],
)
def test_truncated_saved_model(file, message, folder, capsys):
    truncate(f"exports/painter/1/{file}")
    before = snapshot(folder)
    assert main.run(["verify_export", *VERIFY.split()]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "verify_export", message)
    assert snapshot(folder) == before


@pytest.mark.parametrize(("missing", "said"), [("chromium", "Chromium"), ("node", "Node.js")])
def test_no_gpu_to_check_on(missing, said, folder, capsys, monkeypatch):
    """The message says what is lacking, which is no verdict on the export."""
    there = {"chromium": "/bin/true", "node": "/bin/true", "npm": "/bin/true", missing: None}
    monkeypatch.setattr(shutil, "which", there.get)
    path = "exports/painter/painter_16x16_float32.tflite"
    assert main.run(["verify_export", path, "--model=painter", "--gpu"]) == 1
    message = f"the check on a GPU needs {said}, which is not installed"
    assert_one_line(capsys.readouterr().err, "verify_export", message)


def test_no_exports_named(folder, capsys):
    assert main.run(["verify_export"]) == 1
    assert_one_line(capsys.readouterr().err, "verify_export", "expected exports")
