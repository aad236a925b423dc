"""NeighborLoss against NumPy in float64, and in cases whose nearest vectors are known."""

import numpy as np
import pytest
import tensorflow as tf
from networks import assert_gradient

from stylezoo import losses
from stylezoo.losses import IMAGE
from stylezoo.losses.base import mask_key

# Products of some dozens of float32 numbers of about 1.
FLOAT32 = 1e-5


def features(height, width, *, seed=0, batch=1):
    """Return two layers as after a ReLU, the second at half of the size, of a picture of [height, width]."""
    random = np.random.default_rng(seed)
    return {
        IMAGE: tf.zeros([batch, height, width, 3]),
        "a": random.standard_normal((batch, height, width, 5)).clip(min=0).astype(np.float32),
        "b": random.standard_normal((batch, height // 2, width // 2, 7)).astype(np.float32),
    }


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def nearest(queries, keys):
    """Of rows, at the least cosine distance after both means are taken away."""
    centred = unit(queries - queries.mean(axis=0)) @ unit(keys - keys.mean(axis=0)).T
    return keys[np.argmax(centred, axis=1)]


def rows(values):
    return np.asarray(values, np.float64).reshape(-1, values.shape[-1])


def hypercolumns(each):
    """Every fourth pixel: means of the middle 2x2 of 4x4, and of 2x2 at half of the size."""
    a, b = np.asarray(each["a"], np.float64)[0], np.asarray(each["b"], np.float64)[0]
    a = (a[1::4, 1::4] + a[2::4, 1::4] + a[1::4, 2::4] + a[2::4, 2::4]) / 4 / 5
    b = (b[::2, ::2] + b[1::2, ::2] + b[::2, 1::2] + b[1::2, 1::2]) / 4 / 7
    return np.concatenate([rows(a), rows(b)], axis=1)


def test_hypercolumns_are_compared_as_they_are():
    picture, style = features(16, 24), features(20, 12, seed=1)
    term = losses.NeighborLoss(["a", "b"])
    queries = hypercolumns(picture)
    expected = 1 - np.sum(unit(queries) * unit(nearest(queries, hypercolumns(style))), axis=1)
    assert float(term(picture, term.target(style))) == pytest.approx(np.mean(expected), abs=FLOAT32)


def test_layers_are_compared_without_their_means():
    picture, style = features(8, 12), features(10, 6, seed=1)
    term = losses.NeighborLoss(["a", "b"], hypercolumns=False, layer_weights=[1, 3])
    expected = 0.0
    for tap, weight in (("a", 1), ("b", 3)):
        queries, keys = rows(picture[tap]), rows(style[tap])
        chosen = nearest(queries, keys) - keys.mean(axis=0)
        similarity = np.sum(unit(queries - queries.mean(axis=0)) * unit(chosen), axis=1)
        expected += weight * np.mean(1 - similarity)
    assert float(term(picture, term.target(style))) == pytest.approx(expected, abs=FLOAT32)


def test_a_grid_thins_the_style_and_draws_from_the_picture():
    picture, style = features(16, 16), features(12, 12, seed=1)
    term = losses.NeighborLoss(["a"], hypercolumns=False, key_grid=4, query_grid=4)
    target = term.target(style)
    np.testing.assert_array_equal(target["rows/a"], rows(style["a"][:, ::3, ::3]))
    offsets = set()
    for _ in range(12):
        matched = term.match(picture, target)
        top, left = (int(each) for each in matched["offset/a"])
        offsets.add((top, left))
        queries = rows(picture["a"][:, top::4, left::4])
        keys = rows(style["a"][:, ::3, ::3])
        chosen = unit(nearest(queries, keys) - keys.mean(axis=0))
        np.testing.assert_allclose(rows(matched["a"].numpy()), chosen, rtol=0, atol=FLOAT32)
    assert len(offsets) > 4  # of 16; 12 draws give fewer in one of 10^5 cases
    assert all(0 <= side < 4 for offset in offsets for side in offset)


def test_the_style_itself_is_at_no_distance_and_weights_choose():
    style, other = features(8, 8), features(8, 8, seed=1)
    term = losses.NeighborLoss(["a", "b"], hypercolumns=False)
    targets = [term.target(style), term.target(other)]
    assert float(term(style, targets[0])) == pytest.approx(0, abs=FLOAT32)
    assert float(term(style, term.combine(targets, [1, 0]))) == pytest.approx(0, abs=FLOAT32)
    assert float(term(style, term.combine(targets, [0, 1]))) > 0.05


def test_masks_guide_the_choice():
    """With a large weight every vector comes from the region with its mask."""
    picture, style = features(8, 8), features(8, 8, seed=1)
    left = np.zeros([1, 8, 8, 1], np.float32)
    left[:, :, :4] = 1
    term = losses.NeighborLoss(["a"], hypercolumns=False, guide_weight=1e4)
    target = term.target({**style, mask_key("a"): left})
    matched = term.match(picture, target | {mask_key("a"): tf.constant(1 - left)})
    centred = unit(rows(style["a"]) - rows(style["a"]).mean(axis=0)).reshape(8, 8, 5)
    for column in range(8):
        # What is white in the picture's mask is white in the style's.
        allowed = rows(centred[:, :4] if column >= 4 else centred[:, 4:])
        for vector in matched["a"].numpy()[0, :, column]:
            assert np.abs(allowed - vector).sum(axis=1).min() < 1e-4


@pytest.mark.parametrize("hypercolumns", [True, False])
def test_gradient(hypercolumns):
    picture, style = features(8, 8), features(8, 8, seed=1)
    term = losses.NeighborLoss(["a"], hypercolumns=hypercolumns)
    matched = term.match(picture, term.target(style))

    def value(values):
        return term.compare(term.represent({**picture, "a": values}, matched), matched)

    # Short vectors turn quickly: the third derivative is large.
    assert_gradient(value, tf.constant(picture["a"]) + 0.1, step=2e-3)


def test_a_flat_picture_has_a_finite_gradient():
    style = features(8, 8)
    flat = {**style, "a": tf.zeros_like(style["a"])}
    term = losses.NeighborLoss(["a"], hypercolumns=False)
    matched = term.match(flat, term.target(style))
    with tf.GradientTape() as tape:
        tape.watch(flat["a"])
        loss = term.compare(term.represent(flat, matched), matched)
    assert np.isfinite(tape.gradient(loss, flat["a"])).all()


def test_targets_must_be_matched():
    each = features(8, 8)
    term = losses.NeighborLoss(["a"])
    with pytest.raises(ValueError, match="`target` of style must be matched first"):
        term.represent(each, term.target(each))
