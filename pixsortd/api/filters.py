"""The filters and the order that every list of photos takes."""

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter, SkipValidation

from pixsortd.api.parameters import finite, instant
from pixsortd.api.ports import ImageQuery, ImageSort, ImageStatus
from pixsortd.errors import InvalidRequest
from pixsortd.records import ColourLabel

NO_GROUP = "none"

Since = Annotated[str | None, QueryParameter(name="from", max_length=40, description="taken at or after, ISO 8601")]
Until = Annotated[str | None, QueryParameter(name="to", max_length=40, description="taken at or before, ISO 8601")]
Low = Annotated[float | None, QueryParameter(name="min", description="least score of `metric`")]
High = Annotated[float | None, QueryParameter(name="max", description="greatest score of `metric`")]
MetricName = Annotated[str | None, QueryParameter(max_length=100, description="a metric's name as in /api/status")]
RootId = Annotated[str | None, QueryParameter(max_length=128, description="only photos with a file under this root")]
GroupId = Annotated[str | None, QueryParameter(max_length=128, description="a group's id, or `none` for the ungrouped")]
BatchId = Annotated[str | None, QueryParameter(max_length=128, description="only photos of a batch")]
Stars = Annotated[int | None, QueryParameter(ge=0, le=5, description="at least this many stars")]


def image_query(
    root: RootId = None,
    group: GroupId = None,
    batch: BatchId = None,
    status: FromQuery[ImageStatus | None] = None,
    rating: Stars = None,
    label: FromQuery[ColourLabel | None] = None,
    since: Since = None,
    until: Until = None,
    metric: MetricName = None,
    low: Low = None,
    high: High = None,
    sort: FromQuery[ImageSort] = ImageSort.NEWEST,
) -> ImageQuery:
    """The query that the parameters spell. Raises InvalidRequest."""
    if metric is None and (low is not None or high is not None):
        raise InvalidRequest("A bound needs the metric it is for", next_step="Add metric=NAME.")
    return ImageQuery(
        root=root,
        group=None if group == NO_GROUP else group,
        ungrouped=group == NO_GROUP,
        batch=batch,
        status=status,
        rating=rating,
        label=label,
        taken_from=instant(since, end_of_day=False),
        taken_to=instant(until, end_of_day=True),
        metric=metric,
        low=finite(low),
        high=finite(high),
        sort=sort,
    )


Query = NamedDependency[SkipValidation[ImageQuery]]
