"""``/api/images``: the list, the original, the thumbnail, what is known, the user's marks, deletion."""

import asyncio
from typing import Annotated

from litestar import Router, delete, get, patch
from litestar.datastructures import ResponseHeader
from litestar.di import Provide
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response.base import ASGIResponse
from msgspec import UNSET

from pixsortd.api import answers, originals, present, thumbnails
from pixsortd.api.filters import Query, image_query
from pixsortd.api.parameters import Cursor, Lib, Limit, photo_id, photo_ids, plain_id
from pixsortd.api.ports import MarkChange
from pixsortd.errors import InvalidRequest, NotFound

IMMUTABLE = "private, max-age=31536000, immutable"
_ETAG = [ResponseHeader(name="etag", description="the photo's SHA-256, quoted", documentation_only=True)]

IfNoneMatch = Annotated[str | None, HeaderParameter(name="if-none-match")]


@get("/", summary="List photos", sync_to_thread=True)
def list_images(library: Lib, filters: Query, cursor: Cursor = None, limit: Limit = 100) -> answers.ImagePage:
    """Photos under the given filters, newest first unless sorted otherwise."""
    return present.image_page(library.images(filters, cursor, limit))


@get("/timeline", summary="A list in outline", sync_to_thread=True)
def get_outline(library: Lib, filters: Query) -> answers.Outline:
    """The same list as buckets with their counts, so that a page can jump anywhere in it."""
    return present.outline(library.timeline.outline(filters))


@get("/timeline/{key:str}", summary="One bucket of a list", sync_to_thread=True)
def get_bucket(library: Lib, key: FromPath[str], filters: Query) -> answers.BucketCells:
    """All photos of one bucket of the outline under the same filters and sort."""
    return present.bucket_cells(key, library.timeline.bucket(filters, key))


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
    """Dimensions, EXIF with GPS, files, scores, group, batches, marks, status."""
    entry = library.image(photo_id(image_id))
    names = {one.id: one.name for one in library.batches.list()} if entry.batches else {}
    return present.image_detail(entry, names)


@patch("/{image_id:str}", summary="Mark a photo", sync_to_thread=True)
def patch_image(library: Lib, image_id: FromPath[str], data: JSONBody[answers.Marks]) -> answers.Image:
    """Give stars, a colour label or a caption, or take them back with null; what is left out stays.

    Kept in the decisions log, never in the file.
    """
    return present.image(library.marks.mark([photo_id(image_id)], _change(data))[0])


@patch("/", summary="Mark many photos", sync_to_thread=True)
def patch_images(library: Lib, data: JSONBody[answers.MarksOfMany]) -> answers.MarkedImages:
    """The same marks for all the given photos, in one durable write."""
    marked = library.marks.mark(photo_ids(data.ids), _change(data))
    return answers.MarkedImages(items=[present.image(one) for one in marked])


def _change(data: answers.Marks) -> MarkChange:
    if data.rating is data.label is data.caption is UNSET:
        raise InvalidRequest("Nothing to change", next_step="Give rating, label or caption; null takes one back.")
    return MarkChange(stars=data.rating, label=data.label, caption=data.caption)


@delete("/{image_id:str}", summary="Delete a photo", status_code=200, sync_to_thread=True)
def delete_image(
    library: Lib,
    image_id: FromPath[str],
    file: Annotated[str | None, QueryParameter(max_length=128, description="id of one file: only that copy")] = None,
) -> answers.Trashed:
    """Move all files of a photo to the trash, from where they come back with `POST /api/trash/restore`.

    Refused with 409 while one of them lies in a read-only root. `last_copy` tells when nothing with
    this content is left outside the trash.
    """
    return present.trashed(library.trash.discard(photo_id(image_id), None if file is None else plain_id(file, "file")))


router = Router(
    path="/images",
    tags=["images"],
    dependencies={"filters": Provide(image_query, sync_to_thread=False)},
    route_handlers=[
        list_images,
        get_outline,
        get_bucket,
        get_original,
        get_thumbnail,
        get_metadata,
        patch_image,
        patch_images,
        delete_image,
    ],
)
