"""The thin layer over the disk for moves: directories by descriptor, links never followed, nothing replaced."""

import ctypes
import errno
import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from pixsortd.records import TRASH, FileStamp, Place

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOREPLACE = 1
_UNSUPPORTED = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP))
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))


class Directories:
    """Descriptors of directories, each walked to once; all closed at the end of the block."""

    def __init__(self) -> None:
        self._open: dict[tuple[bytes, bytes], int] = {}

    def __enter__(self) -> "Directories":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def of(self, place: Place, *, make: bool = False) -> int:
        """The directory of ``place``; with ``make`` its missing parts below the base are made. Raises ``OSError``."""
        return self.at(place.base, place.directory, make=make)

    def at(self, base: bytes, directory: bytes, *, make: bool = False) -> int:
        """The directory at a path below ``base``."""
        known = self._open.get((base, directory))
        if known is not None:
            return known
        if not directory:
            descriptor = os.open(base, _DIRECTORY)
        else:
            above, _, name = directory.rpartition(b"/")
            # What lies above is held open too: restores and discards come in runs from few directories.
            descriptor = _enter(self.at(base, above, make=make), name, make=make)
        self._open[base, directory] = descriptor
        return descriptor

    def remove_empty(self, place: Place) -> None:
        """Remove the directory that is called ``place``. Raises ``OSError``, also where something is in it."""
        above = self.of(place)
        os.rmdir(place.name, dir_fd=above)
        known = self._open.pop((place.base, place.path), None)
        if known is not None:
            os.close(known)
        sync(above)

    def missing(self, place: Place) -> list[Place]:
        """The directories of ``place`` that are not there, the uppermost first. Raises ``OSError``."""
        missing: list[Place] = []
        directory = place.directory
        while directory:
            try:
                self.at(place.base, directory)
            except FileNotFoundError:
                missing.insert(0, Place(base=place.base, path=directory))
                directory = directory.rpartition(b"/")[0]
            else:
                break
        return missing

    def top_of_mount(self, place: Place) -> bytes:
        """The uppermost directory below the base that is on the same file system as the directory of ``place``."""
        directory = place.directory
        device = os.fstat(self.at(place.base, directory)).st_dev
        while directory:
            above = directory.rpartition(b"/")[0]
            if os.fstat(self.at(place.base, above)).st_dev != device:
                break
            directory = above
        return directory


def _enter(parent: int, name: bytes, *, make: bool) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, 0o700 if name == TRASH else 0o777, dir_fd=parent)
        sync(parent)
    return os.open(name, _DIRECTORY, dir_fd=parent)


def sync(descriptor: int) -> None:
    """Make the names in a directory survive a power cut, where its file system can."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def look(directories: Directories, place: Place) -> os.stat_result | None:
    """What is at a place itself; None when there is nothing. Raises ``OSError`` when that cannot be told."""
    try:
        return os.stat(place.name, dir_fd=directories.of(place), follow_symlinks=False)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


def alike(seen: os.stat_result | None, stamp: FileStamp) -> bool:
    """Whether a regular file of that size and time was seen, whatever its inode."""
    return (
        seen is not None
        and stat.S_ISREG(seen.st_mode)
        and (seen.st_size, seen.st_mtime_ns) == (stamp.size, stamp.mtime_ns)
    )


def is_file_of(seen: os.stat_result | None, stamp: FileStamp) -> bool:
    """Whether the very file of the stamp was seen, unchanged."""
    return alike(seen, stamp) and seen is not None and seen.st_ino == stamp.inode


def rename_new(source: tuple[int, bytes], destination: tuple[int, bytes]) -> None:
    """Rename, where nothing has the new name; (directory, name) each. Raises ``FileExistsError``, ``OSError``.

    Where the file system cannot promise that, the new name is first taken by an empty file of our own,
    which has the time of the file that is to replace it (see :func:`is_stub`).
    """
    try:
        _renameat2(source, destination)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    else:
        return
    into, name = destination
    seen = os.stat(source[1], dir_fd=source[0], follow_symlinks=False)
    stub = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=into)
    try:
        os.close(stub)
        os.utime(name, ns=(seen.st_atime_ns, seen.st_mtime_ns), dir_fd=into, follow_symlinks=False)
        os.rename(source[1], name, src_dir_fd=source[0], dst_dir_fd=into)
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=into)
        raise


def take_off(directories: Directories, place: Place, ours: Callable[[os.stat_result], bool]) -> os.stat_result | None:
    """Remove the file at a place if it is ``ours``; else what is there instead, untouched. Raises ``OSError``.

    It is looked at under a name that nobody else knows, so that no other file can have come in its place
    between the look and the removal.
    """
    descriptor = directories.of(place)
    named, aside = (descriptor, place.name), (descriptor, departing(place).name)
    try:
        rename_new(named, aside)
    except FileNotFoundError:
        return None
    try:
        seen = os.stat(aside[1], dir_fd=descriptor, follow_symlinks=False)
        if ours(seen):
            os.unlink(aside[1], dir_fd=descriptor)
            return None
    except OSError:
        with suppress(OSError):
            put_back(directories, place)
        raise
    rename_new(aside, named)
    return seen


def put_back(directories: Directories, place: Place) -> None:
    """Give a file its name again that was about to be removed when something failed. Raises ``OSError``."""
    with suppress(FileNotFoundError, NotADirectoryError):
        descriptor = directories.of(place)
        rename_new((descriptor, departing(place).name), (descriptor, place.name))


def departing(place: Place) -> Place:
    """What a file is called that is about to be removed; the watcher takes it for temporary."""
    return place.beside(b".pixsortd-" + hashlib.blake2b(place.name, digest_size=8).hexdigest().encode() + b".temp")


def is_empty(seen: os.stat_result) -> bool:
    """Whether a regular file without content was seen."""
    return stat.S_ISREG(seen.st_mode) and not seen.st_size


def is_stub(seen: os.stat_result | None, stamp: FileStamp, place: Place) -> bool:
    """Whether an empty file was seen that had taken a name for the file of ``stamp``."""
    if seen is None or not stamp.size or not is_empty(seen):
        return False
    return seen.st_mtime_ns == stamp.mtime_ns or place.in_trash


_libc = ctypes.CDLL(None, use_errno=True)


def _renameat2(source: tuple[int, bytes], destination: tuple[int, bytes]) -> None:
    call = getattr(_libc, "renameat2", None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(source[0], source[1], destination[0], destination[1], ctypes.c_uint(_NOREPLACE)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), os.fsdecode(destination[1]))
