"""What all tests share: quiet TensorFlow, the slow tier, pretrained and random weights."""

import functools
import os
import pathlib
import random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import networks
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as framework_config

from stylezoo import weights
from stylezoo.errors import WeightsError
from stylezoo.perceptual import network as perceptual_network


@pytest.fixture(autouse=True)
def _ends_determinism():
    """Training makes operations deterministic for good; XLA lacks some of those."""
    yield
    framework_config.disable_op_determinism()


@pytest.fixture(autouse=True, scope="session")
def _trains_in_float32():
    """What a test expects of ``"auto"`` must not follow from the machine's processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stylezoo.training.trainer.fastest_precision", lambda: "float32")
        yield


@pytest.fixture(autouse=True, scope="session")
def _perceptual_networks_are_built_once():
    """Let tests that want the same perceptual network from a file share it, which is frozen.

    Reading and building VGG-16 takes a third of a small style transfer. Neither a network that is
    built nor one that is shared draws random numbers, so that no test depends on those before it.
    """
    build = perceptual_network.build_network

    @functools.lru_cache(maxsize=8)
    def built(config, taps, file, policy):
        state = random.getstate()
        network = build(config, taps)
        random.setstate(state)
        return network

    def shared(config, taps):
        path = pathlib.Path(config.weights)
        if tf.distribute.has_strategy() or not path.is_file():
            return build(config, taps)
        status = path.stat()
        file = (status.st_dev, status.st_ino, status.st_mtime_ns)
        return built(config, tuple(taps), file, keras.config.dtype_policy().name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(perceptual_network, "build_network", shared)
        yield


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the tests marked `slow`")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


@pytest.fixture(scope="session")
def _fetched():
    """The result of fetching each weights, so that a failure is not tried again for every test."""
    return {}


@pytest.fixture
def pretrained(_fetched):
    """Fetches weights into the ordinary cache and gives their name back, or skips the test.

    With STYLEZOO_REQUIRE_WEIGHTS=1 it fails instead.
    """

    def fetch(name):
        if name not in _fetched:
            try:
                weights.fetch(name)
                _fetched[name] = None
            except WeightsError as error:
                _fetched[name] = str(error)
        if _fetched[name]:
            required = os.environ.get("STYLEZOO_REQUIRE_WEIGHTS") == "1"
            (pytest.fail if required else pytest.skip)(_fetched[name])
        return name

    return fetch


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory):
    """Gives the path of a weights file with :func:`networks.he_tensors` of an architecture."""
    files = {}

    def path(architecture):
        if architecture not in files:
            file = tmp_path_factory.mktemp("weights") / f"{architecture}.h5"
            files[architecture] = networks.write(file, architecture)
        return files[architecture]

    return path
