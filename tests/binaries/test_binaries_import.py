"""`stylezoo weights import`: what it writes, and a table of bad input."""

import os
import pathlib
import pickle
import re
import zipfile

import h5py
import networks
import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
from binaries_helpers import assert_one_line
from snapshots import snapshot

from stylezoo import classifiers, images, weights
from stylezoo.binaries import main

SHAPES = {
    "features.0": (64, 3, 3, 3),
    "features.3.squeeze": (16, 64, 1, 1),
    "features.3.expand1x1": (64, 16, 1, 1),
    "features.3.expand3x3": (64, 16, 3, 3),
    "features.4.squeeze": (16, 128, 1, 1),
    "features.4.expand1x1": (64, 16, 1, 1),
    "features.4.expand3x3": (64, 16, 3, 3),
    "features.6.squeeze": (32, 128, 1, 1),
    "features.6.expand1x1": (128, 32, 1, 1),
    "features.6.expand3x3": (128, 32, 3, 3),
    "features.7.squeeze": (32, 256, 1, 1),
    "features.7.expand1x1": (128, 32, 1, 1),
    "features.7.expand3x3": (128, 32, 3, 3),
    "features.9.squeeze": (48, 256, 1, 1),
    "features.9.expand1x1": (192, 48, 1, 1),
    "features.9.expand3x3": (192, 48, 3, 3),
    "features.10.squeeze": (48, 384, 1, 1),
    "features.10.expand1x1": (192, 48, 1, 1),
    "features.10.expand3x3": (192, 48, 3, 3),
    "features.11.squeeze": (64, 384, 1, 1),
    "features.11.expand1x1": (256, 64, 1, 1),
    "features.11.expand3x3": (256, 64, 3, 3),
    "features.12.squeeze": (64, 512, 1, 1),
    "features.12.expand1x1": (256, 64, 1, 1),
    "features.12.expand3x3": (256, 64, 3, 3),
    "classifier.1": (1000, 512, 1, 1),
}


def squeezenet(*, classes=1000):
    """torchvision's names, small random numbers."""
    rng = np.random.default_rng(0)
    tensors = {}
    for layer, shape in SHAPES.items():
        shape = (classes, *shape[1:]) if layer == "classifier.1" else shape
        tensors[f"{layer}.weight"] = rng.standard_normal(shape, np.float32)
        tensors[f"{layer}.bias"] = rng.standard_normal(shape[:1], np.float32)
    return tensors


class Calls:
    def __reduce__(self):
        return os.system, ("touch trace",)


def write_zip(file, members):
    with zipfile.ZipFile(file, "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What a user has, good and bad; the current folder."""
    monkeypatch.chdir(tmp_path)
    good = squeezenet()
    safetensors.numpy.save_file(good, "good.safetensors")
    data = pathlib.Path("good.safetensors").read_bytes()
    pathlib.Path("truncated.safetensors").write_bytes(data[: len(data) // 2])
    wrong = dict(good)
    del wrong["features.0.bias"], wrong["features.12.squeeze.weight"]
    wrong |= {"features.1.bias": good["features.0.bias"], "extra": good["features.0.bias"]}
    wrong["features.4.squeeze.bias"] = np.zeros(3, np.float32)
    safetensors.numpy.save_file(wrong, "wrong.safetensors")
    integers = good | {"features.0.bias": np.zeros(64, np.int32)}
    safetensors.numpy.save_file(integers, "integers.safetensors")
    write_zip("malicious.pth", {"archive/data.pkl": pickle.dumps({"a": Calls()}, protocol=2)})
    write_zip("other.zip", {"readme.txt": "no weights"})
    pathlib.Path("truncated.pth").write_bytes(pathlib.Path("malicious.pth").read_bytes()[:60])
    pathlib.Path("old.pth").write_bytes(b"sys_info".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"))
    pathlib.Path("text.h5").write_text("no weights\n", encoding="utf-8")
    pathlib.Path("empty.pth").write_bytes(b"")
    pathlib.Path("directory.h5").mkdir()
    pathlib.Path("existing.h5").write_bytes(b"precious")
    with h5py.File("other.h5", "w") as hdf5:
        hdf5["data"] = np.zeros(3)
    return tmp_path


GOOD = ["--file=good.safetensors", "--architecture=squeezenet1_1", "--output=out.h5"]
TABLE = [
    ("--file=", "`--file` must be given"),
    ("--architecture=", "`--architecture` must be given"),
    ("--output=", "`--output` must be given"),
    ("--output=out.npz", r"`out.npz` must end in one of \.h5"),
    ("--output=out", r"`out` must end in one of \.h5"),
    ("--output=missing/out.h5", "`missing` does not exist"),
    ("--output=text.h5/out.h5", "`text.h5` is not a folder"),
    ("--output=directory.h5", "`directory.h5` is a folder"),
    ("--output=existing.h5", "`existing.h5` already exists. Give another path, or `--overwrite`"),
    ("--output=existing.h5 --overwrite --file=wrong.safetensors", "does not fit squeezenet1_1"),
    ("--architecture=squeezenet", "`--architecture` must be one of lenet5, .*'squeezenet'"),
    ("--architecture=lenet5", "PyTorch's weights are understood for alexnet_owt, .*'lenet5'"),
    ("--architecture=resnet50", "PyTorch's weights are understood for .*'resnet50'"),
    (
        "--architecture=alexnet_owt",
        "missing: conv2/kernel, .*unexpected: .*features.12.squeeze.weight.*of another shape: conv1",
    ),
    ("--file=missing.pth", "missing.pth"),
    ("--file=directory.h5", "directory.h5"),
    ("--file=empty.pth", "empty.pth: not a readable HDF5 file, nor one of PyTorch"),
    ("--file=text.h5", "text.h5: not a readable HDF5 file, nor one of PyTorch"),
    ("--file=other.h5", "other.h5: neither a stylezoo nor a Keras weights file"),
    ("--file=other.zip", r"other.zip: a zip file, but none that torch\.save wrote"),
    ("--file=truncated.pth", "truncated.pth: not a readable PyTorch file"),
    ("--file=truncated.safetensors", "truncated.safetensors: not a readable safetensors file"),
    ("--file=old.pth", "old.pth: a file of PyTorch before 0.1.10"),
    ("--file=malicious.pth", r"malicious.pth: .* asks for (posix|nt)\.system"),
    ("--file=integers.safetensors", "conv1/bias must be floating point. Received: dtype=int32"),
    (
        "--file=wrong.safetensors",
        r"wrong.safetensors does not fit squeezenet1_1: missing: conv1/bias, fire9_squeeze1x1/kernel; "
        r"unexpected: extra, features.1.bias; "
        r"of another shape: fire3_squeeze1x1/bias \(3,\) instead of \(16,\)$",
    ),
    ("more", "expected `list`, .*`import`. Received: import more"),
]


@pytest.mark.parametrize(("flags", "message"), TABLE, ids=[flags for flags, _ in TABLE])
def test_bad_input(flags, message, folder, capsys):
    before = snapshot(folder)
    assert main.run(["weights", "import", *GOOD, *flags.split()]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "weights", message)
    assert snapshot(folder) == before


PAINTERS = [
    ("--file=missing.pth", "missing.pth"),
    ("--file=directory.h5", "directory.h5"),
    ("--file=text.h5", "text.h5: not a file of plain PyTorch tensors"),
    ("--file=empty.pth", "empty.pth: not a file of plain PyTorch tensors"),
    ("--file=malicious.pth", r"malicious.pth: .* asks for (posix|nt)\.system"),
    ("--file=good.safetensors", "good.safetensors: it lacks conv1.conv2d.weight, which such"),
    ("--architecture=fast_style_transfer", "good.safetensors: not a readable checkpoint"),
    ("--architecture=image_stylization --file=directory.h5", "`directory.h5` has no checkpoint"),
    ("--architecture=image_stylization --file=missing.ckpt", "missing.ckpt"),
]


@pytest.mark.parametrize(("flags", "message"), PAINTERS, ids=[flags for flags, _ in PAINTERS])
def test_bad_painters(flags, message, folder, capsys):
    before = snapshot(folder)
    command = ["weights", "import", *GOOD, "--architecture=fast_neural_style", "--output=preset"]
    assert main.run([*command, *flags.split()]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "weights", message)
    assert snapshot(folder) == before


def test_an_imported_painter_paints(folder, capsys):
    """Magenta's, the first of whose styles is flat: it paints one colour, as its bias says."""
    layers = {
        "contract/conv1": (9, 3, 2),
        "contract/conv2": (3, 2, 3),
        "contract/conv3": (3, 3, 4),
        **{f"residual/residual{n}/conv{i}": (3, 4, 4) for n in range(1, 6) for i in (1, 2)},
        "expand/conv1/conv": (3, 4, 3),
        "expand/conv2/conv": (3, 3, 2),
        "expand/conv3/conv": (9, 2, 3),
    }
    variables = {}
    for name, (side, before, after) in layers.items():
        kernel = np.random.default_rng(0).normal(size=(side, side, before, after))
        variables[f"transformer/{name}/weights"] = kernel.astype(np.float32)
        for kind in ("beta", "gamma"):
            values = np.zeros([2, after], np.float32)
            values[0] = np.log([3, 1, 1 / 3])[:after] if kind == "beta" and after == 3 else 0
            variables[f"transformer/{name}/InstanceNorm/{kind}"] = values
    tf.raw_ops.SaveV2(
        prefix="model.ckpt",
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=list(variables.values()),
    )
    command = ["weights", "import", "--file=model.ckpt", "--architecture=image_stylization"]
    assert main.run([*command, "--output=preset"]) == 0
    assert re.fullmatch(
        r"preset: Johnson, [\d,]+ parameters, styles style0, style1\n", capsys.readouterr().out
    )
    images.write_image("photo.png", np.full([1, 12, 16, 3], 0.3, np.float32))
    paint = ["stylize", "photo.png", "--model=preset", "--style=style0", "--output=out.png"]
    assert main.run(paint) == 0
    # 8 bits have steps of 1 / 255.
    expected = np.broadcast_to([0.75, 0.5, 0.25], [1, 12, 16, 3])
    np.testing.assert_allclose(images.read_image("out.png"), expected, atol=0.003)
    assert main.run([*command, "--output=preset"]) == 1
    assert "preset" in capsys.readouterr().err
    assert main.run([*command, "--output=preset", "--overwrite"]) == 0


def test_what_is_written(folder, capsys):
    assert main.run(["weights", "import", *GOOD]) == 0
    assert capsys.readouterr().out == (
        "out.h5: squeezenet1_1, 1,235,496 parameters, with its head, preprocessing torch\n"
    )
    loaded = weights.load("out.h5", architecture="squeezenet1_1")
    assert (loaded.name, loaded.preprocessing) == ("good.safetensors", "torch")
    assert {n: t.shape for n, t in loaded.tensors.items()} == classifiers.shapes("squeezenet1_1")
    np.testing.assert_array_equal(
        loaded.tensors["fire2_expand3x3/kernel"],
        squeezenet()["features.3.expand3x3.weight"].transpose(2, 3, 1, 0),
    )
    model = classifiers.build("squeezenet1_1", weights="out.h5")
    kernel, bias = model.get_layer("conv10").get_weights()
    np.testing.assert_array_equal(kernel[0, 0].T, squeezenet()["classifier.1.weight"][:, :, 0, 0])
    np.testing.assert_array_equal(bias, squeezenet()["classifier.1.bias"])


def test_existing_output_is_replaced_if_told_so(folder):
    assert main.run(["weights", "import", *GOOD, "--output=existing.h5", "--overwrite"]) == 0
    weights.load("existing.h5", architecture="squeezenet1_1")


@pytest.mark.parametrize(
    ("tensors", "summary"),
    [
        (squeezenet(classes=10), "727,626 parameters, with its head"),
        (
            {n: t for n, t in squeezenet().items() if not n.startswith("classifier")},
            "722,496 parameters, without its head",
        ),
    ],
    ids=["ten classes", "no head"],
)
def test_other_heads(tensors, summary, folder, capsys):
    safetensors.numpy.save_file(tensors, "head.safetensors")
    assert main.run(["weights", "import", *GOOD, "--file=head.safetensors"]) == 0
    assert summary in capsys.readouterr().out


def test_own_file_passes_through_unchanged(folder, capsys):
    tensors = networks.he_tensors(classifiers.shapes("squeezenet1_1"))
    networks.write(pathlib.Path("own.h5"), "squeezenet1_1", tensors, preprocessing="unit")
    assert main.run(["weights", "import", *GOOD, "--file=own.h5"]) == 0
    assert "preprocessing unit" in capsys.readouterr().out
    assert pathlib.Path("out.h5").read_bytes() == pathlib.Path("own.h5").read_bytes()


def test_full_disk_leaves_nothing(folder, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    before = snapshot(folder)
    assert main.run(["weights", "import", *GOOD]) == 1
    assert_one_line(capsys.readouterr().err, "weights", "No space left on device")
    assert snapshot(folder) == before
