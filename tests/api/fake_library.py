"""A library in memory: real files behind it, the daemon's promises kept, every call written down."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from pixsortd import records
from pixsortd.api import ports
from pixsortd.api.app import create_app
from pixsortd.api.events import EventHub
from pixsortd.config import ApiSettings
from pixsortd.errors import Conflict, InvalidRequest, NotFound
from pixsortd.records import FileState, JobState
from tests.api.fake_curation import FakeCuration
from tests.api.fake_levels import FakeLevels
from tests.api.fake_likeness import FakeLikeness
from tests.api.fake_parts import FakeBatches, FakeMarks, FakeOverview, FakeQuality, FakeTimeline, FakeTrash
from tests.api.fake_sorting import FakeSorting
from tests.api.fake_uploads import FakeUploads
from tests.conftest import draw

BASE = "http://127.0.0.1:8420"
NIQE = records.MetricInfo(name="niqe", lower_better=True, low=0.0, high=100.0, version="1")


def picture(seed: int, size: tuple[int, int] = (512, 384)) -> bytes:
    """A thumbnail-like JPEG."""
    import io

    out = io.BytesIO()
    draw(seed, size).save(out, "JPEG")
    return out.getvalue()


@dataclass
class FakeLibrary:
    """Implements `ports.Library` over ``folder``."""

    folder: Path
    entries: dict[bytes, ports.ImageEntry] = field(default_factory=dict)
    thumbs: dict[bytes, bytes] = field(default_factory=dict)
    named: dict[str, records.Group] = field(default_factory=dict)
    work: dict[str, records.Job] = field(default_factory=dict)
    held: dict[str, ports.RootEntry] = field(default_factory=dict)
    failed: dict[str, ports.FileEntry] = field(default_factory=dict)
    unwell: dict[str, ports.Ping] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    hub: EventHub = field(default_factory=EventHub)

    def __post_init__(self) -> None:
        self.marks = FakeMarks(self.entries)
        self.levels = FakeLevels(self.entries)
        self.likeness = FakeLikeness()
        self.timeline = FakeTimeline(self.entries)
        self.batches = FakeBatches(self.entries)
        self.curation = FakeCuration(self.entries, self.named)
        self.quality = FakeQuality(self.entries)
        self.trash = FakeTrash(self.entries)
        self.sorting = FakeSorting(self.entries, self.work)
        self.overview = FakeOverview(self.entries)
        self.uploads = FakeUploads(self.folder)

    # --- making material ---------------------------------------------------------------------

    def add(self, name: bytes, content: bytes, **more: Any) -> str:
        """A photo of one file with this content; its id."""
        digest = sha256(content).digest()
        with open(os.path.join(os.fsencode(self.folder), name), "wb") as out:
            out.write(content)
        stamp = records.FileStamp(size=len(content), mtime_ns=1, ctime_ns=1, inode=1, device=1)
        row = records.FileRow(root="r1", path=name, state=FileState.INDEXED, stamp=stamp, sha256=digest, settled=True)
        photo = records.Photo(
            sha256=digest,
            size=len(content),
            format="JPEG",
            width=640,
            height=480,
            taken=1_700_000_000.0 + len(self.entries),
            exif=records.Exif(taken="2023-11-14T22:13:20.250+01:00", latitude=59.3, longitude=18.1, iso=400),
        )
        self.entries[digest] = ports.ImageEntry(
            sha256=digest,
            status=more.pop("status", ports.ImageStatus.INDEXED),
            photo=more.pop("photo", photo),
            files=(ports.FileEntry(id=f"f{len(self.entries)}", row=row, root_path=os.fsencode(self.folder)),),
            scores=(records.Score(metric=NIQE, value=4.25, at=5.0),),
            **more,
        )
        self.thumbs[digest] = picture(len(self.entries))
        return digest.hex()

    def fail(self, file: str, name: bytes, reason: records.Reason) -> None:
        """A quarantined file."""
        row = records.FileRow(root="r1", path=name, state=FileState.FAILED, reason=reason)
        self.failed[file] = ports.FileEntry(id=file, row=row, root_path=os.fsencode(self.folder))

    def _entry(self, digest: bytes) -> ports.ImageEntry:
        if digest not in self.entries:
            raise NotFound("There is no photo with that id")
        return self.entries[digest]

    def _job(self, kind: str) -> records.Job:
        job = records.Job(id=f"j{len(self.work)}", kind=kind, state=JobState.QUEUED, created=1.0)
        self.work[job.id] = job
        return job

    # --- ports.Library -----------------------------------------------------------------------

    def images(self, query: ports.ImageQuery, cursor: str | None, limit: int) -> ports.Page[ports.ImageEntry]:
        self.calls.append(("images", query, cursor, limit))
        if cursor is not None and not cursor.isdigit():
            raise InvalidRequest("That cursor is not ours")
        every, start = list(self.entries.values()), int(cursor or 0)
        end = start + limit
        return ports.Page(items=every[start:end], next_cursor=str(end) if end < len(every) else None, total=len(every))

    def image(self, sha256: bytes) -> ports.ImageEntry:
        return self._entry(sha256)

    def original(self, sha256: bytes) -> ports.Original:
        entry = self._entry(sha256)
        if entry.status is ports.ImageStatus.AWAY:
            raise Conflict("The disk with this photo is away", next_step="Connect it.")
        row = entry.files[0].row
        descriptor = os.open(os.path.join(entry.files[0].root_path, row.path), os.O_RDONLY | os.O_NOFOLLOW)
        photo = entry.photo
        assert photo is not None
        return ports.Original(descriptor=descriptor, size=photo.size, name=row.path, format=photo.format)

    def thumbnail(self, sha256: bytes) -> bytes | None:
        self._entry(sha256)
        return self.thumbs.get(sha256)

    def similar(self, sha256: bytes, limit: int) -> ports.Similar:
        self._entry(sha256)
        others = [one for key, one in self.entries.items() if key != sha256][:limit]
        return ports.Similar(items=[ports.SimilarEntry(image=one, similarity=0.5) for one in others], space="builtin")

    def groups(self, cursor: str | None, limit: int) -> ports.Page[records.Group]:
        return ports.Page(items=list(self.named.values())[:limit], total=len(self.named))

    def group(self, group: str) -> records.Group:
        if group not in self.named:
            raise NotFound("There is no group with that id")
        return self.named[group]

    def recluster(self) -> records.Job:
        return self._job("recluster")

    def jobs(self) -> Sequence[records.Job]:
        return list(self.work.values())

    def job(self, job: str) -> records.Job:
        if job not in self.work:
            raise NotFound("There is no job with that id")
        return self.work[job]

    def cancel(self, job: str) -> records.Job:
        import msgspec

        if self.job(job).state is JobState.COMPLETE:
            raise Conflict("That job has ended")
        self.work[job] = msgspec.structs.replace(self.job(job), state=JobState.CANCELLED)
        return self.work[job]

    def roots(self) -> Sequence[ports.RootEntry]:
        return list(self.held.values())

    def _root(self, root: str) -> ports.RootEntry:
        if root not in self.held:
            raise NotFound("There is no root with that id")
        return self.held[root]

    def scan(self, root: str) -> records.Job:
        self._root(root)
        return self._job("scan")

    def confirm_gone(self, root: str) -> int:
        if not self._root(root).record.missing:
            raise Conflict("Nothing is missing from that root")
        return self._root(root).record.missing

    def quarantine(self, cursor: str | None, limit: int) -> ports.Page[ports.FileEntry]:
        return ports.Page(items=list(self.failed.values())[:limit], total=len(self.failed))

    def retry(self, file: str) -> bool:
        return self.failed.pop(file, None) is not None

    def why_photo(self, sha256: bytes) -> ports.Passport:
        entry = self._entry(sha256)
        steps = (records.Step(at=1.0, what="found", path=b"a.jpg", root="r1"), records.Step(at=2.0, what="indexed"))
        return ports.Passport(files=entry.files, image=entry, steps=steps)

    def why_file(self, file: str) -> ports.Passport:
        if file not in self.failed:
            raise NotFound("There is no file with that id")
        return ports.Passport(files=(self.failed[file],))

    def why_path(self, path: bytes) -> ports.Passport:
        self.calls.append(("why_path", path))
        for entry in self.entries.values():
            if any(os.path.join(one.root_path, one.row.path) == path for one in entry.files):
                return self.why_photo(entry.sha256)
        raise NotFound("That path is not known", path=path)

    def status(self) -> ports.StatusReport:
        return ports.StatusReport(
            version="9.9",
            started=100.0,
            pid=1,
            roots=tuple(self.held.values()),
            queue=ports.QueueReport(ready=3),
            worker=ports.WorkerReport(state="off"),
            index=ports.IndexReport(photos=len(self.entries)),
            abilities=(
                records.Ability(kind="space", name="clip", state=records.AbilityState.UNAVAILABLE),
                records.Ability(kind="metric", name="niqe", state=records.AbilityState.READY, metric=NIQE),
            ),
            space="builtin",
            wanted_space="clip",
        )

    def settings(self) -> ports.SettingsReport:
        items = (
            ports.SettingEntry(key="api.port", value="8420", origin="default", live=False, about="0: any free one"),
            ports.SettingEntry(key="log.level", value='"debug"', origin="/etc/p.toml:3", live=True, waits=False),
        )
        return ports.SettingsReport(file="/etc/p.toml", items=items)

    def pings(self) -> Mapping[str, ports.Ping]:
        return {"index": lambda: None, **self.unwell}

    def readings(self) -> Sequence[ports.Reading]:
        gauge, counter = ports.MetricKind.GAUGE, ports.MetricKind.COUNTER
        return [
            ports.Reading(name="files", help="Files.", value=3, kind=gauge, labels={"root": "r1", "state": "indexed"}),
            ports.Reading(name="files", help="Files.", value=1, kind=gauge, labels={"root": "r1", "state": "failed"}),
            ports.Reading(name="worker_crashes", help="Crashes.", value=2, kind=counter),
        ]

    def subscribe(self, last_id: int | None) -> Any:
        return self.hub.subscribe(last_id)


def filled(folder: Path) -> FakeLibrary:
    """A library with three photos, a group, a root that waits and a quarantined file."""
    library = FakeLibrary(folder)
    place = records.Membership(group="g1", strength=0.9, how="clustered", nearest=(bytes(32),), similarity=0.8)
    library.add(b"a.jpg", picture(1), membership=place, group_name="Beach")
    library.add('sj\u00f6n "1".jpg'.encode(), picture(2), rating=3)
    library.add(b"bad\xff\n.jpg", picture(3))
    library.named["g1"] = records.Group(id="g1", size=1, exemplars=tuple(library.entries)[:1], name="Beach")
    record = records.RootRecord(id="r1", path=os.fsencode(folder), state=records.RootState.AWAY, missing=7)
    library.held["r1"] = ports.RootEntry(record=record, ledger=records.Ledger(on_disk=4, indexed=3, failed=1))
    library.fail("q1", b"broken.jpg", records.Reason(code="decode-failed", message="cut short"))
    return library


def client(library: FakeLibrary, *, token: str | None = None, page: Path | None = None, **settings: Any) -> TestClient:  # type: ignore[type-arg]
    """A client of the app over ``library``, talking to 127.0.0.1:8420."""
    app = create_app(library, ApiSettings(**settings), token, page or library.folder / "no-page")
    return TestClient(app, base_url=BASE)
