"""Pictures of photographs' magnitudes (MaCo), and of codes that a decoder makes pictures of."""

import dataclasses

import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import classifiers, generators, visualize
from stylezoo.synthesis import MagnitudeConstrainedImage
from stylezoo.synthesis.parameters import decorrelated_logits
from stylezoo.visualize import Unit, spectrum

# --- MaCo ---------------------------------------------------------------------------------------


def test_phases_and_magnitudes_of_a_picture_give_the_picture():
    image = np.clip(random_image(12, 10), 0.01, 0.99)
    coefficients = np.fft.rfft2(decorrelated_logits(image)).astype(np.complex64)
    parameter = MagnitudeConstrainedImage(
        np.angle(coefficients), np.abs(coefficients)[0], image.shape[1:3]
    )
    # Sums of a hundred float32 numbers, through a sigmoid.
    np.testing.assert_allclose(parameter.image(), image, atol=1e-5)


def test_pictures_keep_the_magnitude():
    magnitudes = spectrum.magnitudes(16, 16)
    phases = tf.random.stateless_normal([2, *magnitudes.shape], seed=[0, 0])
    image = MagnitudeConstrainedImage(phases, magnitudes, (16, 16)).image()
    measured = np.abs(np.fft.rfft2(decorrelated_logits(image, margin=1e-6)))
    # The first and the last column are real pictures' own: only their symmetric part is left of them.
    inner = np.s_[..., 1:-1]
    expected = np.broadcast_to(magnitudes, measured.shape)
    np.testing.assert_allclose(measured[inner], expected[inner], rtol=1e-3, atol=1e-3)


def test_measured_magnitudes_are_those_of_a_known_spectrum():
    """Noise of a spectrum that is a straight line in log(1 + frequency) is measured as that line."""
    frequencies = np.minimum(np.arange(256), 256 - np.arange(256))
    gains = 0.5 * (1 + frequencies[:, None]) ** -0.5 * (1 + np.arange(129)) ** -0.7
    magnitudes = np.repeat(gains[None], 3, axis=0) * 256**2 / 100
    phases = tf.random.stateless_uniform([16, 3, 256, 129], [1, 2], -np.pi, np.pi)
    image = MagnitudeConstrainedImage(phases, magnitudes, (256, 256)).image()
    grid = spectrum.measure(tf.split(image, 16))
    nodes = np.log1p([2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96])
    expected = np.log(0.005) - 0.5 * nodes[:, None] - 0.7 * nodes[None]
    # The window mixes neighbours of random phases: the mean of |z| is then √π/2 of its root mean square.
    expected = np.broadcast_to(expected + np.log(np.pi**0.5 / 2), (3, 12, 12))
    # A node's mean is over some of the coefficients of sixteen pictures, each random by half of itself.
    np.testing.assert_allclose(grid[:, 5:-1, 5:-1], expected[:, 3:, 3:], atol=0.2)


@pytest.mark.parametrize("size", [(32, 32), (31, 20), (600, 512)])
def test_magnitudes_fall_with_the_frequency(size):
    magnitudes = spectrum.magnitudes(*size)
    assert magnitudes.shape == (3, size[0], size[1] // 2 + 1)
    upper = magnitudes[:, : size[0] // 2]
    # Photographs are scanned and stored: one of 675 measured steps is up, by 0.3 %.
    assert np.all(upper[:, 1:] < 1.01 * upper[:, :-1])
    assert np.all(magnitudes[..., 1:] < 1.01 * magnitudes[..., :-1])
    np.testing.assert_allclose(magnitudes[:, 1], magnitudes[:, -1], rtol=1e-6)  # up is like down


def test_magnitudes_do_not_depend_on_the_size():
    small, large = (spectrum.magnitudes(side, side) / side**2 for side in (64, 256))
    np.testing.assert_allclose(small[:, :32], large[:, :32, :33], rtol=1e-5)


def test_crops_shrink_and_take_turns():
    """A picture that says where it is: the side of a crop is the range of its values."""
    ramp = tf.broadcast_to(tf.linspace(0.0, 1.0, 200)[None, :, None], [200, 200, 3])
    pictures = tf.stack([ramp, ramp + 10.0])
    config = visualize.Crops(count=200, largest=0.5, smallest=0.2, seen=32, noise=0.0)
    for progress, side in ((0.0, 0.5), (0.5, 0.35), (1.0, 0.2)):
        random = tf.random.Generator.from_seed(0)
        crops = visualize.random_crops(pictures, config, tf.constant(progress), random).numpy()
        assert crops.shape == (400, 32, 32, 3)
        of_first, of_second = crops[0::2], crops[1::2]
        inside = [crop for crop in of_first if not np.any(crop == 0.5)]
        assert np.mean([np.ptp(crop) for crop in inside]) == pytest.approx(side, abs=0.03)
        assert np.median(of_first[:, 16, 16, 0]) == pytest.approx(0.5, abs=0.05)
        assert of_second[:, 16, 16].min() > 9.0 or np.any(of_second == 0.5)
    noisy = dataclasses.replace(config, noise=0.1)
    grey = tf.fill([1, 50, 50, 3], 0.5)
    crops = visualize.random_crops(grey, noisy, tf.constant(0.0), random)
    assert np.std(crops) == pytest.approx(0.1, rel=0.02)


def test_channels_of_crops_take_turns():
    features = {"a": tf.reshape(tf.range(12.0), [4, 3])}
    scores = Unit("a", (0, 2))(features)
    np.testing.assert_array_equal(scores, [0, 5, 6, 11])


# --- decoders -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def headed(tmp_path_factory):
    """SqueezeNet with random weights, head and all."""
    tensors = networks.he_tensors(classifiers.shapes("squeezenet1_1"))
    file = tmp_path_factory.mktemp("weights") / "squeezenet.h5"
    return str(networks.write(file, "squeezenet1_1", tensors))


@pytest.fixture(scope="module")
def decoder(headed, tmp_path_factory):
    """The folder of a small decoder of random weights, with the statistics of random pictures."""
    config = generators.DecoderConfig(
        network="squeezenet1_1",
        weights=headed,
        layer="fire3",
        code=(7, 7, 128),
        image_size=32,
        widths=(4, 8, 8),
    )
    made = generators.Decoder(config)
    made.statistics.assign_statistics(visualize.encode(made, random_image(32, 32, batch=8)))
    folder = tmp_path_factory.mktemp("decoders") / "decoder"
    made.save_to_preset(folder)
    return str(folder)


def quick(headed, preset, **options):
    options = {"size": 40, "steps": 8, "network": "squeezenet1_1", "weights": headed, **options}
    return dataclasses.replace(visualize.PRESETS[preset], **options)


def with_decoder(decoder, preset="decoder", **fields):
    prior = visualize.PRESETS[preset].prior
    return dataclasses.replace(prior, decoder=decoder, **fields)


@pytest.mark.parametrize("preset", ["maco", "decoder"])
def test_scores_rise(preset, headed, decoder):
    config = quick(headed, preset)
    if preset == "maco":
        crops = visualize.Crops(count=2, smallest=0.4, seen=40)
        config = dataclasses.replace(config, crops=crops)
    else:
        config = dataclasses.replace(config, prior=with_decoder(decoder, preset))
    objective = Unit("scores", (7, 9))
    result = visualize.maximize(objective, config=config, batch=2)
    assert result.image.shape == (2, 40, 40, 3)
    assert 0 <= result.image.min() < result.image.max() <= 1
    before = visualize.maximize(objective, config=dataclasses.replace(config, steps=0), batch=2)
    after = visualize.scores(objective, config, result.image)
    assert np.all(after > visualize.scores(objective, config, before.image))


def codes_image(decoder, codes, **fields):
    loaded = generators.load_decoder(decoder)
    return visualize.DecodedImage(loaded, codes, size=32, prior=with_decoder(decoder, **fields))


def test_codes_stay_within_the_bounds(decoder):
    statistics = generators.load_decoder(decoder).statistics
    codes = 100.0 * tf.random.stateless_normal([1, 7, 7, 128], seed=[0, 0])
    image = codes_image(decoder, codes, deviations=2.0)
    reached = image.variable * statistics.deviation + statistics.mean
    low, high = statistics.bounds(2.0)
    # A product and a sum of float32 numbers.
    np.testing.assert_allclose(np.max(reached, axis=(0, 1, 2)), high, rtol=1e-4)
    np.testing.assert_allclose(np.min(reached, axis=(0, 1, 2)), low, rtol=1e-4, atol=1e-5)
    assert np.min(low) >= 0  # after a ReLU
    gradient = tf.where(image.variable > 0, -1.0, 1.0)  # steps against it would leave the bounds
    held = np.isclose(np.abs(codes), np.abs(codes)) & (image.free(gradient).numpy() == 0)
    assert held.mean() > 0.9


def test_projection_decays_reconstructs_and_adds_noise(decoder):
    codes = visualize.encode(generators.load_decoder(decoder), random_image(32, 32))
    plain = codes_image(decoder, codes, decay=0.0, deviations=100.0)
    before = plain.variable.numpy()
    plain.project()
    np.testing.assert_array_equal(plain.variable, before)
    decayed = codes_image(decoder, codes, decay=0.25, deviations=100.0)
    decayed.project()
    np.testing.assert_allclose(decayed.variable, 0.75 * before, rtol=1e-6)
    loaded = generators.load_decoder(decoder)
    goal = loaded.statistics(visualize.encode(loaded, loaded(codes)))
    reconstructed = codes_image(decoder, codes, decay=0.0, reconstruction=0.5, deviations=100.0)
    reconstructed.project()
    low = loaded.statistics(loaded.statistics.bounds(100.0)[0])  # of other pictures than this one
    np.testing.assert_allclose(
        reconstructed.variable, np.maximum(0.5 * (before + goal), low), atol=1e-4
    )
    noisy = codes_image(decoder, codes, decay=0.0, noise=0.1, deviations=100.0)
    noisy.project()
    moved = noisy.variable.numpy() - before
    free = before - 0.5 > low.numpy()
    assert np.std(moved[free]) == pytest.approx(0.1, rel=0.05)


def test_starts_are_the_mean_code_noise_or_given(headed, decoder):
    config = quick(headed, "decoder", steps=0, size=32, prior=with_decoder(decoder))
    loaded = generators.load_decoder(decoder)
    grey = visualize.maximize(Unit("fire2", 0), config=config).image
    mean = tf.broadcast_to(loaded.statistics.mean, [1, 7, 7, 128])
    np.testing.assert_allclose(grey, loaded(mean), atol=1e-5)
    noise = dataclasses.replace(config, start="noise")
    first, other = (
        visualize.maximize(Unit("fire2", 0), config=dataclasses.replace(noise, seed=seed)).image
        for seed in (0, 1)
    )
    assert np.abs(first - other).mean() > 1e-3
    code = visualize.encode(loaded, random_image(32, 32))
    given = visualize.maximize(Unit("fire2", 0), config=config, start=code).image
    clipped = tf.clip_by_value(code, *loaded.statistics.bounds(3.0))
    np.testing.assert_allclose(given, loaded(clipped), atol=1e-4)


def test_inversion_in_one_pass(decoder):
    loaded, photograph = generators.load_decoder(decoder), random_image(32, 32)
    picture, error = visualize.invert(loaded, photograph)
    code = visualize.encode(loaded, photograph)
    np.testing.assert_allclose(picture, loaded(code), atol=1e-6)
    again = np.asarray(visualize.encode(loaded, picture), np.float64)
    expected = np.sum((again - code) ** 2) / np.sum(np.square(code))
    assert error == pytest.approx(expected, rel=1e-4)


def test_cluster_means_of_codes(decoder):
    loaded = generators.load_decoder(decoder)
    pictures = [random_image(32, 32, seed=seed) for seed in range(3)]
    [mean] = visualize.cluster_means(
        visualize.encoder(loaded),
        pictures,
        1,
        represent=lambda each: visualize.encode(loaded, each),
    )
    codes = [visualize.encode(loaded, picture) for picture in pictures]
    np.testing.assert_allclose(mean, np.mean(codes, axis=0)[0], atol=1e-5)


def test_maco_takes_no_start(headed):
    with pytest.raises(ValueError, match="`start` must not be given for the parametrisation maco"):
        visualize.maximize(
            Unit("fire2", 0), config=quick(headed, "maco"), start=random_image(40, 40)
        )
