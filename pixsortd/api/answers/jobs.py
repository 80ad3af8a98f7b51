"""Background work."""

from pixsortd.api.answers.base import Answer, Seconds, Total
from pixsortd.records import JobState


class Job(Answer, frozen=True, kw_only=True):
    """A piece of background work."""

    id: str
    kind: str
    state: JobState
    done: int
    total: int
    error: str | None
    detail: str
    created: Seconds
    started: Seconds | None
    ended: Seconds | None
    result: dict[str, int | float | str]


class JobPage(Answer, frozen=True, kw_only=True):
    """The latest jobs, newest first."""

    items: list[Job]
    next_cursor: str | None
    total: Total
