"""Contents that are here already: in the index, or uploaded so lately that no analysis has seen them."""

import hashlib
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from pixsortd.records import FileRow, FileState

_REMEMBERED = 50_000
_HOLDING = (FileState.INDEXED, FileState.PENDING)


class Locations(Protocol):
    """The part of the index that is asked."""

    def locations(self, sha256: bytes) -> Sequence[FileRow]: ...


class Twins:
    """Finds the file that already holds a content, and lets one upload of a content at a time decide."""

    def __init__(self, index: Locations) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._busy: dict[bytes, tuple[threading.Lock, int]] = {}
        self._recent: OrderedDict[bytes, tuple[bytes, int, int]] = OrderedDict()

    @contextmanager
    def alone(self, sha256: bytes) -> Iterator[None]:
        """Wait until no other upload of this content is between its question and its answer."""
        with self._lock:
            lock, users = self._busy.get(sha256, (threading.Lock(), 0))
            self._busy[sha256] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._busy.pop(sha256)
                if users > 1:
                    self._busy[sha256] = (lock, users - 1)

    def remember(self, sha256: bytes, path: bytes, seen: os.stat_result) -> None:
        """A file was just published at the absolute ``path``."""
        with self._lock:
            self._recent[sha256] = (path, seen.st_size, seen.st_mtime_ns)
            self._recent.move_to_end(sha256)
            if len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)

    def find(self, sha256: bytes, online: Mapping[str, bytes]) -> bytes | None:
        """Absolute path of a file with this content that is really there, under one of the ``online`` roots."""
        with self._lock:
            recent = self._recent.get(sha256)
        if recent is not None and _is_there(*recent):
            return recent[0]
        for row in self._index.locations(sha256):
            if row.root in online and row.state in _HOLDING and row.stamp is not None:
                path = os.path.join(online[row.root], row.path)
                if _is_there(path, row.stamp.size, row.stamp.mtime_ns):
                    return path
        return None


def holds(directory: int, name: bytes, sha256: bytes, size: int) -> bool:
    """Whether the file ``name`` in an open directory has exactly this content."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return False
    with open(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode) or seen.st_size != size:
            return False
        try:
            return hashlib.file_digest(file, "sha256").digest() == sha256
        except OSError:
            return False


def _is_there(path: bytes, size: int, mtime_ns: int) -> bool:
    try:
        seen = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(seen.st_mode) and (seen.st_size, seen.st_mtime_ns) == (size, mtime_ns)
