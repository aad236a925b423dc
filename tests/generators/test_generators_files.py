"""Files of generators: refused if they are anything else, whole or not there at all."""

import json

import h5py
import numpy as np
import pytest
import tensorflow as tf
from generators_helpers import network_of

from stylezoo import generators
from stylezoo.generators import models

CONFIG = generators.LightConfig((2, 3), num_blocks=1, num_styles=2)
NOT_ONE = "`model` must be a generator's file of this version. Received: .*model.h5"


@pytest.fixture(scope="module")
def generator():
    return generators.Generator(CONFIG, network_of(CONFIG), ("night", "day"), {"steps": 3})


@pytest.fixture
def path(generator, tmp_path):
    generators.save(tmp_path / "model.h5", generator)
    return tmp_path / "model.h5"


def test_holds_numbers_and_json_only(path, generator):
    with h5py.File(path) as file:
        header = json.loads(file["header"][()])
        assert header["type"] == "light"
        assert header["styles"] == ["night", "day"]
        names = []
        file["weights"].visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
        assert all(file["weights"][name].dtype == "<f4" for name in names)
    assert len(names) == len(set(names)) == len(generator.network.weights)


def test_a_long_training_fits(generator, tmp_path):
    training = {"content": [f"photograph {index}.jpg" for index in range(10_000)]}
    long = generators.Generator(CONFIG, generator.network, generator.styles, training)
    generators.save(tmp_path / "model.h5", long)
    assert generators.load(tmp_path / "model.h5").training == training


def test_half_is_half_the_size_and_keeps_what_float16_cannot_hold(tmp_path):
    config = generators.JohnsonConfig((8, 16, 32), num_blocks=2, kernel=3, normalization="batch")
    network = network_of(config)
    variance = network.get_layer("conv_in_norm").moving_variance
    variance.assign(np.full(variance.shape, 1e6))
    generator = generators.Generator(config, network)
    for name, half in (("single.h5", False), ("half.h5", True)):
        generators.save(tmp_path / name, generator, half=half)
    loaded = generators.load(tmp_path / "half.h5").network
    np.testing.assert_array_equal(loaded.get_layer("conv_in_norm").moving_variance.numpy(), 1e6)
    sizes = [(tmp_path / name).stat().st_size for name in ("single.h5", "half.h5")]
    expected = sum(2 * v.numpy().size for v in network.weights if v.ndim == 4)
    # HDF5 aligns what it writes.
    np.testing.assert_allclose(sizes[0] - sizes[1], expected, rtol=0.02)


# Refused to be written


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("model.keras", ValueError, r"model.keras` must end in one of .h5"),
        ("model", ValueError, r"model` must end in one of .h5"),
        ("missing/model.h5", FileNotFoundError, "missing` does not exist"),
        ("model.h5", FileExistsError, "model.h5` already exists"),
        ("folder.h5", IsADirectoryError, "folder.h5` is a folder"),
    ],
)
def test_paths_that_cannot_be_written(path, generator, name, error, message):
    path.with_name("folder.h5").mkdir()
    before = path.read_bytes()
    with pytest.raises(error, match=message):
        generators.save(path.parent / name, generator)
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["folder.h5", "model.h5"]


def test_overwrites_when_told_to(path, generator):
    other = generators.Generator(CONFIG, generator.network, ("a", "b"))
    generators.save(path, other, overwrite=True)
    assert generators.load(path).styles == ("a", "b")


def test_nothing_is_half_written(path, generator, monkeypatch):
    before = path.read_bytes()
    # The second cannot be made a number: the first is in the temporary file by then.
    variables = {"first": tf.zeros(3), "second": tf.constant(["no number"])}
    monkeypatch.setattr(models, "_variables", lambda network: variables)
    for target in (path, path.with_name("new.h5")):
        with pytest.raises(OSError, match=r"Can't .*write data"):
            generators.save(target, generator, overwrite=True)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["model.h5"]


def test_what_json_cannot_hold_is_not_written(generator, tmp_path):
    unfit = generators.Generator(CONFIG, generator.network, (), {"seen": {1, 2}})
    with pytest.raises(TypeError, match="not JSON serializable"):
        generators.save(tmp_path / "model.h5", unfit)
    assert list(tmp_path.iterdir()) == []


# Refused to be read


@pytest.mark.parametrize("name", ["missing.h5", "."])
def test_no_file(tmp_path, name):
    with pytest.raises(
        FileNotFoundError, match=r"`model` must be a file, or one of .*\. Received: "
    ):
        generators.load(tmp_path / name)


@pytest.mark.parametrize("contents", [b"", b"PK\x03\x04 a zip", b"\x89HDF\r\n\x1a\n"])
def test_no_hdf5(tmp_path, contents):
    (tmp_path / "model.h5").write_bytes(contents)
    with pytest.raises(ValueError, match=NOT_ONE):
        generators.load(tmp_path / "model.h5")


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.99])
def test_cut_short(path, part):
    contents = path.read_bytes()
    path.write_bytes(contents[: int(part * len(contents))])
    with pytest.raises(ValueError, match=NOT_ONE):
        generators.load(path)


def with_header(**changes):
    def change(file):
        header = json.loads(file["header"][()])
        header.update(changes)
        del file["header"]
        file["header"] = json.dumps(header)

    return change


def config_with(**changes):
    return {"widths": [2, 3], "num_blocks": 1, "num_styles": 2, **changes}


def delete(name):
    return lambda file: file.__delitem__(name)


def replace(name, values):
    def change(file):
        del file[name]
        file[name] = values

    return change


def group_in_place_of(name):
    def change(file):
        del file[name]
        file.create_group(name)

    return change


DAMAGES = {
    "foreign": (lambda file: file.attrs.clear(), "it has no header"),
    "another version": (
        lambda file: file.attrs.modify("format", "stylezoo generator 99"),
        "it has no header",
    ),
    "no header": (delete("header"), "header"),
    "header is a group": (group_in_place_of("header"), ""),
    "header is no JSON": (replace("header", "{"), ""),
    "header is a list": (replace("header", "[]"), ""),
    "config is a list": (with_header(config=[1]), ""),
    "unknown type": (with_header(type="gan"), "gan"),
    "unknown field": (with_header(config=config_with(depth=3)), "depth"),
    "value out of range": (with_header(config=config_with(num_blocks=-1)), "num_blocks=-1"),
    "value of a wrong type": (with_header(config=config_with(num_blocks="1")), ""),
    "no weights": (delete("weights"), "weights"),
    "weights are a number": (replace("weights", 1.0), ""),
    "a weight is missing": (delete("weights/up/kernel"), "it lacks up/kernel"),
    "a weight is a group": (group_in_place_of("weights/up/kernel"), ""),
    "a weight has another shape": (replace("weights/up/kernel", np.zeros([3, 3])), r"\(3, 3\)"),
    "a weight is text": (replace("weights/up/kernel", "kernel"), ""),
    "of more blocks": (with_header(config=config_with(num_blocks=2)), "it lacks block2"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_inside(path, damage, reason):
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(ValueError, match=f"{NOT_ONE}.*{reason}"):
        generators.load(path)
