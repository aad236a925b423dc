"""The distance between the features of two sets of pictures."""

import keras
import numpy as np
import pytest
import scipy.linalg
from networks import random_image

from stylezoo import evaluation


def sets(seed=0):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(6, 6))
    real = random.normal(size=(60, 6)) @ mixing
    return real, random.normal(size=(12, 6)) @ random.normal(size=(6, 6)) + 0.7


@pytest.mark.parametrize("components", [1, 3, 6])
def test_distance_equals_scipy(components):
    real, made = sets()
    values, vectors = np.linalg.eigh(np.cov(real, rowvar=False))
    leading = vectors[:, np.argsort(-values)[:components]]
    projected = [each @ leading for each in (real, made)]
    means = [each.mean(axis=0) for each in projected]
    first, second = (np.atleast_2d(np.cov(each, rowvar=False)) for each in projected)
    root = scipy.linalg.sqrtm(first @ second).real
    expected = np.sum((means[0] - means[1]) ** 2) + np.trace(first + second - 2 * root)
    found = evaluation.frechet_distance(real, made, components=components)
    assert found == pytest.approx(expected, rel=1e-6)


def test_distance_of_known_sets():
    real, made = sets()
    assert evaluation.frechet_distance(real, real, components=6) == pytest.approx(0, abs=1e-9)
    shifted = real + np.array([3.0, 0, 0, 0, 4.0, 0])
    assert evaluation.frechet_distance(real, shifted, components=6) == pytest.approx(25.0)
    near = evaluation.frechet_distance(real, made, components=6)
    assert evaluation.frechet_distance(real, made + 5, components=6) > near


def test_pooled_features():
    image = keras.Input([None, None, 3])
    network = keras.Model(image, {"same": image})
    pictures = [random_image(12, 16, seed=seed) for seed in range(3)]
    found = evaluation.pooled_features(network, pictures, side=12)
    expected = [picture[0, :, 2:14].numpy().mean(axis=(0, 1)) for picture in pictures]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("made", "components", "message"),
    [
        (12, 0, r"`components` must be from 1 to 6\. Received: components=0"),
        (12, 7, r"`components` must be from 1 to 6\. Received: components=7"),
        (1, 2, r"`made` must be 2 pictures or more\. Received: 1"),
    ],
)
def test_refuses(made, components, message):
    real, _ = sets()
    with pytest.raises(ValueError, match=message):
        evaluation.frechet_distance(real, real[:made], components=components)
