"""Names for rows that may travel in a URL: short, opaque, and never a path."""

import hashlib

from pixsortd.index import places, rows
from pixsortd.index.engine import Engine
from pixsortd.index.schema import Table
from pixsortd.records import FileRow


def entry_id(row: FileRow) -> str:
    """An id of a row that stays while its path does: hashes of its directory and of its name, in hex."""
    directory, name = rows.split(row.path)
    return f"{rows.dir_key(rows.root_key(row.root), directory).hex()}-{_name_hash(name)}"


def _name_hash(name: bytes) -> str:
    return hashlib.blake2b(name, digest_size=8).hexdigest()


class Entries:
    """The part of the store that finds rows by their ids."""

    _engine: Engine

    def entry(self, entry: str) -> FileRow | None:
        """The row of that id, or None."""
        directory, _, name = entry.partition("-")
        try:
            key = bytes.fromhex(directory)
        except ValueError:
            return None
        if len(key) != rows.DIR:
            return None
        with self._engine.read() as view:
            for file in view.keys(Table.FILES, key):
                row = places.file_at(view, file)
                if row is not None and _name_hash(rows.split(row.path)[1]) == name:
                    return row
        return None
