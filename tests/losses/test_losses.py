"""Loss terms against NumPy in float64, on features that need no network."""

import numpy as np
import pytest
import tensorflow as tf
from networks import assert_gradient

from stylezoo import losses, ops
from stylezoo.losses.base import mask_key

# Sums of some dozens of float32 products, squared.
FLOAT32 = 2e-5

TAPS = ("a", "b")
STYLES = {
    "gram": losses.GramLoss,
    "moments": losses.MomentsLoss,
    "sliced": losses.SlicedWassersteinLoss,
}


def features(seed, *, batch=1, size=(4, 5)):
    """Return features of two layers, the second of half the size, with three and four channels."""
    random = np.random.default_rng(seed)
    shapes = {"a": (batch, *size, 3), "b": (batch, size[0] // 2, size[1] // 2, 4)}
    return {tap: tf.constant(random.standard_normal(s), tf.float32) for tap, s in shapes.items()}


def flat(values):
    return np.asarray(values, np.float64).reshape(values.shape[0], -1, values.shape[-1])


def summary(kind, values):
    """Return what each style loss compares of features [B, H, W, C]."""
    values = flat(values)
    if kind == "gram":
        return np.swapaxes(values, 1, 2) @ values / values.shape[1]
    if kind == "moments":
        return np.stack([values.mean(axis=1), np.sqrt(values.var(axis=1) + 1e-8)], axis=1)
    channels = values.shape[-1]
    directions = ops.random_directions(channels, channels, 0).numpy()
    return np.sort(np.swapaxes(values @ directions, 1, 2), axis=-1)


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("kind", STYLES)
def test_style_loss_equals_numpy(kind, relative):
    term = STYLES[kind](TAPS, layer_weights=[0.3, 2], relative=relative)
    image, style = features(0, batch=2), features(1)
    expected = 0
    for tap, weight in zip(TAPS, (0.3, 2), strict=True):
        target = summary(kind, style[tap])
        loss = np.mean((summary(kind, image[tap]) - target) ** 2)
        expected += weight * loss / (np.mean(target**2) if relative else 1)
    got = term(image, term.target(style))
    assert got.dtype == tf.float32
    assert got.shape == ()
    np.testing.assert_allclose(got, expected, rtol=FLOAT32)


def test_gram_loss_is_four_times_the_papers():
    """Gatys et al. 2016, equations 3 and 4: G = Σ F F, E = Σ (G − A)² / (4 N² M²)."""
    image, style = features(0), features(1)
    f, p = flat(image["a"])[0], flat(style["a"])[0]
    positions, channels = f.shape
    paper = np.sum((f.T @ f - p.T @ p) ** 2) / (4 * channels**2 * positions**2)
    term = losses.GramLoss(["a"], relative=False)
    np.testing.assert_allclose(term(image, term.target(style)), 4 * paper, rtol=FLOAT32)


@pytest.mark.parametrize("scale", ["mean", "half_sum", "relative"])
def test_content_loss_equals_numpy(scale):
    term = losses.ContentLoss(TAPS, scale=scale)
    image, content = features(0, batch=2), features(1)
    each = []
    for tap in TAPS:
        square = (flat(image[tap]) - flat(content[tap])) ** 2
        each.append(
            {
                "mean": square.mean(),
                "half_sum": square.sum(axis=(1, 2)).mean() / 2,
                "relative": square.sum(axis=(1, 2)).mean() / (flat(content[tap]) ** 2).sum(),
            }[scale]
        )
    got = term(image, term.target(content))
    np.testing.assert_allclose(got, np.mean(each), rtol=FLOAT32)


def test_activation_loss_equals_numpy():
    image = features(0, batch=2)
    rms = [np.sqrt((flat(image[tap]) ** 2).mean(axis=(1, 2))) for tap in TAPS]
    term = losses.ActivationLoss(TAPS)
    np.testing.assert_allclose(term(image, {}), -np.mean(np.log(rms)), rtol=FLOAT32)
    # Twice the activations: the logarithm of 2 less.
    doubled = {tap: 2 * values for tap, values in image.items()}
    np.testing.assert_allclose(term(image, {}) - term(doubled, {}), np.log(2), rtol=FLOAT32)


def test_activation_loss_of_nothing_is_finite():
    np.testing.assert_allclose(
        losses.ActivationLoss(["a"])({"a": tf.zeros([1, 2, 2, 3])}, {}), 6 * np.log(10), rtol=1e-5
    )


def test_total_variation_loss_is_the_batchs_mean():
    image = tf.constant(np.random.default_rng(0).uniform(size=(2, 4, 5, 3)), tf.float32)
    term = losses.TotalVariationLoss(beta=1.0)
    np.testing.assert_allclose(
        term({losses.IMAGE: image}, {}), np.mean(ops.total_variation(image, beta=1.0)), rtol=1e-6
    )


def test_total_variation_loss_may_be_a_sum():
    image = tf.constant(np.random.default_rng(0).uniform(size=(2, 4, 5, 3)), tf.float32)
    summed = losses.TotalVariationLoss(scale="sum")({losses.IMAGE: image}, {})
    values = np.asarray(image, np.float64)
    expected = sum(np.sum(np.diff(values, axis=axis) ** 2) for axis in (1, 2)) / 2
    np.testing.assert_allclose(summed, expected, rtol=FLOAT32)


@pytest.mark.parametrize("kind", STYLES)
def test_stacked_targets_are_those_of_a_batch(kind):
    """Each picture of a batch is compared with its own style, of another size too."""
    term, size = STYLES[kind](TAPS), (32, 40)
    larger = {tap: tf.repeat(values, 2, axis=1) for tap, values in features(2, size=size).items()}
    references = [features(1, size=size), larger]
    targets = [term.target(reference) for reference in references]
    images = [features(3, size=size), features(4, size=size)]
    batch = {tap: tf.concat([image[tap] for image in images], axis=0) for tap in TAPS}
    each = [float(term(image, target)) for image, target in zip(images, targets, strict=True)]
    # Quantiles of the smaller are interpolated to as many as the larger has, and back.
    tolerance = 2e-2 if kind == "sliced" else FLOAT32
    assert float(term(batch, term.stack(targets))) == pytest.approx(np.mean(each), rel=tolerance)
    assert float(term(images[0], term.stack(targets[:1]))) == each[0]


def test_patches_have_one_target_for_all_of_a_batch():
    term = losses.MRFLoss(TAPS)
    target = {"a": tf.zeros([1])}
    assert term.stack([target]) is target
    with pytest.raises(ValueError, match=r"`targets` of the term style must be one. Received: 2"):
        term.stack([target, target])


TERMS = {
    "content": losses.ContentLoss(TAPS),
    "relative content": losses.ContentLoss(TAPS, scale="relative"),
    **{kind: loss(TAPS) for kind, loss in STYLES.items()},
}


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
def test_is_zero_at_its_own_target_and_only_there(term):
    target = term.target(features(0))
    assert float(term(features(0), target)) == 0
    assert float(term(features(1), target)) > 1e-2


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
def test_of_a_batch_is_the_mean_of_its_pictures(term):
    target = term.target(features(1))
    both = features(0, batch=2)
    each = [term({tap: v[i : i + 1] for tap, v in both.items()}, target) for i in (0, 1)]
    np.testing.assert_allclose(term(both, target), np.mean(each), rtol=FLOAT32)


RELATIVE = {name: term for name, term in TERMS.items() if name != "content"}


@pytest.mark.parametrize("term", RELATIVE.values(), ids=RELATIVE)
def test_pictures_with_targets_of_their_own_are_compared_one_by_one(term):
    """Losses are relative to each target: a faint one counts as much as a strong one."""
    image, reference = features(0, batch=3), features(1, batch=3)
    sizes = tf.reshape([0.1, 1.0, 10.0], [3, 1, 1, 1])
    image, reference = (
        {tap: sizes * values for tap, values in each.items()} for each in (image, reference)
    )

    def part(values, i):
        return {key: value[i : i + 1] for key, value in values.items()}

    each = [term(part(image, i), term.target(part(reference, i))) for i in range(3)]
    assert min(each) > 0.01 * max(each)  # squares that are not relative: 10,000 times apart
    np.testing.assert_allclose(term(image, term.target(reference)), np.mean(each), rtol=FLOAT32)


@pytest.mark.parametrize(
    "term",
    [*TERMS.values(), losses.ActivationLoss(TAPS)],
    ids=[*TERMS, "dream"],
)
def test_gradient(term):
    image, target = features(0), term.target(features(1))
    for tap in TAPS:
        # A small step, so that few of the sorted samples overtake each other (each a kink).
        assert_gradient(lambda x, tap=tap: term({**image, tap: x}, target), image[tap], step=1e-3)


def test_gradient_of_total_variation():
    term = losses.TotalVariationLoss()
    image = tf.constant(np.random.default_rng(0).uniform(size=(1, 4, 5, 3)), tf.float32)
    assert_gradient(lambda x: term({losses.IMAGE: x}, {}), image)


@pytest.mark.parametrize("kind", STYLES)
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_features_are_compared_in_float32(kind, dtype):
    term = STYLES[kind](TAPS)
    half = [{tap: tf.cast(200 * v, dtype) for tap, v in features(seed).items()} for seed in (0, 1)]
    single = [{tap: tf.cast(v, tf.float32) for tap, v in each.items()} for each in half]
    got = term(half[0], term.target(half[1]))
    assert got.dtype == tf.float32
    # Equal numbers, cast first thing: equal results.
    np.testing.assert_array_equal(got, term(single[0], term.target(single[1])))


@pytest.mark.parametrize("kind", ["gram", "moments"])
def test_mask_of_a_half_is_the_half_alone(kind):
    term = STYLES[kind](TAPS)
    image, target = features(0, batch=2), term.target(features(1))
    masks = {}
    for tap in TAPS:
        mask = np.zeros([1, *image[tap].shape[1:3], 1], np.float32)
        mask[:, : mask.shape[1] // 2] = 1
        masks[mask_key(tap)] = tf.constant(mask)
    half = {tap: values[:, : values.shape[1] // 2] for tap, values in image.items()}
    np.testing.assert_allclose(term(image, target | masks), term(half, target), rtol=FLOAT32)


def test_sliced_loss_takes_no_masks():
    term = losses.SlicedWassersteinLoss(["a"])
    target = term.target(features(1)) | {mask_key("a"): tf.ones([1, 4, 5, 1])}
    with pytest.raises(ValueError, match="must not be 'sliced' with masks"):
        term(features(0), target)


def test_sliced_loss_of_two_sizes():
    """The target's quantiles are interpolated to the picture's count."""
    term = losses.SlicedWassersteinLoss(["a"], relative=False)
    image, style = features(0, size=(4, 6)), features(1, size=(2, 3))
    position = np.clip((np.arange(24) + 0.5) * 6 / 24 - 0.5, 0, 5)
    target = np.apply_along_axis(
        lambda row: np.interp(position, np.arange(6), row), 2, summary("sliced", style["a"])
    )
    expected = np.mean((summary("sliced", image["a"]) - target) ** 2)
    np.testing.assert_allclose(term(image, term.target(style)), expected, rtol=FLOAT32)
    # The same features, each twice: the same distribution but for where steps are interpolated.
    doubled = {"a": tf.repeat(image["a"], 2, axis=1)}
    assert float(term(doubled, term.target(image))) < 0.02 * expected


def test_sliced_loss_follows_its_seed():
    values = [
        float(term(features(0), term.target(features(1))))
        for term in (losses.SlicedWassersteinLoss(TAPS, seed=seed) for seed in (0, 0, 1))
    ]
    assert values[0] == values[1]
    assert abs(values[0] - values[2]) > 1e-4


def test_sliced_targets_of_two_sizes_combine_to_the_barycentre():
    term = losses.SlicedWassersteinLoss(["a"])
    # One-dimensional distributions, uniform on [0, 1] and on [2, 4]: between them, on [1, 2.5].
    targets = [
        {"a": tf.reshape(tf.linspace(0.0, 1.0, 101), [1, 1, 101])},
        {"a": tf.reshape(tf.linspace(2.0, 4.0, 51), [1, 1, 51])},
    ]
    combined = term.combine(targets, [1, 1])["a"][0, 0]
    # Half a sample of the smaller one, where interpolation ends.
    np.testing.assert_allclose(combined, np.linspace(1, 2.5, 101), atol=0.02)


def test_weighted_mean():
    targets = [{"x": tf.constant([1.0, 2]), "y": tf.constant(0.0)}, {"x": tf.constant([3.0, 6])}]
    targets[1]["y"] = tf.constant(4.0)
    mean = losses.weighted_mean(targets, [1, 3])
    np.testing.assert_allclose(mean["x"], [2.5, 5])
    np.testing.assert_allclose(mean["y"], 3)
    np.testing.assert_array_equal(losses.weighted_mean(targets, [7, 0])["x"], [1, 2])


@pytest.mark.parametrize(
    ("count", "weights", "message"),
    [
        (2, [1], r"must be one a target. Received: 1 for 2 targets"),
        (0, [], r"Received: 0 for 0 targets"),
        (2, [1, -1], r"must be finite, >= 0, not all 0. Received: weights=\[1, -1\]"),
        (2, [0, 0], r"not all 0"),
        (2, [1, float("nan")], r"must be finite"),
        (2, [1, float("inf")], r"must be finite"),
    ],
)
def test_weighted_mean_refuses(count, weights, message):
    with pytest.raises(ValueError, match=message):
        losses.weighted_mean([{"x": tf.constant(1.0)}] * count, weights)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.GramLoss(TAPS, weight=-1), r"`style_weight` must be >= 0. .*=-1"),
        (lambda: losses.GramLoss(TAPS, weight=float("nan")), r"`style_weight` must be >= 0"),
        (lambda: losses.ContentLoss(TAPS, weight=-1, name="c"), r"`c_weight` must be >= 0"),
        (lambda: losses.GramLoss(TAPS, layer_weights=[1]), r"one a layer. Received: 1 for a, b"),
        (lambda: losses.GramLoss(TAPS, layer_weights=[1, -2]), r"`layer_weights` must be >= 0"),
        (lambda: losses.GramLoss([]), r"`taps` must be one or more different layers"),
        (lambda: losses.ContentLoss([]), r"`taps` must be one or more different layers"),
        (lambda: losses.MomentsLoss(["a", "a"]), r"different layers. Received: \['a', 'a'\]"),
        (lambda: losses.ContentLoss(TAPS, scale="sum"), r"`scale` must be one of .*'sum'"),
        (lambda: losses.TotalVariationLoss(beta=0), r"`beta` must be > 0. Received: beta=0"),
        (lambda: losses.TotalVariationLoss(scale="max"), r"`scale` must be one of .*'max'"),
    ],
)
def test_constructors_refuse(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_default_layer_weights_share_the_term():
    assert losses.GramLoss(TAPS).layer_weights == {"a": 0.5, "b": 0.5}
    assert losses.GramLoss(TAPS, name="sky").reference == "sky"
    assert losses.GramLoss(TAPS, name="sky", reference="style").reference == "style"


def test_window_crops_rows_and_columns():
    values = tf.reshape(tf.range(24.0), [1, 4, 6, 1])
    window = losses.Window(*map(tf.constant, (1, 2, 2, 3)))
    np.testing.assert_array_equal(window.crop(values)[0, :, :, 0], [[8, 9, 10], [14, 15, 16]])


def test_temporal_loss_is_the_weighted_mean_square():
    picture, other = (np.random.default_rng(seed).random([1, 4, 5, 3]) for seed in (1, 2))
    weights = np.random.default_rng(3).random([1, 4, 5, 1])
    target = {
        "picture": tf.constant(other, tf.float32),
        "weights": tf.constant(weights, tf.float32),
    }
    value = losses.TemporalLoss()({losses.IMAGE: tf.constant(picture, tf.float32)}, target)
    # 1/D Σ c (x - ω)², D = 4 · 5 · 3.
    np.testing.assert_allclose(value, (weights * (picture - other) ** 2).sum() / 60, rtol=1e-5)


def test_farther_frames_count_where_nearer_ones_do_not():
    """The long-term weights by hand, and the gradient of one picture for that of all."""
    random = np.random.default_rng(0)
    warped = [tf.constant(random.random([1, 1, 4, 3]), tf.float32) for _ in range(3)]
    reliable = [
        tf.constant(each, tf.float32)[None, None, :, None]
        for each in ([1.0, 0.0, 0.0, 0.4], [1.0, 1.0, 0.0, 0.3], [1.0, 1.0, 1.0, 0.9])
    ]
    target = losses.temporal_target(warped, reliable)
    # max(c - Σ nearer, 0): 0.9 - 0.7 = 0.2 for the last frame's last pixel.
    shares = np.array([[1, 0, 0, 0.4], [0, 1, 0, 0], [0, 0, 1, 0.2]])[:, None, None, :, None]
    np.testing.assert_allclose(target["weights"], shares.sum(0), rtol=1e-6)
    picture = tf.constant(random.random([1, 1, 4, 3]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(picture)
        value = losses.TemporalLoss()({losses.IMAGE: picture}, target)
    expected = 2 * sum(
        share * (picture.numpy() - frame.numpy())
        for share, frame in zip(shares, warped, strict=True)
    )
    np.testing.assert_allclose(tape.gradient(value, picture), expected / 12, rtol=1e-4, atol=1e-7)
