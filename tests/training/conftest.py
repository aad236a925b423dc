"""Pictures to train on, and the smallest perceptual network."""

import numpy as np
import pytest
from PIL import Image


def smooth(seed, *, size, contrast=1.0):
    """A PIL image of soft spots of colour; ``size`` is (width, height)."""
    spots = 0.5 + contrast * (np.random.default_rng(seed).random((7, 6, 3)) - 0.5)
    image = Image.fromarray(np.rint(255 * spots).astype(np.uint8))
    return image.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder of seven photographs of several sizes."""
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(7):
        smooth(seed, size=(56 + 5 * seed, 70 - 3 * seed)).save(folder / f"{seed}.png")
    return str(folder)


@pytest.fixture(scope="module")
def paintings(tmp_path_factory):
    """Paths of three paintings: a pale, a plain and a gaudy one, whose features differ in size."""
    folder = tmp_path_factory.mktemp("paintings")
    for seed, (name, contrast) in enumerate((("pale", 0.1), ("plain", 0.5), ("gaudy", 1.0))):
        smooth(10 + seed, size=(50, 60), contrast=contrast).save(folder / f"{name}.png")
    return tuple(str(folder / f"{name}.png") for name in ("pale", "plain", "gaudy"))


@pytest.fixture(scope="session")
def alexnet(random_weights):
    """The path of random weights for the smallest perceptual network."""
    return str(random_weights("alexnet_owt"))
