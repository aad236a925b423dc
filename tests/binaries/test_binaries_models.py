"""`stylezoo models`: the tables of generators and classifiers."""

import dataclasses
import json
import re

import pytest
from binaries_helpers import assert_one_line

from stylezoo import classifiers, pretrained
from stylezoo.binaries import main


@pytest.fixture
def model(monkeypatch, tmp_path):
    """A generator that comes with the package, for what is said of one."""
    shipped = pretrained.PretrainedModel(
        name="painter",
        paints="photographs",
        summary="two styles in one network",
        styles=("waves", "night"),
        sha256="0" * 64,
    )
    (tmp_path / "painter").mkdir()
    (tmp_path / "painter" / "README.md").write_text("# painter\n\nIts card.\n", encoding="utf-8")
    monkeypatch.setattr(pretrained, "LISTED", {"painter": shipped})
    monkeypatch.setattr(pretrained, "_FOLDER", tmp_path)
    return shipped


def run(capsys, *arguments):
    assert main.run(["models", *arguments]) == 0
    return capsys.readouterr().out


def cells(table):
    """Return rows by their first cells, heading included; columns are two spaces apart."""
    rows = [re.split(r"  +", line) for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_both_kinds_are_listed(model, capsys):
    shipped, networks = map(cells, run(capsys).split("\n\n"))
    assert shipped["painter"] == ["photographs", "two styles in one network", "waves, night"]
    names = [name.partition(" = ")[0] for name in networks]
    assert names == ["CLASSIFIER", *classifiers.list_models()]
    assert networks["CLASSIFIER"] == ["PARAMETERS", "INPUT", "TAPS", "STRIDE", "FIELD", "PAPER"]
    # Published parameters and receptive fields; see tests/classifiers.
    expected = {
        "lenet5": ["61,706", "28x28x1", "8", "4", "32", "LeCun et al. 1998"],
        "alexnet": ["60,965,224", "227x227x3", "15", "32", "195", "Krizhevsky et al. 2012"],
        "vgg16 = vgg_d": [
            *("138,357,544", "224x224x3", "31", "32", "212"),
            "Simonyan & Zisserman 2015",
        ],
        "resnet152": ["60,192,808", "224x224x3", "52", "32", "1507", "He et al. 2016"],
    }
    assert {name: networks[name] for name in expected} == expected


@pytest.mark.parametrize("name", ["vgg16", "vgg_d"])
def test_taps_of_a_classifier(name, capsys):
    heading, table = run(capsys, name).split("\n\n")
    assert heading == (
        "vgg16 = vgg_d: Simonyan & Zisserman 2015; 138,357,544 parameters, 1000 classes, "
        "images of 224x224x3"
    )
    rows = cells(table)
    assert list(rows) == ["TAP", *classifiers.tap_infos("vgg16")]
    assert rows["TAP"] == ["CHANNELS", "SIZE", "STRIDE", "FIELD"]
    # Receptive fields of VGG16 are published, e.g. by Araujo et al. 2019.
    assert rows["conv1_1"] == ["64", "224", "1", "3"]
    assert rows["pool3"] == ["256", "28", "8", "44"]
    assert rows["relu5_3"] == ["512", "14", "16", "196"]
    assert rows["pool5"] == ["512", "7", "32", "212"]


def test_json(model, capsys):
    everything = json.loads(run(capsys, "--json"))
    assert list(everything) == ["generators", "classifiers"]
    shipped = dataclasses.asdict(model) | {"styles": ["waves", "night"]}
    assert everything["generators"] == [shipped]
    assert json.loads(run(capsys, "painter", "--json")) == shipped
    listed = {each["name"]: each for each in everything["classifiers"]}
    assert list(listed) == list(classifiers.list_models())
    for name, each in listed.items():
        published = classifiers.get(name)
        assert each["num_parameters"] == classifiers.num_parameters(name)
        assert each["aliases"] == [a for a, target in classifiers.ALIASES.items() if target == name]
        for field in ("paper", "input_size", "channels", "num_classes"):
            assert each[field] == getattr(published, field)
        assert each["taps"] == [
            {"name": tap, "size": info.size(published.input_size), **dataclasses.asdict(info)}
            for tap, info in classifiers.tap_infos(name).items()
        ]
    assert json.loads(run(capsys, "vgg_e", "--json")) == listed["vgg19"]
    assert listed["vgg19"]["taps"][-1] == {
        "name": "pool5",
        "channels": 512,
        "size": 7,
        "stride": 32,
        "receptive_field": 268,
        "offset": 118,
        "minimum_size": 32,
    }


def test_what_others_published_is_listed(capsys):
    listed, _ = map(cells, run(capsys).split("\n\n"))
    assert listed["arbitrary.magenta"][:2] == [
        "photographs",
        "any picture's style, Ghiasi et al. 2017",
    ]
    assert listed["multistyle26.magenta"][2].startswith("style0, style1, ")
    assert run(capsys, "arbitrary.magenta").startswith("# arbitrary.magenta\n")


def test_card_of_a_generator(model, capsys):
    assert run(capsys, "painter") == "# painter\n\nIts card.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vgg17"], "`NAME` must be one of painter, lenet5, .*vgg_e. Received: vgg17"),
        (["vgg16", "vgg19"], "expected nothing, or one name. Received: vgg16 vgg19"),
    ],
)
def test_bad_input(arguments, message, model, capsys):
    assert main.run(["models", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, "models", message)
