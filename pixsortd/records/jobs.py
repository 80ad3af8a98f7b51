"""Passports and background work."""

from enum import StrEnum

from pixsortd.records.base import Record


class Step(Record, frozen=True, kw_only=True):
    """One line of a file's passport."""

    at: float
    what: str
    """found, settled, indexed, known, moved, changed, missing, back, gone, trashed, restored, failed, retried,
    grouped, rated ..."""
    detail: str = ""
    path: bytes | None = None
    root: str | None = None


class JobState(StrEnum):
    """A job's life."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A piece of background work that a person can look at and cancel."""

    id: str
    kind: str
    """recluster, scan, quality, check, rebuild, backup ..."""
    state: JobState
    done: int = 0
    total: int = 0
    error: str | None = None
    detail: str = ""
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    result: dict[str, int | float | str] = {}
