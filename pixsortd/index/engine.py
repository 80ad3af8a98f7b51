"""The LMDB environment: one writer at a time, many readers, every value checked.

The map is opened once, sparse and large, and never resized; commits are durable. Nothing that
leaves here refers to the map, so no read transaction outlives the block that opened it.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from pixsortd.errors import IndexDamaged, IndexFull, IndexProblem
from pixsortd.index import clean, schema
from pixsortd.index.codec import damaged, encode, seal, unseal
from pixsortd.index.durable import said
from pixsortd.index.mapped import release
from pixsortd.index.schema import Table

DATA, LOCK = "data.mdb", "lock.mdb"
_READERS = 510
_LOCK_BYTES = 64 * (_READERS + 2)
_ROOM = 1 << 20
"""Bytes free below which an I/O error of LMDB is taken for a full disk."""
_VERSION, _EPOCH = b"version", b"epoch"
_DAMAGE = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.IncompatibleError,
    lmdb.NotFoundError,
)


class View:
    """A consistent read of the whole index, valid inside its block only."""

    __slots__ = ("_tables", "_txn")

    def __init__(self, txn: Any, tables: dict[Table, Any]) -> None:
        self._txn = txn
        self._tables = tables

    def get(self, table: Table, key: bytes) -> bytes | None:
        """The checked value of ``key``, or None."""
        value = self._txn.get(key, db=self._tables[table])
        return None if value is None else unseal(table, key, value)

    def has(self, table: Table, key: bytes) -> bool:
        """Whether ``key`` is there; its value is not looked at."""
        return self._txn.get(key, db=self._tables[table]) is not None

    def keys(self, table: Table, prefix: bytes = b"", *, start: bytes | None = None) -> Iterator[bytes]:
        """Keys that begin with ``prefix``, ascending, from ``start`` on where one is given."""
        with self._txn.cursor(db=self._tables[table]) as cursor:
            if cursor.set_range(start or prefix):
                for key in cursor.iternext(values=False):
                    if not key.startswith(prefix):
                        return
                    yield key

    def keys_down(self, table: Table, prefix: bytes = b"", *, before: bytes | None = None) -> Iterator[bytes]:
        """Keys that begin with ``prefix``, descending, below ``before`` where one is given."""
        with self._txn.cursor(db=self._tables[table]) as cursor:
            # No key that goes on behind a prefix sorts above this: it would be longer than LMDB allows.
            bound = prefix + b"\xff" * 512 if before is None else before
            if cursor.prev() if cursor.set_range(bound) else cursor.last():
                for key in cursor.iterprev(values=False):
                    if not key.startswith(prefix):
                        return
                    yield key

    def items(self, table: Table, prefix: bytes = b"", *, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """(key, checked value) of the keys that begin with ``prefix``, ascending, above ``after`` where given."""
        with self._txn.cursor(db=self._tables[table]) as cursor:
            if cursor.set_range(prefix if after is None else after + b"\0"):
                for key, value in cursor.iternext():
                    if not key.startswith(prefix):
                        return
                    yield key, unseal(table, key, value)

    def sealed(self, table: Table, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(key, value) from ``start`` on, ascending to the table's end; the values are still to be unsealed."""
        cursor = self._txn.cursor(db=self._tables[table])  # it ends with the transaction
        found: Iterator[tuple[bytes, bytes]] = cursor.iternext() if cursor.set_range(start) else iter(())
        return found

    def first(self, table: Table, start: bytes, prefix: bytes = b"") -> bytes | None:
        """The first key at or above ``start`` that begins with ``prefix``, or None."""
        with self._txn.cursor(db=self._tables[table]) as cursor:
            if not cursor.set_range(start):
                return None
            key: bytes = cursor.key()
            return key if key.startswith(prefix) else None

    def count(self, table: Table) -> int:
        """How many records the table holds, without looking at them."""
        entries: int = self._txn.stat(self._tables[table])["entries"]
        return entries

    @property
    def generation(self) -> int:
        """The engine's generation at the moment this view shows."""
        snapshot: int = self._txn.id()
        return snapshot

    @property
    def version(self) -> int:
        """Format version of the index, 0 where none is written."""
        found = self.get(Table.META, _VERSION)
        return 0 if found is None else msgspec.msgpack.decode(found, type=int)

    @property
    def epoch(self) -> bytes:
        """8 random bytes that change when the index is made anew or restored."""
        return self.get(Table.META, _EPOCH) or b"\0" * 8


class Edit(View):
    """The one write transaction; all of it happens or none."""

    __slots__ = ()

    def put(self, table: Table, key: bytes, payload: bytes = b"") -> None:
        """Write or replace one record."""
        self._txn.put(key, seal(table, key, payload), db=self._tables[table])

    def delete(self, table: Table, key: bytes) -> bool:
        """Remove one record; whether it was there."""
        gone: bool = self._txn.delete(key, db=self._tables[table])
        return gone

    def clear(self, table: Table) -> None:
        """Remove every record of a table."""
        self._txn.drop(self._tables[table], delete=False)

    def set_version(self, version: int) -> None:
        """Write the format version."""
        self.put(Table.META, _VERSION, encode(version))

    def new_epoch(self) -> None:
        """Mark this index as another one than before, so that no older FAISS file is believed."""
        self.put(Table.META, _EPOCH, os.urandom(8))


class Engine:
    """An open LMDB environment and its tables."""

    def __init__(self, directory: Path, *, map_size: int, readonly: bool = False) -> None:
        """Open or make the environment; raises ``IndexDamaged``, ``IndexTooNew`` or ``IndexFull``."""
        self.directory = directory
        self.readonly = readonly
        self._writing = threading.Lock()
        self._gate = threading.Condition()
        self._readers = 0
        self._closed = False
        self.found_version = schema.VERSION
        """Format version the index had when it was opened."""
        self.damaged = False
        """Whether damage was met since; then the next start has to probe the index."""
        if not readonly:
            self._prepare()
        elif not (directory / DATA).exists():
            raise IndexProblem(
                "there is no index yet", path=os.fspath(directory), next_step="Start pixsortd; it makes one."
            )
        try:
            self._env = lmdb.open(
                os.fspath(directory),
                map_size=map_size,
                max_dbs=len(Table) + 4,
                max_readers=_READERS,
                readonly=readonly,
                create=not readonly,
                # Opened for reading only, no lock file is made: its size must have been allocated.
                lock=not readonly or (directory / LOCK).exists(),
                mode=0o700,
                readahead=True,
            )
        except lmdb.Error as error:
            raise self._explain(error) from error
        try:
            self._open_tables()
        except BaseException as error:
            self._env.close()
            if isinstance(error, lmdb.Error):
                raise self._explain(error) from error
            raise

    def _prepare(self) -> None:
        """Make the directory, remove the mark of a clean shutdown, and allocate the reader table, which LMDB maps.

        A hole in that file on a full disk would be a SIGBUS. One that is large enough is not even
        opened: closing it would drop the locks of an environment of this process.
        """
        lock = self.directory / LOCK
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            clean.unmark(self.directory)
            if lock.exists() and lock.stat().st_size >= _LOCK_BYTES:
                return
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, _LOCK_BYTES)
            finally:
                os.close(handle)
        except OSError as error:
            raise said(error, self.directory) from error

    def _open_tables(self) -> None:
        fresh = self._env.stat()["entries"] == 0
        if not fresh:
            # A handle that was opened inside a read transaction would end with it.
            meta = self._env.open_db(Table.META.encode(), create=False)
            with self._env.begin() as txn:
                self.found_version = View(txn, {Table.META: meta}).version
            schema.refuse_newer(self.found_version)
        if self.readonly:
            self._tables = {table: self._env.open_db(table.encode(), create=False) for table in Table}
            return
        with self._env.begin(write=True) as txn:
            self._tables = {table: self._env.open_db(table.encode(), txn=txn) for table in Table}
            if fresh:
                edit = Edit(txn, self._tables)
                edit.set_version(schema.VERSION)
                edit.new_epoch()
        self._env.reader_check()

    @property
    def generation(self) -> int:
        """Rises with each committed write."""
        last: int = self._env.info()["last_txnid"]
        return last

    @contextmanager
    def read(self) -> Iterator[View]:
        """A read transaction for the block; keep the block short and never await in it."""
        with self._gate:
            if self._closed:
                raise IndexProblem("the index is closed")
            self._readers += 1
        try:
            with self._env.begin() as txn:
                yield View(txn, self._tables)
        except IndexDamaged:
            self.damaged = True
            raise
        except lmdb.Error as error:
            raise self._explain(error) from error
        finally:
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()

    @contextmanager
    def write(self) -> Iterator[Edit]:
        """The write transaction for the block, durable at its end; an exception undoes all of it.

        Raises ``IndexFull`` when the map or the disk is full; nothing was written then.
        """
        with self._writing:
            if self._closed:
                raise IndexProblem("the index is closed")
            try:
                with self._env.begin(write=True) as txn:
                    yield Edit(txn, self._tables)
            except IndexDamaged:
                self.damaged = True
                raise
            except lmdb.Error as error:
                raise self._explain(error) from error

    def drop_dead_readers(self) -> None:
        """Forget readers whose process has died: a killed one would keep old pages from being used again."""
        try:
            self._env.reader_check()
        except lmdb.Error as error:
            raise self._explain(error) from error

    def rest(self) -> None:
        """Give memory back that only makes the next reads faster."""
        release(self.directory / DATA)

    def copy(self, target: Path) -> None:
        """Write a compacted copy of the environment into the empty directory ``target``."""
        try:
            self._env.copy(os.fspath(target), compact=True)
        except lmdb.Error as error:
            raise self._explain(error, target) from error

    def close(self) -> None:
        """Wait for the readers and the writer in their blocks, then close. Closing twice is fine."""
        with self._writing, self._gate:
            if self._closed:
                return
            self._closed = True
            self._gate.wait_for(lambda: self._readers == 0)
            self._env.close()

    def _full(self, what: str) -> IndexFull:
        return IndexFull(
            what, path=os.fspath(self.directory), next_step="Free some space; work resumes by itself, nothing is lost."
        )

    def _explain(self, error: lmdb.Error, place: Path | None = None) -> IndexProblem:
        """The domain error of an LMDB error. A full disk surfaces as a plain I/O error, so look at the disk."""
        if isinstance(error, lmdb.MapFullError):
            return IndexFull(
                "the index has reached its map size",
                path=os.fspath(self.directory),
                next_step="Raise index.map_size in the configuration and restart.",
            )
        if isinstance(error, lmdb.PanicError):
            return IndexProblem(
                "LMDB refuses to go on after a failed write of a head page",
                path=os.fspath(self.directory),
                next_step="Restart pixsortd; what was committed before is safe.",
            )
        if isinstance(error, _DAMAGE):
            self.damaged = True
            return damaged(f"LMDB cannot use the index ({error})")
        room = os.statvfs(place or self.directory)
        if getattr(error, "code", 0) == errno.ENOSPC or room.f_bavail * room.f_frsize < _ROOM:
            return self._full("the disk is full")
        return IndexProblem(
            f"LMDB failed: {error}",
            path=os.fspath(self.directory),
            next_step="Look at the disk, then restart pixsortd.",
        )
