"""Batches as the API sees them: named sets of photos with parameters and groups of their own."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from pixsortd.api.ports.quality import Ranking
from pixsortd.api.ports.timeline import Cell
from pixsortd.records import BatchParameters, Job, Record


class BatchStatus(StrEnum):
    """A batch's life. Adding or removing photos, or other parameters, make it pending again."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETE = "complete"
    FAILED = "failed"


class BatchSummary(Record, frozen=True, kw_only=True):
    """One batch as lists show it."""

    id: str
    name: str
    status: BatchStatus
    created: float
    parameters: BatchParameters
    size: int
    groups: int
    """Groups that have a member, without Ungrouped."""
    grouped: int
    """Photos in one of them."""
    left_out: int = 0
    """Photos that had no vector at the last analysis; the next one takes them in."""
    analyzed: float | None = None
    method: str | None = None
    """How the groups were found, in words."""
    error: str | None = None
    """Why the last analysis failed."""
    job: Job | None = None
    """The analysis that waits or runs."""
    preview: tuple[bytes, ...] = ()
    """At most six photos that stand for it."""


class BatchGroup(Record, frozen=True, kw_only=True):
    """One group of a batch."""

    label: str
    size: int
    manual: int
    """Members that the user put there."""
    cover: bytes | None
    """The best-ranked member, else the first."""
    metric: str | None = None
    """The metric of the ranking, None without one. A ranking ends when the group's members change."""
    ranked_at: float | None = None


class BatchMember(Record, frozen=True, kw_only=True):
    """One photo in a batch."""

    cell: Cell
    label: str | None
    """None where no analysis has looked at it (unless the user gave one)."""
    manual: bool = False
    rank: int | None = None
    value: float | None = None
    """What it was ranked by."""


class BatchEntry(Record, frozen=True, kw_only=True):
    """A batch with all it holds that anything is known of.

    Sorted by group (the largest first, Ungrouped last, photos without a label behind it), then rank, then time taken.
    """

    summary: BatchSummary
    groups: tuple[BatchGroup, ...]
    """In the same order. Sizes count every member, also an upload of which nothing is known yet."""
    members: Sequence[BatchMember]


class Batches(Protocol):
    """All batches. They live in the decisions log. Every method *may block*; NotFound for an unknown batch."""

    def list(self) -> Sequence[BatchSummary]:
        """Newest first."""
        ...

    def create(self, name: str, images: Sequence[bytes]) -> BatchSummary:
        """A new batch. Raises NotFound for an unknown photo."""
        ...

    def get(self, batch: str) -> BatchEntry:
        """One batch with its photos."""
        ...

    def rename(self, batch: str, name: str) -> BatchSummary:
        """Another name."""
        ...

    def delete(self, batch: str) -> BatchSummary:
        """Take it off the list; ``restore`` brings it back. No photo is touched."""
        ...

    def restore(self, batch: str) -> BatchSummary:
        """Undo ``delete``."""
        ...

    def add(self, batch: str, images: Sequence[bytes]) -> BatchSummary:
        """Put photos in; those it has already stay as they are. Raises NotFound for an unknown photo."""
        ...

    def include(self, batch: str, images: Sequence[bytes]) -> BatchSummary:
        """As ``add``, for contents just uploaded that no analysis has seen yet."""
        ...

    def remove(self, batch: str, images: Sequence[bytes]) -> BatchSummary:
        """Take photos out, with their manual labels; those it has not are ignored."""
        ...

    def analyze(self, batch: str, parameters: BatchParameters) -> Job:
        """Queue an HDBSCAN run over the photos that have a vector; the run under way where it has these parameters."""
        ...

    def label(self, batch: str, labels: Mapping[bytes, str | None]) -> BatchEntry:
        """Put photos into groups by hand (None: back to what the analysis says). A partial map is fine.

        It outlives every analysis. Raises NotFound for a photo that the batch has not.
        """
        ...

    def rank(self, batch: str, label: str, metric: str) -> Ranking:
        """Rank a group's photos and remember it; missing scores are computed by a job that then ranks again.

        Raises NotFound (no such group), InvalidRequest (no such metric).
        """
        ...
