"""What holds for every generator: any size, no border, as far as it sees, how many parameters."""

import dataclasses
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from generators_helpers import inputs_for, network_of, transparent
from networks import random_image

from stylezoo import generators, layers
from stylezoo.generators import (
    ARCHITECTURES,
    ArbitraryConfig,
    JohnsonConfig,
    LightConfig,
    SuperResolutionConfig,
    TextureNetworkConfig,
)
from stylezoo.layers import normalization

# Two or three channels at least.
THIN = {
    name: generators.generator_config(name, width=0.25 if hasattr(config, "channels") else 0.05)
    for name, config in ARCHITECTURES.items()
}
PHOTOGRAPHS = {name: c for name, c in THIN.items() if getattr(c, "stylize", True)}
# Those that reflect before every convolution.
BORDERLESS = [name for name in PHOTOGRAPHS if not name.startswith("johnson2016")]

thin = pytest.mark.parametrize("config", THIN.values(), ids=THIN)


@functools.cache
def thin_network(config):
    """A network that tests must not change."""
    return network_of(config)


def factor_of(config):
    return getattr(config, "factor", 1)


@thin
def test_paints_any_size(config):
    network = thin_network(config)
    for size in [(1, 1), (2, 35)]:
        painted = network(inputs_for(config, size))
        assert painted.shape == (1, *(factor_of(config) * side for side in size), 3)
        assert np.isfinite(painted).all()
        assert 0 <= np.min(painted) <= np.max(painted) <= 1


@thin
def test_of_a_batch_is_that_of_each_picture(config):
    network = thin_network(config)
    both = inputs_for(config, (9, 14), batch=2)
    painted = network(both)
    assert np.abs(painted[0] - painted[1]).max() > 1e-3
    for index in (0, 1):
        one = {name: values[index : index + 1] for name, values in both.items()}
        # Float32 sums in another order, through up to 43 normalisations: measured 5e-5.
        np.testing.assert_allclose(network(one)[0], painted[index], rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", BORDERLESS)
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_a_constant_picture_shows_no_border(name, size, monkeypatch):
    # Sums of equal numbers differ by rounding with their place, on some processors. Normalisation would
    # divide these differences by the root of a variance that is nothing else.
    monkeypatch.setattr(normalization, "EPSILON", 1.0)
    config = PHOTOGRAPHS[name]
    image = tf.tile(tf.constant([[[[0.2, 0.5, 0.9]]]]), [1, *size, 1])
    inputs = inputs_for(config, size, image=image)
    inputs.update(
        (key, tf.fill(noise.shape, 0.3)) for key, noise in inputs.items() if "noise" in key
    )
    painted = thin_network(config)(inputs)[0]
    # Measured 1.2e-7, and 8e-5 to 0.05 with the networks that pad with zeros.
    np.testing.assert_allclose(painted, tf.broadcast_to(painted[:1, :1], painted.shape), atol=1e-6)


@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize(
    ("name", "layer"), [("conditional", "up1"), ("conditional", "up2"), ("light", "up")]
)
def test_skips_lead_past_what_comes_from_a_quarter_of_the_size(name, layer, skips):
    config = dataclasses.replace(THIN[name], skips=skips)
    network = network_of(config)
    for weight in network.get_layer(f"{layer}_norm").weights:
        weight.assign(tf.zeros_like(weight))
    one, other = (network(inputs_for(config, (16, 20), seed=seed)) for seed in (0, 1))
    assert (np.abs(one - other).max() > 1e-3) == skips


@pytest.mark.parametrize("size", [(24, 32), (21, 30)])
@pytest.mark.parametrize("name", ["conditional", "light"])
def test_margin_is_mirrored_before_and_cut_afterwards(name, size):
    config = THIN[name]
    inputs = inputs_for(config, size)
    aligned = [-(-side // config.stride) * config.stride for side in size]
    after = [whole - side for whole, side in zip(aligned, size, strict=True)]
    # First up to the grid, the border's own row included, then by the margin, without it.
    padded = np.pad(inputs["image"], [(0, 0), *((0, each) for each in after), (0, 0)], "symmetric")
    padded = np.pad(padded, [(0, 0), *[(config.margin,) * 2] * 2, (0, 0)], "reflect")
    inputs_of_padded = inputs | {"image": tf.constant(padded)}
    bare = network_of(dataclasses.replace(config, margin=0))(inputs_of_padded)
    rows, columns = (slice(config.margin, config.margin + side) for side in size)
    np.testing.assert_allclose(
        thin_network(config)(inputs), bare[:, rows, columns], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", ["conditional", "light"])
def test_training_leaves_the_margin_out(name):
    config = THIN[name]
    inputs = inputs_for(config, (24, 32))
    found = thin_network(config)(inputs, training=True)
    bare = network_of(dataclasses.replace(config, margin=0))(inputs, training=True)
    np.testing.assert_allclose(found, bare, rtol=0, atol=1e-6)
    assert np.abs(found - thin_network(config)(inputs)).max() > 1e-3


def test_super_resolution_that_adds_nothing_interpolates():
    config = SuperResolutionConfig(width=2, num_blocks=1, normalization="none", residual=True)
    network, image = network_of(config), random_image(12, 16)
    for variable in network.get_layer("conv_out").weights:
        variable.assign(tf.zeros_like(variable))
    expected = layers.BilinearUpsampling()(layers.BilinearUpsampling()(image))
    np.testing.assert_allclose(network({"image": image}), expected, rtol=0, atol=1e-6)


SEEN = {
    "johnson": JohnsonConfig((2, 2, 2), normalization="batch"),
    "johnson instance": JohnsonConfig((2, 2, 2), kernel=3, num_blocks=1),
    "johnson once": JohnsonConfig((2, 2, 2), normalization="batch", padding="once"),
    "johnson skips": JohnsonConfig((2, 2, 2), num_blocks=1, normalization="batch", skips=True),
    "johnson transposed": JohnsonConfig(
        (2, 2, 2), kernel=5, num_blocks=2, normalization="batch", upsampling="transposed"
    ),
    "johnson same": JohnsonConfig(
        (2, 2, 2), num_blocks=1, normalization="batch", upsampling="transposed", padding="same"
    ),
    "johnson others": JohnsonConfig(
        (2, 3, 4), num_blocks=1, expanding_widths=(3, 2), centred=False
    ),
    "light": LightConfig((2, 2), num_blocks=2, skips=True),
    "light conditional": LightConfig((2, 2), num_blocks=1, num_styles=2),
    "arbitrary": ArbitraryConfig((2, 2, 2), num_blocks=1, prediction_width=0.05),
    "johnson eighth": JohnsonConfig(
        (2, 2, 2),
        num_blocks=1,
        normalization="batch",
        upsampling="bilinear",
        eighth_blocks=1,
        eighth_width=2,
    ),
    "light eighth": LightConfig((2, 2), num_blocks=1, eighth_blocks=2, eighth_width=2, margin=8),
    "light bilinear": LightConfig((2, 2), num_blocks=1, upsampling="bilinear", margin=4),
    "superres_x4": SuperResolutionConfig(width=2),
    "superres bilinear": SuperResolutionConfig(width=2, num_blocks=1, upsampling="bilinear"),
    "superres_x8": SuperResolutionConfig(factor=8, width=2, num_blocks=1),
    "superres residual": SuperResolutionConfig(
        width=2, num_blocks=1, normalization="none", residual=True
    ),
    "superres transposed": SuperResolutionConfig(
        factor=8, width=2, num_blocks=1, upsampling="transposed"
    ),
    "texture network": TextureNetworkConfig(stylize=True, channels=2, num_scales=3),
}
seen = pytest.mark.parametrize("config", SEEN.values(), ids=SEEN)


@seen
def test_reach_is_how_far_a_pixel_sees(config):
    network, factor = transparent(config), factor_of(config)
    middle = config.stride * (config.reach // config.stride + 1)
    inputs = inputs_for(config, (2 * middle + config.stride,) * 2)
    furthest = 0
    # Every place of a pixel on the coarsest grid; rows and columns at once.
    for place in range(config.stride * factor):
        pixel = middle * factor + place
        with tf.GradientTape() as tape:
            tape.watch(inputs["image"])
            painted = tf.reduce_sum(network(inputs)[:, pixel, pixel])
        gradient = tape.gradient(painted, inputs["image"])
        rows, columns = np.nonzero(np.abs(gradient[0]).sum(axis=-1))
        for positions in (rows, columns):
            distances = np.abs(positions - pixel // factor)
            furthest = max(furthest, distances.max())
    # 40 px reflected once hide nothing of the middle. TensorFlow's zeros shift what is seen to one side.
    slack = 3 if getattr(config, "padding", None) == "same" else 1
    assert config.reach - slack <= furthest <= config.reach


@seen
def test_a_tile_with_a_margin_of_reach_is_a_part_of_the_whole(config):
    """What painting in tiles relies on; the tile starts at a multiple of the stride."""
    network, factor, stride = transparent(config), factor_of(config), config.stride
    margin = stride * -(-config.reach // stride)
    start, inner = stride, 2 * stride
    size = start + 2 * margin + inner + 3 * stride
    inputs = inputs_for(config, (size, size))
    tile = slice(start, start + 2 * margin + inner)

    def cut(name, values):
        scale = int(name.removeprefix("noise_")) if "noise" in name else 1
        part = slice(tile.start // scale, tile.stop // scale)
        return values[:, part, part] if len(values.shape) == 4 else values

    whole = network(inputs)
    part = network({name: cut(name, values) for name, values in inputs.items()})
    kept = slice(factor * margin, factor * (margin + inner))
    same = slice(factor * (start + margin), factor * (start + margin + inner))
    # Without its margin it would be off by the spread of the whole.
    spread = float(np.ptp(whole))
    np.testing.assert_allclose(part[:, kept, kept], whole[:, same, same], atol=1e-4 * spread)


# Parameters, counted by hand


def kernels(*layers):
    """Return the number of parameters of convolutions, given as (side, channels in, channels out)."""
    return sum(side**2 * before * after for side, before, after in layers)


JOHNSON_KERNELS = kernels(
    (9, 3, 32),
    (3, 32, 64),
    (3, 64, 128),
    *[(3, 128, 128)] * 10,
    (3, 128, 64),
    (3, 64, 32),
    (9, 32, 3),
)
JOHNSON_NORMALIZED = 32 + 64 + 128 + 10 * 128 + 64 + 32


@pytest.mark.parametrize(
    ("preset", "num_styles", "expected"),
    [
        # c9s1-32, d64, d128, R128 x 5, u64, u32, c9s1-3: the last with a bias, a scale and a shift
        # a channel after all others, with batch normalisation the two moments too.
        ("johnson", 1, JOHNSON_KERNELS + 2 * JOHNSON_NORMALIZED + 3),
        ("johnson2016-paper", 1, JOHNSON_KERNELS + 4 * JOHNSON_NORMALIZED + 3),
        ("johnson2016-code", 1, JOHNSON_KERNELS + 2 * JOHNSON_NORMALIZED + 3),
        (
            "conditional",
            1,
            # At an eighth of the size: one down, four blocks, one up.
            JOHNSON_KERNELS
            + kernels((3, 128, 192), *[(3, 192, 192)] * 8, (3, 192, 128))
            + 2 * (JOHNSON_NORMALIZED + 3 + 9 * 192 + 128),
        ),
        # A style more costs a scale and a shift: Dumoulin et al. count some 3000, 0.2 %.
        ("dumoulin2017", 32, JOHNSON_KERNELS + 32 * 2 * (JOHNSON_NORMALIZED + 3)),
        (
            "arbitrary",
            1,
            # MobileNetV2 without its head, as others count it; 100 numbers of its 1280, a kernel and
            # a bias for each scale and shift; batch normalisation before the residual blocks.
            2_257_984
            + (1280 + 1) * 100
            + JOHNSON_KERNELS
            + 4 * (32 + 64 + 128)
            + 2 * (100 + 1) * (10 * 128 + 64 + 32 + 3),
        ),
        (
            "superres_x4",
            1,
            # No normalisation, so that each convolution has a bias.
            kernels((9, 3, 64), *[(3, 64, 64)] * 10, (9, 64, 3)) + 11 * 64 + 3,
        ),
        (
            "johnson2016-superres-x8",
            1,
            kernels((9, 3, 64), *[(3, 64, 64)] * 11, (9, 64, 3)) + 4 * 12 * 64 + 3,
        ),
        (
            "ulyanov2017-stylize",
            1,
            # Six scales of 3 + 3 channels; five joins; at last 48 to 3 with a bias.
            6 * (kernels((3, 6, 8), (3, 8, 8), (1, 8, 8)) + 2 * 3 * 8)
            + sum(
                kernels((3, c, c), (3, c, c), (1, c, c)) + 2 * (3 * c + c)
                for c in (16, 24, 32, 40, 48)
            )
            + 48 * 3
            + 3,
        ),
    ],
)
def test_parameters_are_those_of_the_paper(preset, num_styles, expected):
    config = generators.generator_config(preset, num_styles=num_styles)
    assert network_of(config).count_params() == expected


def test_johnsons_network_is_as_large_as_other_implementations():
    """The authors publish 1 679 235, with the biases that normalisation takes away again."""
    assert network_of(ARCHITECTURES["johnson"]).count_params() + JOHNSON_NORMALIZED == 1_679_235


# Training


@thin
def test_every_weight_gets_a_gradient(config):
    network = network_of(config)
    inputs = inputs_for(config, (16, 16), batch=2)
    variables = [each for layer in network.layers for each in layer.trainable_variables]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(inputs, training=True)[..., 0] ** 2)
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
    used = [np.abs(gradient).max() > 0 for gradient in gradients]
    # ReLUs of a few channels may all be off.
    assert np.mean(used) > 0.8


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_paints_the_same_in_float32(policy):
    config = generators.generator_config("light", width=0.5)
    single = network_of(config)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        mixed = network_of(config)
    finally:
        keras.config.set_dtype_policy(before)
    mixed.set_weights(single.get_weights())
    inputs = inputs_for(config, (32, 32))
    painted, expected = mixed(inputs), single(inputs)
    assert painted.dtype == tf.float32
    # 2⁻⁹ and 2⁻¹² a rounding, some dozens of them, of activations of size 1.
    atol = {"mixed_bfloat16": 0.1, "mixed_float16": 0.0125}[policy]
    np.testing.assert_allclose(painted, expected, rtol=0, atol=atol)


def test_styles_differ_and_blend():
    config = dataclasses.replace(LightConfig((4, 6), num_blocks=1), num_styles=2)
    network = network_of(config)
    for variable in network.weights:
        if variable.name == "scale":
            values = np.random.default_rng(0).uniform(0.5, 1.5, variable.shape)
            variable.assign(values)
    image = random_image(16, 16)
    first, second, blend = (
        network({"image": image, "style_weights": tf.constant([weights])})
        for weights in ([1.0, 0], [0.0, 1], [0.5, 0.5])
    )
    assert np.abs(first - second).max() > 0.05
    # Between the two, if not exactly: after nonlinear layers.
    assert np.linalg.norm(blend - first) < np.linalg.norm(second - first)
    assert np.linalg.norm(blend - second) < np.linalg.norm(second - first)
