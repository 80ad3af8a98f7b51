"""Who belongs to a group that density found: loners that were drawn in leave, photos it left out join.

Density finds where groups are, but it also takes in the rim where loners meet, and leaves out members that lie a
little apart. A photo's contrast to a group, in halves of squared differences, is how much nearer its nearest members
are than outsiders: 1 for a copy, 0 for a stranger. It needs no group to be round, which the mean over all
members would.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.nearest import NOBODY
from pixsortd.grouping.points import Points
from pixsortd.grouping.rows import Array, Floats

Labels = npt.NDArray[np.int64]

WITNESSES = 4
"""Members that a photo is compared with: as many others as the smallest group of the default size has."""

CONTRAST = 0.29
"""Least contrast of a member. With five witnesses, contrast told members from loners that density drew in better
than the mean over all members (area under the curve 0.98 and 0.99 on two backbones, against 0.98 and 0.93)
and than HDBSCAN's own strength (0.92 and 0.63)."""

TYPICAL = 0.5
"""Least contrast of a member, by that of its group's median member."""

VOTERS = 10
"""Nearest photos of which more than half must be in a group before an ungrouped photo may join it."""

_ROUNDS = 5
"""Who leaves or joins changes what the others are compared with."""


class Membership(NamedTuple):
    """Labels by row, -1 for ungrouped, and how firmly each row belongs."""

    labels: Labels
    strengths: Floats


class Outsiders:
    """What rows are compared with besides members, while rows come and go: all that are outside a group."""

    def __init__(self, points: Points, groups: int) -> None:
        """``groups`` that are empty as yet."""
        self._points = points
        self._labels = np.full(len(points.rows), -1)
        self._inside = _Sums(np.zeros((groups, points.rows.shape[1])), np.zeros(groups))
        self._whole = _sums(points, slice(None))
        self._asked, self._apart = self._labels.copy(), np.zeros(len(self._labels))
        self.sizes = np.zeros(groups, np.int64)
        """Members by group."""

    def follow(self, labels: Labels) -> None:
        """The groups as they are now."""
        moved = np.flatnonzero(labels != self._labels)
        for groups, sign in ((self._labels, -1), (labels, 1)):
            for group, rows in _parts(moved, groups):
                change = _sums(self._points, rows)
                self._inside.rows[group] += sign * change.rows
                self._inside.lengths[group] += sign * change.lengths
        changed = np.unique([self._labels[moved], labels[moved]])
        self._asked[np.isin(self._asked, changed)] = -1
        self._labels = labels.copy()
        self.sizes = np.bincount(labels[labels >= 0], minlength=len(self.sizes))

    def apart(self, asked: Labels) -> Floats:
        """[n] of each row to the others outside the group asked of it, the mean half of the squared difference.

        0 where there are none. What was asked before of a group that is still the same is remembered.
        """
        points = self._points
        for group, rows in _parts(np.flatnonzero(asked != self._asked), asked):
            outside = len(asked) - self.sizes[group]
            inner = np.einsum("ij,j->i", points.rows[rows], self._whole.rows - self._inside.rows[group])
            lengths = self._whole.lengths - self._inside.lengths[group]
            apart = outside * points.lengths[rows].astype(np.float64) + lengths - inner
            self._apart[rows] = (apart / np.maximum(outside - (self._labels[rows] != group), 1)).clip(0.0)
            self._asked[rows] = group
        return np.where(asked >= 0, self._apart, 0.0)


class _Sums(NamedTuple):
    """Of a group's rows, or [groups] of them."""

    rows: Array
    lengths: Array


def _sums(points: Points, rows: Array | slice) -> _Sums:
    return _Sums(points.rows[rows].sum(0, dtype=np.float64), points.lengths[rows].sum(dtype=np.float64))


def _parts(rows: Array, groups: Labels) -> Iterator[tuple[int, Array]]:
    """Those of the rows that are in a group, by group."""
    rows = rows[groups[rows] >= 0]
    rows = rows[np.argsort(groups[rows], kind="stable")]
    for part in np.split(rows, np.flatnonzero(np.diff(groups[rows])) + 1) if len(rows) else ():
        yield int(groups[part[0]]), part


def settled(points: Points, neighbours: Array, halves: Array, found: Membership, min_cluster_size: int) -> Membership:
    """The groups without loners and with the members that density left out; a group that gets too small is none.

    ``neighbours`` and ``halves`` are lists of the nearest, as the graph has them, in halves of squared differences.
    """
    labels, strengths = found.labels.copy(), found.strengths.copy()
    outsiders = Outsiders(points, int(labels.max(initial=-1)) + 1)
    for _ in range(_ROUNDS if (labels >= 0).any() else 0):
        before = labels.copy()
        held = contrasts(outsiders, neighbours, halves, labels, labels)
        least = _least(held, labels)
        labels[held < least[labels]] = -1
        sizes = np.bincount(labels + 1, minlength=len(least))[1:]
        labels[np.append(sizes < min_cluster_size, True)[labels]] = -1
        wanted, shares = _votes(neighbours, labels)
        wanted = np.where(labels < 0, wanted, -1)
        held = contrasts(outsiders, neighbours, halves, labels, wanted)
        joins = (wanted >= 0) & (held >= least[wanted])
        labels[joins], strengths[joins] = wanted[joins], shares[joins]
        if (labels == before).all():
            break
    return Membership(labels, np.where(labels >= 0, strengths, 0.0))


def contrasts(outsiders: Outsiders, neighbours: Array, halves: Array, labels: Labels, asked: Labels) -> Floats:
    """[n] of each row to the group ``asked`` of it, 0 where that is negative.

    Members beyond the end of a row's list are no nearer than outsiders, as far as is known, and count as such.
    """
    rows = np.flatnonzero(asked >= 0)
    held = np.zeros(len(labels))
    if not len(rows):
        return held
    outsiders.follow(labels)
    sizes = outsiders.sizes
    own = labels[rows] == asked[rows]
    seen = (neighbours[rows] != NOBODY) & (labels[neighbours[rows]] == asked[rows][:, None])
    ranks = np.cumsum(seen, 1)
    wanted = np.minimum(WITNESSES, sizes[asked[rows]] - own)
    taken = seen & (ranks <= wanted[:, None])
    far = outsiders.apart(asked)[rows]
    missing = wanted - taken.sum(1)
    near = (np.where(taken, halves[rows], 0.0).sum(1) + missing * far) / np.maximum(wanted, 1)
    held[rows] = np.where(wanted > 0, 1.0 - np.divide(near, far, out=np.zeros_like(near), where=far > 0), 0.0)
    return held


def _least(held: Floats, labels: Labels) -> Floats:
    """What a member must hold, by group; the last is for rows of none."""
    order = np.lexsort((held, labels))[np.count_nonzero(labels < 0) :]
    sizes = np.bincount(labels[order], minlength=int(labels.max(initial=-1)) + 1)
    ends = np.cumsum(sizes)
    middle = order[np.minimum(ends - sizes + sizes // 2, ends - 1)] if len(order) else order
    return np.append(np.where(sizes > 0, np.maximum(CONTRAST, TYPICAL * held[middle]), np.inf), np.inf)


def _votes(neighbours: Array, labels: Labels) -> tuple[Labels, Floats]:
    """By row the group that more than half of its nearest are in, -1 if there is none, and their share."""
    near = neighbours[:, :VOTERS]
    votes = np.sort(np.where(near == NOBODY, -1, labels[near]), 1)
    if not votes.shape[1]:
        return np.full(len(labels), -1), np.zeros(len(labels))
    middle = votes[:, votes.shape[1] // 2]
    shares = (votes == middle[:, None]).mean(1)
    wanted = np.where((shares > 0.5) & (middle >= 0), middle, -1)
    return wanted, shares
