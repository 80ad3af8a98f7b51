"""The thin layer over the disk: directories are opened component by component, links never followed.

A :class:`Tree` lives only for a moment, so that a root can be unmounted between two looks, and it
refuses to exist when the root is no longer the directory that was judged.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from pixsortd.records import FileStamp

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))


class RootChanged(Exception):
    """The root's path leads to another directory than the one that was judged."""


class Entry(Protocol):
    """One name in a directory, as ``os.DirEntry`` gives it."""

    @property
    def name(self) -> str: ...
    def is_file(self, *, follow_symlinks: bool = ...) -> bool: ...
    def is_dir(self, *, follow_symlinks: bool = ...) -> bool: ...
    def is_symlink(self) -> bool: ...
    def stat(self, *, follow_symlinks: bool = ...) -> os.stat_result: ...


class _Looked:
    """An entry that has been looked at by name instead of listed."""

    def __init__(self, name: str, seen: os.stat_result) -> None:
        self.name = name
        self._seen = seen

    def is_file(self, *, follow_symlinks: bool = False) -> bool:  # noqa: ARG002 - the shape of os.DirEntry
        return stat.S_ISREG(self._seen.st_mode)

    def is_dir(self, *, follow_symlinks: bool = False) -> bool:  # noqa: ARG002
        return stat.S_ISDIR(self._seen.st_mode)

    def is_symlink(self) -> bool:
        return stat.S_ISLNK(self._seen.st_mode)

    def stat(self, *, follow_symlinks: bool = False) -> os.stat_result:  # noqa: ARG002
        return self._seen


class Tree:
    """Looks at the files below one root directory, held open for the time of a few looks."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._parent = b""
        self._parent_fd = -1

    @classmethod
    @contextmanager
    def at(cls, path: bytes, expected: tuple[int, int] | None = None) -> Iterator["Tree"]:
        """Open the root at the absolute ``path``.

        Raises :class:`RootChanged` when it is gone or its (device, inode) are not the ``expected``
        ones, ``OSError`` when it cannot be opened for another reason.
        """
        try:
            root = os.open(path, _DIRECTORY)
        except OSError as error:
            if error.errno in _ABSENT:
                raise RootChanged(os.fsdecode(path)) from error
            raise
        tree = cls(root)
        try:
            seen = os.fstat(root)
            if expected is not None and (seen.st_dev, seen.st_ino) != expected:
                raise RootChanged(os.fsdecode(path))
            yield tree
        finally:
            tree._drop_parent()
            os.close(root)

    @contextmanager
    def directory(self, path: bytes) -> Iterator[int]:
        """A descriptor of the directory ``path``; ``OSError`` when there is none, or it is closed to us."""
        descriptor = self._open(path)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def entries(self, descriptor: int) -> Iterator[Entry]:
        """What is in an open directory. The entries may be used while it stays open."""
        with os.scandir(descriptor) as listing:
            yield from listing

    def named(self, directory: bytes, names: Iterable[bytes]) -> list[Entry]:
        """Those of ``names`` that are in ``directory``, without listing it."""
        found: list[Entry] = []
        for name in sorted(names):
            seen = self.lstat(directory + b"/" + name if directory else name)
            if seen is not None:
                found.append(_Looked(os.fsdecode(name), seen))
        return found

    def lstat(self, path: bytes) -> os.stat_result | None:
        """What is at ``path`` itself; None when there is nothing. Other errors are raised."""
        parent, _, name = path.rpartition(b"/")
        try:
            if parent != self._parent or self._parent_fd < 0:
                self._drop_parent()
                self._parent_fd, self._parent = self._open(parent), parent
            return os.stat(name or b".", dir_fd=self._parent_fd, follow_symlinks=False)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise

    def stamp(self, path: bytes) -> FileStamp | None:
        """The stamp of the regular file at ``path``; None when there is none."""
        seen = self.lstat(path)
        return FileStamp.of(seen) if seen is not None and stat.S_ISREG(seen.st_mode) else None

    def count(self, directory: bytes, never: Callable[[bytes], bool]) -> int:
        """How many regular files lie below ``directory``, by their names alone."""
        total, stack = 0, [directory]
        while stack:
            path = stack.pop()
            try:
                with self.directory(path) as descriptor, os.scandir(descriptor) as listing:
                    for entry in listing:
                        if entry.is_file(follow_symlinks=False):
                            total += 1
                        elif entry.is_dir(follow_symlinks=False):
                            child = path + b"/" + os.fsencode(entry.name)
                            if not never(child):
                                stack.append(child)
            except OSError:
                continue  # an excluded directory need not be readable
        return total

    def _open(self, path: bytes) -> int:
        """Walk to ``path`` one component at a time, so that a link in the middle cannot lead elsewhere."""
        current = os.open(b".", _DIRECTORY, dir_fd=self._root)
        try:
            for part in path.split(b"/") if path else ():
                following = os.open(part, _DIRECTORY, dir_fd=current)
                os.close(current)
                current = following
        except BaseException:
            os.close(current)
            raise
        return current

    def _drop_parent(self) -> None:
        if self._parent_fd >= 0:
            os.close(self._parent_fd)
            self._parent_fd = -1


def is_absence(error: OSError) -> bool:
    """Whether an error says that there is nothing, rather than that we could not look."""
    return error.errno in _ABSENT
