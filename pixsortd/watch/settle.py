"""When is a file complete? A pure state machine over looks at its stamp.

A file has settled once two looks at least ``quiet`` seconds apart saw the same size, mtime, ctime
and inode, with no different look in between. Only the caller's monotonic clock counts: neither the
file's times nor the wall clock are believed, since a copy may carry an mtime of 1999 and a clock may jump.
"""

import heapq
from enum import Enum

from pixsortd.records import FileStamp


class Outcome(Enum):
    """What a look has shown."""

    WAITING = "waiting"
    READY = "ready"
    NEVER = "never-settling"
    """It still changes after the ceiling; said once, and the file stays watched, more slowly."""
    VANISHED = "vanished"


class _Entry:
    __slots__ = ("first", "look", "reported", "since", "stamp")

    def __init__(self, stamp: FileStamp, now: float, quiet: float) -> None:
        self.stamp = stamp
        self.first = self.since = now
        self.look = now + quiet
        self.reported = False


class Settling:
    """The files of one root that have not settled. Times are monotonic seconds given by the caller."""

    def __init__(self, quiet: float, ceiling: float) -> None:
        self.quiet = quiet
        self.ceiling = ceiling
        self._entries: dict[bytes, _Entry] = {}
        self._looks: list[tuple[float, bytes]] = []
        self._reported = 0

    def __contains__(self, path: bytes) -> bool:
        return path in self._entries

    @property
    def waiting(self) -> int:
        """How many files are expected to settle soon; those reported as never settling do not count."""
        return len(self._entries) - self._reported

    def observe(self, path: bytes, stamp: FileStamp | None, now: float) -> Outcome:
        """Take note of a look at ``path``; None means that there is no such file any more."""
        entry = self._entries.get(path)
        if stamp is None:
            self.forget(path)
            return Outcome.VANISHED
        if entry is None:
            entry = self._entries[path] = _Entry(stamp, now, self.quiet)
            self._schedule(path, entry)
            return Outcome.WAITING
        if same_content(entry.stamp, stamp):
            if now - entry.since >= self.quiet:
                self.forget(path)
                return Outcome.READY
            self._reschedule(path, entry, entry.since + self.quiet)
            return Outcome.WAITING
        entry.stamp, entry.since = stamp, now
        late = now - entry.first >= self.ceiling
        self._reschedule(path, entry, now + (max(self.quiet, self.ceiling / 4) if late else self.quiet))
        if late and not entry.reported:
            entry.reported = True
            self._reported += 1
            return Outcome.NEVER
        return Outcome.WAITING

    def due(self, now: float, limit: int = 2000) -> list[bytes]:
        """The paths to look at now; each is asked for again later should no look be reported."""
        ready: list[bytes] = []
        while self._looks and self._looks[0][0] <= now and len(ready) < limit:
            at, path = heapq.heappop(self._looks)
            entry = self._entries.get(path)
            if entry is not None and entry.look == at:
                ready.append(path)
                self._reschedule(path, entry, now + self.quiet)
        return ready

    def next_due(self) -> float | None:
        """When :meth:`due` will have something; None when nothing waits."""
        while self._looks:
            at, path = self._looks[0]
            entry = self._entries.get(path)
            if entry is not None and entry.look == at:
                return at
            heapq.heappop(self._looks)
        return None

    def forget(self, path: bytes) -> None:
        """Stop waiting for ``path``."""
        entry = self._entries.pop(path, None)
        if entry is not None and entry.reported:
            self._reported -= 1

    def clear(self) -> None:
        """Forget every file."""
        self._entries.clear()
        self._looks.clear()
        self._reported = 0

    def _reschedule(self, path: bytes, entry: _Entry, at: float) -> None:
        if entry.look != at:
            entry.look = at
            self._schedule(path, entry)

    def _schedule(self, path: bytes, entry: _Entry) -> None:
        heapq.heappush(self._looks, (entry.look, path))


def same_content(one: FileStamp, other: FileStamp) -> bool:
    """Whether two stamps speak of the same bytes; the device number may change with every mount."""
    return (
        one.size == other.size
        and one.mtime_ns == other.mtime_ns
        and one.ctime_ns == other.ctime_ns
        and one.inode == other.inode
    )
