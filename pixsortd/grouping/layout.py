"""A tree of clusters laid out so that a cut of any coarseness is a comparison of numbers.

Every node has an interval of coarseness ``g`` in which it is a group of its own; nodes of one ``g`` never
share a photo, and a greater ``g`` only ever puts groups together.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.rows import Floats

Ints = npt.NDArray[np.int32]

WIDTH = 10
"""Nearest of a photo that it may be linked with in a level."""

_LOOKED_AT = 1024
"""Rows of a node that are counted, evenly spread over it: its share with another is right within some hundredths."""


class Layout(NamedTuple):
    """Nodes are ranges of the rows; parents stand before their children."""

    order: Ints
    """[t] rows, those of one node next to one another."""
    depths: npt.NDArray[np.float32]
    """[t] by the same places: the density at which a row leaves the last node that it is in."""
    starts: Ints
    ends: Ints
    parents: Ints
    """-1 for a node with none above it."""
    thresholds: Floats
    """Least ``g`` at which a node is one group; infinite for one that never is."""
    hidden: Floats
    """Least ``g`` at which a node above it is one group: from there on this one is a part of that."""

    @property
    def shown(self) -> npt.NDArray[np.bool_]:
        """The nodes that some cut takes."""
        shown: npt.NDArray[np.bool_] = self.thresholds < self.hidden
        return shown


class Overlaps(NamedTuple):
    """Nodes that share rows with a set of them, the one that shares most first, ties by node."""

    nodes: npt.NDArray[np.int64]
    shares: Floats
    """Rows in both by rows in either (Jaccard 1901)."""


def overlaps(layout: Layout, places: npt.NDArray[np.integer], size: int) -> Overlaps:
    """The nodes that share more than half with a set of ``size`` rows.

    ``places`` are where in the order those of its rows are that the tree has, in any order. A node that
    shares more than half holds the middle one of them.
    """
    known = np.sort(places[:: -(-len(places) // _LOOKED_AT)]) if len(places) else places
    if not len(known):
        return Overlaps(np.zeros(0, np.int64), np.zeros(0))
    middle, sizes = known[len(known) // 2], layout.ends - layout.starts
    near = np.flatnonzero((layout.starts <= middle) & (layout.ends > middle) & (sizes <= 2 * size))
    inside = np.searchsorted(known, layout.ends[near]) - np.searchsorted(known, layout.starts[near])
    common = np.minimum(inside / len(known) * len(places), sizes[near])
    shares = common / (size + sizes[near] - common)
    order = np.lexsort((near, -shares))[: np.count_nonzero(shares > 0.5)]
    return Overlaps(near[order], shares[order])


_NONE, _NOTHING = np.zeros(0, np.int32), np.zeros(0)
EMPTY = Layout(_NONE, np.zeros(0, np.float32), _NONE, _NONE, _NONE, _NOTHING, _NOTHING)
