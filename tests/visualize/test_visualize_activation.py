"""Gradient ascent: its parts against NumPy, SciPy and analytic cases, and what they do together."""

import dataclasses

import networks
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from networks import assert_gradient, random_image

from stylezoo import classifiers, perceptual, visualize
from stylezoo.synthesis import Adam, FourierImage, Pixels
from stylezoo.visualize import ActivationConfig, Direction, Unit, WeightedSum

ALL = (
    visualize.Padding(3),
    visualize.Jitter(4),
    visualize.Scale(0.2),
    visualize.Rotation(15),
)


def random(seed=0):
    return tf.random.Generator.from_seed(seed)


# Parametrisations


@pytest.mark.parametrize("size", [(8, 8), (9, 7), (6, 11)])
def test_fourier_round_trip(size):
    image = random_image(*size, batch=2)
    expected = tf.clip_by_value(image, 1e-3, 1 - 1e-3)
    # Logits of up to 7, in float32, through two transforms.
    np.testing.assert_allclose(FourierImage(image).image(), expected, atol=1e-5)


def test_fourier_gradient():
    parameter = FourierImage(random_image(6, 7))
    start = tf.identity(parameter.variable)

    def loss(values):
        parameter.variable.assign(values)
        with tf.GradientTape() as tape:
            picture = parameter.image()
            total = tf.reduce_sum(picture**3)
        return total, tape.gradient(total, parameter.variable)

    total, gradient = loss(start)
    direction = tf.random.stateless_normal(start.shape, seed=[0, 0])
    ahead, behind = (loss(start + step * direction)[0] for step in (1e-2, -1e-2))
    slope = float(tf.reduce_sum(gradient * direction))
    assert float(total) > 0
    np.testing.assert_allclose(float(ahead - behind) / 2e-2, slope, rtol=5e-3)


def test_fourier_steps_are_coarse():
    """One step of every coefficient changes low frequencies most, as 1/f."""
    parameter = FourierImage(tf.fill([1, 64, 64, 3], 0.5))
    noise = tf.random.stateless_normal(parameter.variable.shape, seed=[0, 0], stddev=0.01)
    parameter.variable.assign_add(noise)
    grey = parameter.image()[0].numpy().mean(axis=-1)
    spectrum = np.abs(np.fft.rfft2(grey - grey.mean()))
    assert spectrum[1:4, 1:4].mean() > 4 * spectrum[12:20, 12:20].mean()


# Robustness transforms


def test_no_transform():
    image = random_image(5, 6)
    assert visualize.transform(image, (), random()) is image


@pytest.mark.parametrize("transform", ALL, ids=lambda each: type(each).__name__)
def test_transforms_keep_the_mean(transform):
    """The mean of a picture that is not cut at the border stays, to a few per cent of the contrast."""
    y, x = np.mgrid[-1:1:40j, -1:1:40j]
    blob = np.exp(-8 * (x**2 + y**2))[..., None] * [0.6, 0.3, -0.2] + 0.3
    image = tf.constant(np.stack([blob] * 16), tf.float32)
    seen = visualize.transform(image, [transform], random())
    before, after = (tf.reduce_mean(each, axis=[1, 2]).numpy() for each in (image, seen))
    contrast = tf.math.reduce_std(image, axis=[1, 2]).numpy()
    # The scale changes the blob's area, by 0.8² to 1.2²; on average over pictures that cancels.
    assert np.all(np.abs(after - before).mean(axis=0) < 0.25 * contrast[0])
    assert np.all(np.abs((after - before).mean(axis=0)) < 0.15 * contrast[0])
    assert np.linalg.norm(seen - image) > 0.5  # it does something


def test_transforms_of_one_colour_change_nothing():
    image = tf.fill([2, 12, 16, 3], 0.7)
    np.testing.assert_allclose(visualize.transform(image, ALL, random()), image, atol=1e-5)


def test_transforms_of_a_ramp():
    """Bilinear sampling of a linear picture is exact: where the map leads can be read off."""
    rows, columns = np.mgrid[:41, :41].astype(np.float32) - 20
    image = tf.constant(np.stack([rows, columns, rows + columns], axis=-1)[None])
    inner = np.s_[0, 14:27, 14:27]
    for transform in ALL:
        seen = visualize.transform(image, [transform], random())[inner].numpy()
        y, x = rows[inner[1:]], columns[inner[1:]]
        design = np.stack([y.ravel(), x.ravel(), np.ones(y.size)], axis=1)
        fit, *_ = np.linalg.lstsq(design, seen[..., :2].reshape(-1, 2), rcond=None)
        np.testing.assert_allclose(design @ fit, seen[..., :2].reshape(-1, 2), atol=1e-4)
        matrix, shift = fit[:2].T, fit[2]
        size = np.sqrt(np.linalg.det(matrix))
        angle = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
        kind = type(transform)
        assert (kind is visualize.Jitter) == bool(np.abs(shift).max() > 1e-3)
        assert np.abs(shift).max() <= 4
        assert (kind is visualize.Rotation) == bool(abs(angle) > 1e-2)
        assert abs(angle) <= 15
        if kind is visualize.Padding:
            assert size == pytest.approx(47 / 41, rel=1e-4)
        elif kind is visualize.Scale:
            assert 1 / 1.2 <= size <= 1 / 0.8
            assert size != pytest.approx(1, abs=1e-3)
        else:
            assert size == pytest.approx(1, rel=1e-4)


def test_transforms_have_an_exact_gradient():
    target = random_image(7, 9, seed=1)
    assert_gradient(
        lambda x: tf.reduce_mean((visualize.transform(x, ALL, random()) - target) ** 2),
        random_image(7, 9),
    )


def test_transforms_follow_the_seed_and_differ_between_pictures():
    image = tf.repeat(random_image(12, 12), 2, axis=0)
    first, again, other = (
        visualize.transform(image, ALL, random(seed)).numpy() for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
    assert np.abs(first[0] - first[1]).max() > 0.1


# Regularisers


def regularize(regularizer, picture, gradient=None, step=4):
    gradient = np.zeros_like(picture) if gradient is None else gradient
    return visualize.regularize(regularizer, *map(tf.constant, (picture, gradient, step))).numpy()


def signed(seed=0):
    return np.random.default_rng(seed).standard_normal((2, 9, 8, 3)).astype(np.float32)


def test_decay():
    np.testing.assert_allclose(
        regularize(visualize.Decay(0.3), signed()), 0.7 * signed(), rtol=1e-6
    )


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_blur_equals_scipy(sigma):
    expected = scipy.ndimage.gaussian_filter(
        signed(), (0, sigma, sigma, 0), mode="reflect", truncate=3.0
    )
    np.testing.assert_allclose(regularize(visualize.Blur(sigma), signed()), expected, atol=1e-5)


def test_blur_comes_every_so_many_steps():
    for step in range(1, 9):
        changed = np.any(regularize(visualize.Blur(1.0, 4), signed(), step=step) != signed())
        assert changed == (step % 4 == 0)


@pytest.mark.parametrize("percentile", [0.0, 20.0, 50.0, 90.0])
def test_clipping(percentile):
    picture, gradient = signed(), signed(1)
    for regularizer, importance in (
        (visualize.ClipNorm(percentile), np.linalg.norm(picture, axis=-1)),
        (visualize.ClipContribution(percentile), np.abs((picture * gradient).sum(axis=-1))),
    ):
        threshold = np.percentile(importance, percentile, axis=(1, 2), method="lower")
        expected = picture * (importance >= threshold[:, None, None])[..., None]
        np.testing.assert_array_equal(regularize(regularizer, picture, gradient), expected)
        share = np.mean(np.all(expected == 0, axis=-1))
        assert abs(share - percentile / 100) < 0.03


def test_ascent_takes_steps_of_one_length():
    target = random_image(4, 5, batch=2)
    scale = tf.constant([1.0, 1000.0])[:, None, None, None]

    def loss(image):
        total = tf.reduce_sum(scale * target * image)
        return total, {}

    parameter = Pixels(tf.fill([2, 4, 5, 3], 0.5))
    minimizer = visualize.GradientAscent(0.01).start(parameter, loss)
    minimizer.step()
    change = parameter.image().numpy() - 0.5
    np.testing.assert_allclose(np.abs(change).mean(axis=(1, 2, 3)), 0.01, rtol=1e-5)
    assert np.all(change <= 0)


# Terms


def test_diversity_of_known_pictures():
    term = visualize.DiversityLoss("a")
    one = np.zeros((1, 3, 3, 2), np.float32)
    one[..., 0] = 1
    other = one[..., ::-1]

    def value(*pictures):
        return float(term({"a": tf.constant(np.concatenate(pictures))}, {}))

    assert value(one) == 0
    assert value(one, one) == pytest.approx(1)
    assert value(one, other) == pytest.approx(0)
    assert value(one, one, other) == pytest.approx(1 / 3)


def test_scores_of_units():
    features = {"a": random_image(4, 5, batch=2), "scores": tf.constant([[1.0, 2, 3], [4, 5, 6]])}
    values = features["a"].numpy()
    cases = [
        (Unit("scores", 1), [2, 5]),
        (Unit("scores", (2, 0)), [3, 4]),
        (Unit("a", 1), values[..., 1].mean(axis=(1, 2))),
        (Unit("a", 1, "centre"), values[:, 2, 2, 1]),
        (Unit("a", 1, "strongest"), values[..., 1].max(axis=(1, 2))),
        (Unit("a", (0, 2), (3, 4)), [values[0, 3, 4, 0], values[1, 3, 4, 2]]),
        (Direction("scores", {0: 2.0, 2: -1.0}), [-1, 2]),
        (Direction("a", {0: 2.0, 2: -1.0}, (0, 1)), values[:, 0, 1] @ [2, 0, -1]),
    ]
    for objective, expected in cases:
        np.testing.assert_allclose(objective(features), expected, rtol=1e-6)
    both = WeightedSum(((2.0, cases[0][0]), (-1.0, cases[2][0])))
    assert both.layers == ("scores", "a")
    np.testing.assert_allclose(both(features), 2 * np.array([2, 5]) - cases[2][1], rtol=1e-6)


# All together


@pytest.fixture(scope="module")
def headed(tmp_path_factory):
    """SqueezeNet with random weights, head and all."""
    tensors = networks.he_tensors(classifiers.shapes("squeezenet1_1"))
    file = tmp_path_factory.mktemp("weights") / "squeezenet.h5"
    return str(networks.write(file, "squeezenet1_1", tensors))


def quick(weights, preset="robust", **options):
    options = {"size": 40, "steps": 8, **options}
    config = visualize.PRESETS[preset]
    return dataclasses.replace(config, network="squeezenet1_1", weights=weights, **options)


def alive(weights):
    """Return two channels of fire2 that are not silent; a random network has some that hardly wake."""
    network = perceptual.Perceptual("squeezenet1_1", weights).build(["fire2"])
    means = tf.reduce_mean(network(random_image(40, 40))["fire2"], axis=[0, 1, 2]).numpy()
    return tuple(np.argsort(-means)[:2].tolist())


@pytest.mark.parametrize("preset", ["robust", "l2", "yosinski1", "yosinski4"])
def test_scores_rise(preset, headed):
    config = quick(headed, preset)
    objective = Unit("fire2", alive(headed))
    result = visualize.maximize(objective, config=config, batch=2)
    assert result.image.shape == (2, 40, 40, 3)
    assert 0 <= result.image.min() < result.image.max() <= 1
    before = visualize.scores(objective, config, visualize.initial(config, 2).numpy())
    after = visualize.scores(objective, config, result.image)
    assert np.all(after > before + 0.1 * np.abs(before))
    again = visualize.maximize(objective, config=config, batch=2)
    # The order of float32 sums in several threads is not fixed.
    assert np.abs(again.image - result.image).mean() < 1e-3


def test_classes_rise(headed):
    config, objective = quick(headed), Unit("scores", 7)
    result = visualize.maximize(objective, config=config)
    score = visualize.scores(objective, config, result.image)
    assert score > visualize.scores(objective, config, visualize.initial(config, 1).numpy())


def test_diversity_tells_pictures_apart(headed):
    transforms = (visualize.Jitter(8), visualize.Scale(0.1), visualize.Rotation(10))
    options = {"parametrization": "fourier", "steps": 12, "transforms": transforms}
    alike, apart = (
        visualize.maximize(
            Unit("fire2", 3),
            config=quick(headed, diversity_weight=weight, diversity_layer="fire2", **options),
            batch=2,
        ).losses[-1]
        for weight in (1e-3, 20.0)
    )
    assert apart["diversity"] / 20.0 < alike["diversity"] / 1e-3 - 0.01


def test_start_from_pictures(headed):
    start = random_image(40, 36, batch=2)
    config = quick(headed, steps=0)
    result = visualize.maximize(Unit("fire2", 0), config=config, batch=2, start=start)
    np.testing.assert_allclose(result.image, np.clip(start, 1e-3, 1 - 1e-3), atol=1e-5)


def test_cluster_means():
    """Three kinds of pictures, of which the features are the mean colours."""
    import keras

    image = keras.Input([4, 4, 3])
    network = keras.Model(image, {"colour": keras.layers.AveragePooling2D(4)(image)})
    colours = np.repeat(np.eye(3, dtype=np.float32), [6, 3, 2], axis=0) * 0.8
    noise = np.random.default_rng(0).uniform(0, 0.1, (11, 1, 4, 4, 3)).astype(np.float32)
    pictures = colours[:, None, None, None] + noise
    means = visualize.cluster_means(network, pictures, 3).numpy()
    for mean, members in zip(means, (pictures[:6], pictures[6:9], pictures[9:]), strict=True):
        np.testing.assert_allclose(mean, members.mean(axis=0)[0], atol=1e-6)
    with pytest.raises(ValueError, match=r"`count` must be from 1 to 11, .* Received: count=12"):
        visualize.cluster_means(network, pictures, 12)


def test_ranks(headed):
    judge = classifiers.build("squeezenet1_1", weights=headed)
    pictures = list(random_image(224, 224, batch=2).numpy())
    probabilities = np.stack(list(classifiers.classify(judge, [each[None] for each in pictures])))
    best, third = np.argmax(probabilities[0]), np.argsort(-probabilities[1])[2]
    np.testing.assert_array_equal(visualize.ranks(judge, pictures, [best, third]), [1, 3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parametrization": "wavelets"}, "`parametrization` must be one of pixels, fourier"),
        ({"start": "black"}, "`start` must be one of grey, noise"),
        ({"size": 0}, "`size` must be >= 1"),
        ({"optimizer": visualize.GradientAscent()}, "`parametrization` must be pixels"),
        ({"parametrization": "decoder"}, "`parametrization` must be decoder with a prior"),
        ({"prior": visualize.LearnedPrior()}, "`parametrization` must be decoder with a prior"),
    ],
)
def test_bad_configs(options, message):
    with pytest.raises(ValueError, match=message):
        ActivationConfig(**options)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (lambda: visualize.Scale(1.0), r"`fraction` must be in \[0, 1\). Received: fraction=1"),
        (lambda: visualize.Rotation(-1), r"`degrees` must be in \[0, 360\]. Received: degrees=-1"),
        (lambda: visualize.Jitter(-1), "`pixels` must be >= 0. Received: pixels=-1"),
        (lambda: visualize.Padding(float("nan")), "`pixels` must be >= 0"),
        (lambda: visualize.Decay(1.5), r"`rate` must be in \[0, 1\]"),
        (lambda: visualize.Blur(-1), "`sigma` must be >= 0"),
        (lambda: visualize.Blur(1, 0), "`every` must be >= 1"),
        (lambda: visualize.Crops(-1), "`count` must be >= 0"),
        (lambda: visualize.Crops(largest=1.5), r"`largest` must be in \(0, 1\]"),
        (lambda: visualize.Crops(smallest=0.0), r"`smallest` must be in \(0, 1\]"),
        (lambda: visualize.Crops(seen=0), "`seen` must be >= 1"),
        (lambda: visualize.LearnedPrior(deviations=0.0), "`deviations` must be > 0"),
        (lambda: visualize.LearnedPrior(reconstruction=2.0), r"`reconstruction` must be in \[0, 1"),
        (lambda: visualize.ClipNorm(101), r"`percentile` must be in \[0, 100\]"),
        (lambda: visualize.ClipContribution(-1), r"`percentile` must be in \[0, 100\]"),
    ],
)
def test_bad_priors(part, message):
    with pytest.raises(ValueError, match=message):
        part()


def test_bad_parts(headed):
    with pytest.raises(ValueError, match="`step_size` must be > 0"):
        visualize.GradientAscent(0.0)
    with pytest.raises(ValueError, match=r"`size` must be at least .* for the layer fire9"):
        visualize.maximize(Unit("fire9", 0), config=quick(headed, size=8))
    with pytest.raises(ValueError, match="`channel` of fire9 must be from 0 to 511"):
        visualize.maximize(Unit("fire9", 512), config=quick(headed))


def test_presets_are_those_of_the_papers():
    """Regularisers are functions of pixels, so that their presets optimise pixels by plain ascent."""
    regularizers = {
        "l2": [],
        "yosinski1": [visualize.Blur(0.5, 4), visualize.ClipNorm(50.0)],
        "yosinski2": [visualize.Decay(0.3), visualize.ClipNorm(20.0)],
        "yosinski3": [visualize.Decay(1e-4), visualize.Blur(1.0, 4)],
        "yosinski4": [visualize.Blur(0.5, 4), visualize.ClipContribution(90.0)],
    }
    for name, config in visualize.PRESETS.items():
        if name in regularizers:
            assert isinstance(config.optimizer, visualize.GradientAscent)
            assert list(config.optimizer.regularizers) == regularizers[name]
            assert config.parametrization == "pixels"
        else:
            assert isinstance(config.optimizer, Adam)
            known = {"maco": "maco", "decoder": "decoder", "ppgn": "decoder"}
            assert config.parametrization == known.get(name, "fourier")
    assert {*regularizers, "robust", "smooth", *known} == set(visualize.PRESETS)
    maco = visualize.PRESETS["maco"]
    assert (maco.size, maco.steps, maco.crops) == (512, 256, visualize.Crops(32, 0.5, 0.05))


@pytest.mark.slow
@pytest.mark.weights
def test_other_networks_recognise_pictures(pretrained):
    """Robust pictures of one network, more than those with L2 alone; see the gallery for 40 classes."""
    for name in ("squeezenet1_1.ndf", "efficientnet_lite0.ml_illustrated"):
        pretrained(name)
    judge = classifiers.build("efficientnet_lite0", weights="imagenet")
    classes = (0, 100, 130, 340, 475, 562, 850, 950)
    found = {}
    for preset in ("robust", "l2"):
        config = dataclasses.replace(visualize.PRESETS[preset], network="squeezenet1_1", steps=96)
        result = visualize.maximize(Unit("scores", classes), config=config, batch=len(classes))
        found[preset] = int((visualize.ranks(judge, list(result.image), classes) <= 5).sum())
    assert found["robust"] >= len(classes) // 2 > found["l2"]
