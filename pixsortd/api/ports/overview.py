"""The library and the pipeline in figures, as the API sees them."""

from enum import StrEnum
from typing import Protocol

from pixsortd.api.ports.quality import Distribution
from pixsortd.records import Reason, Record


class NameTally(Record, frozen=True, kw_only=True):
    """How many photos share a name: a format, a camera."""

    name: str
    count: int
    bytes: int = 0


class MonthTally(Record, frozen=True, kw_only=True):
    """Photos taken in one month."""

    month: str
    """``YYYY-MM``, UTC."""
    count: int


class SizeTally(Record, frozen=True, kw_only=True):
    """Groups of ``least`` to ``most`` photos."""

    least: int
    most: int
    count: int


class ThroughputPoint(Record, frozen=True, kw_only=True):
    """Photos that became indexed in the minute that began at ``at``."""

    at: float
    count: int


class OverviewReport(Record, frozen=True, kw_only=True):
    """The library for the eyes. It may be some minutes old; ``at`` says."""

    at: float
    photos: int
    bytes: int
    months: tuple[MonthTally, ...]
    """Rising, without empty ones."""
    formats: tuple[NameTally, ...]
    cameras: tuple[NameTally, ...]
    """The most frequent twenty; photos without one are not counted."""
    quality: tuple[Distribution, ...]
    group_sizes: tuple[SizeTally, ...]
    ratings: dict[str, int]
    """By stars, ``0`` to ``5``; unrated photos are not counted."""
    labels: dict[str, int]
    throughput: tuple[ThroughputPoint, ...]
    """Of the last day, without empty minutes."""


class StageName(StrEnum):
    """The stages of the pipeline, in order."""

    SETTLE = "settle"
    ANALYZE = "analyze"
    SCORE = "score"
    GROUP = "group"


class StageReport(Record, frozen=True, kw_only=True):
    """One stage."""

    name: StageName
    depth: int
    """Files or photos that wait or are worked on."""
    rate: float
    """A second, over the last minute, not counting time in which nothing was worked on."""
    bytes: int = 0
    """Of the files that wait for analysis; 0 in the other stages."""
    eta: float | None = None
    """Seconds until what can be done now is done, judged by what was done so far; None as long as that is unknown."""
    growing: bool = False
    """More is still being found, since a directory has never been walked to its end: depth and eta are the least."""
    away: int = 0
    """How many of those that wait lie on roots that cannot be read now; ``eta`` leaves them out."""
    paused: bool = False
    can_pause: bool = True
    error: Reason | None = None
    """The last trouble since the start, None without any."""
    error_at: float | None = None


class Overview(Protocol):
    """Figures and the stages."""

    def report(self) -> OverviewReport:
        """*May block* (seconds at most, for a library of a million)."""
        ...

    def stages(self) -> tuple[StageReport, ...]:
        """*May block* for a few reads."""
        ...

    def pause(self, stage: StageName, paused: bool) -> tuple[StageReport, ...]:
        """Hold a stage, or let it go on; kept across restarts. *May block.* Raises Conflict (it cannot be held)."""
        ...
