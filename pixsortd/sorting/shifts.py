"""One file of a move on its way: what is done first, what completes it, and how it is taken back, by its deed."""

import errno
import os
from collections.abc import Callable, Mapping
from enum import Enum

from pixsortd.records import FileStamp, Place
from pixsortd.sorting import making
from pixsortd.sorting.copying import SourceChanged, copy_new
from pixsortd.sorting.disk import Directories, alike, is_file_of, look, put_back, rename_new, sync, take_off
from pixsortd.sorting.journal import Deed, Step

_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS))


class Shift:
    """What all have in common. Every method raises ``OSError`` and ``SourceChanged``."""

    def __init__(self, step: Step, directories: Directories) -> None:
        self._step = step
        self._directories = directories
        self.out_of = self.into = -1
        """Descriptors of the directories of the source and the destination, once they are open."""

    def publish(self) -> None:
        """Give the file its new name beside the old one, where that can be done."""
        self.out_of = self._directories.of(self._step.source)
        if not is_file_of(look(self._directories, self._step.source), self._step.stamp):
            raise SourceChanged

    def release(self) -> None:
        """Take the old name away, if it is to go; the new one is durable."""

    def take_back(self) -> None:
        """Undo whatever was done for this file."""


class _Way(Enum):
    """How far a file's move has come, and by which way."""

    NOT_YET = "not yet"
    LINKED = "linked"
    """It has both names."""
    COPIED = "copied"
    RENAME = "rename"
    """There are no hard links here: it has its old name only, and will be renamed."""
    MOVED = "moved"


class _Moving(Shift):
    """A file that gets another place."""

    _way = _Way.NOT_YET

    def publish(self) -> None:
        super().publish()
        step, destination = self._step, _destination(self._step)
        self.into = self._directories.of(destination, make=True)
        source, fresh = (self.out_of, step.source.name), (self.into, destination.name)
        try:
            os.link(source[1], fresh[1], src_dir_fd=source[0], dst_dir_fd=fresh[0], follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.EXDEV:
                copy_new(source, fresh, step.stamp, step.sha256)
                self._way = _Way.COPIED
            elif error.errno in _NO_LINKS:
                self._way = _Way.RENAME
            else:
                raise
            return
        self._way = _Way.LINKED
        if not is_file_of(look(self._directories, destination), step.stamp):
            raise SourceChanged  # another file was put there between the look and the link

    def release(self) -> None:
        step, destination = self._step, _destination(self._step)
        if self._way is _Way.RENAME:
            self._rename(destination)
            return
        _remove(self._directories, step)
        self._way = _Way.MOVED

    def take_back(self) -> None:
        step, destination = self._step, _destination(self._step)
        if self._way in (_Way.LINKED, _Way.COPIED):
            put_back(self._directories, step.source)
            seen = look(self._directories, step.source)
            if seen is not None and seen.st_ino == step.stamp.inode:
                take_off(self._directories, destination, self._is_ours)
            else:  # the old name has vanished, or become another file's, under our hands
                bring_home(self._directories, step, destination)
        elif self._way is _Way.MOVED:
            bring_home(self._directories, step, destination)
        self._way = _Way.NOT_YET

    def _is_ours(self, there: os.stat_result) -> bool:
        stamp = self._step.stamp
        return there.st_ino == stamp.inode if self._way is _Way.LINKED else alike(there, stamp)

    def _rename(self, destination: Place) -> None:
        step = self._step
        if not is_file_of(look(self._directories, step.source), step.stamp):
            raise SourceChanged
        rename_new((self.out_of, step.source.name), (self.into, destination.name))
        self._way = _Way.MOVED
        if not alike(look(self._directories, destination), step.stamp):
            raise SourceChanged  # another file was put there between the look and the renaming


class _Deleting(Shift):
    """A file that goes for good."""

    _gone = False

    def release(self) -> None:
        _remove(self._directories, self._step)
        self._gone = True

    def take_back(self) -> None:
        put_back(self._directories, self._step.source)
        if self._gone:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


class _Making(Shift):
    """A file of which there will be a copy or a link; it stays itself."""

    _begun = False

    def publish(self) -> None:
        super().publish()
        destination = _destination(self._step)
        self.into = self._directories.of(destination, make=True)
        if look(self._directories, destination) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._begun = True
        making.make(self._directories, self._step)

    def take_back(self) -> None:
        if self._begun:
            making.unmake(self._directories, self._step)
            self._begun = False


class _Unmaking(Shift):
    """A copy or link that goes; its content stays at the destination."""

    _gone = False

    def publish(self) -> None:
        self.out_of = self._directories.of(self._step.source)
        if not (making.is_there(self._directories, self._step) and making.still_held(self._directories, self._step)):
            raise SourceChanged

    def release(self) -> None:
        if not making.is_there(self._directories, self._step):
            raise SourceChanged
        if take_off(self._directories, self._step.source, lambda there: making.was_made(self._step, there)) is not None:
            raise SourceChanged
        self._gone = True

    def take_back(self) -> None:
        put_back(self._directories, self._step.source)
        if self._gone:
            making.remake(self._directories, self._step)
            self._gone = False


_SHIFTS: Mapping[Deed, Callable[[Step, Directories], Shift]] = {
    Deed.MOVE: _Moving,
    Deed.DISPLACE: _Moving,
    Deed.DELETE: _Deleting,
    Deed.COPY: _Making,
    Deed.HARDLINK: _Making,
    Deed.REFLINK: _Making,
    Deed.SYMLINK: _Making,
}


def shift_of(step: Step, directories: Directories) -> Shift:
    """The way in which a step is done."""
    return (_Unmaking if step.back else _SHIFTS[step.deed])(step, directories)


def bring_home(directories: Directories, step: Step, destination: Place) -> None:
    """Move a file from its destination back to where it was. Raises ``OSError``, ``SourceChanged``."""
    home, away = directories.of(step.source, make=True), directories.of(destination)
    there, back = (away, destination.name), (home, step.source.name)
    try:
        rename_new(there, back)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        seen = os.stat(destination.name, dir_fd=away, follow_symlinks=False)
        copy_new(there, back, FileStamp.of(seen), step.sha256)
        sync(home)
        os.unlink(destination.name, dir_fd=away)
    sync(home)
    sync(away)


def _destination(step: Step) -> Place:
    assert step.destination is not None, "only what is deleted has none"
    return step.destination


def _remove(directories: Directories, step: Step) -> None:
    """Take the old name away, where it is still the file's."""
    seen = look(directories, step.source)
    if is_file_of(seen, step.stamp):
        seen = take_off(directories, step.source, lambda there: is_file_of(there, step.stamp))
    if seen is not None and seen.st_ino == step.stamp.inode:
        raise SourceChanged  # it is being written to
    # Otherwise the old name is gone, or another file's by now: ours is at its destination.
