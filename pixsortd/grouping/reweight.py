"""The neighbour graph weighed anew: two photos are near if they are each other's neighbours and share theirs.

Distances in a space of hundreds of dimensions differ little between a photo's own subject and the next one,
and they mean another thing in every part of the library. Who is whose neighbour says more. A photo is written as
the weights of its reciprocal neighbours, averaged over its nearest few, and a pair of the graph then weighs mostly
the Jaccard distance of the two. A share of the original distance stays in, or pairs that agree in all
their neighbours would be told apart by nothing. Pairs that are not in the graph are at ``FAR``: everything
stays as sparse as the graph, and a new tree costs no comparison of vectors.

Papers: Zhong, Zheng, Cao and Li 2017 (k-reciprocal encoding); Zelnik-Manor and Perona 2004 (the scale of a weight
is that of the two rows, so that no other part of the library changes it).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from pixsortd.grouping.nearest import NOBODY
from pixsortd.grouping.rows import Array, Floats
from pixsortd.grouping.spanning import Edges

NEIGHBOURS = 20
"""Entries of a photo's list that count."""

SHARE = 4
"""A list holds at most one in so many of the rows."""

NEAREST = 6
"""Photos that an encoding is averaged over, the photo itself among them."""

STRAIGHT = 0.2
"""Share of the original distance in a weight."""

FAR = 1.0
"""Weight of a pair that is not in the graph; no other weighs more."""

_SHARED = 2 / 3
"""Share of a neighbour's own reciprocal neighbours that must be ours too before we take over the rest."""

_SPREAD = 64
"""Rows whose encodings are spread out at a time."""

Sparse = Any
"""A ``csr_array``; scipy has no types."""


def width(min_samples: int, count: int) -> int:
    """Columns that the graph of ``count`` rows needs: a core distance must be that of a neighbour and not of a
    stranger, and where all are in all lists nobody is told apart."""
    return min(max(NEIGHBOURS, 4 * min_samples), max(count // SHARE, min_samples))


def reweighed(neighbours: Array, halves: Array, min_samples: int) -> Edges:
    """Mutual reachability of the graph's pairs under the new weights, all from 0 to ``FAR``.

    Both are [n, k] as the graph has them, ``halves`` its distances as halves of squared differences.
    """
    halves = np.asarray(halves, np.float64)
    count, wide = neighbours.shape
    if not wide:
        return Edges(np.zeros((0, 2), np.int32), np.zeros(0), np.full(count, FAR), np.full(count, FAR))
    order = _side_by_side(neighbours)
    places = np.full(count + 1, NOBODY, np.int32)
    places[order] = np.arange(count)
    edges = _weighed(places[neighbours][order], halves[order], min_samples)
    return edges._replace(pairs=np.sort(order[edges.pairs], 1), core=edges.core[places[:-1]])


def _side_by_side(neighbours: Array) -> npt.NDArray[np.int32]:
    """The rows so that neighbours stand near one another (Cuthill and McKee 1969): their weights are at hand then."""
    kept = neighbours != NOBODY
    count, ends = len(kept), np.append(0, np.cumsum(kept.sum(1)))
    near = csr_array((np.ones(ends[-1], np.int8), neighbours[kept], ends), shape=(count, count))
    order: npt.NDArray[np.int32] = reverse_cuthill_mckee(near, symmetric_mode=True)
    return order


def _weighed(neighbours: Array, halves: Floats, min_samples: int) -> Edges:
    """What :func:`reweighed` says, for rows in any order."""
    count = len(neighbours)
    pairs, apart = _pairs(neighbours, halves)
    typical = float(np.median(halves[neighbours != NOBODY]))
    straight = np.divide(apart, apart + typical, out=np.zeros_like(apart), where=apart > 0)
    weights = (1.0 - STRAIGHT) * _jaccard(_encoded(neighbours, halves), pairs) + STRAIGHT * straight
    core = _core(count, pairs, weights, min_samples)
    weights = np.maximum(weights, np.maximum(core[pairs[:, 0]], core[pairs[:, 1]]))
    return Edges(pairs, weights, np.full(count, FAR), core)


def _pairs(neighbours: Array, halves: Array) -> tuple[npt.NDArray[np.int32], Floats]:
    """Every pair of the graph once, the smaller row first, and how far apart the two are."""
    count = len(neighbours)
    kept = neighbours != NOBODY
    first, second = np.nonzero(kept)[0], neighbours[kept].astype(np.int64)
    keys, places = np.unique(np.minimum(first, second) * count + np.maximum(first, second), return_index=True)
    return np.stack(np.divmod(keys, count), 1).astype(np.int32), halves[kept][places]


def _encoded(neighbours: Array, halves: Array) -> Sparse:
    """[n, n] the weights that stand for a row, of sum 1."""
    whole = _reciprocal(neighbours, halves, neighbours.shape[1])
    half = _reciprocal(neighbours, halves, (neighbours.shape[1] + 1) // 2)
    own, theirs = _ones(whole), _ones(half)
    shared = (own @ theirs.T).multiply(own).tocoo()
    close = shared.data >= _SHARED * theirs.sum(1)[shared.col]
    bridges = csr_array((np.ones(close.sum()), (shared.row[close], shared.col[close])), shape=whole.shape)
    return _averaged(_of_sum_one(whole.maximum(bridges.multiply(whole) @ half)), neighbours)


def _reciprocal(neighbours: Array, halves: Array, columns: int) -> Sparse:
    """Weights of the neighbours that have the row in reach of their own list, and of the row itself.

    Reach is asked by distance and not by who is listed: of many copies a list holds only some.
    """
    neighbours, halves = neighbours[:, :columns], halves[:, :columns]
    count = len(neighbours)
    reach = np.where(neighbours == NOBODY, 0.0, halves).max(1)
    mutual = (neighbours != NOBODY) & (halves <= reach[neighbours])
    first, second, apart = np.nonzero(mutual)[0], neighbours[mutual], halves[mutual]
    scale = np.sqrt(reach[first] * reach[second])
    weights = np.exp(-np.divide(apart, scale, out=np.zeros_like(apart), where=scale > 0))
    return csr_array((weights, (first, second)), shape=(count, count)) + eye_array(count, format="csr")


def _averaged(encoded: Sparse, neighbours: Array) -> Sparse:
    """The mean over each row's nearest."""
    near = neighbours[:, : NEAREST - 1]
    kept = near != NOBODY
    votes = csr_array((np.ones(kept.sum()), (np.nonzero(kept)[0], near[kept])), shape=encoded.shape)
    mean: Sparse = (_of_sum_one(votes + eye_array(len(near), format="csr")) @ encoded).tocsr()
    mean.sort_indices()
    return mean


def _of_sum_one(rows: Sparse) -> Sparse:
    return csr_array(diags_array(1.0 / rows.sum(1)) @ rows)


def _ones(rows: Sparse) -> Sparse:
    return csr_array((np.ones_like(rows.data), rows.indices, rows.indptr), shape=rows.shape)


def _jaccard(encoded: Sparse, pairs: npt.NDArray[np.int32]) -> Floats:
    """Of rows of sum 1: one less what they share by what either has. The pairs rise by their first rows.

    A few first rows are spread out at a time, for the second ones to be looked up in.
    """
    count, shared = encoded.shape[0], np.zeros(len(pairs))
    spread, starts = np.zeros(_SPREAD * count), np.arange(0, count + _SPREAD, _SPREAD)
    ends = np.searchsorted(pairs[:, 0], starts)
    for start, low, high in zip(starts.tolist(), ends, ends[1:], strict=False):
        first, second = pairs[low:high].T
        one, other = encoded[start : start + _SPREAD], encoded[second]
        filled = _lines(np.arange(one.shape[0]), one)
        spread[filled] = one.data
        other.data = np.minimum(other.data, spread.take(_lines(first - start, other), mode="clip"))
        shared[low:high] = other.sum(1)
        spread[filled] = 0.0
    apart: Floats = (1.0 - shared / (2.0 - shared)).clip(0.0, 1.0)
    return apart


def _lines(lines: Array, rows: Sparse) -> Array:
    """Where the entries of rows are, if each row goes into the line named."""
    places: Array = np.repeat(lines.astype(np.int64) * rows.shape[1], np.diff(rows.indptr)) + rows.indices
    return places


def _core(count: int, pairs: npt.NDArray[np.int32], weights: Floats, min_samples: int) -> Floats:
    """The ``min_samples``-th least weight of each row, ``FAR`` where it has fewer."""
    order = np.argsort(weights, kind="stable")
    rows, ranks = pairs[order].ravel(), np.repeat(np.arange(len(order), dtype=np.int32), 2)
    ranked = csr_array((np.ones(len(rows), np.int8), (rows, ranks)), shape=(count, len(order)))
    places = ranked.indptr[:-1] + max(min_samples, 1) - 1
    core = np.full(count, FAR)
    enough = places < ranked.indptr[1:]
    core[enough] = weights[order[ranked.indices[places[enough]]]]
    return core
