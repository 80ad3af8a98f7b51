"""What the watch room needs of the index, and nothing more."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from pixsortd.records import Change, FileRow, Ledger, RootRecord

Seen = Mapping[bytes, tuple[int, int, int, int]]
"""Size, mtime_ns, ctime_ns and inode of files, by name."""


class Catalog(Protocol):
    """What is known of the files of every root. All calls may come from any thread."""

    def directories(self, root: str) -> Iterator[bytes]:
        """The directories of ``root`` that hold rows; ``b""`` is the top."""
        ...

    def listing(self, root: str, directory: bytes) -> dict[bytes, FileRow]:
        """The rows directly in ``directory`` by file name; an excluded directory is a row without a stamp."""
        ...

    def differing(self, root: str, directory: bytes, seen: Seen) -> tuple[list[bytes], dict[bytes, FileRow]]:
        """Compare the rows of ``directory`` with the regular files ``seen`` in it.

        Returns the names of the files without a row that rests (indexed, failed, or settled and pending) with
        that very stamp, and by name every row that is not such a file's.
        """
        ...

    def file(self, root: str, path: bytes) -> FileRow | None:
        """The row of one path."""
        ...

    def by_inode(self, root: str, inode: int) -> list[FileRow]:
        """The rows of ``root`` whose stamp has this inode."""
        ...

    def sample(self, root: str, count: int) -> list[FileRow]:
        """Up to ``count`` known photos spread over the root, to recognise its volume by."""
        ...

    def record(self, root: str, changes: Sequence[Change]) -> None:
        """Apply ``changes`` in their order, durably, all or none."""
        ...

    def ledger(self, root: str) -> Ledger:
        """The row counters of one root."""
        ...

    def root(self, root: str) -> RootRecord | None:
        """The last saved record of a root."""
        ...

    def save_root(self, record: RootRecord) -> None:
        """Keep ``record`` for the next start."""
        ...
