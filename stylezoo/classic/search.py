"""Search for the nearest of many vectors, exhaustively or by tree-structured vector quantisation."""

import dataclasses
import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from stylezoo.images import FloatArray

Indices = npt.NDArray[np.intp]

_LLOYD_STEPS = 4

# Backtracking goes down this many branches of a query at once, which is quicker than one after the other.
_TOGETHER = 3


class Search(Protocol):
    """Finds nearest vectors among those that it was made with."""

    def nearest(self, queries: FloatArray) -> Indices:
        """Return for each query of [B, D] the index of a vector that is near, [B]."""


class ExhaustiveSearch:
    """Compares queries with all vectors, |v|² - 2 <v, q>, by one matrix product for all queries.

    Args:
        vectors: [N, D] float32.
    """

    def __init__(self, vectors: FloatArray) -> None:
        self._vectors = vectors
        self._squares = np.einsum("nd,nd->n", vectors, vectors)

    def nearest(self, queries: FloatArray) -> Indices:
        """Return for each query of [B, D] the index of the nearest vector, [B]."""
        return np.argmin(self._squares - 2 * (queries @ self._vectors.T), axis=1)


@dataclasses.dataclass(frozen=True)
class _Tree:
    """Nodes of a binary tree, the root first.

    Attributes:
        planes: [nodes, D], unit normals of the planes between the halves' centroids.
        offsets: [nodes], distances of the planes from 0.
        children: [nodes, 2], nodes on the negative and on the positive side; -1 for a leaf.
        starts: [nodes], the index in ``order`` at which a leaf's vectors begin.
        counts: [nodes], the number of a leaf's vectors; 0 for an inner node.
        order: [N], the vectors' indices, leaf by leaf.
    """

    planes: FloatArray
    offsets: FloatArray
    children: Indices
    starts: Indices
    counts: Indices
    order: Indices


class TreeSearch:
    """Tree-structured vector quantisation (Gersho & Gray 1992; Wei & Levoy 2000, section 4).

    Every node is split in two by the generalised Lloyd algorithm. A query goes down to the half whose
    centroid is nearer, and is compared with all vectors of the leaf that it comes to (the paper takes
    a leaf's only vector). Backtracking then goes down branches that were left out, a few at once: the
    distance to the planes between the halves tells which may have the nearest vectors, and whether they
    may have one nearer than the one found. With as many leaves as there are, the result is exact. All
    queries walk together.

    Args:
        vectors: [N, D] float32.
        leaf_size: Number of vectors that are not split any more.
        max_leaves: Number of leaves that a query may see; None for as many as it takes.

    Raises:
        ValueError: If a number is not positive.
    """

    def __init__(
        self, vectors: FloatArray, *, leaf_size: int = 64, max_leaves: int | None = 4
    ) -> None:
        for name, value in (("leaf_size", leaf_size), ("max_leaves", max_leaves)):
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be >= 1. Received: {name}={value}")
        self._tree = _grow(vectors, leaf_size)
        # The number of each node among the leaves.
        self._slots = np.cumsum(self._tree.counts > 0) - 1
        self._leaves, self._squares = self._blocks(vectors)
        self._max_leaves = max_leaves or len(self._tree.counts)

    def _blocks(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return leaves as blocks of one size, [leaves, n, D], and squared lengths; infinite for padding."""
        tree = self._tree
        leaves = np.flatnonzero(tree.counts)
        largest = int(tree.counts.max())
        blocks = np.zeros([len(leaves), largest, vectors.shape[1]], np.float32)
        squares = np.full([len(leaves), largest], np.inf, np.float32)
        for slot, leaf in enumerate(leaves):
            count = tree.counts[leaf]
            own = vectors[tree.order[tree.starts[leaf] : tree.starts[leaf] + count]]
            blocks[slot, :count] = own
            squares[slot, :count] = np.einsum("nd,nd->n", own, own)
        return blocks, squares

    def nearest(self, queries: FloatArray) -> Indices:
        """Return for each query of [B, D] the index of a near vector, [B]."""
        count = len(queries)
        best = np.full(count, np.inf, np.float32)
        found = np.zeros(count, np.intp)
        squares = np.einsum("bd,bd->b", queries, queries)
        # Branches of all queries still to be seen: the query, the node, the least squared distance.
        who, nodes, bounds = np.arange(count), np.zeros(count, np.intp), np.zeros(count, np.float32)
        waiting: list[tuple[Indices, Indices, FloatArray]] = []
        seen = 1
        while len(who):
            leaves = self._descend(queries, who, nodes, bounds, waiting)
            self._compare(queries, squares, who, leaves, best, found)
            together = min(_TOGETHER, self._max_leaves - seen)
            if not together:
                break
            who, nodes, bounds = self._next(waiting, best, together)
            seen += together
        return self._tree.order[found]

    def _descend(
        self,
        queries: FloatArray,
        who: Indices,
        nodes: Indices,
        bounds: FloatArray,
        waiting: list[tuple[Indices, Indices, FloatArray]],
    ) -> Indices:
        """Return the leaves below nodes on the queries' sides; other branches are added to ``waiting``."""
        tree = self._tree
        nodes = nodes.copy()
        inner = np.flatnonzero(tree.children[nodes, 0] >= 0)
        while len(inner):
            here, whose = nodes[inner], who[inner]
            distance = np.einsum("bd,bd->b", tree.planes[here], queries[whose]) - tree.offsets[here]
            side = (distance > 0).astype(np.intp)
            children = tree.children[here]
            rows = np.arange(len(here))
            below = children[rows, side]
            nodes[inner] = below
            bound = np.maximum(bounds[inner], distance * distance)
            waiting.append((whose, children[rows, 1 - side], bound))
            inner = inner[tree.children[below, 0] >= 0]
        return nodes

    def _compare(
        self,
        queries: FloatArray,
        squares: FloatArray,
        who: Indices,
        leaves: Indices,
        best: FloatArray,
        found: Indices,
    ) -> None:
        """Compare queries with all vectors of the leaves, and update ``best`` and ``found``."""
        slots = self._slots[leaves]
        products = np.matmul(self._leaves[slots], queries[who][:, :, np.newaxis])[..., 0]
        distances = self._squares[slots] - 2 * products
        first = np.argmin(distances, axis=1)
        nearest = distances[np.arange(len(who)), first] + squares[who]
        # A query may be here several times. The last assignment to a place holds, so the best is last.
        nearer = np.flatnonzero(nearest < best[who])
        nearer = nearer[np.argsort(-nearest[nearer])]
        best[who[nearer]] = nearest[nearer]
        found[who[nearer]] = self._tree.starts[leaves[nearer]] + first[nearer]

    @staticmethod
    def _next(
        waiting: list[tuple[Indices, Indices, FloatArray]], best: FloatArray, together: int
    ) -> tuple[Indices, Indices, FloatArray]:
        """Take each query's most promising branches that may have a nearer vector from ``waiting``."""
        if not waiting:
            return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.float32)
        who, nodes, bounds = (np.concatenate(each) for each in zip(*waiting, strict=True))
        promising = bounds < best[who]
        who, nodes, bounds = who[promising], nodes[promising], bounds[promising]
        order = np.lexsort((bounds, who))
        who, nodes, bounds = who[order], nodes[order], bounds[order]
        first = np.ones(len(who), bool)
        first[together:] = who[together:] != who[:-together]
        waiting[:] = [(who[~first], nodes[~first], bounds[~first])]
        return who[first], nodes[first], bounds[first]


def _grow(vectors: FloatArray, leaf_size: int) -> _Tree:
    """Split vectors again and again until leaves have at most ``leaf_size`` vectors."""
    planes, offsets, starts, counts = [], [], [], []
    children: list[list[int]] = []
    order: list[Indices] = []
    ordered = 0
    pending = [(np.arange(len(vectors)), -1, 0)]
    while pending:
        members, parent, side = pending.pop()
        node = len(children)
        if parent >= 0:
            children[parent][side] = node
        split = _split(vectors[members]) if len(members) > leaf_size else None
        children.append([-1, -1])
        starts.append(ordered)
        if split is None:
            if np.all(vectors[members] == vectors[members[0]]):
                members = members[
                    :1
                ]  # a single one stands for them all, since blocks are as large as the largest leaf
            planes.append(np.zeros(vectors.shape[1], np.float32))
            offsets.append(0.0)
            counts.append(len(members))
            order.append(members)
            ordered += len(members)
            continue
        plane, offset, positive = split
        planes.append(plane)
        offsets.append(offset)
        counts.append(0)
        pending += [(members[~positive], node, 0), (members[positive], node, 1)]
    return _Tree(
        np.stack(planes),
        np.array(offsets, np.float32),
        np.array(children),
        np.array(starts),
        np.array(counts),
        np.concatenate(order),
    )


def _split(vectors: FloatArray) -> tuple[FloatArray, float, npt.NDArray[np.bool_]] | None:
    """Return the plane between two centroids and the vectors on its positive side, or None."""
    mean = vectors.mean(axis=0)
    spread = vectors.var(axis=0)
    axis = int(np.argmax(spread))
    positive = vectors[:, axis] > mean[axis]
    for _ in range(_LLOYD_STEPS):
        size = int(positive.sum())
        if not 0 < size < len(vectors):
            return None
        upper = vectors[positive].mean(axis=0)
        lower = (mean * len(vectors) - upper * size) / (len(vectors) - size)
        normal = upper - lower
        length = math.sqrt(float(normal @ normal))
        if length == 0:
            return None
        plane = normal / np.float32(length)
        offset = float(plane @ (upper + lower)) / 2
        positive = vectors @ plane - np.float32(offset) > 0
    size = int(positive.sum())
    return (plane, offset, positive) if 0 < size < len(vectors) else None
