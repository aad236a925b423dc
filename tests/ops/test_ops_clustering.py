"""K-means on clusters that are known."""

import numpy as np

from stylezoo import ops


def test_finds_separate_clusters():
    random = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    labels = random.integers(3, size=200)
    points = centres[labels] + 0.1 * random.standard_normal([200, 2])
    found, members = ops.k_means(points, 3, seed=1)
    for label in range(3):
        (own,) = set(members[labels == label])
        np.testing.assert_allclose(found[own], points[labels == label].mean(axis=0), atol=1e-12)


def test_as_many_clusters_as_points():
    points = np.arange(5.0)[:, np.newaxis]
    _, members = ops.k_means(points, 5)
    assert sorted(members) == list(range(5))
