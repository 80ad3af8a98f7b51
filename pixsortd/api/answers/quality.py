"""Scores, compared, and rankings."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body, Ids, ImageId, Reason, Seconds
from pixsortd.api.answers.jobs import Job

Percentile = Annotated[float, Meta(ge=0, le=100, description="share of scored photos it is at least as good as")]
MetricText = Annotated[str, Meta(min_length=1, max_length=100)]


class Score(Answer, frozen=True, kw_only=True):
    """One stored score with all that is needed to read it."""

    metric: str
    value: float
    lower_better: bool
    low: float | None
    high: float | None
    long_side: int
    version: str
    at: Seconds


class ComparedScore(Score, frozen=True, kw_only=True):
    """A stored score and how it compares, in the metric's own direction."""

    percentile: Percentile
    group_percentile: Percentile | None


class CompositePart(Answer, frozen=True, kw_only=True):
    """What one metric adds to a composite."""

    metric: str
    percentile: Percentile
    weight: Annotated[float, Meta(ge=0, le=1, description="the weights of the parts sum to 1")]


class Composite(Answer, frozen=True, kw_only=True):
    """Weighted mean of the photo's library percentiles: 0 to 100, more is better."""

    value: Percentile
    parts: list[CompositePart]


class MissingScore(Answer, frozen=True, kw_only=True):
    """A configured metric without a score; `reason` says why it cannot be computed, null when it can."""

    metric: str
    reason: Reason | None


class Quality(Answer, frozen=True, kw_only=True):
    """All scores of one photo; `job` computes what is missing."""

    id: ImageId
    items: list[ComparedScore]
    composite: Composite | None
    missing: list[MissingScore]
    job: Job | None


class QualityBody(Body, frozen=True, kw_only=True):
    """Photos to score; without `metric` by all configured ones; `again` computes stored scores anew."""

    ids: Ids
    metric: MetricText | None = None
    again: bool = False


class QualityList(Answer, frozen=True, kw_only=True):
    """Scores of many photos, and the one job that computes what is missing."""

    items: list[Quality]
    job: Job | None


class RankedImage(Answer, frozen=True, kw_only=True):
    """One place in a ranking; 1 is the best, null without a score."""

    id: ImageId
    rank: int | None
    value: float | None


class Ranking(Answer, frozen=True, kw_only=True):
    """A group from best to worst; `job` computes missing scores and ranks again."""

    metric: str
    lower_better: bool
    ties: str
    at: Seconds
    items: list[RankedImage]
    job: Job | None
