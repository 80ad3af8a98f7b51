"""The files of a batch, read once each and named; those that come next are read while models run.

What was read ahead is a hint fulfilled: it is used only while the file on disk still is the one
that is meant, and whatever went wrong with it is forgotten, so that reading it again says why.
"""

import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

from pixsortd.analyze.reading import Content, named, read_stable, require_unchanged
from pixsortd.analyze.shelf import Busy
from pixsortd.analyze.work import AT_REST, Held, no_memory
from pixsortd.errors import ChangedWhileReading, FileProblem
from pixsortd.records import FileStamp, Fingerprint, WorkItem

_File = tuple[bytes, bytes, FileStamp]


@dataclass(frozen=True, slots=True)
class _Bytes:
    """A file that was read and is being hashed."""

    content: Future[Content]
    seconds: float


class Reader:
    """Reads in one thread, one file after the other, as disks like it; hashes in the threads of ``pool``.

    Holds the bytes of one batch and at most ``ahead_bytes`` of what comes next.
    """

    def __init__(self, pool: Executor, max_bytes: int, ahead_bytes: int, busy: Busy) -> None:
        """``max_bytes`` is what one file may have; ``busy`` hears of files that are being read."""
        self._pool = pool
        self._max_bytes = max_bytes
        self._ahead_bytes = ahead_bytes
        self._busy = busy
        self._held: dict[int, Held] = {}
        self._ahead: dict[_File, Future[_Bytes]] = {}
        self._thread = _one_thread()

    def fingerprint(self, items: Sequence[WorkItem]) -> Iterator[Fingerprint]:
        """Read and name each file, in order. The bytes are kept until they are taken."""
        self._held.clear()
        hashing: deque[tuple[WorkItem, _Bytes]] = deque()
        begun = self._begun(items)
        for item in items:
            outcome = self._have(item, begun.pop(_file(item), None), alone=len(items) == 1)
            if isinstance(outcome, Fingerprint):
                yield outcome
            else:
                hashing.append((item, outcome))
            while hashing and hashing[0][1].content.done():
                yield self._hold(*hashing.popleft())
        while hashing:
            yield self._hold(*hashing.popleft())

    def take(self, numbers: Collection[int]) -> list[Held]:
        """The files of these numbers, as far as they were read; the others are let go."""
        held, self._held = self._held, {}
        return [held[number] for number in numbers if number in held]

    def look_ahead(self, items: Sequence[WorkItem]) -> None:
        """Begin to read these files, as far as there is room for their bytes; forget any others."""
        wanted: dict[_File, WorkItem] = {}
        room = self._ahead_bytes
        for item in items:
            room -= item.stamp.size
            if room < 0:
                break
            wanted[_file(item)] = item
        forgotten = [reading for file, reading in self._ahead.items() if file not in wanted]
        if any(not reading.cancel() and not reading.done() for reading in forgotten):
            self._leave_behind()
        kept = {file: reading for file, reading in self._ahead.items() if not reading.cancelled()}
        self._ahead = {file: kept.get(file) or self._thread.submit(self._read, item) for file, item in wanted.items()}

    def close(self) -> None:
        """Let go of all bytes."""
        self._held.clear()
        self._forget()

    def _begun(self, items: Sequence[WorkItem]) -> dict[_File, Future[_Bytes]]:
        """What of these files has been read or is being read; what was only planned is read in its turn."""
        found = {file: self._ahead.pop(file) for file in map(_file, items) if file in self._ahead}
        return {file: reading for file, reading in found.items() if not reading.cancel()}

    def _have(self, item: WorkItem, ahead: Future[_Bytes] | None, *, alone: bool) -> _Bytes | Fingerprint:
        self._busy("read", (item.id,))
        try:
            try:
                return self._found(item, ahead) or self._read(item)
            except MemoryError:
                self._forget()
                return self._read(item)
        except ChangedWhileReading:
            return Fingerprint(id=item.id, changed=True)
        except FileProblem as problem:
            return Fingerprint(id=item.id, failure=problem.reason())
        except MemoryError:
            # Beside others it is nobody's fault; a worker that ends here has each of them tried by itself.
            if not alone:
                raise
            return Fingerprint(id=item.id, failure=no_memory("reading it").reason())
        finally:
            self._busy(AT_REST, (item.id,))

    def _found(self, item: WorkItem, ahead: Future[_Bytes] | None) -> _Bytes | None:
        """What was read ahead, if that came out well and the file is unchanged; waits for a read under way."""
        if ahead is None or ahead.exception() is not None:
            return None
        require_unchanged(item.root, item.path, item.stamp)
        return ahead.result()

    def _read(self, item: WorkItem) -> _Bytes:
        started = time.perf_counter()
        data = read_stable(item.root, item.path, item.stamp, self._max_bytes)
        seconds = time.perf_counter() - started
        return _Bytes(self._pool.submit(named, data), seconds)

    def _hold(self, item: WorkItem, found: _Bytes) -> Fingerprint:
        content = found.content.result()
        self._held[item.id] = Held(item, content, {"read": found.seconds, "hash": content.seconds})
        return Fingerprint(id=item.id, sha256=content.sha256)

    def _forget(self) -> None:
        """Nothing is read ahead any more, and what was is let go."""
        self.look_ahead(())

    def _leave_behind(self) -> None:
        """Go on in a new thread: what the old one reads is not wanted any more, and may hang."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = _one_thread()


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="read-ahead")


def _file(item: WorkItem) -> _File:
    return item.root, item.path, item.stamp
