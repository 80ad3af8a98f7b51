"""Pairs that a neighbour graph does not hold, looked for where they could make its spanning tree lighter.

For the cut property, and for the ultrametric of a tree as the largest gap between places in its leaf
order: Gower and Ross 1969. Rounds of lightest crossings: Borůvka 1926.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.points import Points
from pixsortd.grouping.rows import Array, Floats

Pairs = npt.NDArray[np.int32]

SEARCH = 128
"""Rows that are compared with all others at a time."""
TILE = 1024
"""Rows to a side of a tile."""


class Found(NamedTuple):
    """Pairs of rows and their mutual reachability."""

    pairs: Pairs
    """[m, 2], the smaller row first."""
    weights: Floats


def joins(points: Points, core: Floats, part: Array) -> Found:
    """For every component but the largest its lightest pair with a row of another one, exactly.

    ``part`` numbers the components by row. Ties go to the smaller rows.
    """
    dense = -points.halves(core)
    rows = np.flatnonzero(part != np.bincount(part).argmax())
    nearest = np.concatenate([_foreign(points, dense, part, some).max(1) for some in _portions(rows)])
    best = np.full(int(part.max()) + 1, -np.inf, np.float32)
    np.maximum.at(best, part[rows], nearest)
    floor = best - np.float32(4 * points.margin)
    rows = rows[nearest >= floor[part[rows]]]
    found = Found(np.empty((0, 2), np.int32), np.empty(0))
    for some in _portions(rows):
        i, j = np.nonzero(_foreign(points, dense, part, some) >= floor[part[some]][:, None])
        found = _both(found, measured(points, core, some[i], j))
    return _lightest_by_component(found, part)


def measured(points: Points, core: Floats, first: Array, second: Array) -> Found:
    """The mutual reachability of paired rows."""
    distances = points.distances(first, second).astype(np.float64)
    weights = np.maximum(distances, np.maximum(core[first], core[second]))
    return Found(np.sort(np.stack([first, second], 1), 1).astype(np.int32), weights)


def lighter(points: Points, core: Floats, merges: Array) -> Found:
    """Every pair that is lighter than the heaviest edge between its rows in the tree that ``merges`` tells of.

    With these, a spanning tree is minimum over all pairs. ``merges`` is [n - 1, 4] as hdbscan labels a
    tree, by rising weight. All pairs are screened, but for rows that are sparser themselves than what holds
    them to the others.
    """
    order, gaps = _leaves(merges)
    local, dense = points.ordered(order), core[order]
    found = Found(np.empty((0, 2), np.int32), np.empty(0))
    for i, j, limits in _screened(local, dense, gaps):
        some = measured(local, dense, i, j)
        better = some.weights < limits
        pairs = np.sort(order[some.pairs[better]], 1).astype(np.int32)
        found = _both(found, Found(pairs, some.weights[better]))
    return found


def _screened(points: Points, core: Floats, gaps: Floats) -> Iterator[tuple[Array, Array, Floats]]:
    """Places whose rows may be nearer than what holds them together, and how heavy that is."""
    count = len(core)
    parts = [slice(start, min(start + TILE, count)) for start in range(0, count, TILE)]
    for number, first in enumerate(parts):
        yield from _inside(points, gaps, first)
        before = np.maximum.accumulate(gaps[first][:0:-1])[::-1] if first.stop - first.start > 1 else gaps[:0]
        before = np.append(before, 0.0)  # largest gap from each place to the end of its block
        for second in parts[number + 1 :]:
            before = np.maximum(before, gaps[second.start])
            after = np.maximum.accumulate(np.append(0.0, gaps[second][1:]))
            yield from _across(points, core, (first, before), (second, after))
            before = np.maximum(before, after[-1])


def _inside(points: Points, gaps: Floats, part: slice) -> Iterator[tuple[Array, Array, Floats]]:
    """The pairs within one block."""
    limits = np.maximum.accumulate(np.triu(np.broadcast_to(gaps[part], (part.stop - part.start,) * 2), 1), axis=1)
    i, j = np.nonzero(points.closeness(part, part) >= -points.halves(limits))
    i, j = i[i < j], j[i < j]
    yield i + part.start, j + part.start, limits[i, j]


def _across(
    points: Points, core: Floats, first: tuple[slice, Floats], second: tuple[slice, Floats]
) -> Iterator[tuple[Array, Array, Floats]]:
    """The pairs of two blocks, each with the largest gap between its places and the other block."""
    rows = np.flatnonzero(core[first[0]] < np.maximum(first[1], second[1].max()))
    columns = np.flatnonzero(core[second[0]] < np.maximum(second[1], first[1].max()))
    if not len(rows) or not len(columns):
        return
    before, after = first[1][rows], second[1][columns]
    rows, columns = rows + first[0].start, columns + second[0].start
    closeness = points.closeness(_whole(rows), _whole(columns))
    floor = np.minimum.outer(-points.halves(before), -points.halves(after))
    i, j = np.divmod(np.flatnonzero(closeness >= floor), len(columns))
    yield rows[i], columns[j], np.maximum(before[i], after[j])


def _whole(rows: Array) -> Array | slice:
    """As a slice where nothing is left out, which spares a copy."""
    return slice(int(rows[0]), int(rows[-1]) + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows


def _leaves(merges: Array) -> tuple[Array, Floats]:
    """(rows in an order in which every merge's are together, the larger part first; the gap before each place)."""
    count = len(merges) + 1
    children = merges[:, :2].astype(np.int64).tolist()
    sizes = [1] * count + merges[:, 3].astype(np.int64).tolist()
    heights = merges[:, 2].tolist()
    starts, gaps = [0] * (2 * count - 1), [0.0] * count
    for merge in range(count - 2, -1, -1):
        larger, smaller = children[merge]
        if sizes[larger] < sizes[smaller]:
            larger, smaller = smaller, larger
        starts[larger] = starts[count + merge]
        starts[smaller] = starts[larger] + sizes[larger]
        gaps[starts[smaller]] = heights[merge]
    order = np.empty(count, np.int64)
    order[starts[:count]] = np.arange(count)
    return order, np.array(gaps)


def _foreign(points: Points, dense: Array, part: Array, rows: Array) -> Array:
    """[rows, n] halves of squared mutual reachability, negative, and none within a component."""
    closeness = points.closeness(rows, slice(None))
    np.minimum(closeness, dense, out=closeness)
    np.minimum(closeness, dense[rows][:, None], out=closeness)
    closeness[part[rows][:, None] == part] = -np.inf
    return closeness


def _lightest_by_component(found: Found, part: Array) -> Found:
    """For every component the first of its pairs by (weight, smaller row, larger row)."""
    owners = part[found.pairs]
    both = _both(found, found)
    order = np.lexsort((both.pairs[:, 1], both.pairs[:, 0], both.weights, owners.T.ravel()))
    _, first = np.unique(owners.T.ravel()[order], return_index=True)
    chosen = np.unique(order[first] % len(found.weights))
    return Found(found.pairs[chosen], found.weights[chosen])


def _both(one: Found, other: Found) -> Found:
    return Found(np.concatenate([one.pairs, other.pairs]), np.concatenate([one.weights, other.weights]))


def _portions(rows: Array) -> Iterator[Array]:
    return (rows[start : start + SEARCH] for start in range(0, len(rows), SEARCH))
