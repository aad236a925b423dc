"""A painter of any style: what it predicts, how it mixes, that it paints in tiles."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from generators_helpers import network_of
from networks import random_image, randomize

from stylezoo import generators, images
from stylezoo.generators import mobilenet

CONFIG = generators.ArbitraryConfig(
    (3, 4, 5), num_blocks=2, kernel=3, vector_size=6, prediction_width=0.05, style_size=32
)


@pytest.fixture(scope="module")
def painter():
    """A network that tests must not change."""
    built = network_of(CONFIG)
    randomize(built.weights)
    return built


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Paintings a.png and b.png, the first wider than the network looks."""
    monkeypatch.chdir(tmp_path)
    pictures = {"a.png": random_image(40, 56, seed=1), "b.png": random_image(32, 32, seed=2)}
    for name, picture in pictures.items():
        images.write_image(name, picture)
    return {name: images.read_image(name) for name in pictures}


def painted(painter, photograph, vector):
    vector = tf.constant(vector, tf.float32)
    return painter({"image": tf.constant(photograph), "style_vector": vector}).numpy()


def test_features_are_those_of_another_mobilenet():
    """The network is Keras's, with the same weights in the same order."""
    theirs = keras.applications.MobileNetV2(
        input_shape=(64, 64, 3), include_top=False, weights=None, pooling="avg"
    )
    picture = keras.Input([64, 64, 3])
    ours = keras.Model(picture, mobilenet.average_features(picture, width=1.0, batch=True))
    randomize(theirs.weights)
    ours.set_weights(theirs.get_weights())
    image, expected = random_image(64, 64), theirs(random_image(64, 64))
    assert np.std(expected) > 1e-3
    # Float32 sums in other orders, through 52 convolutions.
    np.testing.assert_allclose(ours(image), expected, rtol=1e-3, atol=1e-4)


def test_biases_take_the_place_of_batch_normalisation():
    """A trained one, which is a factor and a shift a channel, can be merged into a convolution."""
    batch = network_of(CONFIG)
    randomize(batch.weights)
    merged = network_of(dataclasses.replace(CONFIG, normalization="none"))
    for source, target in ((batch, merged), (batch.predictor, merged.predictor)):
        for layer in target.layers:
            if not layer.weights:
                continue
            kernel, *rest = source.get_layer(layer.name).get_weights()
            try:
                norm = source.get_layer(f"{layer.name}_norm")
            except ValueError:
                norm = None
            if isinstance(norm, keras.layers.BatchNormalization):
                gamma, beta, mean, variance = norm.get_weights()
                factor = gamma / np.sqrt(variance + norm.epsilon)
                depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                kernel = kernel * (factor[:, None] if depthwise else factor)
                rest = [beta - mean * factor]
            layer.set_weights([kernel, *rest])
    photograph, style = random_image(16, 20), random_image(32, 32, seed=1)
    np.testing.assert_allclose(
        merged.paint(photograph, style=style), batch.paint(photograph, style=style), atol=1e-4
    )


def test_scales_and_shifts_are_linear_in_the_vector(painter):
    """Zero leaves the biases, and the mean of two vectors is the mean of what they give."""
    layer = painter.get_layer("up1_norm")
    x = np.random.default_rng(1).normal(size=(1, 8, 8, 4)).astype(np.float32)
    vectors = tf.constant(np.random.default_rng(0).normal(size=(2, 6)), tf.float32)
    first, second = (layer(x, vector[None]) for vector in vectors)
    mean = layer(x, tf.reduce_mean(vectors, axis=0, keepdims=True))
    np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-5)
    assert np.abs(first - second).max() > 0.1
    scale, shift, scale_bias, shift_bias = (np.array(each) for each in layer.weights)
    vector = vectors[:1].numpy()
    expected = (x - x.mean((1, 2))) / np.sqrt(x.var((1, 2)) + 1e-5)
    expected = expected * (vector @ scale + scale_bias) + vector @ shift + shift_bias
    np.testing.assert_allclose(first, expected, atol=1e-5)


def test_a_style_is_a_file_a_picture_or_what_was_looked_up(painter, files):
    photograph = random_image(13, 18).numpy()
    picture = files["a.png"]
    vector = painter.style_vectors(picture)
    expected = painted(painter, photograph, vector)
    for style in ("a.png", {"a.png": 3}, picture, picture[0], painter.mix_styles("a.png")):
        np.testing.assert_allclose(painter.paint(photograph, style=style), expected, atol=1e-6)
    assert np.abs(painter.paint(photograph, style="b.png") - expected).max() > 1e-3
    middle = images.centre_square(picture, 32)
    np.testing.assert_allclose(painter.predictor(middle), vector, atol=1e-6)


def test_a_blend_has_the_mean_of_the_vectors(painter, files):
    photograph = random_image(13, 18).numpy()
    a, b = (painter.style_vectors(files[name]) for name in ("a.png", "b.png"))
    mix = painter.mix_styles("a.png:3,b.png")
    assert mix.shares == {"a.png": 0.75, "b.png": 0.25}
    np.testing.assert_allclose(mix.code[None], 0.75 * a + 0.25 * b, atol=1e-6)
    np.testing.assert_allclose(
        painter.paint(photograph, style={"a.png": 3, "b.png": 1}),
        painted(painter, photograph, 0.75 * a + 0.25 * b),
        atol=1e-5,  # the mean is summed in another order
    )


def test_strength_goes_to_the_style_of_the_photograph_itself(painter, files):
    photographs = np.concatenate([random_image(36, 40), random_image(36, 40, seed=5)])
    own = painter.style_vectors(photographs)
    style = painter.style_vectors(files["a.png"])
    found = painter.paint(photographs, style="a.png", strength=0.25)
    blended = painted(painter, photographs, 0.25 * style + 0.75 * own)
    lost = photographs - painted(painter, photographs, own)
    np.testing.assert_allclose(found, np.clip(blended + 0.75 * lost, 0, 1), atol=1e-5)
    untouched = painter.paint(photographs, style="a.png", strength=0.0)
    np.testing.assert_allclose(untouched, photographs, atol=1e-5)


def test_tiles_are_the_whole(painter, files):
    photograph = random_image(70, 90).numpy()
    whole = painter.paint(photograph, style="a.png", tiling="none")
    tiled = painter.paint(photograph, style="a.png", tiling="exact", tile=32)
    assert painter.tiling_of(70, 90, tiling="exact", tile=32) == "exact"
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


def test_a_preset_has_both_networks(painter, files, tmp_path):
    painter.save_to_preset(tmp_path / "preset")
    loaded = generators.load(tmp_path / "preset")
    photograph = random_image(13, 18).numpy()
    np.testing.assert_array_equal(
        loaded.paint(photograph, style="a.png"), painter.paint(photograph, style="a.png")
    )


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (None, "`style` must be given: a picture"),
        ("c.png", "`style` must be one or more of the files of pictures, .*Received: c.png"),
        ("a.png,a.png", "`style` must name a style once"),
        ("a.png:much", "the weight of `a.png` must be a number"),
        ({"c.png": 1}, "`style` must be one or more of the files of pictures. Received: c.png"),
        (np.zeros([2, 8, 8, 3], np.float32), "`style` must be one picture"),
        (np.zeros([8, 8, 3], np.uint8), r"`style` must be \[batch, height, width, 3\], float"),
    ],
)
def test_bad_styles(style, message, painter, files):
    with pytest.raises(ValueError, match=message):
        painter.paint(random_image(8, 8).numpy(), style=style)


def test_names_are_for_painters_of_certain_styles(painter):
    with pytest.raises(ValueError, match="`styles` must be at most 0 different names"):
        generators.build(CONFIG, styles=("waves",))
    light = generators.build(generators.LightConfig((2, 3), num_blocks=0))
    with pytest.raises(ValueError, match="`style` must be names of styles"):
        light.paint(random_image(8, 8).numpy(), style=np.zeros([8, 8, 3], np.float32))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kernel": 2}, "`kernel` must be odd"),
        ({"vector_size": 0}, "`vector_size` must be >= 1"),
        ({"prediction_width": 0}, "`prediction_width` must be > 0"),
        ({"normalization": "instance"}, "`normalization` must be one of batch, none"),
    ],
)
def test_bad_configurations(fields, message):
    with pytest.raises(ValueError, match=message):
        generators.ArbitraryConfig(**fields)
