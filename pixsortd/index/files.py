"""The catalogue of files: one row a path, its changes, and the counters that must always add up."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pixsortd.index import history, places, rows
from pixsortd.index.codec import encode
from pixsortd.index.engine import Edit, Engine, View
from pixsortd.index.lots import LotWriter
from pixsortd.index.rows import Row
from pixsortd.index.schema import Table
from pixsortd.records import (
    Arrived,
    Back,
    Change,
    Departed,
    Excluded,
    FileRow,
    FileState,
    Found,
    Gone,
    Ledger,
    Linked,
    Missing,
    Moved,
    Refused,
    RootRecord,
    Step,
)

_root_record = msgspec.msgpack.Decoder(RootRecord).decode
_counts = msgspec.msgpack.Decoder(dict[FileState, int]).decode


class RowWriter:
    """Changes rows inside one write transaction and keeps everything that follows from them in step."""

    def __init__(self, edit: Edit, now: float) -> None:
        self.edit = edit
        self.now = now
        self._counted: dict[bytes, Counter[FileState]] = {}
        self._lots = LotWriter(edit)

    def write(self, key: bytes, path: bytes, old: Row | None, new: Row | None) -> None:
        """Replace ``old``, the row at ``key``, by ``new``; None stands for no row."""
        if old == new:
            return
        edit, root = self.edit, key[: rows.ROOT]
        before = set(rows.entries(key, old)) if old else set()
        after = set(rows.entries(key, new)) if new else set()
        for table, entry in before - after:
            edit.delete(table, entry)
        for table, entry in after - before:
            edit.put(table, entry)
        self._lots.replace(key, old, new)
        counted = self._counted.setdefault(root, Counter())
        if old:
            counted[old.state] -= old.files
        if new:
            counted[new.state] += new.files
            self._put(key, path, old, new)
        else:
            edit.delete(Table.FILES, key)
            if edit.first(Table.FILES, key[: rows.DIR], key[: rows.DIR]) is None:
                edit.delete(Table.DIRS, key[: rows.DIR])
        self._replace(before - after, after - before, root)

    def _put(self, key: bytes, path: bytes, old: Row | None, new: Row) -> None:
        directory, name = rows.split(path)
        if key[rows.DIR :] != name:
            new = msgspec.structs.replace(new, name=name)
        self.edit.put(Table.FILES, key, encode(new))
        if old is None and not self.edit.has(Table.DIRS, key[: rows.DIR]):
            self._uncover(key[: rows.ROOT], directory)
            self.edit.put(Table.DIRS, key[: rows.DIR], directory)

    def _replace(self, gone: set[tuple[Table, bytes]], come: set[tuple[Table, bytes]], root: bytes) -> None:
        for table, entry in come:
            if table is Table.PLACES:
                places.gained(self.edit, entry[: places.SHA], root)
        for table, entry in gone:
            if table is Table.PLACES:
                places.lost(self.edit, entry[: places.SHA], root, self.now)

    def _uncover(self, root: bytes, directory: bytes) -> None:
        """A directory that has rows of its own is no excluded one any more, nor are those above it."""
        while directory:
            key = rows.file_key(root, directory)
            old = places.row_at(self.edit, key)
            if old is not None and rows.is_directory(old):
                self.write(key, directory, old, None)
            directory, _ = rows.split(directory)

    def forget_below(self, root: bytes, directory: bytes) -> None:
        """Remove every row below a directory that is excluded as a whole from now on."""
        inside = directory + b"/"
        below = [path for _, path in self.edit.items(Table.DIRS, root) if path == directory or path.startswith(inside)]
        for path in below:
            for key in list(self.edit.keys(Table.FILES, rows.dir_key(root, path))):
                self.drop(key)

    def drop(self, key: bytes) -> None:
        """Remove the row at ``key`` and the steps that only it had."""
        row, known = places.row_at(self.edit, key), places.file_at(self.edit, key)
        if row is not None and known is not None:
            self.edit.delete(Table.HISTORY, history.file_history(key))
            self.write(key, known.path, row, None)

    def note(self, key: bytes, row: Row | None, path: bytes, what: str, detail: str = "") -> None:
        """Add a step to the passport of the photo that ``row`` holds, else of the file at ``key``."""
        step = Step(at=self.now, what=what, detail=detail, root=key[: rows.ROOT].hex(), path=path)
        history.add(self.edit, history_key(key, row), [step])

    def finish(self) -> None:
        """Write the counters; the last call before the transaction ends."""
        for root, delta in self._counted.items():
            counted = Counter(counts(self.edit, root))
            counted.update(delta)
            left = {state: n for state, n in counted.items() if n}
            if left:
                self.edit.put(Table.COUNTERS, root, encode(left))
            else:
                self.edit.delete(Table.COUNTERS, root)
        self._lots.finish()


def history_key(key: bytes, row: Row | None) -> bytes:
    """Where the steps of a file are kept: under its photo, or under itself while it has none."""
    if row is not None and row.sha256 is not None and rows.holds_photo(row):
        return history.photo_history(row.sha256)
    return history.file_history(key)


def counts(view: View, root: bytes) -> dict[FileState, int]:
    """Files of one root by state, as counted while rows changed."""
    payload = view.get(Table.COUNTERS, root)
    return {} if payload is None else _counts(payload)


def ledger_of(counted: dict[FileState, int]) -> Ledger:
    """The ledger that these counts make."""
    return Ledger(on_disk=sum(counted.values()), **{state.value: n for state, n in counted.items()})


# --- changes -------------------------------------------------------------------------------------


def _found(writer: RowWriter, root: bytes, change: Found) -> None:
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    new, what = rows.found(
        old, change.stamp, writer.now, settled=change.settled, reason=change.reason, backlog=change.backlog
    )
    writer.write(key, change.path, old, new)
    if what:
        # A change ends a chapter of the photo that was here and begins one of the file.
        for chapter in {history_key(key, row): row for row in ((old, new) if what == "changed" else (new,))}.values():
            writer.note(key, chapter, change.path, what)


def _moved(writer: RowWriter, root: bytes, change: Moved) -> None:
    old_key, key = rows.file_key(root, change.old), rows.file_key(root, change.path)
    old = places.row_at(writer.edit, old_key)
    if old is None or old_key == key or rows.is_directory(old):
        _found(writer, root, Found(path=change.path, stamp=change.stamp, settled=False))
        return
    overwritten = places.row_at(writer.edit, key)
    if overwritten is not None:
        writer.note(key, overwritten, change.path, "gone", "another file was moved over it")
        writer.drop(key)
    new = rows.moved(old, change.stamp, writer.now)
    # The new place first, so that the photo never stands without a file in between.
    writer.write(key, change.path, None, new)
    writer.write(old_key, change.old, old, None)
    history.hand_over(writer.edit, history.file_history(old_key), history_key(key, new))
    writer.note(key, new, change.path, "moved", f"from {change.old.decode(errors='backslashreplace')}")


def _linked(writer: RowWriter, root: bytes, change: Linked) -> None:
    key = rows.file_key(root, change.path)
    old, other = places.row_at(writer.edit, key), places.row_at(writer.edit, rows.file_key(root, change.other))
    new = rows.linked(other, change.stamp, writer.now)
    writer.write(key, change.path, old, new)
    detail = f"hard link to {change.other.decode(errors='backslashreplace')}"
    writer.note(key, new, change.path, "known" if rows.holds_photo(new) else "found", detail)


def _excluded(writer: RowWriter, root: bytes, change: Excluded) -> None:
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    if old is not None and old.state is not FileState.EXCLUDED:
        writer.note(key, old, change.path, "excluded", change.reason.message)
    new = rows.excluded(old, change.stamp, writer.now, reason=change.reason, files=change.files)
    if rows.is_directory(new) and (old is None or not rows.is_directory(old)):
        writer.forget_below(root, change.path)
    writer.write(key, change.path, old, new)


def _refused(writer: RowWriter, root: bytes, change: Refused) -> None:
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    stamp = rows.pack_stamp(change.stamp)
    if stamp is None and old is not None:
        stamp = old.stamp
    same = old is not None and old.stamp == stamp
    new = rows.failed(
        old,
        stamp,
        writer.now,
        reason=change.reason,
        sha256=old.sha256 if old and same else None,
        attempts=old.attempts if old and same else 0,
    )
    writer.note(key, old, change.path, "failed", change.reason.message)
    writer.write(key, change.path, old, new)


def _missing(writer: RowWriter, root: bytes, change: Missing) -> None:
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    if old is None:
        return
    if old.state is not FileState.AWAY:
        writer.note(key, old, change.path, "missing", change.reason.message)
    writer.write(key, change.path, old, rows.missing(old, writer.now, reason=change.reason))


def _back(writer: RowWriter, root: bytes, change: Back) -> None:
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    if old is None:
        _found(writer, root, Found(path=change.path, stamp=change.stamp, settled=False))
        return
    new, what = rows.back(old, change.stamp, writer.now)
    writer.write(key, change.path, old, new)
    if what:
        writer.note(key, new, change.path, what)


def _gone(writer: RowWriter, root: bytes, change: Gone) -> None:
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    if old is not None:
        writer.note(key, old, change.path, "gone", change.reason.message)
        writer.drop(key)


def _departed(writer: RowWriter, root: bytes, change: Departed) -> None:
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    if old is not None:
        if change.what:
            writer.note(key, old, change.path, change.what, change.detail)
        writer.drop(key)


def _arrived(writer: RowWriter, root: bytes, change: Arrived) -> None:
    if places.photo(writer.edit, change.sha256) is None:
        _found(writer, root, Found(path=change.path, stamp=change.stamp, settled=False))
        return
    key = rows.file_key(root, change.path)
    old = places.row_at(writer.edit, key)
    new = rows.arrived(old, change.stamp, change.sha256, writer.now, first_seen=change.first_seen)
    if new == old:
        return  # it was told before
    writer.write(key, change.path, old, new)
    writer.note(key, new, change.path, change.what, change.detail)


_APPLY: dict[type[Any], Callable[[RowWriter, bytes, Any], None]] = {
    Found: _found,
    Moved: _moved,
    Linked: _linked,
    Excluded: _excluded,
    Refused: _refused,
    Missing: _missing,
    Back: _back,
    Gone: _gone,
    Departed: _departed,
    Arrived: _arrived,
}


class Files:
    """The part of the store that knows paths."""

    _engine: Engine

    def file(self, root: str, path: bytes) -> FileRow | None:
        """The row of one path."""
        with self._engine.read() as view:
            return places.file_at(view, rows.file_key(rows.root_key(root), path))

    def by_inode(self, root: str, inode: int) -> list[FileRow]:
        """Rows of a root that were last seen with that inode."""
        key = rows.root_key(root)
        with self._engine.read() as view:
            found = [
                key + entry[rows.INODE_PREFIX :] for entry in view.keys(Table.INODES, rows.inode_prefix(key, inode))
            ]
            return [row for entry in found if (row := places.file_at(view, entry)) is not None]

    def sample(self, root: str, count: int) -> list[FileRow]:
        """Up to ``count`` different indexed or pending rows, spread over the root."""
        prefix, found = rows.root_key(root), dict[bytes, FileRow]()
        with self._engine.read() as view:
            for _ in range(4 * count):
                # Directory keys are hashes, so a random one falls anywhere in the tree.
                directory = view.first(Table.FILES, prefix + random.randbytes(16), prefix)
                start = (directory or prefix)[: rows.DIR] + random.randbytes(1)
                key = view.first(Table.FILES, start, prefix) or directory
                if key is not None:
                    _take_known(view, key, found)
                if len(found) == count:
                    break
            if len(found) < count:
                for key in view.keys(Table.FILES, prefix):
                    _take_known(view, key, found)
                    if len(found) == count:
                        break
        return list(found.values())

    def record(self, root: str, changes: Sequence[Change]) -> None:
        """Apply changes of one root in order, all or none, durable when this returns."""
        key = rows.root_key(root)
        if not changes:
            return
        with self._engine.write() as edit:
            writer = RowWriter(edit, time.time())
            for change in changes:
                _APPLY[type(change)](writer, key, change)
            writer.finish()

    def ledger(self, root: str) -> Ledger:
        """The counters of a root; ``on_disk`` is the sum of all states."""
        with self._engine.read() as view:
            return ledger_of(counts(view, rows.root_key(root)))

    def root(self, root: str) -> RootRecord | None:
        """The last known state of a root."""
        with self._engine.read() as view:
            payload = view.get(Table.ROOTS, rows.root_key(root))
        return None if payload is None else _root_record(payload)

    def roots(self) -> list[RootRecord]:
        """The last known state of every root ever seen."""
        with self._engine.read() as view:
            return [_root_record(payload) for _, payload in view.items(Table.ROOTS)]

    def save_root(self, record: RootRecord) -> None:
        """Keep the state of a root."""
        with self._engine.write() as edit:
            edit.put(Table.ROOTS, rows.root_key(record.id), encode(record))

    def drop_root(self, root: str) -> int:
        """Forget a root that is configured no more: its rows go, analysis and decisions stay. Rows dropped."""
        prefix = rows.root_key(root)
        with self._engine.write() as edit:
            writer, keys = RowWriter(edit, time.time()), list(edit.keys(Table.FILES, prefix))
            for key in keys:
                writer.drop(key)
            writer.finish()
            edit.delete(Table.COUNTERS, prefix)
            edit.delete(Table.ROOTS, prefix)
        return len(keys)


def _take_known(view: View, key: bytes, found: dict[bytes, FileRow]) -> None:
    row = None if key in found else places.file_at(view, key)
    if row is not None and row.state in (FileState.INDEXED, FileState.PENDING):
        found[key] = row
