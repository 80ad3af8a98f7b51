"""The minimum spanning tree of mutual reachability over a sparse graph, and how much of it is proved exact.

Papers: Campello, Moulavi and Sander 2013 (mutual reachability); Kruskal 1956.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from pixsortd.grouping.crossing import Found, Pairs, joins, lighter
from pixsortd.grouping.neighbours import NOBODY, Graph
from pixsortd.grouping.points import Points
from pixsortd.grouping.rows import Array, Floats


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
    merges: Array
    """[n - 1, 4] the edges one by one as merges of (one, other, weight, rows in both); n and up are merges."""
    radii: Floats
    """[n] as of the edges that the tree is made of."""

    @property
    def certified(self) -> npt.NDArray[np.bool_]:
        """Of every edge, whether it is proved that the tree of all pairs has no lighter one in its place: no unseen
        pair that leaves one of its sides is lighter."""
        least = self.radii.tolist()
        certified = []
        for one, other, weight, _ in self.merges.tolist():
            a, b = least[int(one)], least[int(other)]
            certified.append(max(a, b) >= weight)
            least.append(min(a, b))
        return np.array(certified, bool)

    @property
    def proved(self) -> float:
        """Share of the edges that are certified."""
        return float(self.certified.mean()) if len(self.edges) else 1.0


def mutual(graph: Graph, samples: int, width: int | None = None) -> Edges:
    """Mutual reachability of the pairs in the graph; ``samples`` is HDBSCAN's ``min_samples``.

    With ``width`` only so many columns are used: those that every list has, so that a patched graph says the
    same as a new one. Raises ``ValueError`` where that is fewer than ``samples`` and than the other rows there are.
    """
    neighbours, distances = graph.neighbours[:, :width], graph.distances[:, :width].astype(np.float64)
    count, wide = neighbours.shape
    if wide < min(samples, count - 1):
        raise ValueError(f"{wide} neighbours do not tell the distance to the {samples}th")
    core = distances[:, min(samples, wide) - 1] if wide else np.zeros(count)
    kept = neighbours != NOBODY
    first, second = np.nonzero(kept)[0], neighbours[kept]
    weights = np.maximum(distances[kept], np.maximum(core[first], core[second]))
    radii = np.where(kept, distances, 0.0).max(1, initial=0.0)
    if wide >= count - 1:
        radii[kept.all(1)] = np.inf
    return Edges(np.stack([first, second], 1).astype(np.int32), weights, np.maximum(radii, core), core)


def tree(
    edges: Edges,
    links: Sequence[tuple[int, int]] = (),
    points: Points | None = None,
    far: float = np.inf,
) -> Spanning:
    """The minimum spanning tree; the same edges in any order give the same one.

    ``links`` are pairs that belong together: each is an edge of the least weight that either row has.
    Where the edges leave components apart, ``points`` joins them by their lightest pairs, if the edges are
    those of :func:`mutual`; without it they hang together at weight ``far``.
    """
    count = len(edges.core)
    pairs, weights = _forest(count, *_linked(edges, np.asarray(links, np.int32).reshape(-1, 2)))
    while len(pairs) < count - 1:
        part = connected_components(coo_array((np.ones(len(pairs)), pairs.T), (count, count)), directed=False)[1]
        found = _hung(part, far) if points is None else joins(points, edges.core, part)
        pairs, weights = _forest(count, np.concatenate([pairs, found.pairs]), np.append(weights, found.weights))
    return _ordered(pairs, weights, edges.radii)


def completed(spanning: Spanning, points: Points, core: Floats) -> Spanning:
    """The minimum spanning tree of all pairs, every edge certified, from one over the edges of :func:`mutual`.

    All pairs that could make it lighter are looked for: the time is quadratic where not all is proved already.
    """
    if spanning.certified.all():
        return spanning
    found = lighter(points, core, spanning.merges)
    pairs, weights = np.concatenate([spanning.edges, found.pairs]), np.append(spanning.weights, found.weights)
    return _ordered(*_forest(len(core), pairs, weights), np.full(len(core), np.inf))


def _ordered(pairs: Pairs, weights: Floats, radii: Floats) -> Spanning:
    """The tree by rising weight."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0], weights))
    pairs, weights = pairs[order], weights[order]
    return Spanning(pairs, weights, _merges(pairs, weights), radii)


def _merges(pairs: Pairs, weights: Floats) -> Array:
    """What hdbscan's ``label`` says of a tree by rising weight, in a tenth of its time."""
    count = len(pairs) + 1
    above, sizes = list(range(2 * count - 1)), [1] * count
    steps = []
    for merge, (first, second) in enumerate(pairs.tolist(), count):
        one, other = _top(above, first), _top(above, second)
        above[one] = above[other] = merge
        sizes.append(sizes[one] + sizes[other])
        steps.append((one, other))
    joined = np.array(steps, np.float64).reshape(-1, 2)
    return np.column_stack([joined, weights, np.array(sizes[count:], np.float64)])


def _top(above: list[int], node: int) -> int:
    """The merge that a row is part of by now; the way there is halved for the next time."""
    while above[node] != node:
        above[node] = node = above[above[node]]
    return node


def _hung(part: Array, far: float) -> Found:
    """Every component hung on the one of the smallest row by its own smallest row."""
    _, heads = np.unique(part, return_index=True)
    heads = np.sort(heads).astype(np.int32)
    return Found(np.stack([np.full(len(heads) - 1, heads[0]), heads[1:]], 1), np.full(len(heads) - 1, far))


def _linked(edges: Edges, links: Pairs) -> tuple[Pairs, Floats]:
    """The edges, and the links at weights that hold before any other edge of one of their rows does."""
    if not len(links):
        return edges.pairs, edges.weights
    least = np.full(len(edges.core), np.inf)
    np.minimum.at(least, edges.pairs.ravel(), np.repeat(edges.weights, 2))
    return np.concatenate([edges.pairs, links]), np.append(edges.weights, least[links].min(1))


def _forest(count: int, pairs: Pairs, weights: Floats) -> tuple[Pairs, Floats]:
    """The minimum spanning forest, ties by smaller, then larger row. Ranks stand for weights, so that nothing ties."""
    keys = pairs.min(1, initial=count).astype(np.int64) * count + pairs.max(1, initial=0)
    if not (keys[1:] >= keys[:-1]).all():
        order = np.argsort(keys)
        keys, weights = keys[order], weights[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    keys, weights = keys[first], np.minimum.reduceat(weights, first)
    order = np.argsort(weights, kind="stable")
    pairs, weights = np.stack(np.divmod(keys[order], count), 1).astype(np.int32), weights[order]
    ranks = np.arange(1, len(pairs) + 1, dtype=np.float64)
    chosen = minimum_spanning_tree(coo_array((ranks, pairs.T), (count, count)).tocsr())
    kept = np.sort(chosen.data).astype(np.int64) - 1
    return pairs[kept], weights[kept]
