"""A disk whose k-th call fails or is the last one: every call that Python makes to the file system goes through it."""

import errno
import fcntl
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pixsortd.sorting import disk

_CALLS = (
    *("open", "read", "write", "pwrite", "lseek", "ftruncate", "fsync", "posix_fadvise", "sendfile", "copy_file_range"),
    *("stat", "lstat", "fstat", "fstatvfs", "fpathconf", "scandir", "listdir", "readlink", "listxattr", "getxattr"),
    *("link", "symlink", "unlink", "rename", "replace", "mkdir", "rmdir"),
    *("utime", "chmod", "fchmod", "fchown", "setxattr"),
)

FICLONE = 0x40049409


class Stopped(BaseException):
    """The process ended here: nothing that it does afterwards has an effect."""


Fault = Callable[[int, str], None]
"""Is told the number and the name of each call before it is made, and raises what it ends with."""
Way = Callable[[str], int | None]
"""The error that a call always gives on some kind of file system, if any."""
WAYS: dict[str, Way] = {
    "link": lambda name: None,
    "rename": {"link": errno.EPERM}.get,
    "bare": {"link": errno.EPERM, "renameat2": errno.EINVAL}.get,
    "copy": {"link": errno.EXDEV}.get,
}
"""Kinds of file systems: whole ones, without hard links, without RENAME_NOREPLACE too, and another device."""


Made = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""Makes a call of that name, the function itself with its arguments."""


def plainly(_name: str, real: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Just make it."""
    return real(*args, **named)


class Shim:
    """Counts calls, and lets a fault have each of them first."""

    def __init__(self, fault: Fault, way: Way, made: Made) -> None:
        self._fault = fault
        self._way = way
        self._made = made
        self._within = False
        self.calls = 0
        self.names: list[str] = []

    def around(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The same call, counted."""

        def call(*args: Any, **named: Any) -> Any:
            if self._within:
                return real(*args, **named)
            self.calls += 1
            self.names.append(name)
            self._within = True
            try:
                self._fault(self.calls, name)
                code = self._way(name)
                if code is not None:
                    raise OSError(code, os.strerror(code))
                return self._made(name, real, args, named)
            finally:
                self._within = False

        return call


@contextmanager
def disk_that(fault: Fault, way: Way = WAYS["link"], made: Made = plainly) -> Iterator[Shim]:
    """Let everything in this process see such a disk."""
    shim = Shim(fault, way, made)
    changed: list[tuple[Any, str, Any]] = [(os, name, getattr(os, name)) for name in _CALLS]
    changed += [(io, "open", io.open), (disk, "_renameat2", disk._renameat2)]
    for module, name, real in changed:
        setattr(module, name, shim.around(real, name.lstrip("_")))
    changed.append((fcntl, "ioctl", fcntl.ioctl))
    fcntl.ioctl = shim.around(_cloning, "ioctl")  # type: ignore[assignment]
    try:
        yield shim
    finally:
        for module, name, real in changed:
            setattr(module, name, real)


_ioctl, _pread, _pwrite = fcntl.ioctl, os.pread, os.pwrite


def _cloning(handle: int, request: int, *given: Any) -> Any:
    """``ioctl``, with FICLONE as on a file system that has it, where this one has not."""
    try:
        return _ioctl(handle, request, *given)
    except OSError:
        if request != FICLONE:
            raise
    source, offset = given[0], 0
    while data := _pread(source, 1 << 20, offset):
        offset += _pwrite(handle, data, offset)
    return 0


def never(_count: int, _name: str) -> None:
    """No fault."""


def once(k: int, code: int) -> Fault:
    """The k-th call fails."""

    def fault(count: int, _name: str) -> None:
        if count == k:
            raise OSError(code, os.strerror(code))

    return fault


def from_then_on(k: int, code: int) -> Fault:
    """The disk is broken from the k-th call on."""

    def fault(count: int, _name: str) -> None:
        if count >= k:
            raise OSError(code, os.strerror(code))

    return fault


def stop(k: int) -> Fault:
    """The process ends at the k-th call."""

    def fault(count: int, _name: str) -> None:
        if count >= k:
            raise Stopped

    return fault


FAULTS: dict[str, Callable[[int], Fault]] = {
    "EIO": lambda k: once(k, errno.EIO),
    "ENOSPC": lambda k: once(k, errno.ENOSPC),
    "EACCES": lambda k: once(k, errno.EACCES),
    "EXDEV": lambda k: once(k, errno.EXDEV),
    "dead": lambda k: from_then_on(k, errno.EIO),
    "stop": stop,
}
"""What may happen at the k-th call."""
