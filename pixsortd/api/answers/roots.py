"""Roots, quarantine and passports."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body, Reason, Seconds, Shown, Total
from pixsortd.api.answers.groups import Grouping
from pixsortd.api.answers.photos import File, Image, Membership
from pixsortd.records import Role, RootState, WatchMode


class Ledger(Answer, frozen=True, kw_only=True):
    """``on_disk`` is the sum of all the others."""

    on_disk: int
    indexed: int
    excluded: int
    pending: int
    failed: int
    away: int


class Scan(Answer, frozen=True, kw_only=True):
    """The scan under way or the last one."""

    running: bool
    directories: int
    files: int
    ended: Seconds | None
    seconds: float


class Root(Answer, frozen=True, kw_only=True):
    """One photo directory."""

    id: str
    path: Shown
    role: Role
    writable: bool
    state: RootState
    since: Seconds
    reason: Reason | None
    watch: WatchMode
    watch_reason: Reason | None
    directories: int
    watched: int
    missing: int
    skipped: dict[str, int]
    ledger: Ledger
    scan: Scan


class RootPage(Answer, frozen=True, kw_only=True):
    """All roots."""

    items: list[Root]
    next_cursor: str | None
    total: Total


class GoneAnswer(Answer, frozen=True, kw_only=True):
    """How many missing files were dropped on the user's word."""

    root: str
    files: int


class FilePage(Answer, frozen=True, kw_only=True):
    """A page of files."""

    items: list[File]
    next_cursor: str | None
    total: Total


class RetryBody(Body, frozen=True, kw_only=True):
    """Ids of quarantined files to try again."""

    ids: Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(min_length=1, max_length=1000)]


class RetryAnswer(Answer, frozen=True, kw_only=True):
    """What was queued; `unknown` are ids that are not in quarantine (any more)."""

    queued: list[str]
    unknown: list[str]


class Step(Answer, frozen=True, kw_only=True):
    """One line of a passport."""

    at: Seconds
    what: str
    detail: str
    root: str | None
    path: Shown | None


class Why(Answer, frozen=True, kw_only=True):
    """The passport: how a file or photo came to be where it is, oldest step first."""

    image: Image | None
    files: list[File]
    membership: Membership | None
    grouping: Grouping | None
    excluded_by: Reason | None
    steps: list[Step]
