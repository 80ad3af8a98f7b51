"""One file's row: how it is stored, what follows from it, and how each change turns it into the next.

Everything here is a pure function of values. A row's sha256 is its *present* content: a file that
changed in place gives up its photo at once, before the new bytes are read, so that no view shows an
old picture under a path that no longer holds it. The old analysis stays and costs nothing if the
bytes turn out to be the same.
"""

import hashlib
from collections.abc import Iterator

import msgspec

from pixsortd.errors import InvalidRequest
from pixsortd.index.codec import order_of
from pixsortd.index.schema import Table
from pixsortd.records import FileRow, FileStamp, FileState, Reason

DIR, ROOT = 22, 6
"""Lengths of a directory's and a root's key."""
_LONGEST = 400
_STATE_BYTE = {FileState.PENDING: b"p", FileState.FAILED: b"f", FileState.AWAY: b"a"}
SETTLING = Reason(code="settling", message="The file may still be growing; it is looked at again.")

Stamp = tuple[int, int, int, int, int]
"""size, mtime_ns, ctime_ns, inode, device."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stored row; the path is in its key. New fields go at the end, with a default."""

    state: FileState
    stamp: Stamp | None
    first_seen: float
    since: float
    sha256: bytes | None = None
    reason: Reason | None = None
    attempts: int = 0
    files: int = 1
    settled: bool = False
    before: FileState | None = None
    kept: Reason | None = None
    """For an away row: the reason its former state had."""
    name: bytes | None = None
    """The name, where it is too long to stand in the key."""
    backlog: bool = False
    """Whether it was there before its library was first looked at, and is yet to be analysed."""


decode = msgspec.msgpack.Decoder(Row).decode


def root_key(root: str) -> bytes:
    """6 bytes of a root's id; raises ``InvalidRequest`` for anything that is no root id."""
    try:
        key = bytes.fromhex(root)
    except ValueError:
        key = b""
    if len(key) != ROOT:
        raise InvalidRequest(f"{root!r} is not the id of a root")
    return key


def dir_key(root: bytes, directory: bytes) -> bytes:
    """Key of a directory, given its root's key and its path below the root."""
    return root + hashlib.blake2b(directory, digest_size=DIR - ROOT).digest()


def name_key(name: bytes) -> bytes:
    """A name as it stands in keys: itself, or for one beyond any usual file system a hash behind its start."""
    if len(name) <= _LONGEST:
        return name
    return name[: _LONGEST - 17] + b"\0" + hashlib.blake2b(name, digest_size=16).digest()


def name_of(key: bytes) -> bytes | None:
    """The name in a file's key, None where only its row has it: no name holds the byte before the hash."""
    name = key[DIR:]
    return None if b"\0" in name else name


def split(path: bytes) -> tuple[bytes, bytes]:
    """(directory, name) of a path."""
    directory, _, name = path.rpartition(b"/")
    return directory, name


def file_key(root: bytes, path: bytes) -> bytes:
    """Key of a file, given its root's key and its path below the root."""
    directory, name = split(path)
    return dir_key(root, directory) + name_key(name)


def pack_stamp(stamp: FileStamp | None) -> Stamp | None:
    """The stored form of a stamp."""
    return None if stamp is None else (stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, stamp.device)


def unpack_stamp(stamp: Stamp | None) -> FileStamp | None:
    """The travelling form of a stored stamp."""
    if stamp is None:
        return None
    size, mtime_ns, ctime_ns, inode, device = stamp
    return FileStamp(size=size, mtime_ns=mtime_ns, ctime_ns=ctime_ns, inode=inode, device=device)


def public(row: Row, root: str, directory: bytes, name: bytes) -> FileRow:
    """The row as it travels."""
    return FileRow(
        root=root,
        path=directory + b"/" + name if directory else name,
        state=row.state,
        stamp=unpack_stamp(row.stamp),
        sha256=row.sha256,
        reason=row.reason,
        first_seen=row.first_seen,
        since=row.since,
        attempts=row.attempts,
        files=row.files,
        settled=row.settled,
        before=row.before,
    )


# --- what follows from a row ---------------------------------------------------------------------


def holds_photo(row: Row) -> bool:
    """Whether the row is a place where its photo is kept, be it away for now."""
    return row.sha256 is not None and FileState.INDEXED in (row.state, row.before)


def is_directory(row: Row) -> bool:
    """Whether the row stands for a whole excluded directory."""
    return row.state is FileState.EXCLUDED and row.stamp is None


def rests(row: Row) -> bool:
    """Whether nothing is to be done about the row's file while it stays as it is."""
    if row.state is FileState.PENDING:
        return row.settled
    return row.state in (FileState.INDEXED, FileState.FAILED)


def inode_prefix(root: bytes, inode: int) -> bytes:
    """Start of the inode keys of one inode under one root."""
    return root + inode.to_bytes(8, "big")


def waiting_prefix(root: bytes, state: FileState) -> bytes:
    """Start of the keys that list the rows of one root in ``state`` (pending, failed or away)."""
    return root + _STATE_BYTE[state]


def entries(key: bytes, row: Row) -> Iterator[tuple[Table, bytes]]:
    """The keys in other tables that follow from the row at ``key``."""
    root, rest = key[:ROOT], key[ROOT:]
    written = order_of(row.stamp[1] / 1e9 if row.stamp else row.since)
    if row.stamp is not None:
        yield Table.INODES, inode_prefix(root, row.stamp[3]) + rest
    if row.sha256 is not None and holds_photo(row):
        yield Table.PLACES, row.sha256 + key
    if row.state in _STATE_BYTE:
        yield Table.WAITING, waiting_prefix(root, row.state) + written + rest
    if row.stamp is not None and row.state is FileState.PENDING and row.settled:
        yield Table.QUEUE, root + (BACKLOG if row.backlog else DROPPED) + written + rest


DROPPED, BACKLOG = b"\0", b"\1"
"""The lanes of the queue, after the root in its keys."""
WAITING_PREFIX = ROOT + 1 + 8
"""Length of what stands in front of file[6:] in the keys of ``waiting`` and ``queue``."""
INODE_PREFIX = ROOT + 8
"""The same in the keys of ``inodes``."""


# --- changes -------------------------------------------------------------------------------------


def _pending(
    old: Row | None, stamp: Stamp | None, now: float, *, settled: bool, reason: Reason | None, backlog: bool = False
) -> Row:
    stays = old is not None and old.state is FileState.PENDING
    return Row(
        state=FileState.PENDING,
        stamp=stamp,
        first_seen=old.first_seen if old else now,
        since=old.since if old and stays else now,
        reason=None if settled else reason or SETTLING,
        attempts=old.attempts if old and old.stamp == stamp else 0,
        settled=settled,
        backlog=old.backlog if old and stays and old.stamp == stamp else backlog,
    )


def found(
    old: Row | None, stamp: FileStamp, now: float, *, settled: bool, reason: Reason | None, backlog: bool
) -> tuple[Row, str]:
    """A file that is new or may have changed: the next row, and the word for it ("" for none)."""
    packed = pack_stamp(stamp)
    row = _pending(old, packed, now, settled=settled, reason=reason, backlog=backlog)
    if old is None or old.state is FileState.EXCLUDED:
        return row, "found"
    if old.state is FileState.INDEXED:
        return (old, "") if old.stamp == packed else (row, "changed")
    if old.state is FileState.AWAY:
        if old.stamp != packed:
            return row, "changed"
        return (back(old, stamp, now)[0] if old.before is FileState.INDEXED else row), "back"
    if old.state is FileState.FAILED:
        return row, "retried" if old.stamp == packed else "changed"
    return row, "settled" if settled and not old.settled else ""


def moved(old: Row, stamp: FileStamp, now: float) -> Row:
    """The row under its new path."""
    row = back(old, stamp, now)[0] if old.state is FileState.AWAY else old
    return msgspec.structs.replace(row, stamp=pack_stamp(stamp), name=None)


def arrived(old: Row | None, stamp: FileStamp, sha256: bytes, now: float, *, first_seen: float | None = None) -> Row:
    """The row of a file whose content is known to be that of an indexed photo; ``old`` where it is so already."""
    packed = pack_stamp(stamp)
    if old is not None and (old.state, old.stamp, old.sha256) == (FileState.INDEXED, packed, sha256):
        return old
    first = now if first_seen is None else first_seen
    return Row(state=FileState.INDEXED, stamp=packed, first_seen=first, since=now, sha256=sha256)


def linked(other: Row | None, stamp: FileStamp, now: float) -> Row:
    """The row of a further hard link to the file of ``other``."""
    if other is not None and other.sha256 is not None and holds_photo(other):
        return arrived(None, stamp, other.sha256, now)
    return _pending(None, pack_stamp(stamp), now, settled=False, reason=None)


def excluded(old: Row | None, stamp: FileStamp | None, now: float, *, reason: Reason, files: int) -> Row:
    """The row of a file, or without a stamp of a whole directory, that a rule keeps out."""
    same = old is not None and old.state is FileState.EXCLUDED
    return Row(
        state=FileState.EXCLUDED,
        stamp=pack_stamp(stamp),
        first_seen=old.first_seen if old else now,
        since=old.since if old and same else now,
        reason=reason,
        files=files,
    )


def failed(
    old: Row | None, stamp: Stamp | None, now: float, *, reason: Reason, sha256: bytes | None, attempts: int
) -> Row:
    """The row of a file that cannot be analysed; one that is away meanwhile fails when it returns."""
    if old is not None and old.state is FileState.AWAY:
        return msgspec.structs.replace(
            old, before=FileState.FAILED, kept=reason, sha256=sha256, attempts=attempts, settled=False
        )
    same = old is not None and old.state is FileState.FAILED
    return Row(
        state=FileState.FAILED,
        stamp=stamp,
        first_seen=old.first_seen if old else now,
        since=old.since if old and same else now,
        sha256=sha256,
        reason=reason,
        attempts=attempts,
    )


def missing(old: Row, now: float, *, reason: Reason) -> Row:
    """The row of a file that is not where it was."""
    if old.state is FileState.AWAY:
        return msgspec.structs.replace(old, reason=reason)
    return msgspec.structs.replace(
        old, state=FileState.AWAY, before=old.state, kept=old.reason, reason=reason, since=now
    )


def back(old: Row, stamp: FileStamp, now: float) -> tuple[Row, str]:
    """The row of a file that is there again unchanged, with the stamp it has now."""
    if old.state is not FileState.AWAY or old.before is None:
        return msgspec.structs.replace(old, stamp=pack_stamp(stamp)), ""
    row = msgspec.structs.replace(
        old, state=old.before, before=None, reason=old.kept, kept=None, stamp=pack_stamp(stamp), since=now
    )
    return row, "back"


def indexed(old: Row, sha256: bytes, now: float) -> Row:
    """The row of a file whose content is known now; one that is away meanwhile is so when it returns."""
    if old.state is FileState.AWAY:
        return msgspec.structs.replace(
            old, before=FileState.INDEXED, kept=None, sha256=sha256, attempts=0, settled=False
        )
    return msgspec.structs.replace(
        old,
        state=FileState.INDEXED,
        sha256=sha256,
        reason=None,
        since=old.since if old.state is FileState.INDEXED else now,
        attempts=0,
        settled=False,
        backlog=False,
    )


def unsettled(old: Row, now: float) -> Row:
    """The row of a file that changed while it was read."""
    if old.state is FileState.AWAY:
        return msgspec.structs.replace(old, before=FileState.PENDING, kept=SETTLING, settled=False, sha256=None)
    return _pending(old, old.stamp, now, settled=False, reason=None)


def retried(old: Row, now: float, *, backlog: bool = False) -> Row:
    """The row of a failed file that is to be tried again."""
    return _pending(old, old.stamp, now, settled=True, reason=None, backlog=backlog)


def requeued(old: Row, now: float) -> Row:
    """The row of a file whose photo is lost from the index; one that is away is analysed when it returns."""
    if old.state is FileState.AWAY:
        return msgspec.structs.replace(old, before=FileState.PENDING, sha256=None, settled=True, backlog=True)
    return retried(old, now, backlog=True)
