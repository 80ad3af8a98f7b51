"""One look at one directory: what is there against what is known. Events and scans share it."""

import errno
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter

from pixsortd.errors import explain_os_error
from pixsortd.records import Back, Change, Excluded, FileRow, FileStamp, FileState, Gone, Reason, Refused
from pixsortd.watch.catalog import Seen
from pixsortd.watch.rules import Rules
from pixsortd.watch.settle import same_content
from pixsortd.watch.tree import Entry, Tree

_ENCODING = sys.getfilesystemencoding()
_stamped = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
_KINDS = {stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


_LET_IN = Reason(code="let-in", message="no rule keeps the directory out any more")


class Finding(Enum):
    """What a file on disk means for its row."""

    SAME = "same"
    UNSETTLED = "unsettled"
    """Known and still waiting to settle."""
    CHANGED = "changed"
    """New bytes, or bytes that cannot be shown to be the old ones."""
    RETURNED = "returned"
    """An away file that is as it was."""
    RENUMBERED = "renumbered"
    """The same content under a new stamp, as after a remount."""


@dataclass
class Look:
    """What a look has found, in paths relative to the root."""

    changes: list[Change] = field(default_factory=list)
    fresh: list[tuple[bytes, FileStamp, FileRow | None]] = field(default_factory=list)
    """New or changed files, with the row that the path has so far."""
    unsettled: list[tuple[bytes, FileStamp]] = field(default_factory=list)
    absent: list[bytes] = field(default_factory=list)
    """Known paths at which there is no file now."""
    directories: list[bytes] = field(default_factory=list)
    """Subdirectories that are let in."""
    files: int = 0
    skipped: dict[str, int] = field(default_factory=dict)


def compare(row: FileRow, seen: FileStamp, *, renewed: bool) -> Finding:
    """What the stamp ``seen`` at a known path means; ``renewed`` after its volume was mounted anew."""
    known = row.stamp
    if known is None or row.state is FileState.EXCLUDED:
        return Finding.CHANGED
    same = same_content(known, seen)
    # A file keeps size and mtime through a remount; its inode or ctime tells it from a lookalike otherwise.
    believed = same or (
        (known.size, known.mtime_ns) == (seen.size, seen.mtime_ns)
        and (renewed or known.device != seen.device or known.ctime_ns == seen.ctime_ns)
    )
    if row.state is FileState.AWAY:
        unread = row.before is None or (row.before is FileState.PENDING and not row.settled)
        alike = (known.size, known.mtime_ns, known.inode) == (seen.size, seen.mtime_ns, seen.inode)
        return Finding.RETURNED if (believed or alike) and not unread else Finding.CHANGED
    if row.state is FileState.PENDING and not row.settled:
        return Finding.UNSETTLED if believed else Finding.CHANGED
    if same:
        return Finding.SAME
    return Finding.RENUMBERED if believed else Finding.CHANGED


def sight(listing: Iterable[Entry], rules: Rules, directory: bytes) -> tuple[Seen, list[Entry]]:
    """The stamps of the photos among the entries of ``directory``, and all its other entries."""
    photos: dict[bytes, tuple[int, int, int, int]] = {}
    others: list[Entry] = []
    plain = rules.plain
    for entry in listing:
        name = entry.name.encode(_ENCODING, "surrogateescape")  # os.fsencode, without its overhead
        try:
            if entry.is_file(follow_symlinks=False) and (
                (name[name.rfind(b".") :] in plain and name[0] not in b".~") or rules.file(directory, name) is None
            ):
                photos[name] = _stamped(entry.stat(follow_symlinks=False))
                continue
        except OSError:  # met once more, and judged then
            pass
        others.append(entry)
    return photos, others


def look(
    tree: Tree,
    listing: Iterable[Entry],
    rows: dict[bytes, FileRow],
    rules: Rules,
    directory: bytes,
    *,
    renewed: bool,
) -> Look:
    """Compare the entries of ``directory`` with its ``rows``; rows without an entry are reported absent."""
    found = Look()
    prefix = directory + b"/" if directory else b""
    for entry in listing:
        name = entry.name.encode(_ENCODING, "surrogateescape")
        row = rows.pop(name, None)
        try:
            if entry.is_file(follow_symlinks=False):
                found.files += 1
                reason = rules.file(directory, name)
                if reason is not None:
                    _excluded(found, prefix + name, entry, row, reason)
                    continue
                seen = entry.stat(follow_symlinks=False)
                # Adding or removing a hard link changes the ctime of all the others.
                _file(found, prefix + name, FileStamp.of(seen), row, renewed=renewed or seen.st_nlink > 1)
            elif entry.is_dir(follow_symlinks=False):
                _directory(found, tree, prefix + name, row, rules)
            else:
                kind = "symlink" if entry.is_symlink() else _KINDS.get(stat.S_IFMT(_mode(entry)), "device")
                found.skipped[kind] = found.skipped.get(kind, 0) + 1
                if row is not None:
                    found.absent.append(prefix + name)
        except OSError as error:
            if error.errno == errno.ENOENT:
                if row is not None:
                    rows[name] = row
            else:
                _unreadable(found, prefix + name, row, error)
    found.absent += [prefix + name for name in rows]
    return found


def _file(found: Look, path: bytes, seen: FileStamp, row: FileRow | None, *, renewed: bool) -> None:
    finding = Finding.CHANGED if row is None else compare(row, seen, renewed=renewed)
    if finding is Finding.CHANGED:
        found.fresh.append((path, seen, row))
    elif finding is Finding.UNSETTLED:
        found.unsettled.append((path, seen))
    elif finding is not Finding.SAME:
        found.changes.append(Back(path=path, stamp=seen))


def _excluded(found: Look, path: bytes, entry: Entry, row: FileRow | None, reason: Reason) -> None:
    if row is None or row.state is not FileState.EXCLUDED or row.stamp is None or row.reason != reason:
        found.changes.append(Excluded(path=path, reason=reason, stamp=FileStamp.of(entry.stat(follow_symlinks=False))))


def _directory(found: Look, tree: Tree, path: bytes, row: FileRow | None, rules: Rules) -> None:
    reason = None
    if not rules.never(path):
        reason = rules.directory(path)
        if reason is None:
            found.directories.append(path)
    if reason is not None:
        files = tree.count(path, rules.never)
        if row is None or row.stamp is not None or row.files != files or row.reason != reason:
            found.changes.append(Excluded(path=path, reason=reason, files=files))
    elif row is not None and row.stamp is None:
        found.changes.append(Gone(path=path, reason=_LET_IN))
    elif row is not None:
        found.absent.append(path)


def _mode(entry: Entry) -> int:
    return entry.stat(follow_symlinks=False).st_mode


def _unreadable(found: Look, path: bytes, row: FileRow | None, error: OSError) -> None:
    """A file that cannot even be looked at: a known one is left as it is, a new one is refused."""
    what, advice = explain_os_error(error)
    if row is None:
        found.changes.append(Refused(path=path, reason=Reason(code="unreadable", message=what, next_step=advice)))
