"""The objective of style transfer against the formulas of its sources, in NumPy and float64."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf
from configuring import with_fields
from networks import random_image

from stylezoo.errors import WeightsError
from stylezoo.objectives import OBJECTIVES, SCALINGS, Objective, Reference
from stylezoo.perceptual import Perceptual

# Sums of thousands of float32 products.
FLOAT32 = 2e-5

STYLE_LAYERS = ("relu1", "relu2", "relu3")
CONTENT_LAYERS = ("relu2", "relu3")


@pytest.fixture
def objective(random_weights):
    return Objective(
        Perceptual("alexnet_owt", str(random_weights("alexnet_owt"))),
        content_layers=CONTENT_LAYERS,
        style_layers=STYLE_LAYERS,
        content_weight=2.0,
        style_weight=3.0,
        tv_weight=0.5,
    )


def flat(values):
    """Return features as [B, positions, channels] in float64."""
    values = np.asarray(values, np.float64)
    return values.reshape(len(values), -1, values.shape[-1])


def gram(values, *, over_channels):
    """Return the Gram matrix over C·H·W or H·W."""
    values = flat(values)
    _, positions, channels = values.shape
    return np.swapaxes(values, 1, 2) @ values / positions / (channels if over_channels else 1)


def expected(scaling, painted, photograph, painting):
    """Return unweighted content and style losses, from features by layer."""
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
    """Return the sum of squared differences of neighbours, the mean over pictures."""
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
    assert list(shares) == ["content", "style", "tv"]
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
        with_fields(objective, pooling=pooling).build().network(image)["relu3"]
        for pooling in ("max", "avg")
    ]
    assert np.mean(features[0]) > 1.01 * np.mean(features[1])


GATYS_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
NNST_LAYERS = tuple(
    f"relu{block}_{conv}"
    for block, convs in enumerate((2, 2, 3, 3), 1)
    for conv in range(1, convs + 1)
)
JOHNSON_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
TEXTURE_LAYERS = ("relu1_1", "pool1", "pool2", "pool3", "pool4")
# Network, pooling, content and style layers, weights of content, style and variation.
PUBLISHED = {
    "relative": ("vgg16", "max", ("relu4_2",), GATYS_LAYERS, 1, 10, 0),
    "gatys2016-paper": ("vgg19", "avg", ("relu4_2",), GATYS_LAYERS, 1e-3, 1, 0),
    "gatys2016-code": ("vgg19", "max", ("relu4_2",), GATYS_LAYERS, 1, 1, 0),
    "cnnmrf": ("vgg16", "max", ("relu4_2",), ("relu2_1", "relu3_1", "relu4_1"), 1, 4, 1),
    "cnnmrf2016-paper": ("vgg19", "max", ("relu4_2",), ("relu3_1", "relu4_1"), 1, 1, 1e-3),
    "cnnmrf2016-code": ("vgg19", "max", ("relu4_2",), ("relu3_1", "relu4_1"), 20, 1e-4, 1e-3),
    "nnst": ("vgg16", "max", (), ("relu1_2", "relu2_2", "relu3_3", "relu4_3"), 1, 1, 0),
    "nnst2022-paper": ("vgg16", "max", (), NNST_LAYERS, 1, 1, 0),
    "neural-style": ("vgg19", "max", ("relu4_2",), GATYS_LAYERS, 5, 100, 1e-3),
    "johnson2016": ("vgg16", "max", ("relu3_3",), JOHNSON_LAYERS, 1, 5, 1e-6),
    "dumoulin2017": ("vgg16", "max", ("relu3_3",), JOHNSON_LAYERS, 1, 1e-4, 0),
    "texture": ("vgg16", "avg", (), TEXTURE_LAYERS, 1, 1, 0),
}


def test_named_objectives():
    """Weights and layers of the papers and their codes."""
    assert list(OBJECTIVES) == list(PUBLISHED)
    for name, objective in OBJECTIVES.items():
        assert (
            objective.perceptual.network,
            objective.perceptual.pooling,
            objective.content_taps,
            objective.style_taps,
            objective.content_weight,
            objective.style_weight,
            objective.tv_weight,
        ) == PUBLISHED[name]
        relative = name in ("relative", "cnnmrf", "nnst", "nnst2022-paper", "texture")
        assert objective.scaling == ("relative" if relative else name)
        style_losses = {
            "cnnmrf": "mrf",
            "cnnmrf2016": "mrf",
            "nnst": "neighbors",
            "nnst2022": "neighbors",
        }
        assert objective.style_loss == style_losses.get(name.split("-")[0], "gram")
        assert objective.dream_taps == ()
    assert {each.scaling for each in OBJECTIVES.values()} == set(SCALINGS)
    # Their networks take 0-255, and a loss is not free of scale.
    for name in ("johnson2016", "dumoulin2017"):
        assert OBJECTIVES[name].perceptual.weights == "vgg16.keras"
    paper, code = OBJECTIVES["cnnmrf2016-paper"].patches, OBJECTIVES["cnnmrf2016-code"].patches
    # All patches of 7 scales and 5 rotations; every other one of 3 scales and 3 rotations.
    assert (paper.patch_stride, paper.patch_scales, paper.patch_rotations) == (1, 3, 2)
    assert (code.patch_stride, code.patch_scales, code.patch_rotations) == (2, 1, 1)


def test_usual_layers_follow_the_network_and_the_style_loss():
    assert Objective(Perceptual("vgg11")).content_taps == ("relu4_2",)
    alexnet = Objective(Perceptual("alexnet_owt"))
    assert alexnet.content_taps == ("relu3",)
    assert alexnet.style_taps == ("relu1", "relu2", "relu3", "relu4", "relu5")
    assert dataclasses.replace(alexnet, style_loss="mrf").style_taps == ("relu1", "relu2", "relu3")
    texture = dataclasses.replace(alexnet, content_layers=())
    assert texture.style_taps == ("relu1", "pool1", "pool2", "relu3", "relu4")
    assert texture.taps == texture.style_taps
    # What is left of an objective keeps its layers.
    assert alexnet.without_content().style_taps == alexnet.style_taps
    resolved = alexnet.resolved()
    assert (resolved.content_layers, resolved.style_layers) == (("relu3",), alexnet.style_taps)


def test_shares_mean_the_same_under_every_scaling(objective):
    """Equal shares change nothing, and three times the share of a layer is three times its loss."""
    # relu3 has patches of three features.
    image, painting = random_image(96, 100), random_image(110, 96, seed=2)

    def style(**fields):
        fields = {"content_layers": (), "tv_weight": 0.0, **fields}
        loss = dataclasses.replace(objective, **fields).build(pictures=[painting])
        return float(loss(image, loss.targets({"style": Reference([painting])}))[0])

    for name, scaling in SCALINGS.items():
        loss = {"scaling": name, "style_loss": scaling.style_losses[0]}
        equal = style(style_layer_weights=(2.0, 2.0, 2.0), **loss)
        assert equal == pytest.approx(style(**loss), rel=FLOAT32)
        alone = [style(style_layers=(layer,), **loss) for layer in STYLE_LAYERS]
        if name == "gatys2016-paper":
            # The mean activations of all layers are of the same pictures: nothing else changes.
            assert style(**loss) == pytest.approx(np.mean(alone), rel=FLOAT32)
        count = len(STYLE_LAYERS) if scaling.sums_layers else 1
        shared = style(style_layer_weights=(1.0, 0.0, 3.0), **loss)
        assert shared == pytest.approx(count * (alone[0] + 3 * alone[2]) / 4, rel=FLOAT32)


def test_neural_style_against_its_definition(objective):
    """Its criteria, written out in NumPy for features and pixels of 0-255 inputs."""
    objective = dataclasses.replace(
        objective, scaling="neural-style", content_weight=5.0, style_weight=100.0, tv_weight=1e-3
    )
    image, painting = random_image(96, 100), random_image(110, 96, seed=2)
    loss = objective.build(temporal_weight=1000.0)
    references = {"content": Reference([painting[:, :96]]), "style": Reference([painting])}
    image = image[:, :, :96]
    targets = loss.targets(references) | {
        "temporal": {"picture": 0.5 * image, "weights": tf.ones_like(image[..., :1])}
    }
    _, shares = loss(image, targets)
    unit = loss.network.get_layer("preprocess").gain / 255.0

    def features(picture):
        return {tap: each.numpy()[0] / unit for tap, each in loss.network(picture).items()}

    def gram(values):
        flat = values.reshape(-1, values.shape[-1])
        return flat.T @ flat / flat.size

    of_image, of_content = features(image), features(painting[:, :96])
    of_style = features(painting)
    content = 5 * np.mean([((of_image[t] - of_content[t]) ** 2).mean() for t in CONTENT_LAYERS])
    content *= len(CONTENT_LAYERS)
    style = 100 * sum(((gram(of_image[t]) - gram(of_style[t])) ** 2).mean() for t in STYLE_LAYERS)
    pixels = 255.0 * image.numpy()
    variation = sum((np.diff(pixels, axis=axis) ** 2).sum() for axis in (1, 2)) / 2
    assert float(shares["content"]) == pytest.approx(content, rel=1e-4)
    assert float(shares["style"]) == pytest.approx(style, rel=1e-4)
    assert float(shares["tv"]) == pytest.approx(1e-3 * variation, rel=1e-4)
    assert float(shares["temporal"]) == pytest.approx(1000 * ((pixels / 2) ** 2).mean(), rel=1e-4)


def test_a_dream_is_a_term_of_its_own(objective):
    objective = dataclasses.replace(objective, dream_layer="relu4", dream_weight=0.5)
    assert objective.taps == ("relu1", "relu2", "relu3", "relu4")
    loss = objective.build()
    assert [term.name for term in loss.terms] == ["content", "style", "tv", "dream"]
    assert (loss.terms[-1].taps, loss.terms[-1].weight) == (("relu4",), 0.5)


def test_mean_activations_need_pictures(objective):
    objective = dataclasses.replace(objective, scaling="gatys2016-code")
    with pytest.raises(ValueError, match="`pictures` must be given for mean activations"):
        objective.build()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"scaling": "sum"},
            "`scaling` must be one of relative, gatys2016-paper, .*'sum'",
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
        ({"style_loss": "x"}, "`style_loss` must be one of gram, moments, sliced, mrf"),
        ({"dream_layer": "x"}, "`dream_layer` of alexnet_owt must be among .*: x$"),
        ({"dream_weight": -1.0}, "`dream_weight` must be finite, >= 0"),
        (
            {"style_loss": "mrf", "scaling": "johnson2016"},
            "`scaling` must be one of relative, cnnmrf2016-paper, cnnmrf2016-code with",
        ),
        ({"patch_size": 2}, "`patch_size` must be odd, >= 1"),
        ({"patch_stride": 0}, "`patch_stride` must be >= 1"),
        ({"guide_weight": 0.0}, "`guide_weight` must be finite, > 0"),
        ({"network": "vgg99"}, "must be one of .*vgg16.*vgg99"),
    ],
)
def test_refuses(fields, message, objective):
    with pytest.raises(ValueError, match=message):
        with_fields(objective, **fields)


def test_build_refuses(objective, tmp_path):
    with pytest.raises(ValueError, match="`pooling` must be one of max, avg"):
        with_fields(objective, pooling="min").build()
    with pytest.raises(WeightsError, match=r"none\.h5"):
        with_fields(objective, weights=str(tmp_path / "none.h5")).build()
    with pytest.raises(ValueError, match="must be one or more different layers"):
        dataclasses.replace(objective, style_layers=()).build()
