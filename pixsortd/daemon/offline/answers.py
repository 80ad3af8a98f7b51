"""Answers without a daemon: the index as its last run left it, in the JSON of the API. Nothing is written."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

import pixsortd
from pixsortd.api import ports, present
from pixsortd.config import Settings
from pixsortd.daemon.batches.book import entry, known_batch, summaries
from pixsortd.daemon.grouping.waiting import Lines
from pixsortd.daemon.grouping.why import GroupingReasons
from pixsortd.daemon.offline.readable import readable
from pixsortd.daemon.photos.timeline import DaemonTimeline
from pixsortd.daemon.photos.views import PhotoViews, known_group
from pixsortd.daemon.places import ABSENT, innermost, present_ledger, real_path
from pixsortd.daemon.reports.figures import Figures
from pixsortd.daemon.search import Searcher
from pixsortd.decisions import last_said
from pixsortd.index.store import Store
from pixsortd.records import Reason, RootRecord, root_id

Json = dict[str, Any]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

PAGE = 200
_PHOTO = re.compile(r"[0-9a-f]{64}")


class LastKnown:
    """The roots as the index remembers them; implements ``views.Whereabouts``."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Roots of the settings come first, in their order; others were named on the command line."""
        order = [root_id(real_path(root.path)) for root in settings.roots]
        found = sorted(store.roots(), key=lambda root: order.index(root.id) if root.id in order else len(order))
        self._store = store
        self._records: dict[str, RootRecord] = {record.id: record for record in found}

    def entries(self) -> list[ports.RootEntry]:
        """Every root with its ledger."""
        return [
            ports.RootEntry(
                record=record,
                ledger=present_ledger(self._store.ledger(record.id), record.state),
                writable=record.writable,
                scan_directories=record.directories,
            )
            for record in self._records.values()
        ]

    def away(self) -> frozenset[str]:
        """Roots that were absent."""
        return frozenset(record.id for record in self._records.values() if record.state in ABSENT)

    def path_of(self, root: str) -> bytes:
        """Absolute path of a root; empty for an unknown one."""
        return self._records[root].path if root in self._records else b""

    def holding(self, path: bytes) -> tuple[str, bytes] | None:
        """The innermost root an absolute path lies in, and the path relative to it."""
        return innermost({record.id: record.path for record in self._records.values()}, path)


class Offline:
    """What the reading commands ask, answered from the index. Close it after use."""

    def __init__(self, state_dir: Path, settings: Settings) -> None:
        """Raises NotFound without an index, and IndexDamaged, IndexTooNew or Conflict for one that cannot be read."""
        self._settings = settings
        self._closing = ExitStack()
        self._store = self._closing.enter_context(readable(state_dir, settings))
        self._roots = LastKnown(settings, self._store)
        # A searcher that was not opened reads the vectors of the one space it needs, and no file of its own.
        self._searcher = Searcher(lambda: settings, self._store, state_dir / "index")
        self._figures = Figures(lambda: settings, state_dir, self._store)
        self._said = last_said(state_dir / "decisions")
        self._timeline = DaemonTimeline(self._store, self._roots, self._said)
        self._views = PhotoViews(self._store, self._roots, self._searcher, self._said)
        self._reasons = GroupingReasons(self._store, self._searcher, self._said.constraints)

    def close(self) -> None:
        """Close the index."""
        self._closing.close()

    def status(self) -> Json:
        """What the index tells; process 0 stands for no daemon."""
        entries, active = self._roots.entries(), self._searcher.active()
        down = Reason(
            code="daemon-down",
            message="no daemon runs; this is what it knew when it last did",
            next_step="`pixsortd run` starts it.",
        )
        report = ports.StatusReport(
            version=pixsortd.__version__,
            started=0.0,
            pid=0,
            roots=tuple(entries),
            queue=self._figures.waiting(),
            worker=ports.WorkerReport(state="off"),
            index=self._figures.index(),
            abilities=tuple(self._figures.abilities()),
            space=active.name if active is not None else "",
            wanted_space=self._settings.embed.space,
            notices=(down, *self._figures.notices(entries)),
        )
        return _json(present.status(report, report.started))

    def roots(self) -> Sequence[Json]:
        """All roots with their ledgers."""
        return [_json(present.root(entry)) for entry in self._roots.entries()]

    def groups(self) -> Iterator[Json]:
        """Every group, largest first."""
        waiting = Lines(self._store).counts()
        return (_json(present.group(group, waiting)) for group in self._store.groups())

    def group(self, group: str) -> Json:
        """One group. Raises NotFound."""
        return _json(present.group(known_group(self._store, group), Lines(self._store).counts()))

    def members(self, group: str) -> Iterator[Json]:
        """The photos of a group."""
        query = ports.ImageQuery(group=group)
        pages = _pages(lambda cursor: self._views.images(query, cursor, PAGE))
        return (_json(present.image(entry)) for entry in pages)

    def batches(self) -> Sequence[Json]:
        """Every batch, newest first. None is being analysed."""
        found = summaries(self._said.batches(), lambda _: None, self._store.known)
        return [_json(present.batch(one)) for one in found]

    def batch(self, batch: str) -> Json:
        """One batch with its groups and photos. Raises NotFound."""
        return _json(present.batch_detail(entry(known_batch(self._said.batches(), batch), None, self._timeline)))

    def similar(self, image: str, limit: int) -> Json:
        """Photos like one, nearest first, and the space they were compared in. Raises NotFound, Conflict."""
        return _json(present.similar_page(self._views.similar(bytes.fromhex(image), limit)))

    def why_id(self, photo_or_file: str) -> Json:
        """The passport behind the id of a photo or of a file. Raises NotFound."""
        photo = _PHOTO.fullmatch(photo_or_file)
        views = self._views
        passport = views.why_photo(bytes.fromhex(photo[0])) if photo else views.why_file(photo_or_file)
        return _json(present.why(self._reasons.told(passport)))

    def why_path(self, path: bytes) -> Json:
        """The passport of an absolute path. Raises NotFound."""
        return _json(present.why(self._reasons.told(self._views.why_path(path))))

    def quarantine(self) -> Iterator[Json]:
        """Every failed file with its reason."""
        failed = _pages(lambda cursor: self._store.quarantine(PAGE, cursor))
        return (_json(present.file(self._views.file_entry(row))) for row in failed)


class _Page(Protocol[T_co]):
    """A slice of a list, of the API or of the index."""

    @property
    def items(self) -> Sequence[T_co]: ...

    @property
    def next_cursor(self) -> str | None: ...


def _pages(look: Callable[[str | None], _Page[T]]) -> Iterator[T]:
    """Every item of a list, page by page."""
    page = look(None)
    yield from page.items
    while page.next_cursor is not None:
        page = look(page.next_cursor)
        yield from page.items


def _json(answer: msgspec.Struct) -> Json:
    """The answer as a client of the API receives it."""
    found: Json = msgspec.json.decode(msgspec.json.encode(answer))
    return found
