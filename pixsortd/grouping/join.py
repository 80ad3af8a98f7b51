"""Between two clusterings: does a newcomer belong to a group, and what would change that? Pure.

A group is judged by its ``NEAREST`` members that are nearest to the newcomer, in two ratios of distances:

- contrast: the newcomer's mean distance to them, by its mean distance to as many of the nearest photos
  that are not of the group. Loners and photos between two groups have about 1.
- outlying: the same distance, by that of those members to their own nearest (as the local outlier factor of
  Breunig, Kriegel, Ng and Sander 2000): a loose group lets in what a tight one does not.

On labelled photos, each fifth in turn arriving at groups of the others, contrast alone tells right joins from
others far better than a majority of the nearest photos does; ``python -m tests.bench arrivals`` has the figures.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

from pixsortd.records import Group, Membership

NEAREST = 5
"""Members of a group that a photo is compared with."""

NEIGHBOURS = 40
"""Photos to look at: enough that some are not of the nearest group."""

CONTRAST = 0.9
OUTLYING = 1.5
"""The most that a member may have."""

STEEPNESS = 4
"""How fast the strength grows as contrast falls."""

_TINY = 1e-3
"""Distances below are as good as none: copies would be outliers of one another."""


class Candidate(NamedTuple):
    """One group near a photo."""

    group: str
    nearest: tuple[bytes, ...]
    """Its members that are nearest, nearest first."""
    similarity: float
    """Mean cosine to them."""
    needs: float
    """The least similarity with which the photo would be let in, whatever the user said of it."""
    strength: float
    """0 to 1: a half where it is no nearer than others, less where it is an outlier."""

    @property
    def fits(self) -> bool:
        """Whether the photo is near enough."""
        return self.similarity >= self.needs


class Verdict(NamedTuple):
    """Where a photo belongs, and all groups near it, the best first."""

    membership: Membership | None
    """None for unsure."""
    candidates: tuple[Candidate, ...]


def judged(
    neighbours: Sequence[tuple[bytes, float]],
    membership_of: Callable[[bytes], Membership | None],
    group_of: Callable[[str], Group | None],
    barred: Container[str] = (),
) -> Verdict:
    """Judge the groups of a photo's nearest ones (sha256, cosine), ``NEIGHBOURS`` of them if there are.

    It joins the best that it is near enough to, unless the group is locked or among ``barred``.
    """
    ordered = sorted(neighbours, key=lambda pair: (-pair[1], pair[0]))
    places = {photo: membership_of(photo) for photo, _ in ordered}
    members: defaultdict[str, list[tuple[bytes, float]]] = defaultdict(list)
    for photo, cosine in ordered:
        place = places[photo]
        if place is not None:
            members[place.group].append((photo, cosine))
    candidates = []
    for name, near in members.items():
        group = group_of(name)
        if group is not None:
            outside = [cosine for photo, cosine in ordered if (place := places[photo]) is None or place.group != name]
            own = [_own(places[photo], group) for photo, _ in near[:NEAREST]]
            candidates.append(_candidate(group, near, outside, own, ordered[-1][1]))
    candidates.sort(key=lambda one: (-one.strength, one.group))
    return Verdict(_joined(candidates, group_of, barred), tuple(candidates))


def _own(place: Membership | None, group: Group) -> float:
    """How near a member is to the members nearest to it; the group's floor where that is not known."""
    return group.floor if place is None or place.similarity is None else place.similarity


def _candidate(
    group: Group, near: Sequence[tuple[bytes, float]], outside: Sequence[float], own: Sequence[float], farthest: float
) -> Candidate:
    """How the group fares. Members that are not among the neighbours are no nearer than the farthest of these."""
    unseen = max(0, min(NEAREST, group.size) - len(near))
    similarity = _mean([*(cosine for _, cosine in near[:NEAREST]), *[farthest] * unseen])
    distance = max(1.0 - similarity, 0.0)
    # Nobody else near: the members alone can say who is one of them.
    around = max(1.0 - _mean(outside[:NEAREST]), _TINY) if outside else math.inf
    within = max(1.0 - _mean(own), _TINY)
    allowed = min(CONTRAST * around, OUTLYING * within)
    contrast, outlying = distance / around, distance / within
    return Candidate(
        group=group.id,
        nearest=tuple(photo for photo, _ in near[:NEAREST]),
        similarity=similarity,
        needs=1.0 - allowed,
        strength=min(1.0 / (1.0 + contrast**STEEPNESS), 1.0 / max(outlying, 1.0)),
    )


def _joined(
    candidates: Sequence[Candidate], group_of: Callable[[str], Group | None], barred: Container[str]
) -> Membership | None:
    for one in candidates:
        group = group_of(one.group)
        if one.fits and group is not None and not group.locked and one.group not in barred:
            return Membership(
                group=one.group,
                strength=one.strength,
                how="joined",
                nearest=one.nearest,
                similarity=one.similarity,
            )
    return None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
