"""What sorting can make of a file beside moving it: copies and links, each of them whole or not there at all."""

import errno
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress

from msgspec import structs

from pixsortd.records import FileStamp, Place
from pixsortd.sorting.copying import File, SourceChanged, clone_new, copy_new, same_content, unfinished
from pixsortd.sorting.disk import Directories, alike, is_file_of, look, put_back, sync, take_off
from pixsortd.sorting.journal import Deed, Step

_NO_CLONES = frozenset(
    (errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOTTY, errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.EPERM)
)

Make = Callable[[File, File, Step], None]
"""Makes a new file of the first at the second. Raises ``OSError``, ``SourceChanged``; nothing is there then."""


def make(directories: Directories, step: Step) -> None:
    """Make the copy or link of a step, where nothing has its name. Raises ``OSError``, ``SourceChanged``."""
    assert step.destination is not None, "nothing is made by deleting"
    source = (directories.of(step.source), step.source.name)
    destination = (directories.of(step.destination, make=True), step.destination.name)
    _MAKERS[step.deed](source, destination, step)


def made(directories: Directories, step: Step) -> os.stat_result | None:
    """The copy or link of a step, if it is at its destination. Raises ``OSError`` when that cannot be told."""
    assert step.destination is not None, "nothing is made by deleting"
    new = look(directories, step.destination)
    if new is None:
        return None
    old = look(directories, step.source)
    return new if _LIKENESSES[step.deed](directories, step, old, new) else None


def unmake(directories: Directories, step: Step) -> None:
    """Remove what a step may have made, and what it has begun to make. Raises ``OSError``."""
    assert step.destination is not None, "nothing is made by deleting"
    with suppress(FileNotFoundError, NotADirectoryError):
        into = directories.of(step.destination)
        with suppress(FileNotFoundError):
            os.unlink(unfinished(step.destination.name), dir_fd=into)
        put_back(directories, step.destination)
        ours = made(directories, step)
        # Without its source what was made may be the last of its content.
        if ours is not None and (step.deed is Deed.SYMLINK or look(directories, step.source) is not None):
            take_off(directories, step.destination, lambda there: os.path.samestat(there, ours))
            sync(into)


def is_there(directories: Directories, step: Step) -> bool:
    """Whether the copy or link that a step with ``back`` is to remove is there, as it was. Raises ``OSError``."""
    seen = look(directories, step.source)
    if seen is None or step.destination is None:
        return False
    if step.action is Deed.SYMLINK:
        return _leads(directories, step.source, seen) == step.destination.absolute
    return alike(seen, step.stamp)


def was_made(step: Step, seen: os.stat_result) -> bool:
    """Whether a file may be the one that a step with ``back`` is to remove."""
    return stat.S_ISLNK(seen.st_mode) if step.action is Deed.SYMLINK else alike(seen, step.stamp)


def still_held(directories: Directories, step: Step) -> bool:
    """Whether the content of what a step with ``back`` removes stays at its destination. Raises ``OSError``."""
    assert step.destination is not None, "it says where the content stays"
    if step.action is Deed.SYMLINK:
        return True
    made, kept = look(directories, step.source), look(directories, step.destination)
    return made is not None and kept is not None and _same(directories, step, made, kept)


def remake(directories: Directories, step: Step) -> None:
    """Make again what a step with ``back`` has removed. Raises ``OSError``, ``SourceChanged``."""
    assert step.destination is not None, "it says where the content stays"
    stamp = step.stamp
    if step.action is not Deed.SYMLINK:
        seen = look(directories, step.destination)
        if seen is None:
            raise SourceChanged
        stamp = FileStamp.of(seen)
    again = Step(source=step.destination, destination=step.source, action=step.action, stamp=stamp)
    try:
        make(directories, again)
    except OSError as error:
        if step.action is not Deed.REFLINK or error.errno not in _NO_CLONES:
            raise
        # The files may have come to a disk that cannot share bytes: a plain copy is what was there, too.
        make(directories, structs.replace(again, action=Deed.COPY))
    into = directories.of(step.source)
    if step.action in (Deed.COPY, Deed.REFLINK):
        os.utime(step.source.name, ns=(step.stamp.mtime_ns,) * 2, dir_fd=into, follow_symlinks=False)
    sync(into)


def _copy(source: File, destination: File, step: Step) -> None:
    copy_new(source, destination, step.stamp, step.sha256)


def _clone(source: File, destination: File, step: Step) -> None:
    clone_new(source, destination, step.stamp, step.sha256)


def _link(source: File, destination: File, step: Step) -> None:
    os.link(source[1], destination[1], src_dir_fd=source[0], dst_dir_fd=destination[0], follow_symlinks=False)
    if not is_file_of(os.stat(destination[1], dir_fd=destination[0], follow_symlinks=False), step.stamp):
        os.unlink(destination[1], dir_fd=destination[0])
        raise SourceChanged  # another file was put there between the look and the link


def _symlink(_source: File, destination: File, step: Step) -> None:
    os.symlink(step.source.absolute, destination[1], dir_fd=destination[0])


_MAKERS: Mapping[Deed, Make] = {
    Deed.COPY: _copy,
    Deed.REFLINK: _clone,
    Deed.HARDLINK: _link,
    Deed.SYMLINK: _symlink,
}

_Likeness = Callable[[Directories, Step, os.stat_result | None, os.stat_result], bool]


def _is_copy(directories: Directories, step: Step, old: os.stat_result | None, new: os.stat_result) -> bool:
    return alike(new, step.stamp) and (old is None or _same(directories, step, old, new))


def _is_link(_directories: Directories, step: Step, old: os.stat_result | None, new: os.stat_result) -> bool:
    return alike(new, step.stamp) and (old is None or (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino))


def _is_symlink(directories: Directories, step: Step, _old: os.stat_result | None, new: os.stat_result) -> bool:
    return step.destination is not None and _leads(directories, step.destination, new) == step.source.absolute


_LIKENESSES: Mapping[Deed, _Likeness] = {
    Deed.COPY: _is_copy,
    Deed.REFLINK: _is_copy,
    Deed.HARDLINK: _is_link,
    Deed.SYMLINK: _is_symlink,
}


def _leads(directories: Directories, place: Place, seen: os.stat_result) -> bytes | None:
    """Where the symbolic link at a place leads; None for anything else. Raises ``OSError``."""
    if not stat.S_ISLNK(seen.st_mode):
        return None
    return os.readlink(place.name, dir_fd=directories.of(place))


def _same(directories: Directories, step: Step, one: os.stat_result, other: os.stat_result) -> bool:
    """Whether what was seen at both ends of a step holds the same bytes, or is one file. Raises ``OSError``."""
    assert step.destination is not None, "it has two ends"
    if not (stat.S_ISREG(one.st_mode) and stat.S_ISREG(other.st_mode)) or one.st_size != other.st_size:
        return False
    if (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino):
        return True
    ends = ((directories.of(place), place.name) for place in (step.source, step.destination))
    return same_content(*ends)
