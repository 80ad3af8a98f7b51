"""The daemon as the API sees it: every question answered by the part that knows."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from pixsortd.api.events import EventHub
from pixsortd.api.ports import (
    Event,
    FileEntry,
    ImageEntry,
    ImageQuery,
    Original,
    Page,
    Passport,
    Ping,
    Reading,
    RootEntry,
    SettingsReport,
    Similar,
    StatusReport,
)
from pixsortd.daemon.batches import Batches
from pixsortd.daemon.grouping import Book, Curator, DaemonLevels, Grouper, GroupingReasons, LearnedLikeness
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.photos.marks import Marks
from pixsortd.daemon.photos.originals import Originals
from pixsortd.daemon.photos.timeline import DaemonTimeline
from pixsortd.daemon.photos.views import PhotoViews
from pixsortd.daemon.pipeline.ingest import Ingest
from pixsortd.daemon.quality import DaemonQuality
from pixsortd.daemon.reports.overview import DaemonOverview
from pixsortd.daemon.reports.status import Report
from pixsortd.daemon.roots import Roots
from pixsortd.daemon.sorting.room import DaemonSorting
from pixsortd.daemon.trash import DaemonTrash
from pixsortd.daemon.uploads import Reception
from pixsortd.errors import InvalidRequest
from pixsortd.index.store import Store
from pixsortd.records import Group, Job


class DaemonLibrary:
    """Implements ``pixsortd.api.ports.Library``."""

    def __init__(
        self,
        store: Store,
        views: PhotoViews,
        originals: Originals,
        marks: Marks,
        book: Book,
        curation: Curator,
        levels: DaemonLevels,
        likeness: LearnedLikeness,
        reasons: GroupingReasons,
        grouper: Grouper,
        roots: Roots,
        jobs: Jobs,
        ingest: Ingest,
        report: Report,
        hub: EventHub,
        settings: Callable[[], SettingsReport],
        uploads: Reception,
        trash: DaemonTrash,
        sorting: DaemonSorting,
        quality: DaemonQuality,
        batches: Batches,
        timeline: DaemonTimeline,
        overview: DaemonOverview,
    ) -> None:
        self._store = store
        self._views = views
        self._originals = originals
        self._marks = marks
        self._book = book
        self._curation = curation
        self._levels = levels
        self._likeness = likeness
        self._reasons = reasons
        self._grouper = grouper
        self._roots = roots
        self._jobs = jobs
        self._ingest = ingest
        self._report = report
        self._hub = hub
        self._settings = settings
        self._uploads = uploads
        self._trash = trash
        self._sorting = sorting
        self._quality = quality
        self._batches = batches
        self._timeline = timeline
        self._overview = overview

    # --- parts ------------------------------------------------------------------------------------

    @property
    def marks(self) -> Marks:
        """Stars, colour labels and captions."""
        return self._marks

    @property
    def levels(self) -> DaemonLevels:
        """Coarser and finer views of the groups."""
        return self._levels

    @property
    def likeness(self) -> LearnedLikeness:
        """What the edits taught, and its switch."""
        return self._likeness

    @property
    def curation(self) -> Curator:
        """Edits of groups and proposals."""
        return self._curation

    @property
    def uploads(self) -> Reception:
        """The way in by HTTP."""
        return self._uploads

    @property
    def trash(self) -> DaemonTrash:
        """Deleted photos."""
        return self._trash

    @property
    def sorting(self) -> DaemonSorting:
        """Rules and plans."""
        return self._sorting

    @property
    def quality(self) -> DaemonQuality:
        """Scores, compared and computed."""
        return self._quality

    @property
    def batches(self) -> Batches:
        """Named sets of photos."""
        return self._batches

    @property
    def timeline(self) -> DaemonTimeline:
        """Lists in outline."""
        return self._timeline

    @property
    def overview(self) -> DaemonOverview:
        """Figures and the stages."""
        return self._overview

    # --- photos ------------------------------------------------------------------------------------

    def images(self, query: ImageQuery, cursor: str | None, limit: int) -> Page[ImageEntry]:
        """One page."""
        return self._views.images(query, cursor, limit)

    def image(self, sha256: bytes) -> ImageEntry:
        """One photo."""
        return self._views.image(sha256)

    def original(self, sha256: bytes) -> Original:
        """An open original."""
        return self._originals.original(sha256)

    def thumbnail(self, sha256: bytes) -> bytes | None:
        """The stored thumbnail; a lost one is queued to be made again."""
        data = self._originals.thumbnail(sha256)
        if data is None:
            self._ingest.refill()
        return data

    def similar(self, sha256: bytes, limit: int) -> Similar:
        """Photos most like one."""
        return self._views.similar(sha256, limit)

    # --- groups ------------------------------------------------------------------------------------

    def groups(self, cursor: str | None, limit: int) -> Page[Group]:
        """Groups, the largest first."""
        found = self._store.groups()
        start = 0
        if cursor is not None:
            ids = [group.id for group in found]
            if cursor not in ids:
                raise InvalidRequest("this cursor is not one of this list", next_step="Begin again without a cursor.")
            start = ids.index(cursor) + 1
        items = found[start : start + limit]
        more = start + limit < len(found)
        return Page(
            items=[self._book.described(one) for one in items],
            next_cursor=items[-1].id if more and items else None,
            total=len(found),
        )

    def group(self, group: str) -> Group:
        """One group."""
        return self._book.get(group)

    def recluster(self) -> Job:
        """Queue a reclustering."""
        return self._grouper.submit()

    # --- jobs and roots ----------------------------------------------------------------------------

    def jobs(self) -> Sequence[Job]:
        """Newest first."""
        return self._jobs.list()

    def job(self, job: str) -> Job:
        """One job."""
        return self._jobs.get(job)

    def cancel(self, job: str) -> Job:
        """Ask a job to end."""
        return self._jobs.cancel(job)

    def roots(self) -> Sequence[RootEntry]:
        """All configured roots."""
        return self._roots.entries()

    def scan(self, root: str) -> Job:
        """Start a full scan."""
        return self._roots.scan(root)

    def confirm_gone(self, root: str) -> int:
        """The missing files are gone."""
        return self._roots.confirm_gone(root)

    # --- quarantine and passports --------------------------------------------------------------------

    def quarantine(self, cursor: str | None, limit: int) -> Page[FileEntry]:
        """Failed files, newest first."""
        page = self._store.quarantine(limit, cursor)
        items = [self._views.file_entry(row) for row in page.items]
        return Page(items=items, next_cursor=page.next_cursor, total=page.total)

    def retry(self, file: str) -> bool:
        """Queue a failed file again."""
        row = self._store.entry(file)
        if row is None or not self._store.retry(row.root, row.path):
            return False
        self._ingest.wake()
        self._hub.publish("quarantine", {})
        return True

    def why_photo(self, sha256: bytes) -> Passport:
        """Passport of a photo."""
        return self._reasons.told(self._views.why_photo(sha256))

    def why_file(self, file: str) -> Passport:
        """Passport of a file."""
        return self._reasons.told(self._views.why_file(file))

    def why_path(self, path: bytes) -> Passport:
        """Passport of an absolute path."""
        return self._reasons.told(self._views.why_path(path))

    # --- the daemon itself -----------------------------------------------------------------------------

    def status(self) -> StatusReport:
        """The daemon in one look."""
        return self._report.status()

    def settings(self) -> SettingsReport:
        """The settings in force."""
        return self._settings()

    def pings(self) -> Mapping[str, Ping]:
        """Health questions."""
        return self._report.pings()

    def readings(self) -> Sequence[Reading]:
        """Numbers for ``/metrics``."""
        return [*self._report.readings(), *self._uploads.readings(), *self._trash.readings(), *self._sorting.readings()]

    def subscribe(self, last_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        """Events from now on, or after ``last_id``."""
        return self._hub.subscribe(last_id)
