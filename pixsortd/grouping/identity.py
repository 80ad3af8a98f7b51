"""Ids that survive: which of the earlier groups each found group continues. Pure.

The rule: as many photos as possible stay under their id (an assignment of largest total overlap,
one to one, Kuhn 1955), where a photo in a group that the user named counts ``NAME`` times. A group
only continues where the overlap is at least ``SHARE`` of the smaller of the two. So in a split the
larger part keeps the id, in a merge the larger group does, or the named one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from pixsortd.grouping.ids import fresh

SHARE = 1 / 3
NAME = 4
"""What a name weighs: it survives a merge with up to four times as many unnamed photos. With more it
would say something of photos it was never given to; then the named group rests instead."""

Overlaps = dict[tuple[str, int], int]


class Assignment(NamedTuple):
    """The outcome for one clustering."""

    ids: tuple[str, ...]
    """One for each found group, in their order."""
    dormant: tuple[str, ...]
    """Named groups that nothing continues."""
    ended: tuple[str, ...]
    """Unnamed groups that nothing continues."""


def match(
    previous: Mapping[str, Collection[bytes]], found: Sequence[Collection[bytes]], named: Collection[str]
) -> Assignment:
    """Give every found group the id it continues, or a new one.

    ``previous`` groups may share photos (a resting named group remembers its members); found ones
    are disjoint and not empty. The same groups in any order get the same ids.
    """
    order = sorted(range(len(found)), key=lambda i: min(found[i]))
    overlaps = _overlaps(previous, [found[i] for i in order])
    given = dict(pair for part in _parts(overlaps) for pair in _assign(part, frozenset(named)))
    taken = {*previous, *named}
    ids = [""] * len(found)
    for position, i in enumerate(order):
        ids[i] = given[position] if position in given else fresh(min(found[i]), taken)
        taken.add(ids[i])
    left = sorted({*previous, *named}.difference(given.values()))
    return Assignment(
        tuple(ids),
        tuple(group for group in left if group in named),
        tuple(group for group in left if group not in named),
    )


def _overlaps(previous: Mapping[str, Collection[bytes]], found: Sequence[Collection[bytes]]) -> Overlaps:
    """Photos in common, for the pairs where they are enough to go on."""
    place = {photo: position for position, members in enumerate(found) for photo in members}
    common: defaultdict[tuple[str, int], int] = defaultdict(int)
    for group, members in previous.items():
        for photo in set(members):
            if photo in place:
                common[group, place[photo]] += 1
    return {
        (group, position): count
        for (group, position), count in common.items()
        if count >= SHARE * min(len(set(previous[group])), len(found[position]))
    }


def _parts(overlaps: Overlaps) -> Iterator[Overlaps]:
    """The overlaps split where no group links them, so that each assignment stays small."""
    by_group: defaultdict[str, list[int]] = defaultdict(list)
    by_position: defaultdict[int, list[str]] = defaultdict(list)
    for group, position in sorted(overlaps):
        by_group[group].append(position)
        by_position[position].append(group)
    seen: set[str] = set()
    for start in by_group:
        part: Overlaps = {}
        waiting = [start]
        while waiting:
            group = waiting.pop()
            if group in seen:
                continue
            seen.add(group)
            for position in by_group[group]:
                part[group, position] = overlaps[group, position]
                waiting += by_position[position]
        if part:
            yield part


def _assign(part: Overlaps, named: frozenset[str]) -> Iterable[tuple[int, str]]:
    """(position, id) of the assignment of largest weight."""
    groups = sorted({group for group, _ in part})
    positions = sorted({position for _, position in part})
    weights = np.zeros((len(groups), len(positions)))
    for (group, position), count in part.items():
        weights[groups.index(group), positions.index(position)] = count * (NAME if group in named else 1)
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [
        (positions[column], groups[row]) for row, column in zip(rows, columns, strict=True) if weights[row, column] > 0
    ]
