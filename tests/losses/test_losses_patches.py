"""MRFLoss against NumPy in float64, and in cases whose nearest patches are known."""

import numpy as np
import pytest
import tensorflow as tf
from networks import assert_gradient, value_and_gradient

from stylezoo import losses
from stylezoo.losses.base import mask_key

# Sums of some dozens of float32 products, squared.
FLOAT32 = 2e-5


def maps(height, width, *, channels=4, batch=1, seed=0):
    """Return features as after a ReLU, half of them zeros."""
    values = np.random.default_rng(seed).standard_normal((batch, height, width, channels))
    return values.clip(min=0).astype(np.float32)


def starts(side, stride):
    return sorted({*range(0, side - 2, stride), side - 3})


def cut(values, stride):
    """All 3x3 patches of [1, H, W, C] as rows."""
    _, height, width, _ = values.shape
    return np.array(
        [
            values[0, top : top + 3, left : left + 3].ravel()
            for top in starts(height, stride)
            for left in starts(width, stride)
        ],
        np.float64,
    )


def nearest(picture, style):
    """Li & Wand 2016, equation 3."""
    scores = picture @ style.T
    scores /= np.linalg.norm(picture, axis=1)[:, None] * np.linalg.norm(style, axis=1)
    return style[np.argmax(scores, axis=1)]


def loss(term, picture, style):
    """Of two maps, or lists of style maps."""
    styles = style if isinstance(style, list) else [style]
    targets = [term.target({"a": tf.constant(each)}) for each in styles]
    return term({"a": tf.constant(picture)}, term.combine(targets, [1.0] * len(targets)))


@pytest.mark.parametrize("stride", [1, 2])
def test_is_the_papers_sum(stride):
    picture, style = maps(6, 8), maps(7, 5, seed=1)
    patches = cut(picture, stride)
    expected = np.sum((patches - nearest(patches, cut(style, stride))) ** 2)
    term = losses.MRFLoss(["a"], scale="sum", stride=stride)
    got = loss(term, picture, style)
    assert got.dtype == tf.float32
    assert got.shape == ()
    np.testing.assert_allclose(got, expected, rtol=FLOAT32)


def test_is_the_mean_squared_error_to_the_known_nearest_patch():
    """Return a style with one patch of each of nine kinds, and a picture of those, scaled, in disorder."""
    random = np.random.default_rng(0)
    # Kinds that share no channel: nothing is like another kind at all.
    kinds = np.zeros([9, 3, 3, 9], np.float32)
    for kind in range(9):
        kinds[kind, ..., kind] = random.uniform(0.5, 1.5, (3, 3))
    style = kinds.reshape(3, 3, 3, 3, 9).swapaxes(1, 2).reshape(1, 9, 9, 9)
    order, gains = random.permutation(9), random.uniform(0.5, 2.0, (9, 1, 1, 1))
    tiles = (gains * kinds[order]).astype(np.float32)
    picture = tiles.reshape(3, 3, 3, 3, 9).swapaxes(1, 2).reshape(1, 9, 9, 9)
    # Patches every three positions are the kinds themselves.
    mean_squared_error = np.mean((tiles - kinds[order]) ** 2)
    got = loss(losses.MRFLoss(["a"], stride=3), picture, style)
    np.testing.assert_allclose(got, mean_squared_error / np.mean(style**2), rtol=FLOAT32)


@pytest.mark.parametrize("scale", ["relative", "sum", "overlaps"])
def test_is_zero_where_every_patch_is_one_of_the_styles(scale):
    style = maps(8, 9)
    assert float(loss(losses.MRFLoss(["a"], scale=scale), style[:, 1:7, 2:8], style)) < 1e-9
    assert float(loss(losses.MRFLoss(["a"], scale=scale), maps(6, 6, seed=1), style)) > 1e-2


def test_scales():
    picture, style = maps(6, 8), maps(7, 5, seed=1)
    relative, total = (
        loss(losses.MRFLoss(["a"], stride=2, scale=scale), picture, style)
        for scale in ("relative", "sum")
    )
    entries = cut(picture, 2).size
    np.testing.assert_allclose(relative, total / (entries * np.mean(style**2)), rtol=FLOAT32)
    doubled = loss(losses.MRFLoss(["a"], stride=2), 2 * picture, 2 * style)
    np.testing.assert_allclose(doubled, relative, rtol=FLOAT32)


def test_overlaps_have_the_gradient_of_the_authors_code():
    """mylib/mrf.lua: differences to the chosen patches, added up and divided by how many there are."""
    picture, style = maps(6, 7), maps(7, 5, seed=1)
    chosen = nearest(cut(picture, 2), cut(style, 2)).reshape(-1, 3, 3, 4)
    sums, counts = np.zeros(picture.shape[1:]), np.zeros([*picture.shape[1:3], 1])
    corners = [(top, left) for top in starts(6, 2) for left in starts(7, 2)]
    for (top, left), patch in zip(corners, chosen, strict=True):
        here = (slice(top, top + 3), slice(left, left + 3))
        sums[here] += patch - picture[0][here]
        counts[here] += 1
    term = losses.MRFLoss(["a"], stride=2, scale="overlaps")
    target = term.target({"a": tf.constant(style)})
    _, gradient = value_and_gradient(lambda x: term({"a": x}, target), tf.constant(picture))
    np.testing.assert_allclose(gradient[0], -sums / counts, rtol=FLOAT32, atol=1e-6)


@pytest.mark.parametrize("scale", ["relative", "sum", "overlaps"])
def test_gradient_for_fixed_choices(scale):
    term = losses.MRFLoss(["a", "b"], stride=2, scale=scale, layer_weights=[1, 3])
    features, style = (
        {"a": tf.constant(maps(6, 8, seed=seed)), "b": tf.constant(maps(3, 4, seed=seed + 1))}
        for seed in (0, 2)
    )
    target = term.match(features, term.target(style))
    for tap in ("a", "b"):
        assert_gradient(lambda x, tap=tap: term({**features, tap: x}, target), features[tap])


def test_the_gradient_does_not_go_through_the_choice():
    term = losses.MRFLoss(["a"])
    picture, target = tf.constant(maps(6, 8)), term.target({"a": tf.constant(maps(7, 5, seed=1))})
    matched = term.match({"a": picture}, target)
    value, gradient = value_and_gradient(lambda x: term({"a": x}, target), picture)
    fixed_value, fixed = value_and_gradient(lambda x: term({"a": x}, matched), picture)
    np.testing.assert_array_equal(value, fixed_value)
    np.testing.assert_array_equal(gradient, fixed)


def test_a_matched_target_stays_for_other_pictures():
    term = losses.MRFLoss(["a"], scale="sum")
    first, second, style = maps(6, 8), maps(6, 8, seed=1), maps(7, 5, seed=2)
    target = term.match({"a": tf.constant(first)}, term.target({"a": tf.constant(style)}))
    assert term.match({"a": tf.constant(second)}, target) is target
    expected = np.sum((cut(second, 1) - nearest(cut(first, 1), cut(style, 1))) ** 2)
    np.testing.assert_allclose(term({"a": tf.constant(second)}, target), expected, rtol=FLOAT32)


def test_memory_changes_nothing():
    picture, style = maps(5, 6, batch=2), maps(6, 4, seed=1)
    expected = loss(losses.MRFLoss(["a"]), picture, style)
    got = loss(losses.MRFLoss(["a"], memory=1), picture, style)
    # The same choices: the same sums.
    np.testing.assert_array_equal(got, expected)


def test_of_a_batch_is_the_mean_of_its_pictures():
    term, both, style = losses.MRFLoss(["a"], stride=2), maps(6, 7, batch=2), maps(7, 5, seed=1)
    each = [loss(term, both[index : index + 1], style) for index in (0, 1)]
    assert abs(each[0] - each[1]) > 1e-3
    np.testing.assert_allclose(loss(term, both, style), np.mean(each), rtol=FLOAT32)


def test_patches_of_several_styles_compete():
    picture, styles = maps(6, 8), [maps(7, 5, seed=1), maps(4, 6, seed=2)]
    patches = cut(picture, 1)
    candidates = np.concatenate([cut(style, 1) for style in styles])
    expected = np.sum((patches - nearest(patches, candidates)) ** 2)
    got = loss(losses.MRFLoss(["a"], scale="sum"), picture, styles)
    np.testing.assert_allclose(got, expected, rtol=FLOAT32)


def test_weights_of_styles_scale_their_similarity():
    term = losses.MRFLoss(["a"], scale="sum")
    picture, styles = maps(9, 9), [maps(7, 5, seed=1), maps(7, 5, seed=2)]
    features = {"a": tf.constant(picture)}
    targets = [term.target({"a": tf.constant(style)}) for style in styles]

    def share_of_the_first(weights):
        matched = term.match(features, term.combine(targets, weights))
        alone = term.match(features, targets[0])
        return np.mean(np.all(np.isclose(matched["a"], alone["a"]), axis=-1))

    shares = [share_of_the_first(weights) for weights in ([1, 2], [1, 1], [1.05, 1], [2, 1])]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    for weights, style in (([1, 0], styles[0]), ([0, 3], styles[1])):
        got = term(features, term.combine(targets, weights))
        np.testing.assert_array_equal(got, loss(term, picture, style))


def guided(term, picture, style, mask, style_mask):
    target = term.target({"a": tf.constant(style), mask_key("a"): tf.constant(style_mask)})
    combined = term.combine([target], [1.0]) | {mask_key("a"): tf.constant(mask)}
    return term.match({"a": tf.constant(picture)}, combined)["a"].numpy()


def halves(height, width, *, left):
    mask = np.zeros([1, height, width, 1], np.float32)
    mask[:, :, : width // 2] = left
    mask[:, :, width // 2 :] = 1 - left
    return mask


def test_masks_choose_between_regions_of_a_style():
    """The left half of the style has the first channel only, the right half the second."""
    style = np.zeros([1, 6, 12, 2], np.float32)
    style[:, :, :6, 0] = np.random.default_rng(0).uniform(0.5, 1.5, (6, 6))
    style[:, :, 6:, 1] = np.random.default_rng(1).uniform(0.5, 1.5, (6, 6))
    picture = np.random.default_rng(2).uniform(0.4, 0.6, (1, 6, 12, 2)).astype(np.float32)
    term = losses.MRFLoss(["a"], guide_weight=100.0)
    straight, swapped = (
        guided(term, picture, style, halves(6, 12, left=left), halves(6, 12, left=1.0))
        for left in (1.0, 0.0)
    )
    # Away from the middle, where no patch sees both halves.
    left, right = slice(0, 4), slice(8, 12)
    assert np.all(straight[:, :, left, 0] > 0)
    assert np.all(straight[:, :, left, 1] == 0)
    assert np.all(straight[:, :, right, 1] > 0)
    assert np.all(swapped[:, :, left, 1] > 0)
    assert np.all(swapped[:, :, left, 0] == 0)


def test_masks_are_channels_beside_the_features():
    """The guides by hand are the mask and what it leaves out, both as strong as `guide_weight` says."""
    picture, style = maps(6, 8), maps(7, 5, seed=1)
    random = np.random.default_rng(2)
    mask, style_mask = (random.uniform(size=(1, *x.shape[1:3], 2)) for x in (picture, style))
    gain = np.sqrt(0.7 * np.mean(np.sum(style**2, axis=-1)) / 2)

    def with_mask(values, masks):
        return np.concatenate([values, gain * masks, gain * (1 - masks)], axis=-1)

    patches = cut(with_mask(picture, mask), 1), cut(with_mask(style, style_mask), 1)
    chosen = nearest(*patches).reshape(-1, 9, 8)[..., :4].reshape(-1, 36)
    expected = np.sum((cut(picture, 1) - chosen) ** 2)
    term = losses.MRFLoss(["a"], scale="sum", guide_weight=0.7)
    target = term.target(
        {"a": tf.constant(style), mask_key("a"): tf.constant(style_mask, tf.float32)}
    )
    target = target | {mask_key("a"): tf.constant(mask, tf.float32)}
    np.testing.assert_allclose(term({"a": tf.constant(picture)}, target), expected, rtol=FLOAT32)


def test_constant_masks_change_nothing():
    picture, style = maps(6, 8), maps(7, 5, seed=1)
    ones = [np.ones([1, *x.shape[1:3], 1], np.float32) for x in (picture, style)]
    # They add to the style's norms, which patches of a strong style feel less: hence a weak guide.
    term = losses.MRFLoss(["a"], guide_weight=1e-6)
    plain = term.match({"a": tf.constant(picture)}, term.target({"a": tf.constant(style)}))
    np.testing.assert_array_equal(guided(term, picture, style, *ones), plain["a"])


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_features_are_compared_in_float32(dtype):
    term = losses.MRFLoss(["a"])
    half = [{"a": tf.cast(200 * maps(6, 8, seed=seed), dtype)} for seed in (0, 1)]
    single = [{"a": tf.cast(each["a"], tf.float32)} for each in half]
    np.testing.assert_array_equal(
        term(half[0], term.target(half[1])), term(single[0], term.target(single[1]))
    )


def test_flat_features_are_no_number_problem():
    """Zeros on either side have no direction, and give no NaN."""
    term = losses.MRFLoss(["a"])
    for picture, style in ((maps(6, 8), 0 * maps(7, 5)), (0 * maps(6, 8), maps(7, 5))):
        target = term.match({"a": tf.constant(picture)}, term.target({"a": tf.constant(style)}))
        assert np.all(np.isfinite(target["a"]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.MRFLoss(["a"], scale="mean"), "`scale` must be one of .*'mean'"),
        (lambda: losses.MRFLoss(["a"], patch_size=4), "`patch_size` must be odd.*=4"),
        (lambda: losses.MRFLoss(["a"], patch_size=-1), "`patch_size` must be odd, >= 1"),
        (lambda: losses.MRFLoss(["a"], stride=0), "`stride` must be >= 1. Received: stride=0"),
        (lambda: losses.MRFLoss(["a"], memory=0), "`memory` must be >= 1"),
        (lambda: losses.MRFLoss(["a"], guide_weight=0), "`guide_weight` must be > 0"),
        (lambda: losses.MRFLoss(["a"], weight=-1), "`style_weight` must be >= 0"),
        (lambda: losses.MRFLoss(["a"], layer_weights=[1, 2]), "one a layer"),
    ],
)
def test_constructor_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_unmatched_target_is_refused_where_it_would_be_compared():
    term = losses.MRFLoss(["a"])
    target = term.target({"a": tf.constant(maps(6, 8))})
    with pytest.raises(ValueError, match="`target` of style must be matched first"):
        term.represent({"a": tf.constant(maps(6, 8))}, target)
