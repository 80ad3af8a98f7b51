"""The daemon as the API sees it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from pixsortd.api.ports.batches import Batches
from pixsortd.api.ports.groups import Curation
from pixsortd.api.ports.learning import Likeness
from pixsortd.api.ports.levels import Levels
from pixsortd.api.ports.marks import Marks
from pixsortd.api.ports.overview import Overview
from pixsortd.api.ports.photos import FileEntry, ImageEntry, ImageQuery, Original, Page, Passport, Similar
from pixsortd.api.ports.quality import Quality
from pixsortd.api.ports.reports import Event, Ping, Reading, RootEntry, StatusReport
from pixsortd.api.ports.settings import SettingsReport
from pixsortd.api.ports.sorting import Sorting
from pixsortd.api.ports.timeline import Timeline
from pixsortd.api.ports.trash import Trash
from pixsortd.api.ports.uploads import Uploads
from pixsortd.records import Group, Job


class Library(Protocol):
    """The daemon, as the API sees it: what it knows, and its parts that do things."""

    @property
    def marks(self) -> Marks: ...
    @property
    def levels(self) -> Levels: ...
    @property
    def likeness(self) -> Likeness: ...
    @property
    def timeline(self) -> Timeline: ...
    @property
    def batches(self) -> Batches: ...
    @property
    def curation(self) -> Curation: ...
    @property
    def quality(self) -> Quality: ...
    @property
    def trash(self) -> Trash: ...
    @property
    def sorting(self) -> Sorting: ...
    @property
    def uploads(self) -> Uploads: ...
    @property
    def overview(self) -> Overview: ...

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

    def settings(self) -> SettingsReport:
        """The settings in force and where each came from. *May block* for reading a file."""
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
