"""The exact k-nearest-neighbour graph of a library: built once, then patched as photos come and go.

All pairs are screened by matrix products, a tile of near rows at a time, and what could be among the
nearest of either row is measured exactly. Tiles that lie near each other come first, so that the
lists are nearly final before most pairs are looked at.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pixsortd.grouping.nearest import (
    ABSENT,
    NOBODY,
    Distances,
    Entries,
    Ints,
    Lists,
    Rows,
    distances_of,
    entries,
    ranks,
    rows_of,
)
from pixsortd.grouping.points import Points, placed
from pixsortd.grouping.rows import Array
from pixsortd.records import BatchMetric

__all__ = ["NOBODY", "Graph", "Rows", "build", "built", "patched", "repaired"]

TILE = 1024
"""Rows to a side of a tile."""
SEARCH = 128
"""Rows that are compared with all others at a time."""
STRETCHES = 32
"""Of the columns, for each of the nearest that is looked for: more are slower to sort, fewer let more through."""


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
    return built(placed(vectors, metric), k)


def built(points: Points, k: int) -> Graph:
    """The same for rows that are placed already."""
    count = len(points.rows)
    if count < 2 or k < 1:
        return Graph(np.empty((count, 0), np.int32), np.empty((count, 0), np.float32))
    lists = Lists(np.full((count, min(k, count - 1)), ABSENT), np.arange(count))
    order = _near_rows_together(points)
    local = points.ordered(order)
    for first, second in _tiles(local):
        _compare(local, first, second, order, lists)
    lists.settle()
    return _graph(lists)


def patched(
    graph: Graph,
    vectors: Array,
    origin: Rows,
    need: int,
    metric: BatchMetric = BatchMetric.COSINE,
) -> Graph:
    """The graph of ``vectors``, of which row i was row ``origin[i]`` of ``graph``, or is new where that is negative.

    Rows that stayed must have kept their order and their vectors. The first ``need`` columns come out as
    :func:`build` would make them; the rest of a list may be missing where photos left it.
    """
    return repaired(graph, placed(vectors, metric), origin, need)


def repaired(graph: Graph, points: Points, origin: Rows, need: int) -> Graph:
    """The same for rows that are placed already."""
    count, width = len(points.rows), graph.neighbours.shape[1]
    fresh = np.flatnonzero(origin < 0)
    if width < need or count <= 2 * width or len(graph.neighbours) <= width or len(fresh) > count // 2:
        return built(points, max(width, need))
    lists = Lists(_carried(graph, origin), fresh)
    for rows in _portions(fresh):
        _search(points, rows, lists, told=origin >= 0)
    lists.settle()
    for rows in _portions(np.flatnonzero(lists.packed[:, need - 1] == ABSENT)):
        _search(points, rows, lists)
    return _graph(lists)


def _graph(lists: Lists) -> Graph:
    return Graph(rows_of(lists.packed), distances_of(lists.packed))


def _carried(graph: Graph, origin: Rows) -> Entries:
    """The lists of the rows that stayed, without those that left; empty ones for new rows."""
    stayed = np.flatnonzero(origin >= 0)
    moved = np.full(len(graph.neighbours) + 1, NOBODY, np.int32)  # one more: what NOBODY points to
    moved[origin[stayed]] = stayed
    there = moved[graph.neighbours[origin[stayed]]]
    packed = np.full((len(origin), graph.neighbours.shape[1]), ABSENT)
    packed[stayed] = np.sort(np.where(there == NOBODY, ABSENT, entries(there, graph.distances[origin[stayed]])), 1)
    return packed


def _near_rows_together(points: Points) -> Rows:
    """An order in which rows that are alike lie near each other: by their nearest pivot, pivots along a tour."""
    count = len(points.rows)
    pivots = np.arange(0, count, TILE // 2)
    own = np.concatenate([points.closeness(part, pivots).argmax(1) for part in _slices(count)])
    closeness = points.closeness(pivots, pivots)
    place = np.full(len(pivots), -1)
    here = 0
    for step in range(len(pivots)):
        place[here] = step
        closeness[:, here] = -np.inf
        here = int(closeness[here].argmax())
    return np.argsort(place[own], kind="stable")


def _tiles(points: Points) -> Iterator[tuple[slice, slice]]:
    """All pairs of blocks, each block with itself first, then by the nearness of their centres."""
    parts = list(_slices(len(points.rows)))
    yield from ((part, part) for part in parts)
    centres = np.stack([points.rows[part].mean(0) for part in parts])
    first, second = np.triu_indices(len(parts), 1)
    apart = [float(np.square(centres[one] - centres[two]).sum()) for one, two in zip(first, second, strict=True)]
    yield from ((parts[first[i]], parts[second[i]]) for i in np.argsort(apart, kind="stable"))


def _slices(count: int) -> Iterator[slice]:
    return (slice(start, min(start + TILE, count)) for start in range(0, count, TILE))


def _portions(rows: Rows) -> Iterator[Rows]:
    return (rows[start : start + SEARCH] for start in range(0, len(rows), SEARCH))


def _compare(points: Points, first: slice, second: slice, names: Rows, lists: Lists) -> None:
    """Offer what the two blocks hold for each other. Rows of ``points`` are named ``names`` in the lists."""
    closeness = points.closeness(first, second)
    if first == second:
        np.fill_diagonal(closeness, -np.inf)
        floor = _floor(points, closeness, min(lists.packed.shape[1], len(closeness) - 1))
        i, j = np.nonzero(closeness >= np.minimum.outer(floor, floor))
        i, j = i[i < j], j[i < j]
    else:
        floors = [-points.halves(lists.reach(names[part])) for part in (first, second)]
        i, j = np.divmod(np.flatnonzero(closeness >= np.minimum.outer(*floors)), closeness.shape[1])
    i, j = i + first.start, j + second.start
    distances = points.distances(i, j)
    lists.offer(names[i], names[j], distances)
    lists.offer(names[j], names[i], distances)


def _search(points: Points, rows: Rows, lists: Lists, told: Array | None = None) -> None:
    """Make whole lists of some rows; rows that are ``told`` are offered what is found for them on the way."""
    width = lists.packed.shape[1]
    closeness = points.closeness(rows, slice(None))
    closeness[np.arange(len(rows)), rows] = -np.inf
    floor = np.broadcast_to(_floor(points, closeness, width)[:, None], closeness.shape)
    if told is not None:
        floor = np.minimum(floor, np.where(told, -points.halves(lists.reach(slice(None))), np.inf))
    i, j = np.divmod(np.flatnonzero(closeness >= floor), len(points.rows))
    distances = points.distances(rows[i], j)
    if told is not None:
        lists.offer(j[told[j]], rows[i[told[j]]], distances[told[j]])
    packed = entries(j, distances)
    order = np.lexsort((packed, i))
    lists.put(rows, packed[order[ranks(i[order]) < width]].reshape(-1, width))


def _floor(points: Points, closeness: Array, width: int) -> Distances:
    """By row, how close the ``width`` nearest are at least, or could be: so many stretches have one that close."""
    if not width:
        return np.full(len(closeness), -np.inf, np.float32)
    stretch = max(closeness.shape[1] // (STRETCHES * width), 1)
    best = np.maximum.reduceat(closeness, np.arange(0, closeness.shape[1], stretch), axis=1)
    least: Distances = np.partition(best, -width, axis=1)[:, -width] - np.float32(2 * points.margin)
    return least
