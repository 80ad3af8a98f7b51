"""Paths, their states, and what happens to them."""

import os
from enum import StrEnum

from pixsortd.records.base import Reason, Record


class FileStamp(Record, frozen=True, kw_only=True):
    """What ``fstat`` said of a file; two equal stamps are taken for unchanged content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @staticmethod
    def of(seen: os.stat_result) -> "FileStamp":
        """A stat result as a stamp."""
        return FileStamp(
            size=seen.st_size,
            mtime_ns=seen.st_mtime_ns,
            ctime_ns=seen.st_ctime_ns,
            inode=seen.st_ino,
            device=seen.st_dev,
        )


class FileState(StrEnum):
    """Where a path stands in the ledger; every known file is in exactly one of these."""

    PENDING = "pending"
    INDEXED = "indexed"
    EXCLUDED = "excluded"
    FAILED = "failed"
    AWAY = "away"


class FileRow(Record, frozen=True, kw_only=True):
    """What is known of one path under one root."""

    root: str
    path: bytes
    state: FileState
    stamp: FileStamp | None = None
    """None only for an excluded directory, whose ``files`` counts what lies below it."""
    sha256: bytes | None = None
    reason: Reason | None = None
    """Always set for excluded, failed and away rows; for a pending one while it settles."""
    first_seen: float = 0.0
    since: float = 0.0
    """When the row came into its present state."""
    attempts: int = 0
    """Worker processes this content has killed so far."""
    files: int = 1
    settled: bool = False
    """False while a pending file may still be growing; only settled files are analysed."""
    before: FileState | None = None
    """For an away row: the state it returns to when the file comes back unchanged."""


class Found(Record, frozen=True, kw_only=True, tag=True):
    """A file that is new or whose bytes may have changed. Unsettled ones wait, settled ones queue."""

    path: bytes
    stamp: FileStamp
    settled: bool
    reason: Reason | None = None
    backlog: bool = False
    """Whether it was there before its library was first looked at, rather than dropped just now."""


class Moved(Record, frozen=True, kw_only=True, tag=True):
    """The same inode with the same size and mtime under a new name: nothing needs recomputing."""

    old: bytes
    path: bytes
    stamp: FileStamp


class Linked(Record, frozen=True, kw_only=True, tag=True):
    """A further hard link to a file that is already indexed under ``other``."""

    path: bytes
    other: bytes
    stamp: FileStamp


class Excluded(Record, frozen=True, kw_only=True, tag=True):
    """A file, or with ``files`` a whole directory, that a rule keeps out."""

    path: bytes
    reason: Reason
    stamp: FileStamp | None = None
    files: int = 1


class Refused(Record, frozen=True, kw_only=True, tag=True):
    """A file that cannot be analysed: unreadable, never settling."""

    path: bytes
    reason: Reason
    stamp: FileStamp | None = None


class Missing(Record, frozen=True, kw_only=True, tag=True):
    """A known file that is not where it was; it becomes away and starts its grace time."""

    path: bytes
    reason: Reason


class Back(Record, frozen=True, kw_only=True, tag=True):
    """An away file that is there again with an equal stamp: its former state returns."""

    path: bytes
    stamp: FileStamp


class Gone(Record, frozen=True, kw_only=True, tag=True):
    """A file whose deletion is believed. The row goes; the photo's decisions and analysis stay."""

    path: bytes
    reason: Reason


class Departed(Record, frozen=True, kw_only=True, tag=True):
    """A file that the daemon itself has taken from here. The row goes; the photo's decisions and analysis stay."""

    path: bytes
    what: str = "trashed"
    """The word for it in the passport; empty for none, where another step tells it."""
    detail: str = ""
    """Where it is now, in words."""


class Arrived(Record, frozen=True, kw_only=True, tag=True):
    """A file that the daemon itself has put here, of known content: nothing needs recomputing."""

    path: bytes
    stamp: FileStamp
    sha256: bytes
    what: str = "restored"
    """The word for it in the passport."""
    detail: str = ""
    """Where it came from, in words."""
    first_seen: float | None = None
    """When it was first seen, where it was before; None: now."""


Change = Found | Moved | Linked | Excluded | Refused | Missing | Back | Gone | Departed | Arrived


class Ledger(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The conservation law of one root: on_disk is the sum of all the others."""

    on_disk: int = 0
    indexed: int = 0
    excluded: int = 0
    pending: int = 0
    failed: int = 0
    away: int = 0
