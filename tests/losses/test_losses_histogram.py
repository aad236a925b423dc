"""HistogramLoss and its operations, against sorted values."""

import numpy as np
import pytest
import tensorflow as tf

from stylezoo import losses, ops


def maps(height, width, *, seed=0, power=1.0):
    """Return features as after a ReLU, half of them zeros, [1, H, W, 4]."""
    values = np.random.default_rng(seed).standard_normal((1, height, width, 4)).clip(min=0)
    return (values**power).astype(np.float32)


def ranked(picture, style):
    """Give each channel of a picture the values of a style of as many positions by their ranks."""
    flat, wanted = picture.reshape(-1, 4), np.sort(style.reshape(-1, 4), axis=0)
    ranks = np.argsort(np.argsort(flat, axis=0, kind="stable"), axis=0)
    return np.take_along_axis(wanted, ranks, axis=0).reshape(picture.shape)


def test_without_ties_it_is_the_match_of_ranks():
    picture = np.random.default_rng(0).uniform(size=(1, 16, 16, 4)).astype(np.float32)
    style = (np.random.default_rng(1).uniform(size=(1, 16, 16, 4)) ** 3).astype(np.float32)
    quantiles = ops.channel_quantiles(style, 256)
    matched = ops.match_quantiles(picture, quantiles)
    np.testing.assert_allclose(matched, ranked(picture, style), rtol=0, atol=1e-5)


def test_equal_values_stay_equal_and_zeros_stay_zeros():
    """Where the picture and the style have about as many zeros, the middle of them is one."""
    picture, style = maps(20, 20), maps(25, 18, seed=1, power=2.0)
    matched = ops.match_quantiles(picture, ops.channel_quantiles(style, 256)).numpy()
    assert np.all(matched[picture == 0] == 0)
    # The distribution is that of the style but for the interpolation.
    for channel in range(4):
        got, wanted = (np.sort(each[..., channel].ravel()) for each in (matched, style))
        quantiles = np.linspace(0.05, 0.95, 19)
        np.testing.assert_allclose(
            np.quantile(got, quantiles), np.quantile(wanted, quantiles), rtol=0.03, atol=0.05
        )


def test_the_loss_is_relative_and_has_no_gradient_through_the_match():
    picture, style = maps(9, 11), maps(12, 8, seed=1, power=2.0)
    term = losses.HistogramLoss(["a"])
    target = term.target({"a": style})
    with tf.GradientTape() as tape:
        values = tf.constant(picture)
        tape.watch(values)
        loss = term({"a": values}, target)
    matched = ops.match_quantiles(picture, ops.channel_quantiles(style, 256)).numpy()
    square = np.mean(np.square(ops.channel_quantiles(style, 256)))
    assert float(loss) == pytest.approx(np.mean((picture - matched) ** 2) / square, rel=1e-5)
    expected = 2 * (picture - matched) / picture.size / square
    np.testing.assert_allclose(tape.gradient(loss, values), expected, rtol=1e-4, atol=1e-8)
    assert float(term({"a": style}, target)) < 1e-3 * float(loss)


def test_different_distributions_with_one_gram_matrix_are_told_apart():
    """Half of the positions at 0 and 2, or all at the root of 2: equal second moments."""
    spread = tf.constant([[[[0.0], [2.0]]]])
    flat = tf.fill([1, 1, 2, 1], 2**0.5)
    gram, histogram = losses.GramLoss(["a"]), losses.HistogramLoss(["a"])
    assert float(gram({"a": flat}, gram.target({"a": spread}))) < 1e-10
    assert float(histogram({"a": flat}, histogram.target({"a": spread}))) > 0.05
