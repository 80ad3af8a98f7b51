"""An index in memory, faithful to what records.py says of every change."""

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from pixsortd.records import (
    Back,
    Change,
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
)


def sha256(path: Path) -> bytes:
    """The name of a file's content."""
    return hashlib.sha256(path.read_bytes()).digest()


def _rests(row: FileRow) -> bool:
    return row.state in (FileState.INDEXED, FileState.FAILED) or (row.state is FileState.PENDING and row.settled)


def _stamp(row: FileRow) -> tuple[int, int, int, int] | None:
    known = row.stamp
    return None if known is None else (known.size, known.mtime_ns, known.ctime_ns, known.inode)


class FakeCatalog:
    """The Catalog protocol of the watch room on dictionaries."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[bytes, FileRow]] = {}
        self.roots: dict[str, RootRecord] = {}
        self.batches: list[Sequence[Change]] = []
        self.saves = 0
        self._lock = threading.RLock()

    # --- the protocol ---

    def directories(self, root: str) -> Iterator[bytes]:
        with self._lock:
            return iter(sorted({path.rpartition(b"/")[0] for path in self._of(root)}))

    def listing(self, root: str, directory: bytes) -> dict[bytes, FileRow]:
        with self._lock:
            parts = ((path.rpartition(b"/"), row) for path, row in self._of(root).items())
            return {name: row for (parent, _, name), row in parts if parent == directory}

    def differing(
        self, root: str, directory: bytes, seen: Mapping[bytes, tuple[int, int, int, int]]
    ) -> tuple[list[bytes], dict[bytes, FileRow]]:
        rows, unlike = self.listing(root, directory), []
        for name, stamp in seen.items():
            row = rows.get(name)
            if row is not None and _rests(row) and _stamp(row) == stamp:
                del rows[name]
            else:
                unlike.append(name)
        return unlike, rows

    def file(self, root: str, path: bytes) -> FileRow | None:
        with self._lock:
            return self._of(root).get(path)

    def by_inode(self, root: str, inode: int) -> list[FileRow]:
        with self._lock:
            return [row for row in self._of(root).values() if row.stamp is not None and row.stamp.inode == inode]

    def sample(self, root: str, count: int) -> list[FileRow]:
        with self._lock:
            known = [row for row in self._of(root).values() if row.state in (FileState.INDEXED, FileState.PENDING)]
            return known[:: max(1, len(known) // count)][:count]

    def record(self, root: str, changes: Sequence[Change]) -> None:
        with self._lock:
            self.batches.append(tuple(changes))
            for change in changes:
                self._apply(root, change)

    def ledger(self, root: str) -> Ledger:
        with self._lock:
            counts = dict.fromkeys(FileState, 0)
            for row in self._of(root).values():
                counts[row.state] += row.files
            return Ledger(on_disk=sum(counts.values()), **{state.value: count for state, count in counts.items()})

    def root(self, root: str) -> RootRecord | None:
        return self.roots.get(root)

    def save_root(self, record: RootRecord) -> None:
        self.saves += 1
        self.roots[record.id] = record

    # --- for tests ---

    @property
    def changes(self) -> list[Change]:
        """Every change recorded since the last :meth:`forget_changes`."""
        return [change for batch in self.batches for change in batch]

    def forget_changes(self) -> None:
        self.batches.clear()

    def index(self, root: str) -> None:
        """Hash every settled pending file, as the ingest would."""
        with self._lock:
            for path, row in self._of(root).items():
                full = os.path.join(self.roots[root].path, path)
                if row.state is FileState.PENDING and row.settled and len(full) < 4096 and os.path.isfile(full):
                    self._of(root)[path] = msgspec.structs.replace(
                        row, state=FileState.INDEXED, reason=None, sha256=sha256(Path(os.fsdecode(full)))
                    )

    def states(self, root: str) -> dict[bytes, FileState]:
        return {path: row.state for path, row in self._of(root).items()}

    # --- the changes ---

    def _of(self, root: str) -> dict[bytes, FileRow]:
        return self.rows.setdefault(root, {})

    def _apply(self, root: str, change: Change) -> None:
        rows = self._of(root)
        row = rows.get(change.path)
        match change:
            case Found(path=path, stamp=stamp, settled=settled, reason=reason):
                rows[path] = FileRow(
                    root=root, path=path, state=FileState.PENDING, stamp=stamp, settled=settled, reason=reason
                )
            case Moved(old=old, path=path, stamp=stamp):
                moved = rows.pop(old)
                assert path not in rows, "a move must not cover a row"
                rows[path] = msgspec.structs.replace(moved, path=path, stamp=stamp)
            case Linked(path=path, other=other, stamp=stamp):
                rows[path] = msgspec.structs.replace(rows[other], path=path, stamp=stamp)
            case Excluded(path=path, reason=reason, stamp=stamp, files=files):
                rows[path] = FileRow(
                    root=root, path=path, state=FileState.EXCLUDED, stamp=stamp, reason=reason, files=files
                )
            case Refused(path=path, reason=reason, stamp=stamp):
                rows[path] = FileRow(root=root, path=path, state=FileState.FAILED, stamp=stamp, reason=reason)
            case Missing(path=path, reason=reason):
                assert row is not None
                assert row.state is not FileState.AWAY, "a file goes missing once"
                rows[path] = msgspec.structs.replace(row, state=FileState.AWAY, before=row.state, reason=reason)
            case Back(path=path, stamp=stamp):
                assert row is not None
                back = msgspec.structs.replace(row, stamp=stamp)
                if row.state is FileState.AWAY:
                    assert row.before is not None
                    back = msgspec.structs.replace(back, state=row.before, before=None, reason=None)
                rows[path] = back
            case Gone(path=path):
                rows.pop(path, None)
