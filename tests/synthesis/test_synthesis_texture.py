"""Texture synthesis and feature inversion with random weights."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from configuring import with_fields

from stylezoo import images, perceptual
from stylezoo.objectives import OBJECTIVES
from stylezoo.perceptual import Perceptual
from stylezoo.synthesis import (
    TEXTURE_PRESETS,
    Adam,
    InversionConfig,
    Schedule,
    TextureConfig,
    invert,
    synthesize_texture,
)


@pytest.fixture(scope="module")
def source():
    """Return a source whose channels have different ranges."""
    picture = images.resize(images.load_sample("coffee"), (40, 44))
    return picture * tf.constant([0.9, 0.6, 0.4]) + tf.constant([0.05, 0.1, 0.3])


@pytest.fixture
def configure(random_weights):
    def build(**options):
        defaults = {
            "weights": str(random_weights("vgg16")),
            "style_layers": ("relu1_1", "pool1"),
            "schedule": Schedule(smallest=None, initial_steps=4, steps=4),
        }
        return with_fields(TextureConfig(), **(defaults | options))

    return build


@pytest.mark.parametrize("size", [(40, 44), (33, 70), (24, 24)])
def test_any_size(size, source, configure):
    config = configure(schedule=Schedule(smallest=20, initial_steps=8, steps=8))
    result = synthesize_texture(source, size, config=config)
    assert result.image.shape == (1, *size, 3)
    totals = [step["total"] for step in result.losses]
    assert totals[-1] < 0.2 * totals[0]  # measured 0.01 to 0.05
    lowest, highest = np.min(source, axis=(0, 1, 2)), np.max(source, axis=(0, 1, 2))
    assert np.all(result.image >= lowest)
    assert np.all(result.image <= highest)


def test_starts_from_seeded_noise_in_the_range_of_the_source(source, configure):
    def start(seed):
        none = Schedule(smallest=None, initial_steps=0, steps=0)
        config = configure(seed=seed, schedule=none)
        return synthesize_texture(source, (32, 32), config=config).image.numpy()

    noise = start(0)
    np.testing.assert_array_equal(noise, start(0))
    assert not np.array_equal(noise, start(1))
    lowest, highest = np.min(source, axis=(0, 1, 2)), np.max(source, axis=(0, 1, 2))
    # Uniform: the extremes of 1024 values are within 1 % of the range, but for one in 3000 seeds.
    np.testing.assert_allclose(noise.min(axis=(0, 1, 2)), lowest, atol=0.01)
    np.testing.assert_allclose(noise.max(axis=(0, 1, 2)), highest, atol=0.01)


def test_only_the_layers_given_are_matched(source, configure):
    """The statistics of relu1_1 alone say less than those of relu1_1 and pool1."""
    network = configure().objective.perceptual.build(["relu1_1", "pool1"])
    assert configure().objective.perceptual.pooling == "avg"

    def error(image, tap):
        grams = [
            np.einsum("bhwi,bhwj->ij", f, f) / f.shape[1] / f.shape[2]
            for f in (network(image)[tap].numpy(), network(source)[tap].numpy())
        ]
        return np.sum((grams[0] - grams[1]) ** 2) / np.sum(grams[1] ** 2)

    steps = Schedule(smallest=None, initial_steps=25, steps=25)
    shallow, deep = (
        synthesize_texture(
            source, (40, 44), config=configure(style_layers=layers, schedule=steps)
        ).image
        for layers in (("relu1_1",), ("relu1_1", "pool1"))
    )
    assert error(deep, "pool1") < 0.5 * error(shallow, "pool1")
    assert error(shallow, "relu1_1") < 0.01


def test_loss_is_relative_gram_of_the_source(source, configure):
    """The first loss of Adam is that of the start, by hand from features."""
    config = configure(optimizer=Adam(), style_layers=("relu1_1",))
    none = dataclasses.replace(config, schedule=Schedule(None, 0, 0))
    start = synthesize_texture(source, (32, 36), config=none).image
    network = config.objective.perceptual.build(["relu1_1"])
    gram = [
        np.einsum("bhwi,bhwj->ij", f, f, dtype=np.float64) / f.shape[1] / f.shape[2]
        for f in (
            network(image)["relu1_1"].numpy()
            # The source at the scale of the result: 32/32 here.
            for image in (start, source)
        )
    ]
    expected = np.sum((gram[0] - gram[1]) ** 2) / np.sum(gram[1] ** 2)
    first = synthesize_texture(source, (32, 36), config=config).losses[0]["style"]
    assert first == pytest.approx(expected, rel=1e-4)  # float32 sums


def test_match_histogram(source, configure):
    plain = synthesize_texture(source, (32, 36), config=configure()).image
    result = synthesize_texture(source, (32, 36), config=configure(match_histogram=True)).image
    np.testing.assert_array_equal(result, images.match_histogram(plain, source))
    for quantile in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(
            np.quantile(result, quantile, axis=(0, 1, 2)),
            np.quantile(source, quantile, axis=(0, 1, 2)),
            atol=0.01,  # 1152 values: quantiles are a grey level or two apart
        )


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        ((1, 40, 44, 3), (8, 40), "`size` must be at least 16x16 px for the layer pool4"),
        ((1, 40, 12, 3), (40, 40), "`source` must be at least 16x16 px for the layer pool4"),
    ],
)
def test_too_small(shape, size, message, configure, monkeypatch):
    monkeypatch.setattr(perceptual.Perceptual, "build", lambda *_, **__: pytest.fail("worked"))
    with pytest.raises(ValueError, match=message):
        synthesize_texture(tf.ones(shape), size, config=configure(style_layers=None))


def test_unknown_layer():
    with pytest.raises(ValueError, match="`style_layers` of vgg16 must be among conv1_1, relu1_1"):
        with_fields(TextureConfig(), style_layers=("relu9",))


def test_content():
    message = "`content_layers` must be none for a texture. Received: relu4_2"
    with pytest.raises(ValueError, match=message):
        TextureConfig(OBJECTIVES["relative"])
    texture = OBJECTIVES["relative"].without_content()
    assert TextureConfig(texture).objective.taps == OBJECTIVES["relative"].style_taps


def test_inversion_of_a_shallow_layer(source, random_weights):
    looking = Perceptual(weights=str(random_weights("vgg16")))
    config = InversionConfig(layer="relu1_1", size=36, perceptual=looking, steps=25)
    result = invert(source, config=config)
    assert result.image.shape == (1, 33, 36, 3)
    assert list(result.losses[0]) == ["total", "content", "tv"]
    network = looking.build(["relu1_1"])
    wanted, got = (
        network(image)["relu1_1"].numpy()
        for image in (images.resize(source, (33, 36)), result.image)
    )
    error = np.sum((got - wanted) ** 2) / np.sum(wanted**2)
    # The loss `content` is the relative error of the features, in float32.
    assert result.losses[-1]["content"] == pytest.approx(error, rel=1e-3)
    assert error < 0.1 * result.losses[0]["content"]
    # relu1_1 of random weights has all there is: the picture itself comes back.
    assert np.mean(np.abs(result.image - images.resize(source, (33, 36)))) < 0.05


def test_inversion_is_seeded(source, random_weights):
    def run(seed):
        looking = Perceptual(weights=str(random_weights("vgg16")))
        config = InversionConfig(layer="pool1", size=32, perceptual=looking, steps=2, seed=seed)
        return invert(source, config=config).image.numpy()

    np.testing.assert_array_equal(run(0), run(0))
    assert not np.array_equal(run(0), run(1))


def test_inversion_weighs_smoothness_by_depth():
    weights = {layer: InversionConfig(layer=layer).resolved().tv_weight for layer in DEPTHS}
    base = weights["relu1_1"]
    assert {layer: weight / base for layer, weight in weights.items()} == pytest.approx(DEPTHS)
    assert InversionConfig(layer="relu1_1", tv_weight=0.0).resolved().tv_weight == 0


# Mahendran & Vedaldi 2015, section 5: λ_V grows by factors of ten towards deeper layers.
DEPTHS = {"relu1_1": 1, "relu2_1": 1, "relu3_3": 10, "relu5_3": 100}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "x"}, "`layer` of vgg16 must be among conv1_1, relu1_1"),
        ({"layer": "relu1_1", "size": 0}, "`size` must be > 0"),
        ({"layer": "relu1_1", "perceptual": Perceptual("x")}, "vgg16, vgg19"),
    ],
)
def test_bad_inversions(options, message):
    with pytest.raises(ValueError, match=message):
        InversionConfig(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 8}, "`image` must be at least 16x16 px for the layer relu5_1"),
        ({"tv_beta": -1.0}, "`tv_beta` must be > 0"),
        ({"tv_weight": -1.0}, "`tv_weight` must be finite, >= 0"),
    ],
)
def test_bad_inversions_come_before_work(options, message, source, monkeypatch):
    monkeypatch.setattr(perceptual.Perceptual, "build", lambda *_, **__: pytest.fail("worked"))
    with pytest.raises(ValueError, match=message):
        invert(source, config=InversionConfig(layer="relu5_1", **({"size": 40} | options)))


@pytest.mark.slow
def test_patches_keep_colours_and_leave_no_noise(pretrained):
    """The default of patches, with fewer steps, against the source."""
    source = images.resize(images.load_sample("coffee")[:, 60:300, 200:440], (64, 64))
    config = with_fields(TEXTURE_PRESETS["cnnmrf"], weights=pretrained("vgg16.torchvision_lpips"))
    config = with_fields(config, schedule=Schedule(smallest=32, initial_steps=30, steps=25))
    texture = synthesize_texture(source, (64, 64), config=config).image

    def noise(picture):
        return float(tf.reduce_mean(tf.image.total_variation(picture))) / np.prod(picture.shape)

    mean = [np.mean(picture, axis=(0, 1, 2)) for picture in (texture, source)]
    # Measured 0.04; with the paper's two layers and plain L-BFGS 0.20.
    np.testing.assert_allclose(*mean, rtol=0, atol=0.08)
    # So soon there is some noise left: measured 1.75; with plain L-BFGS 2.5.
    assert noise(texture) < 2.1 * noise(source)
