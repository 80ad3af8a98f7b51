"""Batches."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body, ImageId, Seconds, Total
from pixsortd.api.answers.jobs import Job
from pixsortd.api.answers.photos import Cell
from pixsortd.api.ports import BatchStatus
from pixsortd.records import BatchMetric, Weights

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Label = Annotated[str, Meta(min_length=1, max_length=100)]


class Parameters(Body, frozen=True, kw_only=True):
    """How a batch is clustered (HDBSCAN)."""

    min_cluster_size: Annotated[int, Meta(ge=2, le=1000)] = 5
    min_samples: Annotated[int, Meta(ge=1, le=1000)] = 5
    metric: BatchMetric = BatchMetric.COSINE
    weights: Annotated[
        Weights,
        Meta(description="what holds photos together: neighbours they share, or distance alone, as in HDBSCAN"),
    ] = Weights.SHARED


class Batch(Answer, frozen=True, kw_only=True):
    """A named set of photos with parameters and groups of its own."""

    id: str
    name: str
    status: BatchStatus
    created: Seconds
    parameters: Parameters
    size: int
    groups: int
    grouped: int
    left_out: Annotated[int, Meta(description="photos without a vector at the last analysis; the next takes them in")]
    analyzed: Seconds | None
    method: Annotated[str | None, Meta(description="how the groups were found, in words")]
    error: str | None
    job: Job | None
    preview: list[ImageId]


class BatchPage(Answer, frozen=True, kw_only=True):
    """All batches, newest first."""

    items: list[Batch]
    next_cursor: str | None
    total: Total


class BatchGroup(Answer, frozen=True, kw_only=True):
    """One group of a batch; `metric` is that of its ranking."""

    label: str
    size: int
    manual: int
    cover: ImageId | None
    metric: str | None
    ranked_at: Seconds | None


class BatchImage(Cell, frozen=True, kw_only=True):
    """A photo in a batch; `batch_group` is null before the first analysis."""

    batch_group: str | None
    manual: bool
    rank: int | None
    value: float | None


class BatchDetail(Batch, frozen=True, kw_only=True):
    """A batch with its groups and photos: largest group first, Ungrouped last, then by rank, then by time taken."""

    groups_list: list[BatchGroup]
    images: list[BatchImage]


class BatchBody(Body, frozen=True, kw_only=True):
    """A new batch."""

    name: Name
    ids: Annotated[list[ImageId], Meta(max_length=10_000)] = []


class BatchPatch(Body, frozen=True, kw_only=True):
    """Another name."""

    name: Name


class LabelsBody(Body, frozen=True, kw_only=True):
    """Groups given by hand, by photo; null: back to what the analysis says. A partial map is fine."""

    labels: Annotated[dict[ImageId, Label | None], Meta(min_length=1, max_length=10_000)]
