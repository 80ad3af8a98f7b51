"""The library in figures, for the API: what the index counts, what the user said, how fast it goes."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from pixsortd.api.ports import (
    Distribution,
    MonthTally,
    NameTally,
    OverviewReport,
    SizeTally,
    StageName,
    StageReport,
    ThroughputPoint,
)
from pixsortd.daemon.kept import Kept, slices
from pixsortd.daemon.photos.views import Said
from pixsortd.index.census import Kind
from pixsortd.index.queries import PhotoQuery
from pixsortd.index.store import Store
from pixsortd.records import Record

SLICE = 500
"""Photos read at a stretch: about two milliseconds."""
REST = 200.0
"""A library of 100,000 photos is counted in a second, so every three minutes at most; a small one at once."""
CAMERAS = 20


class Spreads(Protocol):
    """Who knows the scores of the whole library."""

    def distributions(self) -> tuple[Distribution, ...]: ...


class Minutes(Protocol):
    """Who counts what becomes indexed."""

    def points(self) -> tuple[ThroughputPoint, ...]: ...


class Line(Protocol):
    """Who knows the stages."""

    def reports(self) -> tuple[StageReport, ...]: ...
    def pause(self, stage: StageName, paused: bool) -> tuple[StageReport, ...]: ...


class Counted(Record, frozen=True, kw_only=True):
    """What takes a walk through the library."""

    at: float
    photos: int
    bytes: int
    months: tuple[MonthTally, ...]
    formats: tuple[NameTally, ...]
    cameras: tuple[NameTally, ...]
    group_sizes: tuple[SizeTally, ...]


class DaemonOverview:
    """Implements ``pixsortd.api.ports.Overview``."""

    def __init__(self, store: Store, said: Said, quality: Spreads, throughput: Minutes, stages: Line) -> None:
        self._store = store
        self._said = said
        self._quality = quality
        self._throughput = throughput
        self._stages = stages
        self._counted = Kept("overview", self._count, lambda: store.generation, REST)

    def report(self) -> OverviewReport:
        """The library for the eyes; ratings, labels and throughput are of this moment."""
        counted = self._counted.get()
        return OverviewReport(
            at=counted.at,
            photos=counted.photos,
            bytes=counted.bytes,
            months=counted.months,
            formats=counted.formats,
            cameras=counted.cameras,
            quality=self._quality.distributions(),
            group_sizes=counted.group_sizes,
            ratings=self._marked(self._said.ratings()),
            labels=self._marked(self._said.labels()),
            throughput=self._throughput.points(),
        )

    def stages(self) -> tuple[StageReport, ...]:
        """The stages in order."""
        return self._stages.reports()

    def pause(self, stage: StageName, paused: bool) -> tuple[StageReport, ...]:
        """Hold a stage, or let it go on. Raises ``Conflict``."""
        return self._stages.pause(stage, paused)

    def _count(self) -> Counted:
        photos, sizes = Counter[Kind](), Counter[Kind]()
        for part in slices(lambda after: self._store.census_slice(after, SLICE)):
            photos.update(part.photos)
            sizes.update(part.sizes)
        months = self._store.outline(PhotoQuery(sort="taken")).buckets
        return Counted(
            at=time.time(),
            photos=photos.total(),
            bytes=sizes.total(),
            months=tuple(MonthTally(month=bucket.key, count=bucket.count) for bucket in months),
            formats=tallies(photos, sizes, lambda kind: kind[0]),
            cameras=tallies(photos, sizes, camera)[:CAMERAS],
            group_sizes=size_tallies(group.size for group in self._store.groups()),
        )

    def _marked(self, marks: Mapping[bytes, object]) -> dict[str, int]:
        """How many photos of the library bear each mark."""
        bearers: defaultdict[str, set[bytes]] = defaultdict(set)
        for sha256, mark in marks.items():
            bearers[str(mark)].add(sha256)
        totals = {
            mark: self._store.outline(PhotoQuery(among=frozenset(found))).total for mark, found in bearers.items()
        }
        return {mark: totals[mark] for mark in sorted(totals) if totals[mark]}


def tallies(photos: Counter[Kind], sizes: Counter[Kind], name: Callable[[Kind], str | None]) -> tuple[NameTally, ...]:
    """Photos and bytes by name, the most frequent first; what has no name is left out."""
    counts, weights = Counter[str](), Counter[str]()
    for kind, count in photos.items():
        called = name(kind)
        if called is not None:
            counts[called] += count
            weights[called] += sizes[kind]
    order = sorted(counts, key=lambda called: (-counts[called], called))
    return tuple(NameTally(name=called, count=counts[called], bytes=weights[called]) for called in order)


def camera(kind: Kind) -> str | None:
    """The camera as people call it: makers often stand in the model's name already."""
    make, model = ((text or "").strip() for text in kind[1:])
    if not make or not model:
        return model or make or None
    return model if model.casefold().startswith(make.split()[0].casefold()) else f"{make} {model}"


def size_tallies(sizes: Iterable[int]) -> tuple[SizeTally, ...]:
    """Groups between one power of two and the next, from the smallest to the largest size there is."""
    powers = Counter(size.bit_length() - 1 for size in sizes if size > 0)
    every = range(min(powers), max(powers) + 1) if powers else ()
    return tuple(SizeTally(least=1 << power, most=(2 << power) - 1, count=powers[power]) for power in every)
