"""Which styles a text or a mapping asks for, and how much of each."""

import functools

import numpy as np
import pytest

from stylezoo import generators

NAMES = ("a", "b", "c:d")


@functools.cache
def painter_of(names):
    config = generators.LightConfig((2, 3), num_blocks=0, num_styles=len(names))
    return generators.build(config, styles=names)


def blend(styles, names=NAMES):
    return painter_of(names).style_weights(styles)


@pytest.mark.parametrize(
    ("styles", "expected"),
    [
        ("a", [1, 0, 0]),
        ("b:5", [0, 1, 0]),
        ("a:1,b:3", [0.25, 0.75, 0]),
        ("b,a", [0.5, 0.5, 0]),
        ("c:d,a:1", [0.5, 0, 0.5]),
        ("c:d:3,a:1", [0.25, 0, 0.75]),
        ("a:0,b:1e-3", [0, 1, 0]),
        ({"a": 1, "b": 3}, [0.25, 0.75, 0]),
        ({"c:d": 0.1}, [0, 0, 1]),
    ],
)
def test_style_weights(styles, expected):
    weights = blend(styles)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_the_only_style_is_the_default():
    np.testing.assert_array_equal(blend(None, names=("a",)), [1])


@pytest.mark.parametrize(
    ("styles", "message"),
    [
        (None, "`style` must be given: one or more of a, b, c:d"),
        ("", "`style` must be one or more of a, b, c:d, as NAME or NAME:WEIGHT. Received: $"),
        ("cubism", "Received: cubism"),
        ("a:1,cubism:2", "Received: cubism:2"),
        ("a,", "Received: $"),
        ("a,a:2", "`style` must name a style once. Received: a,a:2"),
        ("a:much", "the weight of `a` must be a number. Received: a:much"),
        ("a:", "the weight of `a` must be a number"),
        ("a:0", "weights of `style` must be finite, >= 0, not all 0. Received: a:0"),
        ("a:-1,b:2", "finite, >= 0, not all 0"),
        ("a:nan", "finite, >= 0, not all 0"),
        ("a:1,b:nan", "finite, >= 0, not all 0"),
        ("a:inf", "finite, >= 0, not all 0"),
        ({}, "finite, >= 0, not all 0"),
        ({"a": -1, "b": 2}, "finite, >= 0, not all 0"),
        ({"a": 1, "cubism": 2}, "`style` must be one or more of a, b, c:d. Received: cubism$"),
    ],
)
def test_bad_blends(styles, message):
    with pytest.raises(ValueError, match=message):
        blend(styles)


def test_a_painter_without_styles_takes_none():
    painter = generators.build(generators.SuperResolutionConfig(width=1, num_blocks=0))
    assert painter.style_weights().shape == (0,)
    with pytest.raises(ValueError, match="`style` must not be given to a painter without styles"):
        painter.style_weights("a")


@pytest.mark.parametrize("names", [("a",), ("a", "b", "a"), ("a", "b", "c", "d")])
def test_names_that_do_not_fit(names):
    config = generators.LightConfig((2, 3), num_blocks=0, num_styles=3)
    with pytest.raises(ValueError, match=r"`styles` must be 3 different names. Received: "):
        generators.Light(config, styles=names)
    with pytest.raises(ValueError, match="`styles` must be at most 1 different names"):
        generators.build(generators.JohnsonConfig((1, 1, 1), num_blocks=0), styles=("a", "b"))
