"""The exact k-nearest-neighbour graph of a library: built once, then patched as photos come and go."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.points import Points, placed
from pixsortd.grouping.reduce import Array
from pixsortd.records import BatchMetric

Ints = npt.NDArray[np.int32]
Distances = npt.NDArray[np.float32]

BLOCK = 512
NOBODY = -1
"""Fills a list that is shorter than the graph is wide."""


class Graph(NamedTuple):
    """Of every row the nearest others, nearest first, ties by rising row: a pure function of the vectors.

    A patched graph may have shorter lists than a fresh one, filled up with ``NOBODY`` at infinity; as far
    as a list goes it is complete: no row that is missing from it is nearer than its last entry.
    """

    neighbours: Ints
    """[n, k], never the row itself."""
    distances: Distances
    """[n, k] in the metric: Euclidean, or one less the cosine."""


def build(vectors: Array, k: int, metric: BatchMetric = BatchMetric.COSINE) -> Graph:
    """The exact graph of all rows. ``k`` is cut down to the other rows there are."""
    points = placed(vectors, metric)
    count = len(vectors)
    k = min(k, max(count - 1, 0))
    neighbours = np.empty((count, k), np.int32)
    distances = np.empty((count, k), np.float32)
    if k:
        for start in range(0, count, BLOCK):
            rows = np.arange(start, min(start + BLOCK, count))
            neighbours[rows], distances[rows] = _nearest(points, rows, k)
    return Graph(neighbours, distances)


def patched(
    graph: Graph,
    vectors: Array,
    origin: npt.NDArray[np.int64],
    need: int,
    metric: BatchMetric = BatchMetric.COSINE,
) -> Graph:
    """The graph of ``vectors``, of which row i was row ``origin[i]`` of ``graph``, or is new where that is negative.

    Rows that stayed must have kept their order and their vectors. The first ``need`` columns come out as
    :func:`build` would make them; the rest of a list may be missing where photos left it.
    """
    points = placed(vectors, metric)
    count, width = len(vectors), graph.neighbours.shape[1]
    if min(width, count - 1) < need or len(graph.neighbours) <= width:
        return build(vectors, max(width, need), metric)
    stayed, fresh = np.flatnonzero(origin >= 0), np.flatnonzero(origin < 0)
    moved = np.full(len(graph.neighbours) + 1, NOBODY, np.int32)
    moved[origin[stayed]] = stayed
    neighbours = np.full((count, width), NOBODY, np.int32)
    distances = np.full((count, width), np.inf, np.float32)
    neighbours[stayed] = moved[graph.neighbours[origin[stayed]]]
    distances[stayed] = np.where(neighbours[stayed] == NOBODY, np.inf, graph.distances[origin[stayed]])
    reach = np.where(np.isfinite(distances), distances, -np.inf).max(1)
    near = np.concatenate([neighbours, np.tile(fresh.astype(np.int32), (count, 1))], 1)
    far = points.distances(np.repeat(np.arange(count), len(fresh)), np.tile(fresh, count)).reshape(count, len(fresh))
    outside = (far > reach[:, None]) | (fresh[None] == np.arange(count)[:, None])
    near[:, width:][outside] = NOBODY
    both = np.concatenate([distances, np.where(outside, np.inf, far)], 1)
    order = np.lexsort((near, both))[:, :width]
    neighbours, distances = np.take_along_axis(near, order, 1), np.take_along_axis(both, order, 1)
    short = np.flatnonzero((neighbours[:, :need] == NOBODY).any(1))
    if len(short):
        neighbours[short], distances[short] = _nearest(points, short, width)
    return Graph(neighbours, distances)


def _nearest(points: Points, rows: Array, k: int) -> tuple[Ints, Distances]:
    """The lists of some rows."""
    count = len(points.rows)
    others = np.tile(np.arange(count), len(rows))
    distances = points.distances(np.repeat(rows, count), others).reshape(len(rows), count)
    distances[np.arange(len(rows)), rows] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order.astype(np.int32), np.take_along_axis(distances, order, 1)
