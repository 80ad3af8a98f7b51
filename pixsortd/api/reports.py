"""The JSON about the daemon itself: status, health, session. See `answers` for its rules."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from pixsortd.api.answers import Answer, Body, Job, Reason, Room, Root, Seconds, Stage
from pixsortd.records import AbilityState


class SpaceState(Answer, frozen=True, kw_only=True):
    """One configured embedding space."""

    name: str
    state: AbilityState
    reason: Reason | None
    model: str | None
    revision: str | None
    dim: int | None
    device: str


class MetricState(Answer, frozen=True, kw_only=True):
    """One configured quality metric."""

    name: str
    state: AbilityState
    reason: Reason | None
    lower_better: bool | None
    low: float | None
    high: float | None
    long_side: int | None
    license: str | None
    device: str


class Queue(Answer, frozen=True, kw_only=True):
    """What waits for analysis; `rate` in files a second, `eta` in seconds."""

    settling: int
    ready: int
    in_flight: int
    backfill: int
    rate: float
    eta: float | None


class Worker(Answer, frozen=True, kw_only=True):
    """The analysis process."""

    state: str
    pid: int | None
    device: str
    rss: Annotated[int, Meta(description="bytes")]
    crashes: int
    reason: Reason | None


class Index(Answer, frozen=True, kw_only=True):
    """The sidecar index."""

    photos: int
    groups: int
    grouped: int
    quarantined: int
    bytes: int
    free: Annotated[int, Meta(description="bytes free on the disk of the state directory")]
    generation: int
    schema: int


class Status(Answer, frozen=True, kw_only=True):
    """The daemon in one look."""

    version: str
    started: Seconds
    uptime: Annotated[float, Meta(description="seconds")]
    pid: int
    roots: list[Root]
    queue: Queue
    worker: Worker
    index: Index
    spaces: list[SpaceState]
    metrics: list[MetricState]
    space: Annotated[str, Meta(description="space in use for groups and like-search")]
    wanted_space: Annotated[str, Meta(description="space that the configuration asks for")]
    stages: Annotated[list[Stage], Meta(description="as of `/pipeline`; empty without a running daemon")]
    jobs: list[Job]
    notices: list[Reason]


class Live(Answer, frozen=True, kw_only=True):
    """The event loop turns."""

    status: Literal["ok"]


class Ready(Answer, frozen=True, kw_only=True):
    """Every room answers."""

    status: Literal["ok"]
    rooms: Mapping[str, Room]


class LoginBody(Body, frozen=True, kw_only=True):
    """The daemon's token."""

    token: Annotated[str, Meta(max_length=512)]


class Session(Answer, frozen=True, kw_only=True):
    """Whether a token is needed, and whether this client has shown it."""

    required: bool
    active: bool
