"""`stylezoo classify` end to end with random weights, and with real ones where they can be had."""

import contextlib
import json
import pathlib
import re
import shutil

import networks
import numpy as np
import pytest
import tensorflow as tf
from binaries_helpers import assert_one_line
from PIL import Image
from snapshots import snapshot

from stylezoo import classifiers, images, weights
from stylezoo.binaries import main

IMAGENET = classifiers.imagenet_labels()


@pytest.fixture(scope="module")
def weights_files(tmp_path_factory):
    """Random weights: ImageNet's classes, three classes, ten of digits, and no head."""
    folder = tmp_path_factory.mktemp("weights")

    def write(name, architecture, **options):
        tensors = networks.he_tensors(classifiers.shapes(architecture, **options))
        if "conv10/bias" in tensors:  # scores that differ, none cut off at 0
            random = np.random.default_rng(1)
            tensors["conv10/bias"] += random.uniform(3, 6, tensors["conv10/bias"].shape)
        preprocessing = classifiers.get(architecture).preprocessing
        networks.write(folder / name, architecture, tensors, preprocessing=preprocessing)

    write("squeeze.h5", "squeezenet1_1")
    write("three.h5", "squeezenet1_1", num_classes=3)
    write("trunk.h5", "squeezenet1_1", include_top=False)
    write("digits.h5", "lenet5")
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory, weights_files):
    """Return a folder of pictures good and bad, weights, and names of classes."""
    folder = tmp_path_factory.mktemp("files")
    with contextlib.chdir(folder):
        for file in weights_files.iterdir():
            pathlib.Path(file.name).symlink_to(file)
        photo = Image.open(images.sample_path("astronaut"))
        pathlib.Path("trip").mkdir()
        photo.resize((300, 256)).save("photo.png")
        photo.resize((120, 90)).save("trip/a.png")
        Image.open(images.sample_path("coffee")).save("trip/b.JPG")
        photo.resize((60, 260)).convert("L").save("trip/c.webp")
        pathlib.Path("mixed").mkdir()
        shutil.copy("trip/a.png", "mixed/a.png")
        shutil.copy("trip/b.JPG", "mixed/z.jpg")
        data = pathlib.Path("trip/b.JPG").read_bytes()
        pathlib.Path("mixed/cut.jpg").write_bytes(data[: len(data) // 2])
        pathlib.Path("mixed/text.png").write_text("no picture\n", encoding="utf-8")
        pathlib.Path("empty").mkdir()
        pathlib.Path("names.txt").write_text("dog\ncat\nhorse\n", encoding="utf-8")
        pathlib.Path("two.txt").write_text("dog\ncat\n", encoding="utf-8")
        pathlib.Path("latin.txt").write_bytes("chien\nchat\nâne\n".encode("latin-1"))
        pathlib.Path("damaged.h5").write_bytes(b"not HDF5")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, files):
    """Make a copy of ``files`` the current folder."""
    shutil.copytree(files, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    """Flags may be given as one string."""
    return main.run(["classify", *(flag for each in arguments for flag in each.split())])


def results(capsys):
    return {row.pop("image"): row for row in json.loads(capsys.readouterr().out)}


def probabilities(path, weights_file="squeeze.h5", network="squeezenet1_1", **options):
    """Return the probabilities by classify's definition, from the functions that it must have used."""
    model = classifiers.build(network, weights=weights_file)
    (result,) = classifiers.classify(model, [images.read_image(path)], **options)
    return result


def test_a_picture(folder, capsys):
    assert run("photo.png --weights=squeeze.h5 --top=3") == 0
    captured = capsys.readouterr()
    expected = probabilities("photo.png")
    best = np.argsort(-expected)[:3]
    title, *rows = captured.out.splitlines()
    assert title == "photo.png"
    assert [re.split(r"  +", row.strip()) for row in rows] == [
        [IMAGENET[index].name, f"{expected[index]:.4f}"] for index in best
    ]
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("ten_crop", [False, True])
def test_json(ten_crop, folder, capsys):
    flags = "--weights=squeeze.h5 --json" + (" --ten_crop" if ten_crop else "")
    assert run("photo.png", flags) == 0
    classes = results(capsys)["photo.png"]["classes"]
    expected = probabilities("photo.png", ten_crop=ten_crop)
    assert [row["index"] for row in classes] == np.argsort(-expected)[:5].tolist()
    for row in classes:
        label = IMAGENET[row["index"]]
        assert (row["synset"], row["name"]) == (label.synset, label.name)
        # The same kernels on the same pixels.
        assert row["probability"] == pytest.approx(expected[row["index"]], rel=1e-5)
    assert set(classes[0]) == {"synset", "name", "index", "probability"}


def test_the_centre_is_what_counts(folder, capsys):
    """Krizhevsky's 224 of 256 px: 16 px on each side of the square are not looked at."""
    picture = np.asarray(Image.open("photo.png")).copy()
    picture[:16], picture[-16:], picture[:, :38], picture[:, -38:] = 0, 0, 255, 0
    Image.fromarray(picture).save("framed.png")
    assert run("photo.png framed.png --weights=squeeze.h5 --json") == 0
    photo, framed = results(capsys).values()
    assert [row["index"] for row in framed["classes"]] == [row["index"] for row in photo["classes"]]
    for row, other in zip(framed["classes"], photo["classes"], strict=True):
        # Batches of one kernel may be summed in another order.
        assert row["probability"] == pytest.approx(other["probability"], rel=1e-4)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_folders_and_patterns(batch_size, folder, capsys):
    flags = f"--weights=squeeze.h5 --json --batch_size={batch_size}"
    assert run("trip photo.png trip/[ab].*", flags) == 0
    found = results(capsys)
    assert list(found) == ["trip/a.png", "trip/b.JPG", "trip/c.webp", "photo.png"]
    for path, row in found.items():
        expected = probabilities(path)
        for each in row["classes"]:
            assert each["probability"] == pytest.approx(expected[each["index"]], rel=1e-4)


def test_a_table_for_each_picture(folder, capsys):
    assert run("photo.png trip/a.png --weights=squeeze.h5 --top=1") == 0
    first, second = capsys.readouterr().out.split("\n\n")
    assert first.splitlines()[0] == "photo.png"
    assert second.splitlines()[0] == "trip/a.png"
    assert len(first.splitlines()) == len(second.splitlines()) == 2


def test_other_classes(folder, capsys):
    expected = probabilities("photo.png", "three.h5")
    order = np.argsort(-expected).tolist()
    assert run("photo.png --weights=three.h5 --top=3") == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == [str(index) for index in order]
    assert run("photo.png --weights=three.h5 --top=3 --labels=names.txt --json") == 0
    classes = results(capsys)["photo.png"]["classes"]
    names = ["dog", "cat", "horse"]
    assert [(row["index"], row["name"]) for row in classes] == [(i, names[i]) for i in order]
    assert sum(row["probability"] for row in classes) == pytest.approx(1, rel=1e-5)
    assert all("synset" not in row for row in classes)


def test_labels_beside_the_weights_are_taken(folder, capsys):
    pathlib.Path("run").mkdir()
    shutil.copy("three.h5", "run/model.weights.h5")
    shutil.copy("names.txt", "run/labels.txt")
    flags = "--weights=run/model.weights.h5 --top=1 --json --image_size=96"
    assert run("photo.png", flags) == 0
    (row,) = results(capsys)["photo.png"]["classes"]
    model = classifiers.build("squeezenet1_1", weights="three.h5", input_shape=(96, 96, 3))
    (expected,) = classifiers.classify(model, [images.read_image("photo.png")])
    best = int(np.argmax(expected))
    assert (row["index"], row["name"]) == (best, ["dog", "cat", "horse"][best])
    assert row["probability"] == pytest.approx(expected[best], rel=1e-5)
    shutil.copy("two.txt", "run/labels.txt")
    assert run("photo.png", flags) == 1
    message = "each of 3 classes. Received: 2 lines in labels.txt beside the weights"
    assert_one_line(capsys.readouterr().err, "classify", message)


def test_grey_networks(folder, capsys):
    assert run("photo.png --network=lenet5 --weights=digits.h5 --top=10 --json") == 0
    classes = results(capsys)["photo.png"]["classes"]
    expected = probabilities("photo.png", "digits.h5", "lenet5")
    for row in classes:
        assert row["probability"] == pytest.approx(expected[row["index"]], rel=1e-5)
    assert all("name" not in row for row in classes)


@pytest.mark.parametrize("json_flag", ["", "--json"])
def test_what_can_not_be_read_is_skipped(json_flag, folder, capsys):
    assert run("mixed --weights=squeeze.h5 --top=1", json_flag) == 1
    captured = capsys.readouterr()
    line = captured.err.splitlines()[-1]
    assert line.startswith("stylezoo classify: error: 2 of 4 pictures failed: ")
    assert re.search("`mixed/cut.jpg` is not an image that can .*; `mixed/text.png` is not", line)
    if not json_flag:
        assert [block.splitlines()[0] for block in captured.out.split("\n\n")] == [
            "mixed/a.png",
            "mixed/z.jpg",
        ]
        return
    rows = {row["image"]: row for row in json.loads(captured.out)}
    assert {path: "error" in row for path, row in rows.items()} == {
        "mixed/a.png": False,
        "mixed/cut.jpg": True,
        "mixed/text.png": True,
        "mixed/z.jpg": False,
    }
    assert len(rows["mixed/z.jpg"]["classes"]) == 1


BAD = [
    ("", "expected photographs: pictures, folders or patterns"),
    ("missing.png", "`missing.png` does not exist"),
    ("trip/*.tif", r"`trip/\*.tif` matches no file"),
    ("empty", r"`empty` must hold pictures \(.*\.png"),
    ("names.txt", "error: `names.txt` is not an image that can be decoded"),
    ("photo.png --max_pixels=1000", "above the limit of 1000.*`--max_pixels`"),
    ("photo.png --network=vgg17", "`--network` must be one of lenet5, .*'vgg17'"),
    ("photo.png --network=vgg16 --weights=missing.h5", "`--weights` must be 'imagenet', one of"),
    ("photo.png --weights=digits.h5", "digits.h5: holds weights of lenet5, not of squeezenet1_1"),
    (
        "photo.png --weights=vgg16.torchvision_lpips",
        "vgg16.torchvision_lpips.*vgg16.*squeezenet1_1|squeezenet1_1.*vgg16.torchvision_lpips",
    ),
    (
        "photo.png --network=vgg16 --weights=vgg16.torchvision_lpips",
        "`--weights` of vgg16 must have its head. Received: vgg16.torchvision_lpips, without a head",
    ),
    ("photo.png --weights=trunk.h5", "must have its head. Received: .*, without a head"),
    ("photo.png --weights=damaged.h5", "damaged.h5: not a readable HDF5"),
    ("photo.png --weights=trip", "`--weights` must be 'imagenet', one of .*'trip'"),
    ("photo.png --top=0", "top"),
    ("photo.png --top=1001", "`--top` must be at most 1000, the number of classes. Received: 1001"),
    ("photo.png --weights=three.h5", "`--top` must be at most 3, .*Received: 5"),
    ("photo.png --batch_size=0", "batch_size"),
    ("photo.png --image_size=16", "`input_shape` of squeezenet1_1 .* at least 17 px"),
    (
        "photo.png --network=lenet5 --weights=digits.h5 --image_size=32",
        "lenet5.random does not fit lenet5: of another shape: fc4/kernel",
    ),
    ("photo.png --labels=missing.txt", "`--labels` must be a file. Received: missing.txt"),
    ("photo.png --labels=", "`--labels` must be given a value"),
    ("photo.png --labels=trip", "`--labels` must be a file. Received: trip"),
    ("photo.png --labels=latin.txt", "`latin.txt` must be a text file in UTF-8"),
    (
        "photo.png --weights=three.h5 --top=1 --labels=two.txt",
        "`--labels` must have a line for each of 3 classes. Received: 2 lines in two.txt",
    ),
    ("photo.png --labels=names.txt", "for each of 1000 classes. Received: 3 lines in names.txt"),
    ("photo.png --nonsense=1", "Unknown command line flag 'nonsense'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[each[0] for each in BAD])
def test_bad_input(arguments, message, folder, capsys):
    before = snapshot()
    given = [] if "--network" in arguments else ["--weights=squeeze.h5"]
    assert run(*given, arguments) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "classify", message)
    assert snapshot() == before


def test_out_of_memory_is_one_line(folder, capsys, monkeypatch):
    def exhausted(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(classifiers, "classify", exhausted)
    assert run("photo.png --weights=squeeze.h5") == 1
    assert_one_line(capsys.readouterr().err, "classify", "smaller pictures or batches need less")


@pytest.mark.weights
@pytest.mark.parametrize("architecture", ["squeezenet1_1", "efficientnet_lite0"])
@pytest.mark.parametrize("flag", ["", "--ten_crop"])
def test_a_cat_is_a_cat(architecture, flag, pretrained, capsys):
    """The sample picture is a cat, and 281 to 285 are ImageNet's cats."""
    whole = [spec.name for spec in weights.list_weights(architecture) if spec.includes_top]
    name = pretrained(whole[0])
    path = str(images.sample_path("chelsea"))
    arguments = [path, f"--network={architecture}", f"--weights={name}", "--json"]
    assert run(*arguments, flag) == 0
    classes = results(capsys)[path]["classes"]
    cats = [row for row in classes if 281 <= row["index"] <= 285]
    assert classes[0] in cats
    assert sum(row["probability"] for row in cats) > 0.5
