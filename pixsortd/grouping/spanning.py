"""The minimum spanning tree of mutual reachability over a sparse graph, and how much of it is proved exact.

Papers: Campello, Moulavi and Sander 2013 (mutual reachability); Kruskal 1956.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from pixsortd.grouping.neighbours import NOBODY, Graph
from pixsortd.grouping.points import Points
from pixsortd.grouping.reduce import Array, Floats

Pairs = npt.NDArray[np.int32]


class Edges(NamedTuple):
    """A sparse weighted graph over the rows; where a pair is given more than once, the least weight counts."""

    pairs: Pairs
    """[m, 2]"""
    weights: Floats
    """[m]"""
    radii: Floats
    """[n] of every row, the least that a pair with it weighs which is not among the edges; infinite if none is left."""
    core: Floats
    """[n] core distances; zeros for weights that know of none."""


class Spanning(NamedTuple):
    """A spanning tree of the rows, by rising (weight, smaller row, larger row)."""

    edges: Pairs
    """[n - 1, 2], the smaller row first."""
    weights: Floats
    certified: npt.NDArray[np.bool_]
    """Of every edge, whether it is proved that the tree of all pairs has no lighter one in its place."""

    @property
    def proved(self) -> float:
        """Share of the edges that are certified."""
        return float(self.certified.mean()) if len(self.certified) else 1.0


def mutual(graph: Graph, samples: int) -> Edges:
    """Mutual reachability of the pairs in the graph; ``samples`` is HDBSCAN's ``min_samples``, at most its width."""
    count, width = graph.neighbours.shape
    distances = graph.distances.astype(np.float64)
    core = distances[:, min(samples, width) - 1] if width else np.zeros(count)
    kept = graph.neighbours != NOBODY
    first, second = np.nonzero(kept)[0], graph.neighbours[kept]
    weights = np.maximum(distances[kept], np.maximum(core[first], core[second]))
    radii = np.where(kept, distances, 0.0).max(1, initial=0.0)
    if width >= count - 1:
        radii[kept.all(1)] = np.inf
    return Edges(np.stack([first, second], 1).astype(np.int32), weights, np.maximum(radii, core), core)


def tree(
    edges: Edges,
    links: Sequence[tuple[int, int]] = (),
    points: Points | None = None,
    far: float = np.inf,
) -> Spanning:
    """The minimum spanning tree; the same edges in any order give the same one.

    ``links`` are pairs that belong together: they come before all other edges, at the least weight either row
    has. Where the edges leave components apart, ``points`` joins them by their nearest rows; without it
    they hang together at weight ``far``.
    """
    count = len(edges.core)
    pairs, weights = _distinct(edges, np.asarray(links, np.int32).reshape(-1, 2))
    chosen = _kruskal(count, pairs)
    pairs, weights = pairs[chosen], weights[chosen]
    while len(pairs) < count - 1:
        joint, weight = _join(count, pairs, edges.core, points, far)
        pairs, weights = np.concatenate([pairs, joint]), np.append(weights, weight)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], weights))
    pairs, weights = pairs[order], weights[order]
    return Spanning(pairs, weights, np.zeros(len(pairs), bool))


def _join(count: int, pairs: Pairs, core: Floats, points: Points | None, far: float) -> tuple[Pairs, float]:
    """The lightest pair between the smallest component and the rest."""
    _, part = connected_components(coo_array((np.ones(len(pairs)), pairs.T), (count, count)), directed=False)
    inside = part == np.bincount(part).argmin()
    ours, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    if points is None:
        return np.sort([[ours[0], others[0]]], 1), far
    first, second = np.repeat(ours, len(others)), np.tile(others, len(ours))
    weights = np.maximum(points.distances(first, second), np.maximum(core[first], core[second]))
    best = np.lexsort((np.maximum(first, second), np.minimum(first, second), weights))[0]
    return np.sort([[first[best], second[best]]], 1), float(weights[best])


def _distinct(edges: Edges, links: Pairs) -> tuple[Pairs, Floats]:
    """Every pair once with its least weight, links first, then by rising (weight, smaller row, larger row)."""
    least = np.full(len(edges.core), np.inf)
    np.minimum.at(least, edges.pairs.ravel(), np.repeat(edges.weights, 2))
    pairs = np.sort(np.concatenate([links, edges.pairs]), 1)
    weights = np.concatenate([least[links].min(1, initial=np.inf), edges.weights])
    linked = np.arange(len(pairs)) >= len(links)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], weights, linked))
    pairs, weights = pairs[order], weights[order]
    _, first = np.unique(pairs[:, 0].astype(np.int64) * len(least) + pairs[:, 1], return_index=True)
    first.sort()
    return pairs[first], weights[first]


def _kruskal(count: int, pairs: Pairs) -> Array:
    """Which of the ordered pairs make the minimum spanning forest. Ranks stand for weights, so that nothing ties."""
    ranks = np.arange(1, len(pairs) + 1, dtype=np.float64)
    chosen = minimum_spanning_tree(coo_array((ranks, pairs.T), (count, count)).tocsr())
    kept: Array = np.sort(chosen.data).astype(np.int64) - 1
    return kept
