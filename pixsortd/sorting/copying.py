"""A verified copy to another file system: whole under its final name, or not there at all."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress

from pixsortd.records import FileStamp
from pixsortd.sorting.disk import is_file_of, rename_new

_CHUNK = 1 << 20
_MARGIN = 16 << 20
"""Bytes that stay free on the disk that is copied to."""
_FICLONE = 0x40049409

File = tuple[int, bytes]
"""A name in an open directory."""
Fill = Callable[[int, int, FileStamp], bytes | None]
"""Gives an empty file, open as the second, the content of the first; the SHA-256 of what it wrote, if it did."""


class SourceChanged(Exception):
    """The file is not the one that was to be moved, or it is being written to."""


def unfinished(name: bytes) -> bytes:
    """The name under which a copy is written that is to become ``name``; the watcher takes it for temporary."""
    return b".pixsortd-" + hashlib.blake2b(name, digest_size=8).hexdigest().encode() + b".part"


def copy_new(source: File, destination: File, stamp: FileStamp, sha256: bytes | None) -> None:
    """Copy the file of ``stamp`` with times, mode and extended attributes to a new name.

    What was written is read again from the disk and compared, with ``sha256`` too where it is known,
    before the new name appears; the name is durable when its directory has been synced.
    Raises ``SourceChanged``, ``FileExistsError``, ``OSError``; nothing is left behind then.
    """
    _new(source, destination, stamp, sha256, _copied)


def clone_new(source: File, destination: File, stamp: FileStamp, sha256: bytes | None) -> None:
    """The same as :func:`copy_new`, but the file system lets both share the bytes on the disk.

    Raises what that does, ``OSError`` also where the file system cannot.
    """
    _new(source, destination, stamp, sha256, _cloned)


def _new(source: File, destination: File, stamp: FileStamp, sha256: bytes | None, fill: Fill) -> None:
    into, name = destination
    fresh = unfinished(name)
    with suppress(FileNotFoundError):
        os.unlink(fresh, dir_fd=into)  # a crash has left it
    reading = os.open(source[1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source[0])
    try:
        before = os.fstat(reading)
        if not is_file_of(before, stamp):
            raise SourceChanged
        writing = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=into)
        try:
            try:
                content = fill(reading, writing, stamp)
                _dress(reading, writing, before)
                os.fsync(writing)
                if content is not None:
                    _verify(writing, content, sha256)
            finally:
                os.close(writing)
            after = os.stat(source[1], dir_fd=source[0], follow_symlinks=False)
            if (after.st_ctime_ns, after.st_ino, after.st_size) != (before.st_ctime_ns, before.st_ino, before.st_size):
                raise SourceChanged
            rename_new((into, fresh), destination)
        except BaseException:
            with suppress(OSError):
                os.unlink(fresh, dir_fd=into)
            raise
    finally:
        os.close(reading)


def _copied(reading: int, writing: int, stamp: FileStamp) -> bytes:
    room = os.fstatvfs(writing)
    if room.f_bavail * room.f_frsize < stamp.size + _MARGIN:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return _pour(reading, writing)


def _cloned(reading: int, writing: int, _stamp: FileStamp) -> None:
    fcntl.ioctl(writing, _FICLONE, reading)


def _verify(writing: int, content: bytes, sha256: bytes | None) -> None:
    """Raise ``OSError`` unless the disk holds what was read, and that is what it should be."""
    os.posix_fadvise(writing, 0, 0, os.POSIX_FADV_DONTNEED)  # so that the disk is asked, not the memory
    if _digest(writing) != content or (sha256 is not None and sha256 != content):
        raise OSError(errno.EIO, "the copy is not what was read")


def same_content(one: File, other: File) -> bool:
    """Whether two files hold the same bytes. Raises ``OSError``."""
    return _content(one) == _content(other)


def _content(file: File) -> bytes:
    handle = os.open(file[1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=file[0])
    try:
        return _digest(handle)
    finally:
        os.close(handle)


def _pour(reading: int, writing: int) -> bytes:
    digest = hashlib.sha256()
    while data := os.read(reading, _CHUNK):
        digest.update(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(writing, rest) :]
    return digest.digest()


def _digest(handle: int) -> bytes:
    digest = hashlib.sha256()
    os.lseek(handle, 0, os.SEEK_SET)
    while data := os.read(handle, _CHUNK):
        digest.update(data)
    return digest.digest()


def _dress(reading: int, writing: int, seen: os.stat_result) -> None:
    """Give the copy the attributes, owner, mode and times of its original, as far as its file system knows them."""
    with suppress(OSError):
        for attribute in os.listxattr(reading):
            with suppress(OSError):
                os.setxattr(writing, attribute, os.getxattr(reading, attribute))
    with suppress(OSError):
        os.fchown(writing, seen.st_uid, seen.st_gid)
    with suppress(OSError):
        os.fchmod(writing, seen.st_mode & 0o7777)
    os.utime(writing, ns=(seen.st_atime_ns, seen.st_mtime_ns))
