"""How like photographs are to what super-resolution makes of them."""

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import evaluation, generators
from stylezoo.evaluation import enlargements

CONFIG = generators.SuperResolutionConfig(
    width=2, num_blocks=1, normalization="none", residual=True
)
# Means and sums of thousands of float32 numbers <= 1.
FLOAT32 = 1e-5


@pytest.fixture
def lpips(monkeypatch, lpips_weights):
    """Give LPIPS random weights, and return it for AlexNet."""
    original = evaluation.Lpips
    monkeypatch.setattr(enlargements, "Lpips", lambda name: original(name, weights=lpips_weights))
    return original("alexnet_owt", weights=lpips_weights)


@pytest.fixture
def interpolating():
    """A painter that adds nothing to linear interpolation."""
    painter = generators.build(CONFIG)
    for variable in painter.get_layer("conv_out").weights:
        variable.assign(tf.zeros_like(variable))
    return painter


def photographs():
    return {"a": random_image(64, 72, seed=1).numpy(), "b": random_image(68, 64, seed=2).numpy()}


def psnr(one, other):
    return -10 * np.log10(np.mean(np.square(one.astype(np.float64) - other)))


def test_pictures_and_figures(interpolating, lpips):
    pictures, calls = photographs(), []
    found = evaluation.enlarge_and_score(
        interpolating, pictures, lpips=["alexnet_owt"], callback=lambda: calls.append(None)
    )
    assert [each.photograph for each in found] == ["a", "b"]
    assert len(calls) == 2
    for each in found:
        photograph = pictures[each.photograph]
        small = generators.degrade(photograph, 4)
        size = photograph.shape[1:3]
        linear = tf.image.resize(small, size, "bilinear").numpy()
        # Linear interpolation twice by 2 is once by 4 but for the middle of three px.
        assert np.abs(each.image - linear).mean() < 0.02
        bicubic = np.clip(tf.image.resize(small, size, "bicubic"), 0, 1)
        np.testing.assert_allclose(each.bicubic, bicubic, rtol=0, atol=1e-6)
        for picture, likeness in (
            (each.image, each.likeness),
            (each.bicubic, each.bicubic_likeness),
        ):
            assert likeness.psnr == pytest.approx(psnr(picture, photograph), rel=FLOAT32)
            distance = float(lpips(picture, photograph)[0])
            assert likeness.lpips == {"alexnet_owt": pytest.approx(distance, rel=FLOAT32)}


def test_table_and_sheet(interpolating, lpips):
    pictures = photographs()
    pictures["b"] = pictures["a"][:, ::-1]
    found = evaluation.enlarge_and_score(interpolating, pictures, lpips=["alexnet_owt"])
    header, _, *rows = evaluation.enlargements_table(found).splitlines()
    assert header == (
        "| photograph | PSNR bicubic | PSNR model | LPIPS AlexNet bicubic | LPIPS AlexNet model |"
    )
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [row[0] for row in cells] == ["a", "b", "mean"]
    mean = evaluation.mean_likeness([each.likeness for each in found])
    assert cells[2][2] == f"{np.mean([each.likeness.psnr for each in found]):.2f}"
    assert cells[2][4] == f"{mean.lpips['alexnet_owt']:.3f}"
    sheet = evaluation.enlargements_sheet(found, pictures)
    assert sheet.shape[1] > 2 * 64
    assert sheet.shape[2] > 3 * 72
    assert len(evaluation.enlargements_table(found[:1]).splitlines()) == 3


def test_sizes_and_painters_that_do_not_fit(interpolating, lpips):
    odd = {"odd": random_image(66, 64).numpy()}
    with pytest.raises(ValueError, match=r"`odd` must have sides that are multiples of 4"):
        evaluation.enlarge_and_score(interpolating, odd, lpips=["alexnet_owt"])
    light = generators.build(generators.LightConfig(widths=(2, 2), num_blocks=1), styles=("x",))
    with pytest.raises(ValueError, match=r"`painter` must be one of super-resolution.*a Light"):
        evaluation.enlarge_and_score(light, photographs())
