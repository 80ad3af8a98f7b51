"""From a spanning tree and the groups that came of it to the tree that the slider cuts.

The tree is hdbscan's condensed tree with clusters of ``SMALLEST`` rows and more. The groups are
nodes of it (the default clusters of any greater least size are), and the cut at coarseness 1 is these. Below
1 a group is divided where its parts separate within that share of the distance at which it separates from the
others itself: a group is looked into by its own measure, be it dense or sparse. Above 1, nodes over the
groups are put together at 1 plus the distance at which they separate (Malzer and Baum 2019, where that
distance is their epsilon).
"""

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.density import condensed
from pixsortd.grouping.layout import EMPTY, Ints, Layout, overlaps
from pixsortd.grouping.reduce import Array, Floats
from pixsortd.grouping.spanning import Spanning

SMALLEST = 3

Rows = npt.NDArray[np.int64]

_ABOVE = float(np.nextafter(1.0, 2.0))


def laid_out(spanning: Spanning, rows: Rows, labels: Rows) -> tuple[Layout, npt.NDArray[np.bool_]]:
    """The layout whose cut at 1 is the groups of ``labels`` [n], and which rows [n] of these nodes they do without.

    The spanning tree is over ``rows``, rising ones of the n. A group is taken to be the node that shares most
    with it; where none shares more than half it is left out. One that has no row in the tree is a node of its own.
    """
    layout, taken = EMPTY, list[int]()
    if len(rows) >= 2 * SMALLEST:
        layout, births = _condensed(spanning)
        taken = _taken(layout, labels[rows])
        thresholds = _thresholds(layout.parents, births, taken)
        hidden = _hidden(layout.parents, thresholds)
        layout = layout._replace(order=rows[layout.order].astype(np.int32), thresholds=thresholds, hidden=hidden)
    loners = np.zeros(len(labels), bool)
    for node in taken:
        loners[layout.order[layout.starts[node] : layout.ends[node]]] = True
    return _with_others(layout, labels), loners & (labels < 0)


def _condensed(spanning: Spanning) -> tuple[Layout, Floats]:
    """hdbscan's tree over the spanning tree's own rows, as yet without intervals, and the density of every birth."""
    count, records = len(spanning.edges) + 1, condensed(spanning, SMALLEST)
    parent, child = records["parent"] - count, records["child"] - count
    finite = records["lambda_val"][np.isfinite(records["lambda_val"])]
    density = np.minimum(records["lambda_val"], 2.0 * finite.max(initial=0.5))  # copies are infinitely dense
    splits = np.flatnonzero(child >= 0)
    splits = splits[np.argsort(child[splits])]
    parents = np.concatenate([[-1], parent[splits]]).astype(np.int32)
    own = np.flatnonzero(child < 0)
    own = own[np.lexsort((child[own], parent[own]))]
    owned = np.bincount(parent[own], minlength=len(parents))
    starts, ends = _ranges(parents, owned)
    places = starts[parent[own]] + np.arange(len(own)) - np.repeat(np.cumsum(owned) - owned, owned)
    order, depths = np.empty(len(own), np.int32), np.empty(len(own), np.float32)
    order[places], depths[places] = child[own] + count, density[own]
    births = np.concatenate([[0.0], density[splits]])
    return EMPTY._replace(order=order, depths=depths, starts=starts, ends=ends, parents=parents), births


def _with_others(layout: Layout, labels: Rows) -> Layout:
    """The layout with a node for each group that has no row in it, one at every coarseness."""
    inside = np.zeros(int(labels.max(initial=-1)) + 2, bool)
    inside[labels[layout.order]] = inside[-1] = True
    others = np.flatnonzero(~inside[labels])
    others = others[np.argsort(labels[others], kind="stable")]
    parts = [part for part in np.split(others, np.flatnonzero(np.diff(labels[others])) + 1) if len(part)]
    ends = (len(layout.order) + np.cumsum([len(part) for part in parts])).astype(np.int32)
    more = Layout(
        order=others.astype(np.int32),
        depths=np.zeros(len(others), np.float32),
        starts=(ends - [len(part) for part in parts]).astype(np.int32),
        ends=ends,
        parents=np.full(len(parts), -1, np.int32),
        thresholds=np.zeros(len(parts)),
        hidden=np.full(len(parts), np.inf),
    )
    return Layout(**{name: np.concatenate([getattr(layout, name), added]) for name, added in more._asdict().items()})


def _ranges(parents: Ints, owned: Array) -> tuple[Ints, Ints]:
    """Where every node's rows begin and end: its own first, then those of its children."""
    sizes = owned.astype(np.int64)
    for node in range(len(parents) - 1, 0, -1):
        sizes[parents[node]] += sizes[node]
    starts, free = np.zeros(len(parents), np.int64), owned.astype(np.int64)
    for node in range(1, len(parents)):
        above = parents[node]
        starts[node] = free[above]
        free[above] += sizes[node]
        free[node] += starts[node]
    return starts.astype(np.int32), (starts + sizes).astype(np.int32)


def _taken(layout: Layout, labels: Rows) -> list[int]:
    """The node of each label; none of them inside another."""
    seen, inner = labels[layout.order], layout.innermost()
    grouped = np.flatnonzero(seen >= 0)
    grouped = grouped[np.argsort(seen[grouped], kind="stable")]
    best = []
    for places in np.split(grouped, np.flatnonzero(np.diff(seen[grouped])) + 1):
        found = max(overlaps(layout, inner, places, len(places)), key=lambda one: one.share, default=None)
        if found is not None and found.share > 0.5:
            best.append(found.node)
    taken: set[int] = set()
    for node in sorted(set(best)):
        above = int(layout.parents[node])
        while above >= 0 and above not in taken:
            above = int(layout.parents[above])
        if above < 0:
            taken.add(node)
    return sorted(taken)


def _thresholds(parents: Ints, births: Floats, taken: list[int]) -> Floats:
    """Of every node in or over a taken one, the least coarseness at which it is one group; infinite for all else."""
    count = len(parents)
    divides, over, under = np.zeros(count), np.zeros(count, bool), np.full(count, -1)
    over[taken], under[taken] = True, taken
    for node in range(count - 1, 0, -1):
        divides[parents[node]] = births[node]
        over[parents[node]] |= over[node]
    for node in range(1, count):
        under[node] = max(under[node], under[parents[node]])
    thresholds = np.full(count, np.inf)
    inside, above = under >= 0, over & (under < 0)
    with np.errstate(divide="ignore"):
        thresholds[above] = np.maximum(1.0 + 1.0 / divides[above], _ABOVE)
        thresholds[inside] = np.where(divides[inside] > 0, births[under[inside]] / divides[inside], 0.0)
    thresholds[0] = np.inf
    return thresholds


def _hidden(parents: Ints, thresholds: Floats) -> Floats:
    hidden = np.full(len(parents), np.inf)
    for node in range(1, len(parents)):
        hidden[node] = min(hidden[parents[node]], thresholds[parents[node]])
    return hidden


def steps(layout: Layout) -> Floats:
    """Every coarseness at which the cut changes, rising, from 0."""
    found: Floats = np.unique(np.concatenate([[0.0], layout.thresholds[layout.shown]]))
    return found
