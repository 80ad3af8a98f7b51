"""Ids that survive: which of the earlier groups each found group continues. Pure.

The rule: as many photos as possible stay under their id (an assignment of largest total overlap, one to
one, Kuhn 1955, on the sparse overlaps: Jonker and Volgenant 1987). An exemplar counts ``EXEMPLAR`` times:
in an even split the id goes with the photos that stand for the group. A photo in a group that the user
touched counts ``TOUCHED`` times. A group only continues where the overlap is at least ``SHARE`` of the
smaller of the two. So in a split the larger part keeps the id, in a merge the larger group does, or the
user's. Groups that the user merged are one and may be found in several parts.

Only contents count, never vectors, so that ids outlive a change of the embedding model. Nothing flips
from run to run: groups that were only proposed take part in the matching under the ids they were
proposed with, see :func:`~pixsortd.grouping.proposal.pending`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from pixsortd.grouping.ids import fresh

SHARE = 1 / 3
TOUCHED = 4
"""What the user's groups weigh: a name survives a merge with up to four times as many unnamed photos. With
more it would say something of photos it was never given to; then the group rests instead."""

EXEMPLAR = 3

Overlaps = dict[tuple[str, int], int]
"""Photos in common by earlier group and position of the found one."""


class Assignment(NamedTuple):
    """The outcome for one clustering."""

    ids: tuple[str, ...]
    """One for each found group, in their order. Parts of a group that the user merged have the same."""
    dormant: tuple[str, ...]
    """Groups of the user's that nothing continues: they rest."""
    ended: tuple[str, ...]
    """Other groups that nothing continues."""


def match(
    previous: Mapping[str, Collection[bytes]],
    found: Sequence[Collection[bytes]],
    touched: Collection[str],
    exemplars: Mapping[str, Collection[bytes]] = {},
    merged: Mapping[str, str] = {},
) -> Assignment:
    """Give every found group the id it continues, or a new one.

    ``previous`` groups may share photos (a resting group remembers its members); found ones are
    disjoint and not empty. ``touched`` are the groups that the user named or edited, ``exemplars`` the
    photos that stand for a group, ``merged`` the group that each one merged by the user went into. The
    same groups in any order get the same ids. Time grows with the photos, and a little faster than
    with the groups.
    """
    kept = frozenset(merged.get(group, group) for group in touched)
    before = _united(previous, merged)
    order = sorted(range(len(found)), key=lambda i: min(found[i]))
    common = _common(before, [found[i] for i in order])
    sizes = [len(found[i]) for i in order]
    enough = {
        (group, position): count
        for (group, position), count in common.items()
        if count >= SHARE * min(len(before[group]), sizes[position])
    }
    shown = _common(_united(exemplars, merged), [found[i] for i in order])
    given = _assigned(
        {
            (group, position): (count + (EXEMPLAR - 1) * shown.get((group, position), 0))
            * (TOUCHED if group in kept else 1)
            for (group, position), count in enough.items()
        }
    )
    for (group, position), count in sorted(common.items()):
        if group in merged.values() and 2 * count > sizes[position]:
            given.setdefault(position, group)
    taken = {*before, *kept, *merged}
    ids = [""] * len(found)
    for position, i in enumerate(order):
        ids[i] = given[position] if position in given else fresh(min(found[i]), taken)
        taken.add(ids[i])
    left = sorted({*before, *kept}.difference(given.values()))
    return Assignment(
        tuple(ids),
        tuple(group for group in left if group in kept),
        tuple(group for group in left if group not in kept),
    )


def _united(groups: Mapping[str, Collection[bytes]], merged: Mapping[str, str]) -> dict[str, set[bytes]]:
    """Members by id, those of merged groups by the id of the whole."""
    united: defaultdict[str, set[bytes]] = defaultdict(set)
    for group, members in groups.items():
        united[merged.get(group, group)].update(members)
    return dict(united)


def _common(groups: Mapping[str, Collection[bytes]], found: Sequence[Collection[bytes]]) -> Overlaps:
    """Photos in common, where there are any."""
    place = {photo: position for position, members in enumerate(found) for photo in members}
    common: defaultdict[tuple[str, int], int] = defaultdict(int)
    for group, members in groups.items():
        for photo in members:
            if photo in place:
                common[group, place[photo]] += 1
    return dict(common)


def _assigned(weights: Overlaps) -> dict[int, str]:
    """The id by position in the assignment of largest weight."""
    if not weights:
        return {}
    groups = sorted({group for group, _ in weights})
    positions = sorted({position for _, position in weights})
    row_of = {group: row for row, group in enumerate(groups)}
    column_of = {position: column for column, position in enumerate(positions)}
    pairs = sorted(weights.items())
    # Each group may also go to a column of its own, which stands for resting. As a group goes to one
    # column exactly, the one added everywhere changes nothing; a weight of 0 would be no edge.
    rows = [row_of[group] for (group, _), _ in pairs] + list(range(len(groups)))
    columns = [column_of[position] for (_, position), _ in pairs]
    columns += range(len(positions), len(positions) + len(groups))
    values = np.array([1.0 + weight for _, weight in pairs] + [1.0] * len(groups))
    edges = csr_array((values, (rows, columns)), shape=(len(groups), len(positions) + len(groups)))
    chosen = zip(*min_weight_full_bipartite_matching(edges, maximize=True), strict=True)
    return {positions[column]: groups[row] for row, column in chosen if column < len(positions)}
