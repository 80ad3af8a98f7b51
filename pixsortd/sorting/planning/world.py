"""What planning has to know of the disk, the index and the user; all of it is given."""

from collections.abc import Collection, Sequence
from typing import Protocol

from pixsortd.records import FileStamp, Place, Record


class Entry(Record, frozen=True, kw_only=True):
    """One name in a directory."""

    name: bytes
    stamp: FileStamp | None = None
    """None for anything but a regular file."""
    directory: bool = False
    target: bytes = b""
    """Where a symbolic link leads, as an absolute path; empty for anything else."""


class Known(Record, frozen=True, kw_only=True):
    """What the index knows of the file that is at a place now."""

    sha256: bytes | None = None
    composite: float | None = None
    """Its quality, 0 to 100."""
    kept: str = ""
    """Why it can not make room for another file, in words; empty where it can."""


class Volume(Record, frozen=True, kw_only=True):
    """The file system that a directory is on, or would be made on."""

    device: int
    free: int
    """Bytes."""
    top: bytes = b""
    """The uppermost directory below the base that is on it: its trash is there."""
    longest: int = 255
    """Bytes of a name."""


class World(Protocol):
    """Disk and index as they are at the time of planning. Everything may raise ``PixsortdError``: it cannot be told."""

    def listing(self, base: bytes, directory: bytes) -> Sequence[Entry]:
        """Every name in a directory; none where there is no such directory."""
        ...

    def known(self, place: Place, stamp: FileStamp) -> Known:
        """What is known of the file of that stamp."""
        ...

    def volume(self, base: bytes, directory: bytes) -> Volume:
        """The file system of a directory, or of the nearest one above it that is there."""
        ...

    def holding(self, image: bytes) -> Sequence[Place]:
        """Where files of that content are."""
        ...


class Terms(Record, frozen=True, kw_only=True):
    """What else a plan depends on."""

    root: str
    """Id of the inbox."""
    at: float
    photos: Collection[bytes]
    """Extensions of photos, lower-case with dot."""
    rules: str = ""
    """Digest of the rules."""
    floor: int = 0
    """Bytes that stay free on every file system."""
    approved: frozenset[str] = frozenset()
    """Digests of the rules with which a plan for this inbox was approved; none before the first."""
    refused: frozenset[tuple[bytes, str]] = frozenset()
    """Photos and digests of the rules that they are not to follow."""
    held: frozenset[tuple[bytes, str]] = frozenset()
    """Photos and digests of the rules that they are to follow only when that is asked for again."""
    done: frozenset[tuple[bytes, str]] = frozenset()
    """Photos and digests of the rules that have made a copy or link of them before."""
