"""A judge's losses against NumPy, the rest against what it is made of."""

import dataclasses

import numpy as np
import pytest
from networks import random_image

from stylezoo import perceptual
from stylezoo.evaluation import Judge, Lpips, Scores, mean_scores, scores
from stylezoo.objectives import OBJECTIVES, Objective
from stylezoo.perceptual import Perceptual

# Sums of thousands of float32 products in another order, layer upon layer.
RTOL = 1e-4

PHOTOGRAPHS = {"dog": random_image(40, 40), "cat": random_image(40, 40, seed=1)}
STYLES = {"cubism": random_image(33, 50, seed=2), "fauvism": random_image(48, 37, seed=3)}


@pytest.fixture
def judge_by(random_weights):
    """A judge by an objective, with random weights and without LPIPS."""

    def build(objective, **options):
        looking = Perceptual("vgg16", random_weights("vgg16"))
        objective = dataclasses.replace(objective, perceptual=looking)
        options = {"photographs": PHOTOGRAPHS, "styles": STYLES, "lpips": (), **options}
        return Judge(objective, **options)

    return build


def features_of(image, taps, file):
    network = perceptual.Perceptual("vgg16", file).build(taps)
    return {tap: values[0].numpy().astype(np.float64) for tap, values in network(image).items()}


def gram(features):
    rows = features.reshape(-1, features.shape[-1])
    return rows.T @ rows / len(rows)


def expected_losses(scaling, picture, photograph, style, file):
    """Return content and style losses before they are weighted, as the papers' codes write them."""
    style_taps, content_tap = ("relu1_2", "relu2_2", "relu3_3", "relu4_3"), "relu3_3"
    if scaling == "relative":
        style_taps = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
        content_tap = "relu4_2"
    painted, photograph, style = (
        features_of(image, (*style_taps, content_tap), file)
        for image in (picture, photograph, style)
    )
    squares = (painted[content_tap] - photograph[content_tap]) ** 2
    layers = []
    for tap in style_taps:
        mine, goal = gram(painted[tap]), gram(style[tap])
        if scaling == "johnson2016":  # over C·H·W
            mine, goal = mine / len(mine), goal / len(goal)
        difference = np.mean((mine - goal) ** 2)
        layers.append(difference / np.mean(goal**2) if scaling == "relative" else difference)
    if scaling == "relative":
        return np.sum(squares) / np.sum(photograph[content_tap] ** 2), np.mean(layers)
    return np.mean(squares), np.sum(layers)


def variation(picture):
    """Return the sum of squared differences of neighbours over the number of values."""
    picture = picture[0].numpy().astype(np.float64)
    return sum(np.sum(np.diff(picture, axis=axis) ** 2) for axis in (0, 1)) / picture.size


@pytest.mark.parametrize("name", ["relative", "johnson2016", "dumoulin2017"])
def test_losses_equal_numpy(name, judge_by, random_weights):
    picture = random_image(40, 40, seed=4)
    result = judge_by(OBJECTIVES[name]).scores(picture, photograph="cat", style="fauvism")
    content, style = expected_losses(
        name, picture, PHOTOGRAPHS["cat"], STYLES["fauvism"], random_weights("vgg16")
    )
    style_weight = {"relative": 10, "johnson2016": 5, "dumoulin2017": 1e-4}[name]
    # fast-neural-style: 1e-6 times half the sum over 4 pictures of 3 x 256 x 256, in 0 to 255.
    tv_weight = 1e-6 * 255**2 * 4 * 3 * 256**2 / 2 if name == "johnson2016" else 0
    tv = variation(picture)
    assert result.content == pytest.approx(content, rel=RTOL)
    assert result.style == pytest.approx(style_weight * style, rel=RTOL)
    assert result.tv == pytest.approx(tv, rel=RTOL)
    total = content + style_weight * style + tv_weight * tv
    assert result.total == pytest.approx(total, rel=RTOL)
    assert result.lpips == {}


def test_every_photograph_and_style_is_its_own(judge_by):
    judge = judge_by(OBJECTIVES["relative"])
    assert judge.styles == ("cubism", "fauvism")
    for name, photograph in PHOTOGRAPHS.items():
        for style in STYLES:
            # Equal features, summed in the same order.
            assert judge.losses(photograph, photograph=name, style=style)["content"] == 0
        other = next(other for other in PHOTOGRAPHS if other != name)
        assert judge.losses(photograph, photograph=other, style="cubism")["content"] > 0.01


def test_a_style_itself_has_no_style_loss(judge_by):
    style = PHOTOGRAPHS["dog"]
    losses = judge_by(OBJECTIVES["relative"], styles={"dog": style}).losses(
        style, photograph="cat", style="dog"
    )
    assert losses["style"] < 1e-9  # squares of float32's rounding
    assert losses["content"] > 0.01


def test_an_objective_without_content(judge_by):
    result = judge_by(OBJECTIVES["relative"].without_content()).scores(
        PHOTOGRAPHS["dog"], photograph="dog", style="cubism"
    )
    assert result.content == 0
    assert result.total == result.style > 0


def test_lpips_is_the_distance_from_the_photograph(judge_by, monkeypatch, lpips_weights):
    monkeypatch.setattr(
        scores, "Lpips", lambda architecture: Lpips(architecture, weights=lpips_weights)
    )
    judge = judge_by(OBJECTIVES["relative"], lpips=["alexnet_owt"])
    picture = random_image(40, 40, seed=4)
    result = judge.scores(picture, photograph="cat", style="cubism")
    expected = Lpips(weights=lpips_weights)(picture, PHOTOGRAPHS["cat"])
    assert result.lpips == {"alexnet_owt": pytest.approx(float(expected[0]), rel=RTOL)}
    same = judge.scores(PHOTOGRAPHS["cat"], photograph="cat", style="cubism")
    assert same.lpips == {"alexnet_owt": 0}
    with pytest.raises(ValueError, match=r"`tiny` must be at least 31x31 px .*: 30x40 px"):
        judge_by(
            OBJECTIVES["relative"],
            photographs={"dog": PHOTOGRAPHS["dog"], "tiny": random_image(40, 30)},
            lpips=["alexnet_owt"],
        )


def test_a_picture_of_another_size(judge_by):
    with pytest.raises(ValueError, match=r"photograph's shape, \(1, 40, 40, 3\).*\(1, 40, 41, 3\)"):
        judge_by(OBJECTIVES["relative"]).scores(
            random_image(40, 41), photograph="cat", style="cubism"
        )


def test_a_picture_that_is_not_finite(judge_by):
    """A ReLU may make 0 of a NaN, so that the losses don't show it."""
    picture = np.full((1, 40, 40, 3), np.nan, np.float32)
    with pytest.raises(FloatingPointError, match=r"cat in cubism is not finite: .*tv"):
        judge_by(OBJECTIVES["relative"]).scores(picture, photograph="cat", style="cubism")


def test_a_loss_that_is_not_finite(judge_by):
    judge = judge_by(Objective(style_weight=1e38))
    with pytest.raises(FloatingPointError, match=r"cat in cubism is not finite: total, style$"):
        judge.losses(1e3 * PHOTOGRAPHS["cat"], photograph="cat", style="cubism")


@pytest.mark.parametrize("field", ["photographs", "styles"])
def test_too_small(judge_by, field):
    with pytest.raises(ValueError, match="`tiny` must be at least 16x16 px for the layer relu5_1"):
        judge_by(OBJECTIVES["relative"], **{field: {"tiny": random_image(7, 40)}})


def test_means():
    first = Scores(content=1.0, style=2.0, tv=3.0, total=4.0, lpips={"a": 0.5, "b": 1.0})
    second = Scores(content=3.0, style=3.0, tv=3.0, total=8.0, lpips={"a": 0.0, "b": 0.5})
    assert mean_scores([first]) == first
    assert mean_scores([first, second]) == Scores(
        content=2.0, style=2.5, tv=3.0, total=6.0, lpips={"a": 0.25, "b": 0.75}
    )
