"""A tree of clusters laid out so that a cut of any coarseness is a comparison of numbers.

Every node has an interval of coarseness ``g`` in which it is a group of its own; nodes of one ``g`` never
share a photo, and a greater ``g`` only ever puts groups together.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.reduce import Floats

Ints = npt.NDArray[np.int32]

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

    def innermost(self) -> Ints:
        """[t] by place, the last node that a row is in."""
        inner = np.zeros(len(self.order), np.int32)
        for node, (start, end) in enumerate(zip(self.starts.tolist(), self.ends.tolist(), strict=True)):
            inner[start:end] = node
        return inner


class Overlap(NamedTuple):
    """A node that shares photos with a set of them."""

    node: int
    share: float
    """Photos in both by photos in either (Jaccard 1901)."""


def overlaps(layout: Layout, inner: Ints, places: npt.NDArray[np.integer], size: int) -> Iterator[Overlap]:
    """The nodes that may share more than half with a set of ``size`` rows, from the innermost.

    ``places`` are where in the order those of its rows are that the tree has, in any order. A node that
    shares more than half holds the middle one of them.
    """
    known = np.sort(places[:: -(-len(places) // _LOOKED_AT)]) if len(places) else places
    node = int(inner[known[len(known) // 2]]) if len(known) else -1
    while node >= 0:
        start, end = int(layout.starts[node]), int(layout.ends[node])
        if end - start > 2 * size:
            return
        inside = np.searchsorted(known, end) - np.searchsorted(known, start)
        common = min(float(inside) / len(known) * len(places), end - start)
        yield Overlap(node, common / (size + end - start - common))
        node = int(layout.parents[node])


_NONE, _NOTHING = np.zeros(0, np.int32), np.zeros(0)
EMPTY = Layout(_NONE, np.zeros(0, np.float32), _NONE, _NONE, _NONE, _NOTHING, _NOTHING)
