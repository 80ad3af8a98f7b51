"""The library and the pipeline in figures."""

from collections.abc import Sequence

from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields, reason


def _histogram(given: ports.Distribution) -> answers.Histogram:
    metric = given.metric
    return answers.Histogram(
        metric=metric.name,
        lower_better=metric.lower_better,
        low=metric.low,
        high=metric.high,
        count=given.count,
        median=given.median,
        edges=list(given.edges),
        counts=list(given.counts),
    )


def overview(given: ports.OverviewReport) -> answers.Overview:
    """The library for the eyes."""
    return answers.Overview(
        at=given.at,
        photos=given.photos,
        bytes=given.bytes,
        months=[answers.MonthTally(**fields(one)) for one in given.months],
        formats=[answers.NameTally(**fields(one)) for one in given.formats],
        cameras=[answers.NameTally(**fields(one)) for one in given.cameras],
        quality=[_histogram(one) for one in given.quality],
        group_sizes=[answers.SizeTally(**fields(one)) for one in given.group_sizes],
        ratings=given.ratings,
        labels=given.labels,
        throughput=[answers.Throughput(**fields(one)) for one in given.throughput],
    )


def stages(given: Sequence[ports.StageReport]) -> list[answers.Stage]:
    """The stages in order."""
    return [answers.Stage(**(fields(one) | {"error": reason(one.error)})) for one in given]


def stage_page(given: Sequence[ports.StageReport]) -> answers.StagePage:
    """The stages as a list."""
    items = stages(given)
    return answers.StagePage(items=items, next_cursor=None, total=len(items))
