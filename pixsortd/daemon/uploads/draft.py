"""A file while it is written: without a name on the inbox's file system, published whole or not at all.

Where the file system can, it is an inode that no directory holds (O_TMPFILE): after a crash there is
nothing to clear away. Elsewhere it is a file in `STAGING`, a directory of the root that is never
looked at, and what a crash leaves there is removed by `clear`.
"""

import ctypes
import errno
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress

STAGING = b".pixsortd-upload"
"""Below an inbox, and never looked into; made only where unnamed files do not work."""

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CLOEXEC
_END = b".part"
_NO_UNNAMED = frozenset((errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOSYS))
_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK))
_NOREPLACE = 1
_PROC = "/proc/self/fd"

_lock = threading.Lock()
_open: set[bytes] = set()
"""Names in use in any staging directory."""


class Draft:
    """An open file that has no name yet. `close` it in any case; unpublished bytes are then gone."""

    def __init__(self, descriptor: int, publish: Callable[[int, bytes], None], drop: Callable[[], None]) -> None:
        self.descriptor = descriptor
        self._publish = publish
        self._drop = drop

    def publish(self, directory: int, name: bytes) -> None:
        """Give the synced file its name in an open directory. Raises ``FileExistsError`` and never replaces."""
        self._publish(directory, name)

    def close(self) -> None:
        """Give back what is held; may be called twice."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
            self._drop()


def draft(root: int, near: int) -> Draft:
    """A new draft; ``near`` is an open directory on the file system of its later place, ``root`` the inbox.

    Raises ``OSError``.
    """
    if os.path.isdir(_PROC):
        try:
            descriptor = os.open(b".", _WRITE | os.O_TMPFILE, 0o666, dir_fd=near)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
        else:
            source = f"{_PROC}/{descriptor}"
            return Draft(descriptor, lambda at, name: os.link(source, name, dst_dir_fd=at), lambda: None)
    return _staged(root)


def _staged(root: int) -> Draft:
    with suppress(FileExistsError):
        os.mkdir(STAGING, 0o700, dir_fd=root)
    staging = os.open(STAGING, DIRECTORY, dir_fd=root)
    name = secrets.token_hex(16).encode() + _END
    with _lock:
        _open.add(name)
    try:
        descriptor = os.open(name, _WRITE | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=staging)
    except OSError:
        _leave(staging, name)
        raise
    return Draft(descriptor, lambda at, final: _rename(staging, name, at, final), lambda: _leave(staging, name))


def _rename(staging: int, name: bytes, directory: int, final: bytes) -> None:
    try:
        os.link(name, final, src_dir_fd=staging, dst_dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_noreplace(staging, name, directory, final)


def _rename_noreplace(staging: int, name: bytes, directory: int, final: bytes) -> None:
    """For file systems without hard links (FAT, exFAT, some shares)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(staging, name, directory, final, _NOREPLACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), final)


def _leave(staging: int, name: bytes) -> None:
    with suppress(OSError):
        os.unlink(name, dir_fd=staging)
    with _lock:
        _open.discard(name)
    os.close(staging)


def clear(root: int) -> int:
    """Remove what a crash left in the staging directory below an open inbox, and it; files removed."""
    try:
        staging = os.open(STAGING, DIRECTORY, dir_fd=root)
    except OSError:
        return 0
    removed = 0
    try:
        with os.scandir(staging) as listing:
            names = [os.fsencode(entry.name) for entry in listing if entry.is_file(follow_symlinks=False)]
        for name in names:
            with _lock:
                stale = name.endswith(_END) and name not in _open
            if stale:
                with suppress(OSError):
                    os.unlink(name, dir_fd=staging)
                    removed += 1
        with suppress(OSError):  # drafts are still in it
            os.rmdir(STAGING, dir_fd=root)
    finally:
        os.close(staging)
    return removed
