"""Scores and rankings."""

from collections.abc import Sequence

from pixsortd import records
from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields, reason
from pixsortd.api.present.jobs import job


def score(given: records.Score) -> answers.Score:
    """One stored score."""
    metric = given.metric
    return answers.Score(
        metric=metric.name,
        value=given.value,
        lower_better=metric.lower_better,
        low=metric.low,
        high=metric.high,
        long_side=metric.long_side,
        version=metric.version,
        at=given.at,
    )


def _compared(given: ports.ScoreReport) -> answers.ComparedScore:
    stored = score(given.score)
    return answers.ComparedScore(**fields(stored), percentile=given.library, group_percentile=given.group)


def _composite(given: ports.Composite | None) -> answers.Composite | None:
    if given is None:
        return None
    return answers.Composite(value=given.value, parts=[answers.CompositePart(**fields(one)) for one in given.parts])


def quality(given: ports.QualityReport) -> answers.Quality:
    """All scores of one photo."""
    return answers.Quality(
        id=given.id.hex(),
        items=[_compared(one) for one in given.items],
        composite=_composite(given.composite),
        missing=[answers.MissingScore(metric=one.metric, reason=reason(one.reason)) for one in given.missing],
        job=job(given.job) if given.job else None,
    )


def quality_list(given: Sequence[ports.QualityReport]) -> answers.QualityList:
    """Scores of many photos; they share their job."""
    items = [quality(one) for one in given]
    return answers.QualityList(items=items, job=next((one.job for one in items if one.job is not None), None))


def ranking(given: ports.Ranking) -> answers.Ranking:
    """A group from best to worst."""
    return answers.Ranking(
        metric=given.metric,
        lower_better=given.lower_better,
        ties=ports.TIES,
        at=given.at,
        items=[answers.RankedImage(id=one.id.hex(), rank=one.rank, value=one.value) for one in given.items],
        job=job(given.job) if given.job else None,
    )
