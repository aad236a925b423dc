"""What is particular to texture networks: their noise, and that textures tile."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from generators_helpers import inputs_for, network_of, noise_of
from networks import random_image

from stylezoo import images
from stylezoo.generators import LightConfig, TextureNetworkConfig, build

TEXTURE = TextureNetworkConfig(channels=3, num_scales=4)
STYLIZE = TextureNetworkConfig(channels=3, num_scales=4, stylize=True)

# Float32 sums in another order, through 27 normalisations.
REORDERED = 1e-4


def texture_noise(config, size, **options):
    return noise_of(config)(size, **options)


def scale_of(name):
    return int(name.removeprefix("noise_"))


@pytest.mark.parametrize(
    ("config", "size", "coarser"),
    [
        # The size of the coarsest noise, of 1/8: whole pixels, two at least where they're reflected.
        (TEXTURE, (16, 24), (2, 3)),
        (TEXTURE, (17, 23), (3, 3)),
        (TEXTURE, (1, 1), (1, 1)),
        (STYLIZE, (17, 23), (3, 3)),
        (STYLIZE, (1, 9), (2, 2)),
        (TextureNetworkConfig(num_scales=1), (5, 7), (5, 7)),
    ],
)
def test_noise_covers_the_output_at_every_scale(config, size, coarser):
    shapes = build(config).noise_shapes(*size)
    assert list(shapes) == [f"noise_{scale}" for scale in config.scales]
    assert shapes.pop("noise_1") == (*size, 3)
    for name, shape in shapes.items():
        times = config.stride // scale_of(name)
        assert shape == (coarser[0] * times, coarser[1] * times, 3)


@pytest.mark.parametrize("size", [(0, 8), (8, -1)])
def test_no_size_is_an_error(size):
    with pytest.raises(ValueError, match=rf"`size` must be >= 1 px. Received: {size[0]} x"):
        texture_noise(TEXTURE, size)


def test_noise_is_uniform_and_independent():
    noise = texture_noise(TEXTURE, (64, 64), batch=2, seed=3)
    assert {name: values.shape[1:] for name, values in noise.items()} == build(
        TEXTURE
    ).noise_shapes(64, 64)
    for values in noise.values():
        assert values.dtype == tf.float32
        assert values.shape[0] == 2
        assert 0 <= np.min(values) <= np.max(values) < 1
    # 64 x 64 x 3 numbers: means to 1/sqrt(12 · 12288), correlations to 1/sqrt(12288), 5 deviations.
    first, second = noise["noise_1"].numpy().reshape(2, -1)
    assert abs(first.mean() - 0.5) < 0.013
    assert abs(first.std() - 1 / np.sqrt(12)) < 0.013
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.045
    count = noise["noise_2"][0].numpy().size
    assert abs(np.corrcoef(first[:count], noise["noise_2"][0].numpy().ravel())[0, 1]) < 0.1


def test_noise_is_its_seeds():
    def draw(seed):
        return texture_noise(TEXTURE, (8, 8), seed=seed)

    traced = tf.function(draw)
    for name, values in draw(5).items():
        np.testing.assert_array_equal(values, draw(5)[name])
        np.testing.assert_array_equal(values, traced(tf.constant(5))[name])
        assert np.abs(values - draw(6)[name]).max() > 0.01


def test_noise_1_decides_the_size():
    network = network_of(TEXTURE)
    large, small = texture_noise(TEXTURE, (24, 16)), texture_noise(TEXTURE, (19, 9))
    painted = network(small | {"noise_1": large["noise_1"][:, :18, :10]})
    assert painted.shape == (1, 18, 10, 3)


@pytest.fixture(scope="module")
def texture():
    return network_of(TEXTURE)


def test_a_texture_of_whole_strides_tiles(texture):
    noise = texture_noise(TEXTURE, (16, 24))
    doubled = {name: tf.tile(values, [1, 2, 2, 1]) for name, values in noise.items()}
    painted = texture(noise)
    assert np.std(painted) > 0.02
    expected = tf.tile(painted, [1, 2, 2, 1])
    np.testing.assert_allclose(texture(doubled), expected, rtol=0, atol=REORDERED)


@pytest.mark.parametrize("shift", [(8, 0), (-8, 16)])
def test_rolled_noise_is_a_rolled_texture(texture, shift):
    noise = texture_noise(TEXTURE, (16, 24))
    rolled = {
        name: tf.roll(values, [side // scale_of(name) for side in shift], axis=[1, 2])
        for name, values in noise.items()
    }
    expected = tf.roll(texture(noise), shift, axis=[1, 2])
    np.testing.assert_allclose(texture(rolled), expected, rtol=0, atol=REORDERED)


def test_opposite_borders_of_a_texture_continue_each_other(texture):
    painted = texture(texture_noise(TEXTURE, (64, 64)))[0].numpy()
    for axis in (0, 1):
        steps = np.abs(painted - np.roll(painted, 1, axis=axis)).mean(axis=(1 - axis, 2))
        # The step across the border is one of 64 such steps; places on the coarsest grid differ.
        assert steps[0] < 1.5 * steps[:: TEXTURE.stride].mean()


def test_a_photograph_does_not_wrap_around():
    # Without moments of the picture, those of batch normalisation being fixed, only neighbours see.
    config = dataclasses.replace(STYLIZE, normalization="batch")
    network = network_of(config)
    inputs = inputs_for(config, (128, 128))
    image = inputs["image"].numpy()
    image[:, :, -1] = 1 - image[:, :, -1]
    change = np.abs(network(inputs | {"image": tf.constant(image)}) - network(inputs))[0]
    assert change[:, -1].max() > 1e-4
    assert change[:, : 127 - config.reach].max() == 0


@pytest.mark.parametrize("config", [TEXTURE, STYLIZE], ids=["texture", "stylize"])
def test_noise_of_a_size_that_only_the_traced_step_knows(config):
    signature = [tf.TensorSpec([2], tf.int32), tf.TensorSpec([], tf.int32)]
    traced = tf.function(
        lambda size, seed: texture_noise(config, tf.unstack(size), seed=seed),
        input_signature=signature,
    )
    for size in ((9, 14), (3, 2)):
        noise = traced(size, 5)
        for name, expected in texture_noise(config, size, seed=5).items():
            np.testing.assert_array_equal(noise[name], expected)


def test_another_seed_is_another_texture(texture):
    first, second = (texture(texture_noise(TEXTURE, (32, 32), seed=seed)) for seed in (0, 1))
    assert np.abs(first - second).mean() > 0.01


def test_painted_is_the_network_of_its_noise(texture):
    painted = texture.paint(size=(9, 14), seed=4)
    expected = texture(texture_noise(TEXTURE, (9, 14), seed=4))
    np.testing.assert_array_equal(painted, expected)


@pytest.mark.parametrize("config", [LightConfig((2, 2)), STYLIZE], ids=["light", "stylize"])
def test_other_painters_take_no_size(config):
    with pytest.raises(ValueError, match=r"`size` must be given to painters of textures only"):
        network_of(config).paint(random_image(8, 8), size=(8, 8))


def test_a_painter_of_textures_takes_no_image(texture):
    for arguments in (
        {},
        {"image": random_image(8, 8)},
        {"image": random_image(8, 8), "size": (8, 8)},
    ):
        with pytest.raises(ValueError, match="`size` must be given, and `image` not"):
            texture.paint(**arguments)


def test_limited_activations():
    """A limit comes after every normalisation, and nowhere else; the paper's network has none."""
    config = TextureNetworkConfig(channels=2, num_scales=2, limit=1.0)
    network = build(config)
    norms = [layer for layer in network.layers if layer.name.endswith("_norm")]
    limits = [layer for layer in network.layers if layer.name.endswith("_limit")]
    assert [layer.name for layer in limits] == [f"{layer.name}_limit" for layer in norms]
    inner = keras.Model(network.inputs, [layer.output for layer in limits])
    noise = texture_noise(config, (64, 64))
    assert all(np.abs(each).max() == 1 for each in inner(noise))
    paper = build(TextureNetworkConfig(channels=2, num_scales=2))
    assert len(paper.layers) == len(network.layers) - len(limits)
    with pytest.raises(ValueError, match="`limit` must be >= 0"):
        TextureNetworkConfig(limit=-1)


def test_grey():
    config = TextureNetworkConfig(channels=2, num_scales=2, grey=True)
    network = build(config)
    assert network.get_layer("conv_out").kernel.shape[-1] == 1
    texture = network(texture_noise(config, (20, 24))).numpy()
    assert texture.shape == (1, 20, 24, 3)
    assert images.is_grey(texture)
    assert np.ptp(texture) > 0
