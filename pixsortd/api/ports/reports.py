"""The daemon itself as the API sees it."""

from collections.abc import Callable
from enum import StrEnum

from pixsortd.api.ports.overview import StageReport
from pixsortd.records import Ability, Job, Ledger, Reason, Record, RootRecord

Ping = Callable[[], Reason | None]
"""Quick health question to one room: None when it is well, else what is wrong. Raising counts as unwell."""


class RootEntry(Record, frozen=True, kw_only=True):
    """One root with its ledger."""

    record: RootRecord
    ledger: Ledger
    writable: bool = False
    """Photos may be moved from here to the trash."""
    scanning: bool = False
    scan_directories: int = 0
    """Directories done by the scan under way, or by the last one."""
    scan_files: int = 0


class QueueReport(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What waits for analysis."""

    settling: int = 0
    """Files that may still be growing."""
    ready: int = 0
    """Settled files that wait for the worker."""
    in_flight: int = 0
    backfill: int = 0
    """Known photos that lack a space or metric."""
    rate: float = 0.0
    """Files a second, over the last minute."""
    eta: float | None = None
    """Seconds until the queue is empty; None as long as that is not known."""


class WorkerReport(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The analysis process."""

    state: str
    """``off`` (idle, ended), ``starting``, ``idle``, ``busy`` or ``failed``."""
    pid: int | None = None
    device: str = ""
    rss: int = 0
    """Bytes."""
    crashes: int = 0
    """Since the daemon started."""
    reason: Reason | None = None


class IndexReport(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The sidecar index."""

    photos: int = 0
    groups: int = 0
    grouped: int = 0
    """Photos with a group."""
    quarantined: int = 0
    bytes: int = 0
    free: int = 0
    """Bytes free on the disk of the state directory."""
    generation: int = 0
    schema: int = 0


class StatusReport(Record, frozen=True, kw_only=True):
    """The daemon in one look."""

    version: str
    started: float
    pid: int
    roots: tuple[RootEntry, ...]
    queue: QueueReport
    worker: WorkerReport
    index: IndexReport
    abilities: tuple[Ability, ...]
    space: str
    """Name of the space used for groups and like-search now (``builtin`` while the wished one has no weights)."""
    wanted_space: str
    """Name of the space that the configuration asks for."""
    stages: tuple[StageReport, ...] = ()
    """The stages of the pipeline in order; none without a running daemon."""
    jobs: tuple[Job, ...] = ()
    """Queued and running ones."""
    notices: tuple[Reason, ...] = ()
    """What a person should know now: degraded watchers, rebuilt index, full disk, missing weights ..."""


class MetricKind(StrEnum):
    """Prometheus types the daemon reports."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Reading(Record, frozen=True, kw_only=True):
    """One number for ``/metrics``. The name comes without the ``pixsortd_`` prefix and ``_total`` suffix."""

    name: str
    help: str
    value: float
    kind: MetricKind = MetricKind.GAUGE
    labels: dict[str, str] = {}


class Event(Record, frozen=True, kw_only=True):
    """Something happened. Ids rise, also across restarts."""

    id: int
    kind: str
    """``photos``, ``quarantine``, ``groups``, ``plans``, ``job``, ``roots``, ``status``, or ``gap`` when earlier ids
    are lost."""
    data: dict[str, object] = {}
