"""From a spanning tree and the groups that came of it to the tree that the slider cuts.

The tree is hdbscan's condensed tree with clusters of ``SMALLEST`` rows and more. The groups are
nodes of it (the default clusters of any greater least size are), and the cut at coarseness 1 is these. Below
1 a group is divided where its parts separate within that share of the distance at which it separates from the
others itself: a group is looked into by its own measure, be it dense or sparse. Above 1, nodes over the
groups are put together at 1 plus the distance at which they separate (Malzer and Baum 2019, where that
distance is their epsilon).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.density import condensed
from pixsortd.grouping.layout import EMPTY, Ints, Layout, overlaps
from pixsortd.grouping.rows import Array, Floats
from pixsortd.grouping.spanning import Spanning

SMALLEST = 3

Rows = npt.NDArray[np.int64]

_ABOVE = float(np.nextafter(1.0, 2.0))


class _Bare(NamedTuple):
    """hdbscan's tree as yet without an order and intervals."""

    parents: Ints
    births: Floats
    """Density that each node is born at."""
    owners: Rows
    """[n] the last node that each row is in."""
    depths: Floats
    """[n] the density at which it leaves that."""

    def arranged(self) -> Layout:
        """The nodes as ranges."""
        order = np.lexsort((np.arange(len(self.owners)), self.owners))
        owned = np.bincount(self.owners, minlength=len(self.parents))
        starts, ends = _ranges(self.parents, owned)
        places = starts[self.owners[order]] + np.arange(len(order)) - np.repeat(np.cumsum(owned) - owned, owned)
        rows, depths = np.empty(len(order), np.int32), np.empty(len(order), np.float32)
        rows[places], depths[places] = order, self.depths[order]
        return EMPTY._replace(order=rows, depths=depths, starts=starts, ends=ends, parents=self.parents)


def laid_out(spanning: Spanning, labels: Rows) -> tuple[Layout, npt.NDArray[np.bool_]]:
    """The layout whose cut at 1 is the groups of ``labels`` [n], and which rows [n] of these nodes they do without.

    A group is the node that shares most with it, and rows that it has beside that are put into it. A group
    that no node shares more than half with is a node of its own, which goes into no coarser one.
    """
    if len(labels) < SMALLEST:
        return EMPTY, np.zeros(len(labels), bool)
    bare = _bare(spanning)
    first = bare.arranged()
    node_of = _taken(first, labels)
    parents, births = bare.parents, bare.births
    for label in np.setdiff1d(labels[labels >= 0], list(node_of)).tolist():
        node_of[label] = len(parents)
        parents, births = np.append(parents, np.int32(0)), np.append(births, births[1:2].sum())
    wanted = np.full(int(labels.max(initial=-1)) + 2, -1)
    wanted[list(node_of)] = list(node_of.values())
    home = np.full(len(labels), -1)
    for node in node_of.values():
        if node < len(bare.parents):
            home[first.order[first.starts[node] : first.ends[node]]] = node
    strays = (labels >= 0) & (home != wanted[labels])
    owners, depths = (
        np.where(strays, wanted[labels], bare.owners),
        np.where(strays, births[wanted[labels]], bare.depths),
    )
    layout = _Bare(parents, births, owners, depths).arranged()
    thresholds = _thresholds(parents, births, sorted(node_of.values()))
    layout = layout._replace(thresholds=thresholds, hidden=_hidden(parents, thresholds))
    return layout, (labels < 0) & (home >= 0)


def _bare(spanning: Spanning) -> _Bare:
    """What hdbscan makes of the spanning tree."""
    count, records = len(spanning.edges) + 1, condensed(spanning, SMALLEST)
    parent, child = records["parent"] - count, records["child"] - count
    finite = records["lambda_val"][np.isfinite(records["lambda_val"])]
    density = np.minimum(records["lambda_val"], 2.0 * finite.max(initial=0.5))  # copies are infinitely dense
    splits = np.flatnonzero(child >= 0)
    splits = splits[np.argsort(child[splits])]
    own = np.flatnonzero(child < 0)
    owners, depths = np.zeros(count, np.int64), np.zeros(count)
    owners[child[own] + count], depths[child[own] + count] = parent[own], density[own]
    parents = np.concatenate([[-1], parent[splits]]).astype(np.int32)
    return _Bare(parents, np.concatenate([[0.0], density[splits]]), owners, depths)


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


def _taken(layout: Layout, labels: Rows) -> dict[int, int]:
    """The node by label; of two labels whose nodes lie inside one another only the one that fits better has its."""
    seen = labels[layout.order]
    grouped = np.flatnonzero(seen >= 0)
    grouped = grouped[np.argsort(seen[grouped], kind="stable")]
    best: list[tuple[float, int, int]] = []
    for places in np.split(grouped, np.flatnonzero(np.diff(seen[grouped])) + 1):
        found = overlaps(layout, places, len(places))
        if len(found.nodes):
            best.append((-float(found.shares[0]), int(found.nodes[0]), int(seen[places[0]])))
    taken: dict[int, int] = {}
    free = np.ones(len(layout.order), bool)
    for _, node, label in sorted(best):
        span = slice(layout.starts[node], layout.ends[node])
        if free[span].all():
            free[span] = False
            taken[label] = node
    return taken


def _thresholds(parents: Ints, births: Floats, taken: list[int]) -> Floats:
    """Of every node in or over a taken one, the least coarseness at which it is one group; infinite for all else.

    What is only put together where everything is is no group.
    """
    count = len(parents)
    divides, over, under = np.zeros(count), np.zeros(count, bool), np.full(count, -1)
    over[taken], under[taken] = True, taken
    for node in range(count - 1, 0, -1):
        divides[parents[node]] = births[node]
        over[parents[node]] |= over[node]
    for node in range(1, count):
        under[node] = max(under[node], under[parents[node]])
    thresholds = np.full(count, np.inf)
    births = np.where(np.arange(count) == 0, divides, births)
    inside, above = under >= 0, over & (under < 0) & (divides > divides[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        thresholds[above] = np.maximum(1.0 + 1.0 / divides[above], _ABOVE)
        thresholds[inside] = np.where(divides[inside] > 0, births[under[inside]] / divides[inside], 0.0)
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
