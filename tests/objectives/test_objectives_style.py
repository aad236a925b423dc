"""The objective of style transfer against the formulas of its sources, in NumPy and float64."""

import dataclasses
import math

import numpy as np
import pytest
from networks import random_image

from stylezoo import objectives
from stylezoo.errors import WeightsError
from stylezoo.objectives import OBJECTIVES, Reference, StyleObjective

# Sums of thousands of float32 products.
FLOAT32 = 2e-5

STYLE_LAYERS = ("relu1", "relu2", "relu3")
CONTENT_LAYERS = ("relu2", "relu3")


@pytest.fixture
def objective(random_weights):
    return StyleObjective(
        network="alexnet_owt",
        weights=str(random_weights("alexnet_owt")),
        content_layers=CONTENT_LAYERS,
        style_layers=STYLE_LAYERS,
        content_weight=2.0,
        style_weight=3.0,
        tv_weight=0.5,
    )


def flat(values):
    """[B, positions, channels] in float64."""
    values = np.asarray(values, np.float64)
    return values.reshape(len(values), -1, values.shape[-1])


def gram(values, *, over_channels):
    """Over C·H·W or H·W."""
    values = flat(values)
    _, positions, channels = values.shape
    return np.swapaxes(values, 1, 2) @ values / positions / (channels if over_channels else 1)


def expected(scaling, painted, photograph, painting):
    """Unweighted content and style, from features by layer."""
    differences = {tap: flat(painted[tap]) - flat(photograph[tap]) for tap in CONTENT_LAYERS}
    if scaling == "relative":
        content = np.mean(
            [
                np.mean(
                    (square**2).sum(axis=(1, 2)) / (flat(photograph[tap]) ** 2).sum(axis=(1, 2))
                )
                for tap, square in differences.items()
            ]
        )
    else:
        content = sum(np.mean(each**2) for each in differences.values())
    style = 0.0
    for tap in STYLE_LAYERS:
        ours, theirs = (
            gram(features[tap], over_channels=scaling == "johnson2016")
            for features in (painted, painting)
        )
        if scaling == "relative":
            style += np.mean((ours - theirs) ** 2) / np.mean(theirs**2) / len(STYLE_LAYERS)
        else:
            style += np.mean((ours - theirs) ** 2)
    return {"content": content, "style": style}


def sum_of_squared_differences(image):
    """Of neighbours, per picture."""
    image = np.asarray(image, np.float64)
    vertical, horizontal = np.diff(image, axis=1) ** 2, np.diff(image, axis=2) ** 2
    return (vertical.sum() + horizontal.sum()) / len(image)


@pytest.mark.parametrize("scaling", ["relative", "johnson2016", "dumoulin2017"])
def test_terms(scaling, objective):
    loss = dataclasses.replace(objective, scaling=scaling).build()
    painted, photograph = (random_image(48, 56, seed=seed, batch=2) for seed in (0, 1))
    painting = random_image(60, 50, seed=2)
    targets = loss.targets({"content": Reference([photograph]), "style": Reference([painting])})
    total, shares = loss(painted, targets)
    features = [loss.network(image) for image in (painted, photograph, painting)]
    wanted = expected(scaling, *features)
    assert list(shares) == ["style", "content", "tv"]
    np.testing.assert_allclose(shares["content"], 2 * wanted["content"], rtol=FLOAT32)
    np.testing.assert_allclose(shares["style"], 3 * wanted["style"], rtol=FLOAT32)
    variation = sum_of_squared_differences(painted) / (3 * 48 * 56)
    if scaling == "johnson2016":
        # Half the sum over a batch of four pictures of 256 x 256 in 0-255 units.
        variation *= 0.5 * 4 * (3 * 256 * 256) * 255**2
    np.testing.assert_allclose(shares["tv"], 0.5 * variation, rtol=FLOAT32)
    np.testing.assert_allclose(total, sum(map(float, shares.values())), rtol=FLOAT32)


def test_layers_have_shares(objective):
    image, painting = random_image(48, 56), random_image(60, 50, seed=2)

    def style(**fields):
        loss = dataclasses.replace(objective, content_layers=(), tv_weight=0.0, **fields).build()
        return float(loss(image, loss.targets({"style": Reference([painting])}))[0])

    alone = [style(style_layers=(layer,)) for layer in STYLE_LAYERS]
    expected = (1 * alone[0] + 0 * alone[1] + 3 * alone[2]) / 4
    np.testing.assert_allclose(style(style_layer_weights=(1, 0, 3)), expected, rtol=FLOAT32)
    np.testing.assert_allclose(style(), np.mean(alone), rtol=FLOAT32)


def test_johnsons_variation_is_that_of_the_code(objective):
    """TotalVariation.lua adds x_diff + y_diff to the gradient of a batch of 4 of 256 x 256."""
    image = random_image(256, 256)
    loss = dataclasses.replace(objective, scaling="johnson2016", tv_weight=1e-6).build()
    (term,) = [each for each in loss.terms if each.name == "tv"]
    # The mean squares of a batch leave a quarter to each of its pictures, the variation doesn't.
    theirs = 1e-6 * 0.5 * sum_of_squared_differences(255 * np.asarray(image, np.float64)) * 4
    np.testing.assert_allclose(term.weight * term({"image": image}, {}), theirs, rtol=FLOAT32)


def test_parts_that_are_not_there(objective):
    loss = dataclasses.replace(objective, content_layers=(), tv_weight=0.0).build()
    assert [term.name for term in loss.terms] == ["style"]
    assert set(loss.network.output) == set(STYLE_LAYERS)
    loss = dataclasses.replace(
        objective, content_layers=("relu4",), style_layers=("relu1",)
    ).build()
    assert set(loss.network.output) == {"relu1", "relu4"}


def test_pooling_reaches_the_network(objective):
    image = random_image(48, 48)
    features = [
        dataclasses.replace(objective, pooling=pooling).build().network(image)["relu3"]
        for pooling in ("max", "avg")
    ]
    assert np.mean(features[0]) > 1.01 * np.mean(features[1])


def test_presets():
    """Weights and layers of the papers' codes."""
    assert list(OBJECTIVES) == ["relative", "johnson2016", "dumoulin2017"]
    for name, preset in OBJECTIVES.items():
        assert preset.scaling == name
        assert preset.network == "vgg16"
        assert preset.style_layers == ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
        assert preset.content_layers == ("relu3_3",)
        assert preset.content_weight == 1
        assert preset.taps == preset.style_layers
    johnson, dumoulin = OBJECTIVES["johnson2016"], OBJECTIVES["dumoulin2017"]
    assert (johnson.style_weight, johnson.tv_weight) == (5, 1e-6)
    assert (dumoulin.style_weight, dumoulin.tv_weight) == (1e-4, 0)
    # Their networks take 0-255, and a loss is not free of scale.
    assert johnson.weights == dumoulin.weights == "vgg16.keras"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"scaling": "sum"},
            "`scaling` must be one of relative, johnson2016, dumoulin2017. .*'sum'",
        ),
        (
            {"content_weight": -1.0},
            "`content_weight` must be finite, >= 0. Received: content_weigh",
        ),
        ({"style_weight": math.inf}, "`style_weight` must be finite, >= 0"),
        ({"tv_weight": math.nan}, "`tv_weight` must be finite, >= 0"),
        ({"style_layers": ("relu9",)}, "`style_layers` of alexnet_owt must be among .*: relu9$"),
        ({"content_layers": ("relu1", "x")}, "`content_layers` of alexnet_owt must be .*: x$"),
        (
            {"style_layer_weights": (1.0, 2.0)},
            "`style_layer_weights` must be .* one for each of relu1, relu2, relu3. .*: 1.0, 2.0$",
        ),
        ({"style_layer_weights": (0.0, 0.0, 0.0)}, "`style_layer_weights` must be .* not all 0"),
        ({"style_layer_weights": (1.0, -1.0, 1.0)}, "`style_layer_weights` must be finite, >= 0"),
        ({"style_layer_weights": (1.0, math.nan, 1.0)}, "`style_layer_weights` must be finite"),
        (
            {"style_layer_weights": (1.0, 1.0, 1.0), "scaling": "johnson2016"},
            "`style_layer_weights` must not be given but with scaling='relative'.*'johnson2016'",
        ),
        ({"network": "vgg99"}, "must be one of .*vgg16.*vgg99"),
    ],
)
def test_refuses(fields, message, objective):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(objective, **fields)


def test_build_refuses(objective, tmp_path):
    with pytest.raises(ValueError, match="`pooling` must be one of max, avg"):
        dataclasses.replace(objective, pooling="min").build()
    with pytest.raises(WeightsError, match=r"none\.h5"):
        dataclasses.replace(objective, weights=str(tmp_path / "none.h5")).build()
    with pytest.raises(ValueError, match="must be one or more different layers"):
        dataclasses.replace(objective, style_layers=()).build()
    assert objectives.StyleObjective() == OBJECTIVES["relative"]
