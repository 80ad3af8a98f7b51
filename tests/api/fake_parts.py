"""The parts of the library in memory that do things: marks, timeline, batches, quality, trash, overview."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from pixsortd import records
from pixsortd.api import ports
from pixsortd.errors import Conflict, InvalidRequest, NotFound
from pixsortd.records import JobState

Entries = dict[bytes, ports.ImageEntry]


def known(entries: Entries, digest: bytes) -> ports.ImageEntry:
    """A photo of the library."""
    if digest not in entries:
        raise NotFound("There is no photo with that id")
    return entries[digest]


def queued(kind: str) -> records.Job:
    """A job that never runs."""
    return records.Job(id=f"job-{kind}", kind=kind, state=JobState.QUEUED, created=1.0)


@dataclass
class FakeMarks:
    """Implements `ports.Marks`."""

    entries: Entries

    def mark(self, images: Sequence[bytes], change: ports.MarkChange) -> list[ports.ImageEntry]:
        for one in images:
            known(self.entries, one)
        wanted = {"rating": change.stars, "label": change.label, "caption": change.caption}
        fields = {name: value for name, value in wanted.items() if value is not msgspec.UNSET}
        for one in images:
            self.entries[one] = msgspec.structs.replace(self.entries[one], **fields)
        return [self.entries[one] for one in images]


def cell(digest: bytes, entry: ports.ImageEntry) -> ports.Cell:
    """A photo as a grid shows it."""
    return ports.Cell(
        id=digest.hex(),
        name=os.path.basename(entry.files[0].row.path),
        status=entry.status,
        width=entry.photo.width if entry.photo else None,
        height=entry.photo.height if entry.photo else None,
        taken=entry.photo.taken if entry.photo else None,
        rating=entry.rating,
        label=entry.label,
        group=entry.membership.group if entry.membership else None,
    )


@dataclass
class FakeTimeline:
    """Implements `ports.Timeline` with one month for all."""

    entries: Entries

    def outline(self, query: ports.ImageQuery) -> ports.Outline:
        return ports.Outline(buckets=[ports.Bucket(key="2023-11", count=len(self.entries))], total=len(self.entries))

    def bucket(self, query: ports.ImageQuery, key: str) -> list[ports.Cell]:
        if key != "2023-11":
            raise InvalidRequest("That is no bucket of this list")
        return [cell(digest, entry) for digest, entry in self.entries.items()]


@dataclass
class FakeBatches:
    """Implements `ports.Batches` without ever analysing."""

    entries: Entries
    held: dict[str, ports.BatchSummary] = field(default_factory=dict)
    members: dict[str, dict[bytes, str | None]] = field(default_factory=dict)
    gone: dict[str, ports.BatchSummary] = field(default_factory=dict)

    def _one(self, batch: str) -> ports.BatchSummary:
        if batch not in self.held:
            raise NotFound("There is no batch with that id")
        return self.held[batch]

    def _keep(self, batch: str, **fields: object) -> ports.BatchSummary:
        self.held[batch] = msgspec.structs.replace(self._one(batch), size=len(self.members[batch]), **fields)
        return self.held[batch]

    def list(self) -> Sequence[ports.BatchSummary]:
        return list(reversed(self.held.values()))

    def create(self, name: str, images: Sequence[bytes]) -> ports.BatchSummary:
        for one in images:
            known(self.entries, one)
        batch = f"b{len(self.held) + len(self.gone)}"
        self.members[batch] = dict.fromkeys(images)
        self.held[batch] = ports.BatchSummary(
            id=batch,
            name=name,
            status=ports.BatchStatus.PENDING,
            created=1.0,
            parameters=records.BatchParameters(),
            size=len(images),
            groups=0,
            grouped=0,
        )
        return self.held[batch]

    def get(self, batch: str) -> ports.BatchEntry:
        held = self.members[self._one(batch).id]
        labels = sorted({label for label in held.values() if label})
        groups = tuple(
            ports.BatchGroup(label=one, size=list(held.values()).count(one), manual=0, cover=next(iter(held)))
            for one in labels
        )
        return ports.BatchEntry(
            summary=self.held[batch],
            groups=groups,
            members=[
                ports.BatchMember(cell=cell(one, self.entries[one]), label=label)
                for one, label in held.items()
                if one in self.entries  # one that was just uploaded is no photo yet
            ],
        )

    def rename(self, batch: str, name: str) -> ports.BatchSummary:
        return self._keep(batch, name=name)

    def delete(self, batch: str) -> ports.BatchSummary:
        self.gone[batch] = self._one(batch)
        return self.held.pop(batch)

    def restore(self, batch: str) -> ports.BatchSummary:
        if batch not in self.gone:
            raise NotFound("There is no batch with that id")
        self.held[batch] = self.gone.pop(batch)
        return self.held[batch]

    def add(self, batch: str, images: Sequence[bytes]) -> ports.BatchSummary:
        self._one(batch)
        for one in images:
            known(self.entries, one)
        return self.include(batch, images)

    def include(self, batch: str, images: Sequence[bytes]) -> ports.BatchSummary:
        self._one(batch)
        self.members[batch] |= dict.fromkeys(images)
        return self._keep(batch)

    def remove(self, batch: str, images: Sequence[bytes]) -> ports.BatchSummary:
        self._one(batch)
        for one in images:
            self.members[batch].pop(one, None)
        return self._keep(batch)

    def analyze(self, batch: str, parameters: records.BatchParameters) -> records.Job:
        job = queued("batch")
        self._keep(batch, status=ports.BatchStatus.PROCESSING, parameters=parameters, job=job)
        return job

    def label(self, batch: str, labels: Mapping[bytes, str | None]) -> ports.BatchEntry:
        self._one(batch)
        if not labels.keys() <= self.members[batch].keys():
            raise NotFound("There is no photo with that id in this batch")
        self.members[batch] |= labels
        return self.get(batch)

    def rank(self, batch: str, label: str, metric: str) -> ports.Ranking:
        self._one(batch)
        images = [one for one, given in self.members[batch].items() if given == label]
        if not images:
            raise NotFound("There is no group with that label")
        return ranking(images, metric)


def ranking(images: Sequence[bytes], metric: str) -> ports.Ranking:
    """A ranking in the order given, the last photo without a score."""
    if metric not in ("niqe", ports.COMPOSITE):
        raise InvalidRequest("That metric is not configured", next_step="Add it to score.metrics.")
    items = [ports.RankedPhoto(id=one, rank=place, value=float(place)) for place, one in enumerate(images, 1)]
    items[-1] = ports.RankedPhoto(id=images[-1], rank=None, value=None)
    return ports.Ranking(metric=metric, lower_better=metric == "niqe", at=1.0, items=items, job=queued("quality"))


@dataclass
class FakeQuality:
    """Implements `ports.Quality`."""

    entries: Entries

    def report(self, image: bytes, metric: str | None, compute: bool, again: bool) -> ports.QualityReport:
        entry = known(self.entries, image)
        if metric not in (None, "niqe"):
            raise InvalidRequest("That metric is not configured", next_step="Add it to score.metrics.")
        part = ports.CompositePart(metric="niqe", percentile=60.0, weight=1.0)
        return ports.QualityReport(
            id=image,
            items=tuple(ports.ScoreReport(score=one, library=60.0, group=None) for one in entry.scores),
            composite=ports.Composite(value=60.0, parts=(part,)),
            missing=(ports.MissingScore(metric="piqe", reason=records.Reason(code="weights", message="no weights")),),
            job=queued("quality") if compute else None,
        )

    def compute(self, images: Sequence[bytes], metric: str | None, again: bool) -> list[ports.QualityReport]:
        return [self.report(one, metric, True, again) for one in images]

    def rank(self, group: str, metric: str) -> ports.Ranking:
        if group != "g1":
            raise NotFound("There is no group with that id")
        return ranking(list(self.entries), metric)


@dataclass
class FakeTrash:
    """Implements `ports.Trash`."""

    entries: Entries
    held: dict[str, tuple[ports.TrashItem, ports.ImageEntry]] = field(default_factory=dict)

    def list(self, cursor: str | None, limit: int) -> ports.TrashPage:
        items = [item for item, _ in self.held.values()]
        size = sum(item.size for item in items)
        return ports.TrashPage(items=items[:limit], total=len(items), bytes=size, retention=86400.0)

    def discard(self, image: bytes, file: str | None = None) -> ports.Trashed:
        entry = known(self.entries, image)
        if entry.status is not ports.ImageStatus.INDEXED:
            raise Conflict("This photo lies in a folder that is only read", next_step="Set writable = true for it.")
        where = entry.files[0]
        item = ports.TrashItem(
            id=f"t{len(self.held)}",
            image=image,
            root=where.row.root,
            path=os.path.join(where.root_path, where.row.path),
            size=7,
            at=1.0,
            until=86401.0,
            last_copy=True,
        )
        self.held[item.id] = (item, self.entries.pop(image))
        return ports.Trashed(image=image, items=(item,), last_copy=True)

    def discard_many(self, images: Sequence[bytes]) -> Sequence[ports.Trashed]:
        return [self.discard(one) for one in images]

    def restore(self, items: Sequence[str]) -> Sequence[ports.Restored]:
        if not set(items) <= self.held.keys():
            raise NotFound("There is no file with that id in the trash")
        restored = []
        for one in items:
            item, entry = self.held.pop(one)
            self.entries[item.image] = entry
            restored.append(ports.Restored(id=one, path=item.path))
        return restored

    def purge(self, items: Sequence[str] | None) -> int:
        chosen = list(self.held) if items is None else items
        if not set(chosen) <= self.held.keys():
            raise NotFound("There is no file with that id in the trash")
        return sum(self.held.pop(one)[0].size for one in chosen)


@dataclass
class FakeOverview:
    """Implements `ports.Overview`."""

    entries: Entries
    paused: set[ports.StageName] = field(default_factory=set)

    def report(self) -> ports.OverviewReport:
        niqe = records.MetricInfo(name="niqe", lower_better=True)
        return ports.OverviewReport(
            at=5.0,
            photos=len(self.entries),
            bytes=10,
            months=(ports.MonthTally(month="2023-11", count=len(self.entries)),),
            formats=(ports.NameTally(name="JPEG", count=len(self.entries), bytes=10),),
            cameras=(),
            quality=(ports.Distribution(metric=niqe, count=2, median=4.0, edges=(0.0, 5.0, 10.0), counts=(2, 0)),),
            group_sizes=(ports.SizeTally(least=1, most=1, count=1),),
            ratings={"3": 1},
            labels={},
            throughput=(ports.ThroughputPoint(at=60.0, count=3),),
        )

    def stages(self) -> tuple[ports.StageReport, ...]:
        return tuple(
            ports.StageReport(name=one, depth=0, rate=0.0, paused=one in self.paused) for one in ports.StageName
        )

    def pause(self, stage: ports.StageName, paused: bool) -> tuple[ports.StageReport, ...]:
        if stage is ports.StageName.SETTLE:
            raise Conflict("Settling cannot be held")
        (self.paused.add if paused else self.paused.discard)(stage)
        return self.stages()
