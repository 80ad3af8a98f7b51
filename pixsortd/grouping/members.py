"""Who belongs to a group that density found: loners that were drawn in leave, photos it left out join.

Density finds where groups are, but it also takes in the rim where loners meet, and leaves out members that lie a
little apart. A photo's contrast to a group, in halves of squared differences, is how much nearer its nearest members
are than outsiders: 1 for a copy, 0 for a stranger. It needs no group to be round, which the mean over all
members would.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.nearest import NOBODY
from pixsortd.grouping.points import Points
from pixsortd.grouping.reduce import BLOCK, Array, Floats

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


def settled(points: Points, neighbours: Array, halves: Array, found: Membership, min_cluster_size: int) -> Membership:
    """The groups without loners and with the members that density left out; a group that gets too small is none.

    ``neighbours`` and ``halves`` are lists of the nearest, as the graph has them, in halves of squared differences.
    """
    labels, strengths = found.labels.copy(), found.strengths.copy()
    for _ in range(_ROUNDS if (labels >= 0).any() else 0):
        before = labels.copy()
        held = contrasts(points, neighbours, halves, labels, labels)
        least = _least(held, labels)
        labels[held < least[labels]] = -1
        sizes = np.bincount(labels + 1, minlength=len(least))[1:]
        labels[np.append(sizes < min_cluster_size, True)[labels]] = -1
        wanted, shares = _votes(neighbours, labels)
        wanted = np.where(labels < 0, wanted, -1)
        held = contrasts(points, neighbours, halves, labels, wanted)
        joins = (wanted >= 0) & (held >= least[wanted])
        labels[joins], strengths[joins] = wanted[joins], shares[joins]
        if (labels == before).all():
            break
    return Membership(labels, np.where(labels >= 0, strengths, 0.0))


def contrasts(points: Points, neighbours: Array, halves: Array, labels: Labels, asked: Labels) -> Floats:
    """[n] of each row to the group ``asked`` of it, 0 where that is negative.

    Members beyond the end of a row's list are no nearer than outsiders, as far as is known, and count as such.
    """
    groups = int(labels.max(initial=-1)) + 1
    rows = np.flatnonzero(asked >= 0)
    held = np.zeros(len(labels))
    if not len(rows):
        return held
    sizes = np.bincount(labels[labels >= 0], minlength=groups)
    own = labels[rows] == asked[rows]
    seen = (neighbours[rows] != NOBODY) & (labels[neighbours[rows]] == asked[rows][:, None])
    ranks = np.cumsum(seen, 1)
    wanted = np.minimum(WITNESSES, sizes[asked[rows]] - own)
    taken = seen & (ranks <= wanted[:, None])
    far = _outside(points, labels, asked, sizes)[rows]
    missing = wanted - taken.sum(1)
    near = (np.where(taken, halves[rows], 0.0).sum(1) + missing * far) / np.maximum(wanted, 1)
    held[rows] = np.where(wanted > 0, 1.0 - np.divide(near, far, out=np.zeros_like(near), where=far > 0), 0.0)
    return held


def _outside(points: Points, labels: Labels, asked: Labels, sizes: Array) -> Floats:
    """[n] mean half of the squared difference of a row to the others outside the group asked of it; 0 if none is."""
    sums, lengths = np.zeros((len(sizes), points.rows.shape[1])), np.zeros(len(sizes))
    order = np.argsort(labels, kind="stable")[np.count_nonzero(labels < 0) :]
    for group, rows in enumerate(np.split(order, np.cumsum(sizes)[:-1])):
        sums[group] = points.rows[rows].sum(0, dtype=np.float64)
        lengths[group] = points.lengths[rows].sum(dtype=np.float64)
    sums = points.rows.sum(0, dtype=np.float64) - sums
    lengths = points.lengths.sum(dtype=np.float64) - lengths
    mean = np.zeros(len(labels))
    for start in range(0, len(labels), BLOCK):
        rows = start + np.flatnonzero(asked[start : start + BLOCK] >= 0)
        wanted = asked[rows]
        outside = len(labels) - sizes[wanted]
        inner = np.einsum("ij,ij->i", points.rows[rows], sums[wanted])
        apart = outside * points.lengths[rows].astype(np.float64) + lengths[wanted] - inner
        mean[rows] = apart / np.maximum(outside - (labels[rows] != wanted), 1)
    return mean.clip(0.0)


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
