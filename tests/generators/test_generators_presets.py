"""Presets: refused if they are anything else, whole or not there at all; and old files."""

import hashlib
import json
import os
import subprocess
import sys
import types

import h5py
import keras
import networks
import numpy as np
import pytest
from generators_helpers import inputs_for, network_of

import stylezoo
from stylezoo import classifiers, generators
from stylezoo.generators import presets

CONFIG = generators.LightConfig((2, 3), num_blocks=1, num_styles=2)
NOT_ONE = "`model` must be a preset of this version. Received: .*model.*"
FILES = ["README.md", "config.json", "metadata.json", "model.weights.h5"]


@pytest.fixture(scope="module")
def painter():
    built = generators.Light(CONFIG, styles=("night", "day"))
    built.set_weights(network_of(CONFIG).get_weights())
    built.training_record = {"steps": 3}
    return built


@pytest.fixture
def path(painter, tmp_path):
    painter.save_to_preset(tmp_path / "model")
    return tmp_path / "model"


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def read(path, name):
    return json.loads((path / name).read_text(encoding="utf-8"))


def test_is_a_folder_as_kerashub_has_it(path, painter):
    assert names(path) == FILES
    assert read(path, "config.json") == {
        "class_name": "Light",
        "config": {
            "config": {
                "widths": [2, 3],
                "num_blocks": 1,
                "num_styles": 2,
                "skips": False,
                "upsampling": "nearest",
                "eighth_blocks": 0,
                "eighth_width": 96,
                "margin": 0,
            },
            "styles": ["night", "day"],
            "name": painter.name,
        },
    }
    weights = (path / "model.weights.h5").read_bytes()
    assert read(path, "metadata.json") == {
        "stylezoo_version": stylezoo.__version__,
        "keras_version": keras.__version__,
        "parameter_count": painter.count_params(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "training": {"steps": 3},
    }
    card = (path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Light\n")
    assert all(each in card for each in ("`night`", "`day`", '"steps": 3', "photographs"))


def test_weights_are_in_keras_own_layout(path, painter):
    other = network_of(CONFIG)
    other.load_weights(path / "model.weights.h5")
    for ours, theirs in zip(other.variables, painter.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_loads_by_every_way(path, painter):
    inputs = inputs_for(CONFIG, (9, 12))
    for load in (
        stylezoo.load,
        generators.load,
        generators.Painter.from_preset,
        generators.Light.from_preset,
    ):
        loaded = load(path)
        assert type(loaded) is generators.Light
        assert (loaded.config, loaded.styles) == (CONFIG, ("night", "day"))
        assert loaded.training_record == {"steps": 3}
        np.testing.assert_array_equal(loaded(inputs), painter(inputs))
    with pytest.raises(ValueError, match=r"`preset` must be a Johnson\. Received: .*, a Light$"):
        generators.Johnson.from_preset(path)


def test_loads_classifiers_too(tmp_path):
    file = tmp_path / "lenet5.h5"
    networks.write(file, "lenet5", networks.he_tensors(classifiers.shapes("lenet5")))
    assert stylezoo.load(file).output_shape == (None, 10)


def test_does_not_wait_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="a device, a pipe or a socket"):
        generators.load(tmp_path / "model.h5")


def test_names_what_there_is():
    message = (
        r"neither a painter, such as conditional, .*, nor a classifier: `model` must be .*lenet5"
    )
    with pytest.raises(ValueError, match=message):
        stylezoo.load("nothing")


def test_a_card_of_ones_own(painter, tmp_path):
    painter.save_to_preset(tmp_path / "model", card="# Mine\n")
    assert generators.read_card(tmp_path / "model") == "# Mine\n"


def test_keras_loads_a_saved_model_when_painters_are_imported(painter, tmp_path):
    """The model loads in a process of its own, which has made no painter yet."""
    painter.save(tmp_path / "model.keras")
    code = (
        "import sys, keras\n"
        "from stylezoo.generators import Painter\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "print(type(model).__name__, *model.styles)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model.keras"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "Light night day\n"


def test_half_is_half_the_size_and_keeps_what_float16_cannot_hold(tmp_path):
    config = generators.JohnsonConfig((8, 16, 32), num_blocks=2, kernel=3, normalization="batch")
    painter = network_of(config)
    variance = painter.get_layer("conv_in_norm").moving_variance
    variance.assign(np.full(variance.shape, 1e6))
    for name, half in (("single", False), ("half", True)):
        painter.save_to_preset(tmp_path / name, half=half)
    loaded = generators.load(tmp_path / "half")
    np.testing.assert_array_equal(loaded.get_layer("conv_in_norm").moving_variance.numpy(), 1e6)
    sizes = [(tmp_path / name / "model.weights.h5").stat().st_size for name in ("single", "half")]
    expected = sum(2 * v.numpy().size for v in painter.weights if v.ndim == 4)
    # HDF5 aligns what it writes.
    np.testing.assert_allclose(sizes[0] - sizes[1], expected, rtol=0.05)


# Refused to be written


@pytest.mark.parametrize(
    ("name", "overwrite", "error", "message"),
    [
        ("missing/model", False, FileNotFoundError, "missing` does not exist"),
        ("model", False, FileExistsError, "model` already exists"),
        ("file", True, FileExistsError, "file` is no preset, and only a preset is replaced"),
        ("other", True, FileExistsError, "other` is no preset, and only a preset is replaced"),
        (".", True, FileExistsError, "is no preset, and only a preset is replaced"),
    ],
)
def test_paths_that_cannot_be_written(path, painter, name, overwrite, error, message):
    (path.parent / "file").write_bytes(b"precious")
    (path.parent / "other").mkdir()
    (path.parent / "other" / "config.json").write_bytes(b"precious")
    before = (path / "model.weights.h5").read_bytes()
    with pytest.raises(error, match=message):
        painter.save_to_preset(path.parent / name, overwrite=overwrite)
    assert (path / "model.weights.h5").read_bytes() == before
    assert (path.parent / "other" / "config.json").read_bytes() == b"precious"
    assert names(path.parent) == ["file", "model", "other"]


def test_overwrites_when_told_to(path, painter):
    other = generators.Light(CONFIG, styles=("a", "b"))
    other.save_to_preset(path, overwrite=True)
    assert generators.load(path).styles == ("a", "b")
    assert names(path.parent) == ["model"]
    assert names(path) == FILES


def test_full_disk_is_noticed_before_weights_are_written(painter, tmp_path, monkeypatch):
    usage = types.SimpleNamespace(free=4 * painter.count_params())
    monkeypatch.setattr(presets.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="No space left on device"):
        painter.save_to_preset(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_nothing_is_half_written(path, painter, monkeypatch):
    before = {name: (path / name).read_bytes() for name in FILES}

    def fail(painter):
        raise OSError("the disk is full")

    monkeypatch.setattr(presets, "_card", fail)
    for target in (path, path.with_name("new")):
        with pytest.raises(OSError, match="the disk is full"):
            painter.save_to_preset(target, overwrite=True)
    assert {name: (path / name).read_bytes() for name in FILES} == before
    assert names(path.parent) == ["model"]


def test_what_json_cannot_hold_is_not_written(tmp_path):
    unfit = generators.Light(CONFIG)
    unfit.training_record = {"seen": {1, 2}}
    with pytest.raises(TypeError, match="not JSON serializable"):
        unfit.save_to_preset(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


# Refused to be read


@pytest.mark.parametrize("name", ["missing", "."])
def test_no_preset(tmp_path, name):
    with pytest.raises(
        FileNotFoundError, match=r"`model` must be a preset's folder, or one of .*\. Received: "
    ):
        generators.load(tmp_path / name)


@pytest.mark.parametrize("name", FILES[1:])
def test_a_file_is_missing(path, name):
    (path / name).unlink()
    error = FileNotFoundError if name == "config.json" else ValueError
    with pytest.raises(error, match=r"`model` must be a preset"):
        generators.load(path)


def changed(name, **changes):
    def change(path):
        content = read(path, name)
        content.update(changes)
        (path / name).write_text(json.dumps(content), encoding="utf-8")

    return change


def config_with(**changes):
    fields = {"widths": [2, 3], "num_blocks": 1, "num_styles": 2, **changes}
    return {"config": fields, "styles": ["night", "day"]}


def text_in(name, text):
    return lambda path: (path / name).write_text(text, encoding="utf-8")


def weights_changed(change):
    """A preset that means harm has a checksum that is right."""

    def damage(path):
        with h5py.File(path / "model.weights.h5", "r+") as file:
            change(file)
        content = (path / "model.weights.h5").read_bytes()
        changed("metadata.json", weights_sha256=hashlib.sha256(content).hexdigest())(path)

    return damage


def kernel(file):
    found = []
    file.visititems(
        lambda name, item: found.append(name) if getattr(item, "ndim", 0) == 4 else None
    )
    return found[0]


def replaced_by(make):
    def change(file):
        name = kernel(file)
        del file[name]
        make(file, name)

    return weights_changed(change)


def virtual(file, name):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (3,))
    file.create_virtual_dataset(name, layout)


def not_a_number(file):
    file[kernel(file)][...] = np.nan


DAMAGES = {
    "config is no JSON": (text_in("config.json", "{"), ""),
    "config is a list": (text_in("config.json", "[]"), ""),
    "config is binary": (lambda path: (path / "config.json").write_bytes(b"\xff"), ""),
    "metadata is a list": (text_in("metadata.json", "[]"), ""),
    "a class of Keras": (changed("config.json", class_name="Lambda"), "there is no class Lambda"),
    "a class by its module": (
        changed("config.json", class_name="os.system", module="os"),
        "there is no class os.system",
    ),
    "a class that is no text": (changed("config.json", class_name=["Light"]), ""),
    "fields are a list": (changed("config.json", config={"config": [1], "styles": []}), ""),
    "unknown field": (changed("config.json", config=config_with(depth=3)), "depth"),
    "out of range": (changed("config.json", config=config_with(num_blocks=-1)), "num_blocks=-1"),
    "of a wrong type": (changed("config.json", config=config_with(num_blocks="1")), ""),
    "of more blocks": (changed("config.json", config=config_with(num_blocks=2)), ""),
    "of fewer blocks": (
        changed("config.json", config=config_with(num_blocks=0)),
        "model.weights.h5 has .* weights, and such a Light",
    ),
    "other weights": (
        lambda path: (path / "model.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n"),
        "model.weights.h5 is not what metadata.json says",
    ),
    "a kernel is missing": (replaced_by(lambda file, name: None), ""),
    "a kernel is a group": (replaced_by(lambda file, name: file.create_group(name)), ""),
    "a kernel of another shape": (
        replaced_by(lambda file, name: file.create_dataset(name, data=np.zeros([3, 3], "f4"))),
        "",
    ),
    "a kernel is text": (
        replaced_by(lambda file, name: file.create_dataset(name, data="kernel")),
        "model.weights.h5 has .* weights, and such a Light",
    ),
    "a kernel is elsewhere": (
        replaced_by(
            lambda file, name: file.__setitem__(name, h5py.ExternalLink("/etc/hostname", "/x"))
        ),
        "is a link out of the file",
    ),
    "a kernel is virtual": (replaced_by(virtual), "is stored in another file"),
    "a kernel without end": (
        replaced_by(
            lambda file, name: file.create_dataset(name, [10**7, 10**7], "f4", chunks=True)
        ),
        "it declares 100,000,.* numbers in .* bytes, and is no file of trained weights",
    ),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_inside(path, damage, reason):
    damage(path)
    with pytest.raises(ValueError, match=f"{NOT_ONE}{reason}") as caught:
        generators.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.99])
def test_weights_cut_short(path, part):
    weights = path / "model.weights.h5"
    content = weights.read_bytes()[: int(part * weights.stat().st_size)]
    weights.write_bytes(content)
    changed("metadata.json", weights_sha256=hashlib.sha256(content).hexdigest())(path)
    with pytest.raises(ValueError, match=NOT_ONE):
        generators.load(path)


# Files of version 0.1


@pytest.fixture
def old(painter, tmp_path):
    """Write files as version 0.1 wrote them."""
    header = {
        "type": "light",
        "config": {"widths": [2, 3], "num_blocks": 1, "num_styles": 2, "skips": False},
        "styles": ["night", "day"],
        "training": {"steps": 3},
    }
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["format"] = "stylezoo generator 1"
        file["header"] = json.dumps(header)
        for layer in painter.layers:
            for variable in layer.weights:
                file[f"weights/{layer.name}/{variable.name}"] = variable.numpy()
    return tmp_path / "model.h5"


def test_old_files_are_read(old, painter):
    loaded = stylezoo.load(old)
    assert (loaded.config, loaded.styles) == (CONFIG, ("night", "day"))
    assert loaded.training_record == {"steps": 3}
    for ours, theirs in zip(loaded.variables, painter.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert generators.read_card(old) is None


@pytest.mark.parametrize("contents", [b"", b"PK\x03\x04 a zip", b"\x89HDF\r\n\x1a\n"])
def test_no_hdf5(tmp_path, contents):
    (tmp_path / "model.h5").write_bytes(contents)
    with pytest.raises(ValueError, match=NOT_ONE):
        generators.load(tmp_path / "model.h5")


def with_header(**changes):
    def change(file):
        header = json.loads(file["header"][()])
        header.update(changes)
        del file["header"]
        file["header"] = json.dumps(header)

    return change


def delete(name):
    return lambda file: file.__delitem__(name)


def replace(name, values):
    def change(file):
        del file[name]
        file[name] = values

    return change


OLD_DAMAGES = {
    "foreign": (lambda file: file.attrs.clear(), "it has no header"),
    "no header": (delete("header"), "header"),
    "header is no JSON": (replace("header", "{"), ""),
    "unknown type": (with_header(type="gan"), "gan"),
    "unknown field": (with_header(config=config_with(depth=3)["config"]), "depth"),
    "no weights": (delete("weights"), "weights"),
    "a weight is missing": (delete("weights/up/kernel"), "it lacks up/kernel"),
    "a weight has another shape": (replace("weights/up/kernel", np.zeros([3, 3])), r"\(3, 3\)"),
    "a weight is text": (replace("weights/up/kernel", "kernel"), ""),
}


@pytest.mark.parametrize(("damage", "reason"), OLD_DAMAGES.values(), ids=OLD_DAMAGES)
def test_old_files_damaged_inside(old, damage, reason):
    with h5py.File(old, "r+") as file:
        damage(file)
    with pytest.raises(ValueError, match=f"{NOT_ONE}{reason}"):
        generators.load(old)
