"""One read per file: the bytes and their SHA-256, from exactly the file that was meant.

The path is walked from the root's descriptor without following any link, only regular files are
opened, and the file's stamp must be the expected one before the read and after it.
"""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pixsortd.errors import ChangedWhileReading, TooLarge, Unreadable, unreadable
from pixsortd.records import FileStamp

_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NO_ATIME = getattr(os, "O_NOATIME", 0)
_VANISHED = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.EHOSTDOWN}
)
"""The file or its whole volume is not there now: the watcher judges that, not the analysis."""

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file and their name."""

    data: bytes
    sha256: bytes
    seconds: float
    """What hashing took."""


def read_stable(root: bytes, path: bytes, stamp: FileStamp, max_bytes: int) -> bytes:
    """All bytes of ``path`` below ``root``, if it is the regular file of ``stamp`` throughout.

    Raises ``Unreadable`` (no permission, I/O error, link, not a regular file), ``TooLarge`` and
    ``ChangedWhileReading`` (also when it is no longer there).
    """
    with _problems(path), _opened(root, path) as descriptor:
        before = os.fstat(descriptor)
        _require_same(before, stamp, path)
        if before.st_size > max_bytes:
            raise TooLarge(
                f"{before.st_size / 1e6:.0f} MB are more than the {max_bytes / 1e6:.0f} MB that are allowed",
                path=path,
                next_step="Raise max_bytes in [decode] if this is a photo.",
            )
        data = _read(descriptor, before.st_size)
        _require_same(os.fstat(descriptor), stamp, path)
        if len(data) != before.st_size:
            raise ChangedWhileReading("it ended before its size was reached", path=path)
        return data


def require_unchanged(root: bytes, path: bytes, stamp: FileStamp) -> None:
    """Make sure that what was read before is what would be read now; raises as ``read_stable`` does."""
    with _problems(path), _opened(root, path) as descriptor:
        _require_same(os.fstat(descriptor), stamp, path)


def named(data: bytes) -> Content:
    """The bytes with their SHA-256; releases the interpreter lock while it hashes."""
    started = time.perf_counter()
    sha256 = hashlib.sha256(data).digest()
    return Content(data, sha256, time.perf_counter() - started)


@contextmanager
def _problems(path: bytes) -> Iterator[None]:
    """What the system refuses, as what is wrong with the file."""
    try:
        yield
    except OSError as error:
        if error.errno in _VANISHED:
            raise ChangedWhileReading("it is no longer there", path=path) from error
        raise unreadable(error, path) from error


@contextmanager
def _opened(root: bytes, path: bytes) -> Iterator[int]:
    *directories, name = path.split(b"/")
    if not name or any(part in (b"", b".", b"..") for part in (*directories, name)):
        raise Unreadable("its path does not stay below its root", path=path)
    above = os.open(root, _DIRECTORY)
    try:
        for directory in directories:
            below = os.open(directory, _DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
            os.close(above)
            above = below
        kind = stat.S_IFMT(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)
        # Looked at before it is opened: opening a device or the end of a FIFO may already act on it.
        if kind != stat.S_IFREG:
            raise Unreadable(
                f"it is {_KINDS.get(kind, 'not a regular file')}, not a regular file",
                path=path,
                next_step="Only regular files are analysed.",
            )
        descriptor = _open_file(name, above)
    finally:
        os.close(above)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ChangedWhileReading("it was replaced by something that is no file", path=path)
        yield descriptor
    finally:
        os.close(descriptor)


def _open_file(name: bytes, directory: int) -> int:
    if _NO_ATIME:
        try:
            return os.open(name, _FILE | _NO_ATIME, dir_fd=directory)
        except PermissionError:
            pass  # leaving the access time alone is the owner's privilege
    return os.open(name, _FILE, dir_fd=directory)


def _read(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    missing = size
    while missing and (part := os.read(descriptor, missing)):
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _require_same(seen: os.stat_result, stamp: FileStamp, path: bytes) -> None:
    # The device number is left out: it changes when the same volume is mounted again.
    same = (
        seen.st_size == stamp.size
        and seen.st_mtime_ns == stamp.mtime_ns
        and seen.st_ctime_ns == stamp.ctime_ns
        and seen.st_ino == stamp.inode
    )
    if not same:
        raise ChangedWhileReading("it is not the file that was settled", path=path)
