"""Sizes at which strokes are painted, and what each size is painted from."""

import numpy as np
import pytest
from generators_helpers import network_of
from networks import random_image

from stylezoo import generators, images, painting

CONFIG = generators.LightConfig((4, 6), num_blocks=0, num_styles=3)


@pytest.mark.parametrize(
    ("size", "stroke_size", "expected"),
    [
        ((300, 400), 512, [(300, 400)]),
        ((500, 724), 512, [(500, 724)]),
        ((500, 725), 512, [(250, 362), (500, 725)]),
        ((768, 1024), 512, [(384, 512), (768, 1024)]),
        ((2048, 1536), 512, [(512, 384), (1024, 768), (2048, 1536)]),
        ((2048, 1536), None, [(2048, 1536)]),
        ((1, 4000), 1000, [(1, 1000), (1, 2000), (1, 4000)]),
    ],
)
def test_sizes_double_up_to_the_picture(size, stroke_size, expected):
    assert painting.stroke_sizes(*size, stroke_size) == expected


def test_stroke_size_must_be_positive():
    with pytest.raises(ValueError, match=r"`stroke_size` must be >= 1.*stroke_size=0"):
        painting.stroke_sizes(100, 100, 0)


def painter_with_identity():
    painter = generators.Light(CONFIG, styles=("night", "identity", "day"))
    painter.set_weights(network_of(CONFIG).get_weights())
    return painter


def resized(pictures, size):
    return images.resize(pictures, size).numpy()


def test_larger_sizes_are_painted_from_the_mean_of_photograph_and_painting():
    painter, photograph = painter_with_identity(), random_image(48, 64).numpy()
    found = painter.paint(photograph, style="day", stroke_size=16)
    expected = painter.paint(resized(photograph, (12, 16)), style="day", stroke_size=None)
    for size in ((24, 32), (48, 64)):
        source = (resized(expected, size) + resized(photograph, size)) / 2
        expected = painter.paint(source, style="day", stroke_size=None)
    # What is resized to its own size is left as it is; a resize that is none rounds.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    plain = painter.paint(photograph, style="day", stroke_size=None)
    np.testing.assert_array_equal(painter.paint(photograph, style="day"), plain)
    assert np.abs(found - plain).max() > 0.01


@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_strength_brings_the_detail_of_every_size_back(strength):
    painter, photograph = painter_with_identity(), random_image(24, 32).numpy()
    found = painter.paint(photograph, style="day", strength=strength, stroke_size=16)
    small = resized(photograph, (12, 16))
    first = painter.paint(small, style="day", strength=strength, stroke_size=None)
    detail = photograph - resized(small, (24, 32))
    enlarged = np.clip(resized(first, (24, 32)) + (1 - strength) * detail, 0, 1)
    source = (enlarged + photograph) / 2
    expected = painter.paint(source, style="day", strength=strength, stroke_size=None)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    if strength == 0:
        np.testing.assert_allclose(found, photograph, rtol=0, atol=1e-5)
