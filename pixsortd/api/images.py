"""``/api/images``: the list, the original, the thumbnail, what is known, the rating."""

import asyncio
from typing import Annotated

from litestar import Router, get, patch
from litestar.datastructures import ResponseHeader
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from litestar.response.base import ASGIResponse

from pixsortd.api import answers, originals, present, thumbnails
from pixsortd.api.parameters import Cursor, Lib, Limit, finite, instant, photo_id
from pixsortd.api.ports import ImageQuery, ImageSort, ImageStatus
from pixsortd.errors import InvalidRequest, NotFound

IMMUTABLE = "private, max-age=31536000, immutable"
UNGROUPED = "none"
_ETAG = [ResponseHeader(name="etag", description="the photo's SHA-256, quoted", documentation_only=True)]

Since = Annotated[str | None, QueryParameter(name="from", max_length=40, description="taken at or after, ISO 8601")]
Until = Annotated[str | None, QueryParameter(name="to", max_length=40, description="taken at or before, ISO 8601")]
Low = Annotated[float | None, QueryParameter(name="min", description="least score of `metric`")]
High = Annotated[float | None, QueryParameter(name="max", description="greatest score of `metric`")]
MetricName = Annotated[str | None, QueryParameter(max_length=100, description="a metric's name as in /api/status")]
RootId = Annotated[str | None, QueryParameter(max_length=128, description="only photos with a file under this root")]
GroupId = Annotated[str | None, QueryParameter(max_length=128, description="a group's id, or `none` for the ungrouped")]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="if-none-match")]


@get("/", summary="List photos", sync_to_thread=True)
def list_images(
    library: Lib,
    root: RootId = None,
    group: GroupId = None,
    status: FromQuery[ImageStatus | None] = None,
    since: Since = None,
    until: Until = None,
    metric: MetricName = None,
    low: Low = None,
    high: High = None,
    sort: FromQuery[ImageSort] = ImageSort.NEWEST,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> answers.ImagePage:
    """Photos under the given filters, newest first unless sorted otherwise."""
    if metric is None and (low is not None or high is not None):
        raise InvalidRequest("A bound needs the metric it is for", next_step="Add metric=NAME.")
    query = ImageQuery(
        root=root,
        group=None if group == UNGROUPED else group,
        ungrouped=group == UNGROUPED,
        status=status,
        taken_from=instant(since, end_of_day=False),
        taken_to=instant(until, end_of_day=True),
        metric=metric,
        low=finite(low),
        high=finite(high),
        sort=sort,
    )
    return present.image_page(library.images(query, cursor, limit))


@get(
    "/{image_id:str}",
    summary="The original",
    response_headers=_ETAG,
    responses={
        200: ResponseSpec(bytes, description="the whole file", media_type="image/*", generate_examples=False),
        206: ResponseSpec(bytes, description="the range asked for", media_type="image/*", generate_examples=False),
        304: ResponseSpec(None, description="the client has it already", generate_examples=False),
    },
)
async def get_original(
    library: Lib,
    image_id: FromPath[str],
    if_none_match: IfNoneMatch = None,
    wanted: Annotated[str | None, HeaderParameter(name="range")] = None,
    if_range: Annotated[str | None, HeaderParameter(name="if-range")] = None,
) -> ASGIResponse:
    """The bytes of the photo, unchanged; whole or one range."""
    sha256 = photo_id(image_id)
    if if_none_match is not None:
        await asyncio.to_thread(library.image, sha256)
        if fresh := originals.unchanged(if_none_match, f'"{image_id}"', IMMUTABLE):
            return fresh
    original = await asyncio.get_running_loop().run_in_executor(originals.DISK, library.original, sha256)
    return originals.OriginalAnswer(original, image_id, wanted=wanted, if_range=if_range)


@get(
    "/thumbnail/{image_id:str}",
    summary="The thumbnail",
    sync_to_thread=True,
    responses={
        200: ResponseSpec(bytes, description="JPEG or WebP", media_type="image/*", generate_examples=False),
        304: ResponseSpec(None, description="the client has it already", generate_examples=False),
    },
)
def get_thumbnail(
    library: Lib,
    image_id: FromPath[str],
    size: Annotated[
        int | None, QueryParameter(ge=16, le=2048, description="long side in pixels, never enlarged")
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> ASGIResponse:
    """An oriented thumbnail with the photo's aspect. Without `size`, as stored."""
    data = library.thumbnail(photo_id(image_id))
    if data is None:
        raise NotFound("This photo has no thumbnail yet", next_step="It is made when the photo is analysed.")
    etag = f'"{image_id}-{size or "stored"}"'
    if fresh := originals.unchanged(if_none_match, etag, IMMUTABLE):
        return fresh
    body = data if size is None else thumbnails.shrink(data, size)
    return ASGIResponse(
        body=body, media_type=thumbnails.media_type(body), headers={"etag": etag, "cache-control": IMMUTABLE}
    )


@get("/metadata/{image_id:str}", summary="All that is known of a photo", sync_to_thread=True)
def get_metadata(library: Lib, image_id: FromPath[str]) -> answers.ImageDetail:
    """Dimensions, EXIF with GPS, files, scores, group, rating, status."""
    return present.image_detail(library.image(photo_id(image_id)))


@get("/quality/{image_id:str}", summary="Stored quality scores", sync_to_thread=True)
def get_quality(library: Lib, image_id: FromPath[str], metric: MetricName = None) -> answers.Quality:
    """All stored scores, or the one of `metric`."""
    scores = [one for one in library.image(photo_id(image_id)).scores if metric in (None, one.metric.name)]
    if metric is not None and not scores:
        raise NotFound(
            "This photo has no stored score of that metric",
            next_step="GET /api/status lists the metrics and why one may be missing.",
        )
    return answers.Quality(id=image_id, items=[present.score(one) for one in scores])


@patch("/{image_id:str}", summary="Rate a photo", sync_to_thread=True)
def patch_image(library: Lib, image_id: FromPath[str], data: JSONBody[answers.ImagePatch]) -> answers.Image:
    """Give 0 to 5 stars, or take them back with null. Kept in the decisions log, never in the file."""
    return present.image(library.rate(photo_id(image_id), data.rating))


router = Router(
    path="/images",
    tags=["images"],
    route_handlers=[list_images, get_original, get_thumbnail, get_metadata, get_quality, patch_image],
)
