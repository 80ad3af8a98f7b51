"""One night after the other: photos come and go, and the whole library is clustered again."""

import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.cluster import cluster
from pixsortd.grouping.identity import match
from pixsortd.grouping.proposal import Outcome
from tests.unit.curated_world import World

Vectors = npt.NDArray[np.floating]


class Night(NamedTuple):
    """What one clustering did."""

    lost: int
    """Groups with a name that lost a photo they were named for, which has not left the library."""
    renamed: int
    """Groups with a name that were found, most of their photos being most of a cluster, but under another id."""
    within: int
    """Groups with a name of which most photos were found within a larger cluster: they rest."""
    apart: int
    """Groups with a name of which most photos were not found together: they rest."""
    churn: float
    """Share of the photos that were there the night before whose group changed."""
    waiting: float
    """Share of photos in lines that wait."""
    again: int
    """Lines that the very same clustering would have applied when it was asked once more."""


class Library:
    """Photos by content, of which some are there. A night's share leaves, and as many others come."""

    def __init__(self, contents: Sequence[bytes], vectors: Vectors, names: float, seed: int = 0) -> None:
        """Group nine tenths of them and name a share of the groups."""
        self._row_of = {photo: row for row, photo in enumerate(contents)}
        self._vectors = vectors
        self._random = random.Random(seed)
        shuffled = self._random.sample(list(contents), len(contents))
        there = len(contents) * 9 // 10
        self._away = shuffled[there:]
        self.world = World(shuffled[:there])
        self._found: dict[bytes, str | None] = {}
        self._clustered()
        groups = self.world.groups()
        chosen = self._random.sample(groups, max(1, round(names * len(groups))))
        self.named = {group: set(self.world.members(group)) for group in chosen}
        for number, group in enumerate(self.named):
            self.world.name(group, f"name {number}")

    def night(self, share: float) -> Night:
        """Let a share of the photos go and as many come, then cluster."""
        world = self.world
        count = max(1, round(share * len(world.photos)))
        gone = self._random.sample(sorted(world.photos), count)
        come, self._away = self._away[:count], self._away[count:] + gone
        world.depart(gone)
        world.arrive(come)
        before, seen, recent = dict(world.now), set(world.seen), world.recent
        self._clustered()
        old = world.photos.difference(come)
        moved = sum(world.now.get(photo) != before.get(photo) for photo in old)
        found = self._kinds()
        return Night(
            lost=sum(not self._held(group) for group in self.named),
            renamed=found["renamed"],
            within=found["within"],
            apart=found["apart"],
            churn=moved / len(old),
            waiting=sum(len(line.photos) for line in world.waiting) / len(world.photos),
            again=len(world.ask(self._found, seen, recent, again=True).applied),
        )

    def _held(self, group: str) -> bool:
        """Whether a named group has every photo that it was named for and that never left the library since."""
        left = self.named[group] & self.world.photos
        self.named[group] = left
        return left <= set(self.world.members(group))

    def _kinds(self) -> Counter[str]:
        """How the named groups were found, those under their own ids left out."""
        kinds: Counter[str] = Counter()
        sizes = Counter(self._found.values())
        for group in self.named:
            members = self.world.members(group)
            if group in sizes or not members:
                continue
            home, share = Counter(self._found[photo] for photo in members).most_common(1)[0]
            if home is None or 2 * share <= len(members):
                kinds["apart"] += 1
            else:
                kinds["renamed" if 2 * share > sizes[home] else "within"] += 1
        return kinds

    def _clustered(self) -> Outcome:
        world = self.world
        photos = sorted(world.photos)
        labels = cluster(self._vectors[[self._row_of[photo] for photo in photos]], 5, 5).labels
        found = [
            [photos[row] for row in np.flatnonzero(labels == label)] for label in range(int(labels.max(initial=-1)) + 1)
        ]
        ids = match(world.previous(), found, world.touched, merged=world.constraints.merged).ids
        self._found = dict.fromkeys(photos)
        for group, members in zip(ids, found, strict=True):
            self._found.update(dict.fromkeys(members, group))
        return world.recluster(self._found)


def nights(library: Library, count: int, share: float, said: Callable[[int, Night], None]) -> dict[str, float]:
    """Figures over that many nights; ``said`` hears of each."""
    seen = []
    for number in range(count):
        seen.append(library.night(share))
        said(number, seen[-1])
    churns = sorted(night.churn for night in seen)
    return {
        "named groups": len(library.named),
        "named groups that lost a photo of theirs, all nights together": sum(night.lost for night in seen),
        "named groups found under another id, all nights together": sum(night.renamed for night in seen),
        "named groups found within a larger one, mean a night": statistics.fmean(night.within for night in seen),
        "named groups not found together, mean a night": statistics.fmean(night.apart for night in seen),
        "photos whose group changed, median a night": statistics.median(churns),
        "photos whose group changed, 9 nights of 10": churns[int(0.9 * (len(churns) - 1))],
        "photos whose group changed, the worst night": churns[-1],
        "photos in waiting lines, the last night": seen[-1].waiting,
        "lines applied when the same was clustered again": sum(night.again for night in seen),
    }
