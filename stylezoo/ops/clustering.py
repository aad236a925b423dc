"""Clusters of points."""

import numpy as np

_ROUNDS = 50


def k_means(points: np.ndarray, count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Group points by Lloyd's algorithm after k-means++ (Arthur & Vassilvitskii 2007).

    Args:
        points: [N, D] float, at least ``count`` points.
        count: Number of clusters.
        seed: Seed of the first centres.

    Returns:
        The clusters' centres, [count, D], and the number of each point's cluster, [N]. Every cluster has a
        point.
    """
    random = np.random.default_rng(seed)
    centres = points[[random.integers(len(points))]]
    while len(centres) < count:
        squares = _squares(points, centres).min(axis=1) + 1e-12
        chosen = random.choice(len(points), p=squares / squares.sum())
        centres = np.concatenate([centres, points[[chosen]]])
    for _ in range(_ROUNDS):
        members = _squares(points, centres).argmin(axis=1)
        for index in range(count):
            if np.any(members == index):
                centres[index] = points[members == index].mean(axis=0)
    # A cluster that lost all its points gets the one that is nearest to it.
    for index in set(range(count)) - set(members.tolist()):
        members[_squares(points, centres)[:, index].argmin()] = index
    return centres, members


def _squares(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the squared distances of all points to all centres, [points, centres]."""
    return np.square(points[:, None] - centres[None]).sum(axis=-1)
