"""Ids of a view's groups that last from one clustering to the next: matched by the photos they share. Pure.

Two groups of which one continues the other share at least ``SHARE`` of the photos of both together
(Jaccard 1901); of several the one that shares most, each id once. Ties go to the larger, then to the
smaller row, so that the same trees always get the same ids.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pixsortd.grouping.ids import fresh
from pixsortd.grouping.layout import Ints, Layout, overlaps
from pixsortd.grouping.rows import Array

SHARE = 1 / 3
_PREFIX, _TREE = "v", "tree"
_CLAIMS = 16
"""Ids that one node may claim: nodes over one another, one group larger each, share much with many."""


class _Claim(NamedTuple):
    """An earlier id that a group could continue; the best sorts first."""

    apart: float
    """1 less the share, so that less is better."""
    smallness: int
    """Less its photos."""
    group: int
    earlier: int


def continued(labels: Ints, before: Ints, ids: Sequence[str], contents: Array, salt: str) -> list[str]:
    """Ids of disjoint groups by label.

    ``before`` [n] are the groups that the same rows were in, -1 for none or new, and ``ids`` theirs; photos
    that are gone count for nobody. ``contents`` [n, 32] are the rows' hashes, of which new ids are made.
    """
    both = (labels >= 0) & (before >= 0)
    width = len(ids)
    pairs, common = np.unique(labels[both].astype(np.int64) * max(width, 1) + before[both], return_counts=True)
    mine = np.bincount(labels[labels >= 0], minlength=int(labels.max(initial=-1)) + 1)
    theirs = np.bincount(before[before >= 0], minlength=width)
    group, earlier = np.divmod(pairs, max(width, 1))
    share = common / (mine[group] + theirs[earlier] - common)
    claims = [
        _Claim(1.0 - float(share[i]), -int(mine[group[i]]), int(group[i]), int(earlier[i]))
        for i in np.flatnonzero(share >= SHARE)
    ]
    founders = np.full(len(mine), -1)
    rows = np.flatnonzero(labels >= 0)[::-1]
    founders[labels[rows]] = rows
    named = _given(claims, ids, {group: contents[row].tobytes() for group, row in enumerate(founders)}, salt)
    return [named[group] for group in range(len(mine))]


def continued_nodes(layout: Layout, before: Ints, earlier: Layout, ids: Sequence[str], contents: Array) -> list[str]:
    """Ids of the nodes of a tree, which lie inside one another; empty for a node that no cut shows.

    ``before`` [n] are the places of the same rows in the ``earlier`` tree's order, -1 for rows that were not
    in it. Here those continue that share more than half, as nodes over one another share much.
    """
    claims: list[_Claim] = []
    founders: dict[int, bytes] = {}
    places = before[layout.order]
    for node in np.flatnonzero(layout.shown).tolist():
        start, end = int(layout.starts[node]), int(layout.ends[node])
        founders[node] = contents[layout.order[start:end].min()].tobytes()
        known = places[start:end]
        found = overlaps(earlier, known[known >= 0], end - start)
        for other, share in zip(found.nodes[:_CLAIMS].tolist(), found.shares.tolist(), strict=False):
            if ids[other]:
                claims.append(_Claim(1.0 - share, start - end, node, other))
    named = _given(claims, ids, founders, _TREE)
    return [named.get(node, "") for node in range(len(layout.starts))]


def _given(claims: Iterable[_Claim], ids: Sequence[str], founders: Mapping[int, bytes], salt: str) -> dict[int, str]:
    """Ids by group: those that were claimed, the best claim first, and new ones."""
    given: dict[int, str] = {}
    gone: set[int] = set()
    for claim in sorted(claims):
        if claim.group not in given and claim.earlier not in gone:
            given[claim.group] = ids[claim.earlier]
            gone.add(claim.earlier)
    taken = set(ids)
    for group, founder in founders.items():
        if group not in given:
            given[group] = new_id(founder, salt, taken)
            taken.add(given[group])
    return given


def new_id(founder: bytes, salt: str, taken: Container[str]) -> str:
    """The id of a view's group that continues none, made from its photo of smallest hash."""
    return fresh(salt.encode() + founder, taken, _PREFIX)
