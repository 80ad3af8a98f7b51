"""Scores side by side, the composite, and rankings, as the API sees them."""

from collections.abc import Sequence
from typing import Protocol

from pixsortd.records import Job, MetricInfo, Reason, Record, Score

COMPOSITE = "composite"
"""Name of the composite wherever a metric's name is taken."""

TIES = "equal scores: more pixels first, then taken earlier, then the smaller id"


class ScoreReport(Record, frozen=True, kw_only=True):
    """One stored score and how it compares.

    A percentile, 0 to 100, is the share of scored photos that this one is at least as good as.
    """

    score: Score
    library: float
    """Percentile in the library."""
    group: float | None = None
    """Percentile in the photo's group, None without a group."""


class CompositePart(Record, frozen=True, kw_only=True):
    """What one metric adds to a composite."""

    metric: str
    percentile: float
    weight: float
    """Of this photo's composite; the weights of its parts sum to 1."""


class Composite(Record, frozen=True, kw_only=True):
    """Weighted mean of a photo's library percentiles, each in its metric's own direction: 0 to 100, more is better."""

    value: float
    parts: tuple[CompositePart, ...]


class MissingScore(Record, frozen=True, kw_only=True):
    """A configured metric without a stored score for the photo."""

    metric: str
    reason: Reason | None
    """Why it cannot be computed now; None when it can."""


class QualityReport(Record, frozen=True, kw_only=True):
    """All scores of one photo."""

    id: bytes
    items: tuple[ScoreReport, ...]
    composite: Composite | None
    missing: tuple[MissingScore, ...] = ()
    job: Job | None = None
    """The job that computes what is missing and can be computed."""


class RankedPhoto(Record, frozen=True, kw_only=True):
    """One place in a ranking; 1 is the best. Photos without a score have no rank and come last."""

    id: bytes
    rank: int | None
    value: float | None


class Ranking(Record, frozen=True, kw_only=True):
    """Photos of one group from best to worst in a metric's own direction, ties by `TIES`."""

    metric: str
    lower_better: bool
    at: float
    items: Sequence[RankedPhoto]
    job: Job | None = None
    """The job that computes the missing scores and ranks again."""


class Distribution(Record, frozen=True, kw_only=True):
    """One metric over the library."""

    metric: MetricInfo
    count: int
    median: float
    edges: tuple[float, ...]
    """One more than ``counts``, rising."""
    counts: tuple[int, ...]


class Quality(Protocol):
    """Scores, compared and computed. Every method *may block*."""

    def report(self, image: bytes, metric: str | None, compute: bool, again: bool) -> QualityReport:
        """All scores of a photo, or the one of ``metric``; with ``compute`` a job for what is missing.

        ``again`` computes stored scores anew. Raises NotFound, InvalidRequest (a metric that is not configured).
        """
        ...

    def compute(self, images: Sequence[bytes], metric: str | None, again: bool) -> Sequence[QualityReport]:
        """The same for many, with one job for all. Raises NotFound, InvalidRequest."""
        ...

    def rank(self, group: str, metric: str) -> Ranking:
        """Rank a library group. Raises NotFound, InvalidRequest."""
        ...
