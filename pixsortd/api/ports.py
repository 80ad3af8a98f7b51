"""What the API needs of the rest of the daemon, and the values that pass between them.

The daemon implements `Library`; this room imports no other. Every method is synchronous and
callable from any thread. *Quick* methods answer from memory or with a few index reads (under a
millisecond) and are called on the event loop; the others *may block* and are called in a thread.

Photos are named by their 32 raw bytes of SHA-256 here and by hex at the edge. Every method may
raise the errors of `pixsortd.errors`; the API turns each into problem details by itself.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from pixsortd.records import (
    Ability,
    FileRow,
    Group,
    Job,
    Ledger,
    Membership,
    Photo,
    Reason,
    Record,
    RootRecord,
    Score,
    Step,
)

T = TypeVar("T")

Ping = Callable[[], Reason | None]
"""Quick health question to one room: None when it is well, else what is wrong. Raising counts as unwell."""


class ImageStatus(StrEnum):
    """Where a photo stands: the best state among the files that hold it."""

    PENDING = "pending"
    INDEXED = "indexed"
    FAILED = "failed"
    AWAY = "away"


class ImageSort(StrEnum):
    """Orders of the image list; a minus sign means newest first."""

    NEWEST = "-taken"
    OLDEST = "taken"
    ADDED = "-added"


class ImageQuery(Record, frozen=True, kw_only=True):
    """Filters of the image list; None leaves a filter out. Bounds are inclusive."""

    root: str | None = None
    group: str | None = None
    """A group id. See also `ungrouped`, which excludes it."""
    ungrouped: bool = False
    status: ImageStatus | None = None
    taken_from: float | None = None
    taken_to: float | None = None
    metric: str | None = None
    """Only photos with a stored score of this metric, within `low` and `high`."""
    low: float | None = None
    high: float | None = None
    sort: ImageSort = ImageSort.NEWEST


class Page(Record, Generic[T], frozen=True, kw_only=True):
    """A slice of a list. `next_cursor` is opaque, safe in a URL, and None at the end."""

    items: Sequence[T]
    next_cursor: str | None = None
    total: int = 0
    """How many the whole list has under the same filters."""


class FileEntry(Record, frozen=True, kw_only=True):
    """One path of the index, with what a person needs to recognise it."""

    id: str
    """Opaque and stable while the path stays: 1 to 128 of ``A-Z a-z 0-9 _ -``. It names a row of the
    index, never a path."""
    row: FileRow
    root_path: bytes
    """Absolute path of the root, raw bytes."""


class ImageEntry(Record, frozen=True, kw_only=True):
    """One photo as lists show it."""

    sha256: bytes | None
    """None for a pending or failed file whose content is not known yet; its one file then stands for it."""
    status: ImageStatus
    photo: Photo | None = None
    """None while (or because it cannot be) decoded; then `files` says why."""
    files: tuple[FileEntry, ...] = ()
    """All known locations, the best state first."""
    scores: tuple[Score, ...] = ()
    membership: Membership | None = None
    group_name: str | None = None
    rating: int | None = None
    """The user's 0 to 5 stars; the camera's own is in ``photo.exif.rating``."""


class SimilarEntry(Record, frozen=True, kw_only=True):
    """One answer of a like-search."""

    image: ImageEntry
    similarity: float
    """Cosine, -1 to 1."""


class Similar(Record, frozen=True, kw_only=True):
    """Photos most like one, nearest first, and the space they were compared in."""

    items: Sequence[SimilarEntry]
    space: str


class Original(Record, frozen=True, kw_only=True):
    """An open original. Who receives it owns `descriptor` and closes it."""

    descriptor: int
    """A readable regular file, opened without following links and found equal to its stamp."""
    size: int
    name: bytes
    """File name, for display only."""
    format: str
    """Pillow's name, as in `Photo.format`."""


class RootEntry(Record, frozen=True, kw_only=True):
    """One root with its ledger."""

    record: RootRecord
    ledger: Ledger
    scanning: bool = False
    scan_directories: int = 0
    """Directories done by the scan under way, or by the last one."""
    scan_files: int = 0


class Passport(Record, frozen=True, kw_only=True):
    """All that is known of how a file or photo came to be where it is."""

    files: tuple[FileEntry, ...]
    image: ImageEntry | None = None
    """None for a file whose content is not known (excluded, unreadable, still settling)."""
    steps: tuple[Step, ...] = ()
    """Oldest first."""
    excluded_by: Reason | None = None
    """For a path below an excluded directory: the rule that keeps it out."""


class QueueReport(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What waits for analysis."""

    settling: int = 0
    """Files that may still be growing."""
    ready: int = 0
    """Settled files that wait for the worker."""
    in_flight: int = 0
    backfill: int = 0
    """Known photos that lack a space or metric."""
    rate: float = 0.0
    """Files a second, over the last minute."""
    eta: float | None = None
    """Seconds until the queue is empty at this rate."""


class WorkerReport(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The analysis process."""

    state: str
    """``off`` (idle, ended), ``starting``, ``idle``, ``busy`` or ``failed``."""
    pid: int | None = None
    device: str = ""
    rss: int = 0
    """Bytes."""
    crashes: int = 0
    """Since the daemon started."""
    reason: Reason | None = None


class IndexReport(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The sidecar index."""

    photos: int = 0
    groups: int = 0
    grouped: int = 0
    """Photos with a group."""
    quarantined: int = 0
    bytes: int = 0
    free: int = 0
    """Bytes free on the disk of the state directory."""
    generation: int = 0
    schema: int = 0


class StatusReport(Record, frozen=True, kw_only=True):
    """The daemon in one look."""

    version: str
    started: float
    pid: int
    roots: tuple[RootEntry, ...]
    queue: QueueReport
    worker: WorkerReport
    index: IndexReport
    abilities: tuple[Ability, ...]
    space: str
    """Name of the space used for groups and like-search now (``builtin`` while the wished one has no weights)."""
    wanted_space: str
    """Name of the space that the configuration asks for."""
    jobs: tuple[Job, ...] = ()
    """Queued and running ones."""
    notices: tuple[Reason, ...] = ()
    """What a person should know now: degraded watchers, rebuilt index, full disk, missing weights ..."""


class MetricKind(StrEnum):
    """Prometheus types the daemon reports."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Reading(Record, frozen=True, kw_only=True):
    """One number for ``/metrics``. The name comes without the ``pixsortd_`` prefix and ``_total`` suffix."""

    name: str
    help: str
    value: float
    kind: MetricKind = MetricKind.GAUGE
    labels: dict[str, str] = {}


class Event(Record, frozen=True, kw_only=True):
    """Something happened. Ids rise, also across restarts."""

    id: int
    kind: str
    """``photos``, ``quarantine``, ``groups``, ``job``, ``roots``, ``status``, or ``gap`` when earlier ids are lost."""
    data: dict[str, object] = {}


class Library(Protocol):
    """The daemon, as the API sees it."""

    # photos
    def images(self, query: ImageQuery, cursor: str | None, limit: int) -> Page[ImageEntry]:
        """One page. *May block.* Raises InvalidRequest for a cursor that is not ours."""
        ...

    def image(self, sha256: bytes) -> ImageEntry:
        """One photo. *May block.* Raises NotFound."""
        ...

    def original(self, sha256: bytes) -> Original:
        """Open the original. *May block.* Raises NotFound, Conflict (all its roots are away), FileProblem."""
        ...

    def thumbnail(self, sha256: bytes) -> bytes | None:
        """Stored thumbnail (JPEG or WebP), None while there is none. *May block.* Raises NotFound."""
        ...

    def rate(self, sha256: bytes, stars: int | None) -> ImageEntry:
        """Record the user's rating durably. *May block.* Raises NotFound."""
        ...

    def similar(self, sha256: bytes, limit: int) -> Similar:
        """Photos most like this one, without it. *May block.* Raises NotFound, Conflict (no vector yet)."""
        ...

    # groups
    def groups(self, cursor: str | None, limit: int) -> Page[Group]:
        """Groups, largest first. *May block.*"""
        ...

    def group(self, group: str) -> Group:
        """One group. *May block.* Raises NotFound."""
        ...

    def rename_group(self, group: str, name: str | None) -> Group:
        """Give or (None) take back a group's name, durably. *May block.* Raises NotFound."""
        ...

    def recluster(self) -> Job:
        """Queue a reclustering, or return the one under way. *May block.*"""
        ...

    # jobs
    def jobs(self) -> Sequence[Job]:
        """Newest first, a bounded number. *Quick.*"""
        ...

    def job(self, job: str) -> Job:
        """One job. *Quick.* Raises NotFound."""
        ...

    def cancel(self, job: str) -> Job:
        """Ask a job to end. *May block.* Raises NotFound, Conflict (it has ended, it cannot be cancelled)."""
        ...

    # roots
    def roots(self) -> Sequence[RootEntry]:
        """All configured roots. *Quick.*"""
        ...

    def scan(self, root: str) -> Job:
        """Start a full scan, or return the one under way. *Quick.* Raises NotFound."""
        ...

    def confirm_gone(self, root: str) -> int:
        """The user says that the missing files are gone; how many were dropped. *May block.*

        Raises NotFound, Conflict (nothing is missing).
        """
        ...

    # quarantine and passports
    def quarantine(self, cursor: str | None, limit: int) -> Page[FileEntry]:
        """Failed files, newest first. *May block.*"""
        ...

    def retry(self, file: str) -> bool:
        """Queue a failed file again by its entry's id; False when there is no such failed file. *May block.*"""
        ...

    def why_photo(self, sha256: bytes) -> Passport:
        """Passport of a photo. *May block.* Raises NotFound."""
        ...

    def why_file(self, file: str) -> Passport:
        """Passport of a file by its entry's id. *May block.* Raises NotFound."""
        ...

    def why_path(self, path: bytes) -> Passport:
        """Passport of an absolute path, looked up in the index only. *May block.* Raises NotFound."""
        ...

    # the daemon itself
    def status(self) -> StatusReport:
        """*May block* for a few reads."""
        ...

    def pings(self) -> Mapping[str, Ping]:
        """Health questions by room, for readiness. *Quick.*"""
        ...

    def readings(self) -> Sequence[Reading]:
        """Numbers for ``/metrics``. *May block* for a few reads."""
        ...

    def subscribe(self, last_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        """Events after `last_id` (None: from now on) in batches, for ever; starts with a ``gap`` when some are lost.

        Called on the event loop. Closed with ``aclose()``. `pixsortd.api.events.EventHub` implements it.
        """
        ...
