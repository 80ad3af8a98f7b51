"""The library and the pipeline in figures."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Reason, Seconds, Total
from pixsortd.api.ports import StageName


class MonthTally(Answer, frozen=True, kw_only=True):
    """Photos taken in one month (UTC)."""

    month: str
    count: int


class NameTally(Answer, frozen=True, kw_only=True):
    """Photos that share a format or camera."""

    name: str
    count: int
    bytes: int


class SizeTally(Answer, frozen=True, kw_only=True):
    """Groups of `least` to `most` photos."""

    least: int
    most: int
    count: int


class Histogram(Answer, frozen=True, kw_only=True):
    """One metric over the library; `edges` has one more than `counts`."""

    metric: str
    lower_better: bool
    low: float | None
    high: float | None
    count: int
    median: float
    edges: list[float]
    counts: list[int]


class Throughput(Answer, frozen=True, kw_only=True):
    """Photos that became indexed in the minute that began at `at`."""

    at: Seconds
    count: int


class Overview(Answer, frozen=True, kw_only=True):
    """The library for the eyes, as it was at `at`."""

    at: Seconds
    photos: int
    bytes: int
    months: list[MonthTally]
    formats: list[NameTally]
    cameras: list[NameTally]
    quality: list[Histogram]
    group_sizes: list[SizeTally]
    ratings: Annotated[dict[str, int], Meta(description="photos by stars, 0 to 5")]
    labels: Annotated[dict[str, int], Meta(description="photos by colour label")]
    throughput: list[Throughput]


class Stage(Answer, frozen=True, kw_only=True):
    """One stage of the pipeline; `rate` a second, `eta` in seconds, `error` the last trouble since the start."""

    name: StageName
    depth: int
    rate: float
    bytes: Annotated[int, Meta(description="of the files that wait for analysis")]
    eta: float | None
    growing: Annotated[bool, Meta(description="more is still being found: depth and eta are the least")]
    away: Annotated[int, Meta(description="files among them that cannot be reached now; eta leaves them out")]
    paused: bool
    can_pause: bool
    error: Reason | None
    error_at: Seconds | None


class StagePage(Answer, frozen=True, kw_only=True):
    """The stages in order."""

    items: list[Stage]
    next_cursor: str | None
    total: Total
