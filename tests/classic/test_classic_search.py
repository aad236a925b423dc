"""Nearest vectors: the tree against looking at all."""

import numpy as np
import pytest

from stylezoo import classic


def vectors(count, dimensions, *, seed=0):
    """Draw clustered vectors, as neighbourhoods of a texture are."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((20, dimensions))
    noise = 0.4 * random.standard_normal((count, dimensions))
    return (centres[random.integers(20, size=count)] + noise).astype(np.float32)


def distances(found, known, queries):
    return np.sum((known[found] - queries) ** 2, axis=1)


def test_exhaustive_search_equals_numpy():
    known, queries = vectors(500, 12), vectors(40, 12, seed=1)
    expected = np.argmin(np.sum((queries[:, None] - known) ** 2, axis=-1), axis=1)
    np.testing.assert_array_equal(classic.ExhaustiveSearch(known).nearest(queries), expected)


@pytest.mark.parametrize("leaf_size", [1, 16, 1000])
@pytest.mark.parametrize("dimensions", [2, 30])
def test_full_backtracking_is_exact(leaf_size, dimensions):
    known, queries = vectors(700, dimensions), vectors(60, dimensions, seed=1)
    found = classic.TreeSearch(known, leaf_size=leaf_size, max_leaves=None).nearest(queries)
    expected = classic.ExhaustiveSearch(known).nearest(queries)
    np.testing.assert_allclose(
        distances(found, known, queries), distances(expected, known, queries), rtol=1e-4
    )
    np.testing.assert_array_equal(found, expected)


def test_known_vectors_are_found_in_one_leaf():
    known = vectors(700, 30)
    found = classic.TreeSearch(known, max_leaves=1).nearest(known)
    np.testing.assert_array_equal(found, np.arange(700))


def test_more_leaves_are_nearer():
    known, queries = vectors(3000, 30), vectors(200, 30, seed=1)
    means = [
        distances(
            classic.TreeSearch(known, leaf_size=8, max_leaves=leaves).nearest(queries),
            known,
            queries,
        ).mean()
        for leaves in (1, 4, 16, None)
    ]
    assert means == sorted(means, reverse=True)
    assert means[0] > 1.02 * means[-1]


@pytest.mark.parametrize("max_leaves", [1, 3, None])
def test_equal_vectors_can_not_be_split(max_leaves):
    known = np.repeat(vectors(3, 5), 40, axis=0)
    tree = classic.TreeSearch(known, leaf_size=4, max_leaves=max_leaves)
    found = tree.nearest(known[[0, 50, 100]])
    np.testing.assert_array_equal(known[found], known[[0, 50, 100]])


@pytest.mark.parametrize("option", ["leaf_size", "max_leaves"])
def test_tree_refuses(option):
    with pytest.raises(ValueError, match=f"`{option}` must be >= 1. Received: {option}=0"):
        classic.TreeSearch(vectors(10, 2), **{option: 0})
