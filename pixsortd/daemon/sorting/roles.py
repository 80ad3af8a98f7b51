"""Where photos stand among their near-duplicates, and among the photos of their bursts.

The last clustering says who belongs together. Photos that it has not looked at, as those that were
dropped just now, are linked to their nearest by the same cuts.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from pixsortd.api.ports import COMPOSITE
from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.grouping.layout import WIDTH
from pixsortd.grouping.levels import Levels
from pixsortd.index.scored import Scored
from pixsortd.records import Constraints, LevelName, Rank, Space

_TIMED = {LevelName.NEAR_DUPLICATE: False, LevelName.BURST: True}
"""The levels that roles are of, and whether the time between two photos counts in them."""


class Index(Protocol):
    """What is read of the index."""

    def embedding(self, space: bytes, sha256: bytes) -> bytes | None: ...
    def moments(self, contents: bytes) -> bytes: ...
    def scored(self, contents: Iterable[bytes]) -> dict[bytes, Scored]: ...


class Nearest(Protocol):
    """What is asked about likeness."""

    def active(self) -> Space | None: ...
    def near(
        self, space: Space, vector: bytes, k: int, exclude: Collection[bytes] = ()
    ) -> list[tuple[bytes, float]]: ...


class Kept(Protocol):
    """What is asked about the last clustering."""

    def kept(self) -> Levels | None: ...
    def together(self, name: LevelName, contents: Sequence[bytes]) -> Mapping[bytes, Sequence[bytes]]: ...


class Standing(NamedTuple):
    """A photo's roles; None where it has no such company."""

    duplicate: Rank | None
    burst: Rank | None


class Roles:
    """Tells the roles of photos. Callable from any thread."""

    def __init__(
        self,
        index: Index,
        searcher: Nearest,
        levels: Kept,
        constraints: Callable[[], Constraints],
        compare: Callable[[Iterable[Scored]], Comparison],
    ) -> None:
        """``constraints`` gives the user's word on groups, ``compare`` what scores mean in the library."""
        self._index = index
        self._searcher = searcher
        self._levels = levels
        self._constraints = constraints
        self._compare = compare

    def of(self, contents: Sequence[bytes]) -> dict[bytes, Standing]:
        """The roles of each of these photos: of those together the one of the best composite is the best."""
        company = {name: self._company(name, contents) for name in _TIMED}
        everyone = {one for groups in company.values() for group in groups.values() for one in group}
        photos = self._index.scored(sorted(everyone))
        comparison = self._compare(photos.values())
        ranks = {name: _ranks(groups, photos, comparison) for name, groups in company.items()}
        return {
            sha256: Standing(ranks[LevelName.NEAR_DUPLICATE].get(sha256), ranks[LevelName.BURST].get(sha256))
            for sha256 in contents
        }

    def _company(self, name: LevelName, contents: Sequence[bytes]) -> dict[bytes, frozenset[bytes]]:
        """For each of these photos that is not alone at a level: all photos that it is together with, and itself."""
        levels = self._levels.kept()
        if levels is None or name not in levels.tight or not contents:
            return {}
        unseen = [sha256 for sha256, row in zip(contents, levels.rows(contents), strict=True) if row < 0]
        links = self._links(name, levels, unseen)
        near = {one for linked in links.values() for one in linked}
        groups = self._levels.together(name, [*contents, *sorted(near - set(contents))])
        found = {sha256: frozenset(groups[sha256]) for sha256 in contents if sha256 in groups}
        for sha256, linked in links.items():
            found[sha256] = frozenset((sha256, *linked, *(mate for one in linked for mate in groups.get(one, ()))))
        return found

    def _links(self, name: LevelName, levels: Levels, unseen: Sequence[bytes]) -> dict[bytes, list[bytes]]:
        """The photos that each of these is linked to, of those that the clustering did not look at."""
        space, cut, found = self._searcher.active(), levels.tight[name], {}
        if space is None or space.name != levels.space:
            return {}
        least = levels.base + cut.least * (1.0 - levels.base)
        distinct = self._constraints().distinct if name is LevelName.NEAR_DUPLICATE else frozenset()
        for sha256 in unseen:
            vector = self._index.embedding(space.key, sha256)
            near = [] if vector is None else self._searcher.near(space, vector, WIDTH, exclude=(sha256,))
            alike = [one for one, cosine in near if cosine >= least and _pair(sha256, one) not in distinct]
            if _TIMED[name]:
                alike = self._within(sha256, alike, math.inf if cut.gap is None else cut.gap)
            if alike:
                found[sha256] = alike
        return found

    def _within(self, sha256: bytes, others: Sequence[bytes], gap: float) -> list[bytes]:
        """Those that were taken no more than ``gap`` seconds from a photo."""
        at = np.frombuffer(self._index.moments(b"".join((sha256, *others))))
        return [one for one, apart in zip(others, np.abs(at[1:] - at[0]), strict=True) if apart <= gap]


def _ranks(
    company: Mapping[bytes, frozenset[bytes]], photos: Mapping[bytes, Scored], comparison: Comparison
) -> dict[bytes, Rank]:
    """Whether each photo is the best of its company; one whose company has no file any more has no rank."""
    best: dict[frozenset[bytes], bytes] = {}
    found = {}
    for sha256, group in company.items():
        here = group.intersection(photos)
        if len(here) < 2 or sha256 not in here:
            continue
        if here not in best:
            best[here] = comparison.ranked(here, photos, COMPOSITE)[0].id
        found[sha256] = Rank.BEST if best[here] == sha256 else Rank.OTHER
    return found


def _pair(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    return (one, other) if one < other else (other, one)
