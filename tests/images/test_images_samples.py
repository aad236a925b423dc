"""The sample pictures against those that scikit-image itself gives."""

import importlib.resources

import numpy as np
import pytest

from stylezoo import images

# Height and width, of scikit-image's documentation.
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


# Linear RGB to XYZ, D65, of Adobe RGB (1998) and of sRGB: Lindbloom's tables.
ADOBE_TO_XYZ = np.array(
    [
        [0.5767309, 0.1855540, 0.1881852],
        [0.2973769, 0.6273491, 0.0752741],
        [0.0270343, 0.0706872, 0.9911085],
    ]
)
SRGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


@pytest.mark.parametrize("name", sorted(SIZES.keys() - {"rocket"}))
def test_is_scikit_images_picture(name):
    data = pytest.importorskip("skimage.data")
    expected = getattr(data, name)()
    image = images.load_sample(name)
    assert image.shape == (1, *SIZES[name], 3)
    if expected.ndim == 2:
        expected = np.repeat(expected[..., np.newaxis], 3, axis=-1)
    # One level, should two builds of libjpeg differ, or a conversion from sRGB to sRGB round.
    np.testing.assert_allclose(image[0], expected / 255, rtol=0, atol=1.01 / 255)


def test_rocket_is_converted_from_its_adobe_rgb():
    # scikit-image gives the stored values, which are not sRGB: a real profile to test with.
    data = pytest.importorskip("skimage.data")
    linear = (data.rocket() / 255) ** (563 / 256)
    linear = np.clip(linear @ ADOBE_TO_XYZ.T @ np.linalg.inv(SRGB_TO_XYZ).T, 0, 1)
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    image = images.load_sample("rocket")
    assert image.shape == (1, *SIZES["rocket"], 3)
    # Half a level of rounding, the rest LittleCMS's fixed-point curves (measured: 0.69).
    np.testing.assert_allclose(image[0], expected, rtol=0, atol=1.01 / 255)


@pytest.mark.parametrize("sample", images.SAMPLES.values(), ids=str)
def test_may_be_used_and_is_credited(sample):
    assert sample.licence in ("CC0 1.0", "public domain")
    assert sample.credit
    assert sample.title


def test_unknown_sample():
    with pytest.raises(
        ValueError, match=r"`name` must be one of astronaut, .*Received: name='cat'"
    ):
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
