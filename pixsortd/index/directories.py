"""The rows of one directory after the other, and what of them is not as it is on disk."""

from collections.abc import Iterator, Mapping
from itertools import islice

from pixsortd.index import rows
from pixsortd.index.codec import encode, unseal
from pixsortd.index.engine import Engine
from pixsortd.index.rows import Row
from pixsortd.index.schema import Table
from pixsortd.records import FileRow, FileState

Seen = Mapping[bytes, tuple[int, int, int, int]]
"""Size, mtime_ns, ctime_ns and inode of files, by name."""

_AT_ONCE = 1000
_STATE = 5
"""Where the state begins in a sealed row: behind the checksum and the head of the array."""
_INDEXED = encode(FileState.INDEXED) + encode((0,) * 5)[:1]
"""What is there in an indexed row; its size follows."""
_END = (b"\xff" * 512, b"")
"""Above every key."""


class Directories:
    """The part of the store that goes through whole directories."""

    _engine: Engine

    def directories(self, root: str) -> Iterator[bytes]:
        """Directories of a root that hold rows, relative to it; the root itself is ``b""``.

        Asked for as they are needed, a thousand a transaction: one that gets its first row meanwhile may be left out.
        """
        prefix = rows.root_key(root)
        after: bytes | None = None
        while True:
            with self._engine.read() as view:
                part = list(islice(view.items(Table.DIRS, prefix, after=after), _AT_ONCE))
            yield from (path for _, path in part)
            if len(part) < _AT_ONCE:
                return
            after = part[-1][0]

    def listing(self, root: str, directory: bytes) -> dict[bytes, FileRow]:
        """Rows directly in a directory, by name. An excluded directory is a row without a stamp."""
        return self.differing(root, directory, {})[1]

    def differing(self, root: str, directory: bytes, seen: Seen) -> tuple[list[bytes], dict[bytes, FileRow]]:
        """Compare a directory's rows with the regular files ``seen`` in it.

        Returns the names of the files without a row that rests (indexed, failed, or settled and waiting for its
        analysis) with that very stamp, and every row that is not such a file's, by name. Rows and names are walked
        in order, once. A row that agrees with the disk is not decoded, nor is its checksum looked at.
        """
        prefix, unlike, others = rows.dir_key(rows.root_key(root), directory), list[bytes](), dict[bytes, FileRow]()

        def keep(key: bytes, row: Row) -> None:
            name = row.name if row.name is not None else key[rows.DIR :]
            others[name] = rows.public(row, root, directory, name)

        with self._engine.read() as view:
            stored = view.sealed(Table.FILES, prefix)
            key, value = next(stored, _END)
            for name in sorted(seen):
                wanted, stamp = prefix + name, seen[name]
                while key < wanted:  # also every key that stands for a name too long to be one
                    keep(key, rows.decode(unseal(Table.FILES, key, value)))
                    key, value = next(stored, _END)
                if key != wanted:
                    unlike.append(name)
                    continue
                if not value.startswith(_INDEXED + encode(stamp)[1:], _STATE):
                    row = rows.decode(unseal(Table.FILES, key, value))
                    if row.stamp is None or row.stamp[:4] != stamp or not rows.rests(row):
                        unlike.append(name)
                        keep(key, row)
                key, value = next(stored, _END)
            while key.startswith(prefix):
                keep(key, rows.decode(unseal(Table.FILES, key, value)))
                key, value = next(stored, _END)
        return unlike, others
