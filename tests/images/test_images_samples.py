"""The sample pictures against those that scikit-image itself gives."""

import importlib.resources

import numpy as np
import pytest

from stylezoo import images

# Height and width, of the table in DATA.md's source: scikit-image's documentation.
SIZES = {
    "astronaut": (512, 512),
    "brick": (512, 512),
    "chelsea": (300, 451),
    "coffee": (400, 600),
    "grass": (512, 512),
    "gravel": (512, 512),
    "hubble_deep_field": (872, 1000),
    "retina": (1411, 1411),
    "rocket": (427, 640),
}


def test_names():
    assert {name: sample.name for name, sample in images.SAMPLES.items()} == {
        name: name for name in SIZES
    }


@pytest.mark.parametrize("name", SIZES)
def test_is_scikit_images_picture(name):
    data = pytest.importorskip("skimage.data")
    expected = getattr(data, name)()
    image = images.load_sample(name)
    assert image.shape == (1, *SIZES[name], 3)
    if expected.ndim == 2:
        expected = np.repeat(expected[..., np.newaxis], 3, axis=-1)
    # The PNGs are exact; the JPEGs are decoded by other builds of libjpeg, a level apart, and
    # two of the files have an sRGB profile, another level.
    np.testing.assert_allclose(image[0], expected / 255, rtol=0, atol=2.01 / 255)


@pytest.mark.parametrize("sample", images.SAMPLES.values(), ids=str)
def test_may_be_used_and_is_credited(sample):
    assert sample.licence in ("CC0 1.0", "public domain")
    assert sample.credit
    assert sample.title


def test_unknown_sample():
    with pytest.raises(ValueError, match="`name` must be one of astronaut, .*Received: name='cat'"):
        images.sample_path("cat")


def test_without_scikit_image(monkeypatch):
    def not_installed(package):
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    monkeypatch.setattr(importlib.resources, "files", not_installed)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "stylezoo\[samples\]"') as error:
        images.load_sample("coffee")
    assert "\n" not in str(error.value)


def test_other_version_without_the_file(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(FileNotFoundError, match="another version"):
        images.sample_path("coffee")
