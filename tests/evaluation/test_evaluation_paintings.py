"""A small generator's paintings: every photograph in every style, scored and optimised beside."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import generators, images
from stylezoo.evaluation import (
    STARTS,
    Judge,
    PixelOptimizer,
    check_styles,
    optimize_beside,
    paint_and_score,
    paintings_sheet,
    starting_pictures,
)
from stylezoo.objectives import Objective
from stylezoo.perceptual import Perceptual

NAMES = ("cubism", "fauvism", "pop")
PHOTOGRAPHS = {"dog": random_image(24, 24), "cat": random_image(24, 24, seed=1)}
STYLES = {"fauvism": random_image(33, 50, seed=2), "cubism": random_image(48, 37, seed=3)}


def generator_of(config, *, styles=NAMES):
    keras.utils.set_random_seed(0)
    painter = generators.build(config, styles=styles)
    random = np.random.default_rng(0)
    for variable in generators.style_variables(painter):
        variable.assign(random.uniform(0.5, 1.5, variable.shape))  # else all styles are alike
    return painter


@pytest.fixture(scope="module")
def generator():
    return generator_of(generators.LightConfig(widths=(4, 8), num_blocks=1, num_styles=3))


@pytest.fixture(scope="module")
def judge_of(random_weights):
    def build(styles):
        objective = Objective(
            Perceptual(weights=random_weights("vgg16")),
            content_layers=("relu2_2",),
            style_layers=("relu1_2", "relu2_2"),
        )
        return Judge(objective, photographs=PHOTOGRAPHS, styles=styles, lpips=())

    return build


@pytest.fixture(scope="module")
def judge(judge_of):
    return judge_of(STYLES)


def test_every_photograph_in_every_style(generator, judge):
    told = []
    paintings = paint_and_score(generator, judge, callback=lambda: told.append(1))
    assert len(told) == 4
    assert [(each.style, each.photograph) for each in paintings] == [
        ("fauvism", "dog"),
        ("fauvism", "cat"),
        ("cubism", "dog"),
        ("cubism", "cat"),
    ]
    for painting in paintings:
        inputs = {
            "image": PHOTOGRAPHS[painting.photograph],
            "style_weights": tf.one_hot([NAMES.index(painting.style)], 3),
        }
        expected = generator(inputs, training=False)
        # Graph and eager.
        np.testing.assert_allclose(painting.image, expected, atol=1e-5)
        assert painting.scores == judge.scores(
            painting.image, photograph=painting.photograph, style=painting.style
        )
        assert painting.optimizations == {}
    for index, one in enumerate(paintings):
        for other in paintings[:index]:
            assert np.max(np.abs(one.image - other.image)) > 0.01


@pytest.mark.parametrize(
    "config",
    [
        generators.TextureNetworkConfig(stylize=True, channels=2, num_scales=3),
        generators.JohnsonConfig(widths=(2, 4, 4), num_blocks=1),
    ],
    ids=lambda config: type(config).__name__,
)
def test_generators_of_one_style(config, judge_of):
    generator = generator_of(config, styles=("cubism",))
    judge = judge_of({"cubism": STYLES["cubism"]})
    paintings, again = (paint_and_score(generator, judge) for _ in range(2))
    assert [each.image.shape for each in paintings] == [(1, 24, 24, 3)] * 2
    np.testing.assert_array_equal(paintings[0].image, again[0].image)


def test_styles_that_the_model_lacks(generator, judge_of):
    check_styles(generator, NAMES)
    judge = judge_of({"cubism": STYLES["cubism"], "dada": STYLES["fauvism"]})
    with pytest.raises(ValueError, match=r"must be among the painter's, cubism, .*: dada$"):
        paint_and_score(generator, judge)


@pytest.mark.parametrize(
    ("config", "styles"),
    [
        (generators.TextureNetworkConfig(channels=2, num_scales=2), ("cubism",)),
        (generators.SuperResolutionConfig(width=2, num_blocks=0), ()),
    ],
    ids=["texture", "super-resolution"],
)
def test_generators_that_paint_no_photographs(config, styles, judge):
    with pytest.raises(
        ValueError, match=r"`painter` must be one of photographs .* Received: a .* that paints "
    ):
        paint_and_score(generator_of(config, styles=styles), judge)


def test_a_model_that_is_broken(judge):
    generator = generator_of(generators.LightConfig(widths=(4, 8), num_blocks=1, num_styles=3))
    generator.get_layer("conv_out").kernel.assign(
        tf.fill(generator.get_layer("conv_out").kernel.shape, float("nan"))
    )
    with pytest.raises(FloatingPointError, match="dog in fauvism is not finite"):
        paint_and_score(generator, judge)


def test_optimize_beside(generator, judge):
    paintings = paint_and_score(generator, judge)
    told = []
    beside = optimize_beside(judge, paintings, num_steps=3, seed=5, callback=lambda: told.append(1))
    assert len(told) == len(paintings) * 2 * 3
    optimizer = PixelOptimizer(judge, num_steps=3)
    for before, after in zip(paintings, beside, strict=True):
        assert (after.photograph, after.style) == (before.photograph, before.style)
        assert after.image is before.image
        assert after.scores == before.scores
        assert tuple(after.optimizations) == STARTS
        starts = starting_pictures(PHOTOGRAPHS[after.photograph], seed=5)
        for start, initial in starts.items():
            names = {"photograph": after.photograph, "style": after.style}
            expected, _ = optimizer.run(initial, **names)
            optimization = after.optimizations[start]
            # A graph of its own each: the order of float32 sums.
            np.testing.assert_allclose(optimization.totals, expected.totals, rtol=1e-3)
            assert after.worth(start) == optimization.worth(after.scores.total)


def test_sheet(generator, judge):
    paintings = paint_and_score(generator, judge)
    sheet = paintings_sheet(judge, paintings)
    rows = [
        [PHOTOGRAPHS[name], *(each.image for each in paintings if each.photograph == name)]
        for name in PHOTOGRAPHS
    ]
    expected = images.contact_sheet([each[0] for row in rows for each in row], columns=3)
    np.testing.assert_array_equal(sheet, expected)
    assert sheet.shape == (1, 24 + 4 + 24, 24 + 4 + 24 + 4 + 24, 3)
