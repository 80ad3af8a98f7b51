"""Takes uploads: who may come in, under which name they land, and who is told."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import structlog

from pixsortd.api.ports import MetricKind, Reading, Uploaded, UploadLimits, UploadStatus
from pixsortd.config import Settings
from pixsortd.daemon.uploads import inbox as inboxes
from pixsortd.daemon.uploads.arrival import Arrival, Bounds
from pixsortd.daemon.uploads.draft import Draft, clear
from pixsortd.daemon.uploads.inbox import Inbox
from pixsortd.daemon.uploads.kinds import check_extension
from pixsortd.daemon.uploads.names import components, numbered
from pixsortd.daemon.uploads.twins import Locations, Twins, holds
from pixsortd.daemon.uploads.words import refusal
from pixsortd.errors import PixsortdError, UploadRefused
from pixsortd.records import Reason, Role, RootRecord, Step

log = structlog.get_logger()

_MOST_NUMBERS = 1000
"""Files that may share a name but for their number."""


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> Sequence[RootRecord]: ...

    def online(self) -> Mapping[str, bytes]: ...

    def kept_out(self, root: str, path: bytes) -> Reason | None: ...

    def holding(self, path: bytes) -> tuple[str, bytes] | None: ...

    def notice(self, root: str, paths: Sequence[bytes]) -> None: ...


class Index(Locations, Protocol):
    """What is asked of the index."""

    def add_file_history(self, root: str, steps: Mapping[bytes, Step]) -> None: ...


class Reception:
    """Implements ``pixsortd.api.ports.Uploads``."""

    def __init__(
        self, settings: Callable[[], Settings], index: Index, roots: Roots, extensions: frozenset[bytes]
    ) -> None:
        """``extensions`` are lower case with the dot."""
        self._settings = settings
        self._index = index
        self._roots = roots
        self._extensions = extensions
        self._twins = Twins(index)
        self._lock = threading.Lock()
        self._counts: Counter[UploadStatus] = Counter()
        self._bytes = 0

    # --- ports.Uploads ---------------------------------------------------------------------------

    def limits(self) -> UploadLimits:
        """What an upload may be now."""
        settings = self._settings()
        found = inboxes.find(settings.upload, self._roots.records())
        return UploadLimits(
            inbox=found.path if isinstance(found, Inbox) else None,
            max_bytes=_bounds(settings).max_bytes,
            max_files=settings.upload.max_files,
            extensions=tuple(sorted(one.decode() for one in self._extensions)),
            reason=found if isinstance(found, Reason) else None,
        )

    def begin(self, filename: str) -> Arrival:
        """Start a file. Raises ``UploadRefused``."""
        settings = self._settings()
        found = inboxes.find(settings.upload, self._roots.records())
        if isinstance(found, Reason):
            raise UploadRefused(found.message, why=found.code, next_step=found.next_step)
        parts = components(filename)
        check_extension(parts[-1], self._extensions)
        kept_out = self._roots.kept_out(found.root, b"/".join(parts))
        if kept_out is not None:
            raise UploadRefused(
                f"it would be ignored: {kept_out.message}", why=kept_out.code, next_step=kept_out.next_step
            )
        return Arrival(filename, parts, found, _bounds(settings), self._land)

    def conclude(self, files: Sequence[Uploaded]) -> None:
        """Make the stored ones durable under their names and tell who has to know. Raises ``UploadRefused``."""
        with self._lock:
            self._counts.update(one.status for one in files)
            self._bytes += sum(one.size for one in files if one.status is UploadStatus.STORED)
        stored = [one.path for one in files if one.status is UploadStatus.STORED and one.path is not None]
        for directory in dict.fromkeys(os.path.dirname(path) for path in stored):
            _sync(directory)
        steps: dict[str, dict[bytes, Step]] = {}
        for path in stored:
            place = self._roots.holding(path)
            if place is not None:
                root, below = place
                steps.setdefault(root, {})[below] = Step(at=_written(path), what="uploaded", root=root, path=below)
        for root, own in steps.items():
            self._note(root, own)
            self._roots.notice(root, list(own))

    def _note(self, root: str, steps: Mapping[bytes, Step]) -> None:
        try:
            self._index.add_file_history(root, steps)
        except PixsortdError as error:  # the files are safe, only their passports lack a line
            log.warning("uploads not noted", files=len(steps), error=str(error))

    # --- for the daemon --------------------------------------------------------------------------

    def clear(self, record: RootRecord) -> None:
        """Remove what a crash left in a root that has come online."""
        if record.role is not Role.INBOX or record.identity is None:
            return
        try:
            with inboxes.opened(Inbox.of(record, record.identity)) as root:
                removed = clear(root)
        except UploadRefused:
            return  # it has gone again
        if removed:
            log.info("unfinished uploads removed", root=record.id, files=removed)

    def readings(self) -> Iterator[Reading]:
        """Numbers for ``/metrics``."""
        with self._lock:
            counts, size = dict(self._counts), self._bytes
        for status in UploadStatus:
            yield Reading(
                name="uploads",
                help="Uploaded files by outcome.",
                value=counts.get(status, 0),
                kind=MetricKind.COUNTER,
                labels={"status": status},
            )
        yield Reading(name="upload_bytes", help="Bytes stored by uploads.", value=size, kind=MetricKind.COUNTER)

    # --- landing ---------------------------------------------------------------------------------

    def _land(self, arrival: Arrival, draft: Draft) -> Uploaded:
        """Publish a whole file under a free name, unless its content is here already."""
        sha256 = arrival.sha256
        with self._twins.alone(sha256):
            twin = self._twins.find(sha256, self._roots.online())
            if twin is not None:
                return _duplicate(arrival, twin)
            try:
                os.fsync(draft.descriptor)
            except OSError as error:
                raise refusal(error) from error
            # Opened anew, so that a disk that was unmounted meanwhile is noticed.
            with (
                inboxes.opened(arrival.inbox) as root,
                inboxes.folder(root, arrival.parts[:-1], make=True) as directory,
            ):
                base = os.path.join(arrival.inbox.path, *arrival.parts[:-1])
                for number in range(1, _MOST_NUMBERS + 1):
                    name = numbered(arrival.parts[-1], number)
                    try:
                        draft.publish(directory, name)
                    except FileExistsError:
                        if holds(directory, name, sha256, arrival.size):
                            return _duplicate(arrival, os.path.join(base, name))
                        continue
                    path = os.path.join(base, name)
                    self._twins.remember(sha256, path, os.fstat(draft.descriptor))
                    return Uploaded(
                        filename=arrival.filename, status=UploadStatus.STORED, id=sha256, size=arrival.size, path=path
                    )
        raise UploadRefused("too many files have that name", why="name", next_step="Rename it; then upload it again.")


def _duplicate(arrival: Arrival, twin: bytes) -> Uploaded:
    return Uploaded(
        filename=arrival.filename,
        status=UploadStatus.DUPLICATE,
        id=arrival.sha256,
        size=arrival.size,
        duplicate_of=arrival.sha256,
        path=twin,
    )


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        max_bytes=min(settings.upload.max_bytes, settings.decode.max_bytes), free_floor=settings.upload.free_floor
    )


def _written(path: bytes) -> float:
    """When the file was complete, which was before a watcher could find it."""
    try:
        return os.stat(path, follow_symlinks=False).st_mtime
    except OSError:
        return time.time()


def _sync(directory: bytes) -> None:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise refusal(error) from error
