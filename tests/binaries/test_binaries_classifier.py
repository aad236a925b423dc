"""train_classifier and evaluate_classifier, end to end in a few steps, and their bad input."""

import json
import pathlib
import re

import labelled_fakes
import numpy as np
import pytest
from binaries_helpers import assert_one_line
from labelled_fakes import CLASSES
from PIL import Image
from snapshots import snapshot

from stylezoo import classifiers, images, training
from stylezoo.binaries import main
from stylezoo.training import trainer

TRAIN = (
    "--network=lenet5 --dataset=pictures --run=run --steps=3 --batch_size=4 --log_every=1 "
    "--save_every=2 --sample_every=3"
)
EVALUATE = "--network=lenet5 --weights=run/model.weights.h5 --dataset=pictures"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: pictures in folders, and as a NumPy file with a test part."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path / "home"))
    labelled_fakes.folder(tmp_path / "pictures", number=5)
    labelled_fakes.arrays(tmp_path / "stripes.npz", number=4, test=3)
    pathlib.Path("text.h5").write_text("no weights", encoding="utf-8")
    return tmp_path


def run(command, *flags):
    """Flags may be given as one string."""
    return main.run([command, *(flag for each in flags for flag in each.split())])


def read(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def test_train_and_evaluate(folder, capsys):
    pathlib.Path("pictures/down/broken.png").write_bytes(b"nothing")
    assert run("train_classifier", TRAIN) == 0
    captured = capsys.readouterr()
    assert captured.out == "run/model.weights.h5\n"
    assert re.search(r"3/3.*cross_entropy=", captured.err)
    assert pathlib.Path("run/labels.txt").read_text(encoding="utf-8") == "across\ndown\nplain\n"
    lines = pathlib.Path("run/losses.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [each["step"] for each in map(json.loads, lines) if "train/accuracy" in each]
    assert steps == [1, 2, 3]
    recorded = read("run/config.json")
    # What LeNet's recipe says, and what flags say.
    assert recorded["loop"]["learning_rate"] == training.recipe("lenet5").learning_rate
    assert recorded["recipe"]["momentum"] == 0.9
    assert (recorded["loop"]["batch_size"], recorded["loop"]["num_steps"]) == (4, 3)

    flags = "--report=report.json --confusion=confusion.png --batch_size=6"
    assert run("evaluate_classifier", EVALUATE, flags) == 0
    captured = capsys.readouterr()
    report = read("report.json")
    assert report["classes"] == list(CLASSES)
    assert (report["num_pictures"], report["top_5"]) == (15, None)
    assert list(report["skipped"]) == ["down/broken.png"]
    assert "1 pictures could not be read: down/broken.png" in captured.out
    # Counted anew from the network.
    network = classifiers.build("lenet5", weights="run/model.weights.h5", num_classes=3)
    confusion = np.zeros([3, 3], int)
    for label, name in enumerate(CLASSES):
        for index in range(5):
            grey = images.read_image(f"pictures/{name}/{index}.png")[..., :1]
            confusion[label, int(np.argmax(network(grey)))] += 1
    assert report["confusion"] == confusion.tolist()
    assert report["top_1"] == pytest.approx(np.trace(confusion) / 15)
    for label, name in enumerate(CLASSES):
        assert report["by_class"][name] == pytest.approx(confusion[label, label] / 5)
    assert f"{np.trace(confusion) / 15:.2%}" in captured.out
    assert report["command"].startswith("stylezoo evaluate_classifier --")
    picture = np.asarray(Image.open("confusion.png"))
    np.testing.assert_array_equal(
        picture, np.rint(255 * training.confusion_picture(confusion, CLASSES)[0]).astype(np.uint8)
    )


def test_evaluates_what_was_held_out(folder, capsys):
    """Pictures are held out by fraction and seed, or are the test part of a file; classes go by name."""
    assert run("train_classifier", TRAIN, "--dataset=stripes.npz") == 0
    weights = "--weights=run/model.weights.h5 --network=lenet5 --overwrite"
    for flags, number in (
        ("--dataset=stripes.npz", 9),
        ("--dataset=stripes.npz:train", 12),
        ("--dataset=stripes.npz:train --validation_fraction=0.25 --seed=3", 3),
    ):
        assert run("evaluate_classifier", weights, flags, "--report=report.json") == 0
        assert read("report.json")["num_pictures"] == number
    # The file's classes are 0, 1, 2; these are other names.
    capsys.readouterr()
    assert run("evaluate_classifier", weights, "--dataset=pictures") == 1
    assert_one_line(
        capsys.readouterr().err,
        "evaluate_classifier",
        r"`--dataset` must have no classes but 0, 1, 2. Received: across, down, plain",
    )
    # The last two of them, in another order, by a list of names of its own.
    pathlib.Path("names.txt").write_text("plain\nacross\ndown\n", encoding="utf-8")
    labelled_fakes.folder(folder / "few", number=2, classes=("down", "plain"))
    flags = "--dataset=few --labels=names.txt --report=report.json"
    assert run("evaluate_classifier", weights, flags) == 0
    report = read("report.json")
    assert [sum(row) for row in report["confusion"]] == [2, 0, 2]
    assert report["by_class"]["across"] is None


def test_interrupted_and_resumed(folder, monkeypatch, capsys):
    assert run("train_classifier", TRAIN, "--run=unbroken") == 0
    record = trainer.RunFolder.log

    def interrupt(self, step, values):
        record(self, step, values)
        if step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer.RunFolder, "log", interrupt)
        assert run("train_classifier", TRAIN) == 130
    assert run("train_classifier", TRAIN) == 0
    assert (
        pathlib.Path("run/losses.jsonl").read_text()
        == pathlib.Path("unbroken/losses.jsonl").read_text()
    )
    ours, theirs = (
        classifiers.build("lenet5", weights=f"{path}/model.weights.h5", num_classes=3).get_weights()
        for path in ("run", "unbroken")
    )
    for one, two in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, two)


# --- flags ------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """Record what the command asks `training` for, which does nothing here."""
    calls = []

    def train(config, *, loop, run, callback, pictures):
        calls.append((config, loop, run))
        return training.ClassifierResult(None, (), {})

    monkeypatch.setattr(training, "train_classifier", train)
    return calls


def test_momentum_reaches_its_setting(folder, asked):
    flags = "--network=googlenet --dataset=pictures --run=there --momentum=0.5"
    assert run("train_classifier", flags) == 0
    ((config, _, _),) = asked
    assert (config.recipe.optimizer, config.recipe.momentum) == ("sgd", 0.5)


def test_every_flag_reaches_its_setting(folder, asked):
    flags = (
        "--network=googlenet --dataset=pictures --run=there --held_out=held_out --epochs=30 "
        "--optimizer=adam --weight_decay=0.01 --decay_epochs=2 --decay_factor=0.3 "
        "--auxiliary_weight=0.7 --max_shift=0.2 --colour_noise=0.4 --noflip --learning_rate=0.6 "
        "--batch_size=5 --seed=8 --precision=mixed_bfloat16 --clip_norm=2 --image_size=100 "
        "--init_weights=some.h5 --head_epochs=7 --nofreeze_batch_norm"
    )
    labelled_fakes.folder(folder / "held_out", number=1)
    assert run("train_classifier", flags) == 0
    ((config, found, path),) = asked
    recipe = config.recipe
    assert (recipe.optimizer, recipe.weight_decay) == ("adam", 0.01)
    assert (recipe.auxiliary_weight, recipe.epochs) == (0.7, 30)
    augmentation = recipe.augmentation
    assert (augmentation.max_shift, augmentation.colour_noise, augmentation.flip) == (
        0.2,
        0.4,
        False,
    )
    assert (recipe.head_epochs, recipe.freeze_batch_norm) == (7, False)
    assert augmentation.area == (0.25, 1.0)  # that of fine-tuning
    assert config.data == training.LabelledConfig("pictures", held_out="held_out", seed=8)
    assert (config.network, config.size, config.init_weights) == ("googlenet", 100, "some.h5")
    # 15 pictures in batches of 5: three steps an epoch.
    assert (found.num_steps, found.batch_size, found.learning_rate) == (90, 5, 0.6)
    assert found.decay == training.StepDecay(6, 0.3)
    assert (found.precision, found.clip_norm, found.seed) == ("mixed_bfloat16", 2, 8)
    assert path == "there"


def test_weights_to_start_from_choose_the_recipe(folder, asked):
    assert run("train_classifier", TRAIN) == 0
    flags = TRAIN.replace("--steps=3", "--epochs=10")
    assert run("train_classifier", flags, "--init_weights=some.h5") == 0
    recipes = [config.recipe for config, _, _ in asked]
    assert recipes[0] == training.recipe("lenet5")
    assert recipes[1] == training.finetuning_recipe("lenet5").lasting(10)


@pytest.mark.parametrize("decay", ["none", "cosine"])
def test_decay(decay, folder, asked):
    assert run("train_classifier", TRAIN, f"--decay={decay}") == 0
    assert asked[0][1].decay == decay


def test_shipped_flagfile(folder, asked):
    path = pathlib.Path(__file__).parents[2] / "configs" / "lenet5.cfg"
    assert run("train_classifier", f"--flagfile={path} --dataset=stripes.npz --run=run") == 0
    ((config, found, _),) = asked
    assert config.network == "lenet5"
    assert found.num_steps == 3  # 16 epochs of 12 pictures, in batches of 64


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--network=", "`--network` must be given"),
        ("--dataset=", "`--dataset` must be given"),
        ("--run=", "`--run` must be given"),
        ("--network=vgg99", "`--network` must be one of .*vgg99"),
        ("--dataset=nowhere", "`--dataset` must be a folder with a folder for each class"),
        ("--dataset=text.h5", "`--dataset` must be a folder .*a file"),
        ("--dataset=pictures/down", "`--dataset` must have 2 classes or more"),
        ("--held_out=nowhere", "`--held_out` must be a folder"),
        ("--held_out=stripes.npz", "`--held_out` must have no classes but across, down, plain"),
        ("--held_out=stripes.npz --validation_fraction=0.5", "must not come with `--held_out`"),
        ("--validation_fraction=0", r"`--validation_fraction` must be in \(0, 1\)"),
        ("--validation_fraction=2", "validation_fraction"),
        ("--epochs=3", "`--steps` must not come with --epochs"),
        ("--optimizer=lion", "optimizer"),
        ("--momentum=1", r"`--momentum` must be in \[0, 1\)"),
        ("--decay=ulyanov", "`--decay` must be one of none, cosine"),
        ("--decay_factor=0", r"`--decay_factor` must be in \(0, 1\]"),
        ("--max_shift=3", "`--max_shift` must be 0 to 1"),
        ("--image_size=12", "`input_shape` of lenet5 must be"),
        ("--init_weights=text.h5", "text.h5"),
        ("--precision=half", "`--precision` must be one of"),
        ("--run=pictures", "`--run` must be a run's folder, or empty. Received: pictures"),
        ("more", "expected flags only. Received: more"),
    ],
)
def test_bad_training(flags, message, folder, capsys):
    before = snapshot(folder)
    assert run("train_classifier", TRAIN, flags) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "train_classifier", message)
    assert snapshot(folder) == before


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run's folder."""
    folder = tmp_path_factory.mktemp("trained")
    pictures = labelled_fakes.folder(folder / "pictures", number=2)
    assert run("train_classifier", TRAIN, f"--dataset={pictures} --run={folder}/run --steps=1") == 0
    return folder / "run"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--network=", "`--network` must be given"),
        ("--weights=", "`--weights` must be given"),
        ("--dataset=", "`--dataset` must be given"),
        ("--network=vgg99", "`--network` must be one of .*vgg99"),
        ("--network=vgg16", "model.weights.h5.* lenet5"),
        ("--weights=none.h5", "none.h5"),
        ("--weights=text.h5", "text.h5"),
        ("--labels=none.txt", "none.txt"),
        ("--dataset=nowhere", "`--dataset` must be a folder"),
        ("--dataset=stripes.npz", "`--dataset` must have no classes but across, down, plain"),
        ("--seed=1", "`--seed` must come with --validation_fraction"),
        ("--image_size=40", "lenet5.*fc4/kernel"),
        ("--batch_size=0", "batch_size"),
        ("--report=report.txt", "report.txt"),
        ("--confusion=confusion.gif", "confusion.gif"),
        ("--confusion=nowhere/confusion.png", "nowhere"),
        ("more", "expected flags only. Received: more"),
    ],
)
def test_bad_evaluation(flags, message, folder, trained, capsys):
    pathlib.Path("run").symlink_to(trained)
    before = snapshot(folder)
    assert run("evaluate_classifier", EVALUATE, flags) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "evaluate_classifier", message)
    assert snapshot(folder) == before
