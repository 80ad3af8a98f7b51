"""Uploads: ``/api/images/upload`` and ``/api/batches/{id}/upload-and-add``."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, QueryParameter, SkipValidation
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from pixsortd.api import answers, present, problems
from pixsortd.api.batches import batch_id
from pixsortd.api.multipart import ClientLeft, Reader, boundary_of
from pixsortd.api.parameters import Lib
from pixsortd.api.ports import Library, Uploaded, UploadLimits
from pixsortd.api.problems import Refusal
from pixsortd.api.upload_writer import MOST_DRAINED, UploadSlots, UploadWriter, WriteQueue
from pixsortd.errors import Conflict, InvalidRequest, PixsortdError

FIELDS = 16
"""Parts of a form that may be no files, beside the files."""
OVERHEAD = 64 * 1024
"""Bytes of a body that surround one file, at most."""
LINGER = 2.0
"""Seconds in which a client that is still sending can notice that it was answered."""

Slots = NamedDependency[SkipValidation[UploadSlots]]
Files = Annotated[
    int | None,
    QueryParameter(ge=1, description="how many files the body holds: one that cannot fit is refused before it is read"),
]


@dataclass
class _TakesFiles(Operation):
    """Describes the body, which no parameter of the handler does."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        files = Schema(type=OpenAPIType.ARRAY, items=file, description="photos; a file name may be a path with slashes")
        form = Schema(type=OpenAPIType.OBJECT, properties={"files": files}, required=["files"])
        self.request_body = RequestBody(content={"multipart/form-data": OpenAPIMediaType(schema=form)}, required=True)


_TAKES_FILES: dict[str, Any] = {
    "status_code": 200,
    "operation_class": _TakesFiles,
    "request_max_body_size": None,
    "responses": {
        200: ResponseSpec(answers.UploadList, description="the request was read to its end", generate_examples=False),
        413: ResponseSpec(
            answers.UploadProblem,
            description="a file or the form is too large; what was stored before stays",
            media_type=problems.MEDIA_TYPE,
            generate_examples=False,
        ),
    },
}


@get("/images/upload", summary="What an upload may be", sync_to_thread=False)
def get_upload_limits(library: Lib) -> answers.UploadLimits:
    """Limits, accepted types and the folder in which uploads land."""
    return present.upload_limits(library.uploads.limits())


@post("/images/upload", summary="Upload photos", **_TAKES_FILES)
async def upload_images(
    request: Request[Any, Any, Any], library: Lib, slots: Slots, files: Files = None
) -> ASGIResponse:
    """Store many files in the inbox; each answers for itself. Sending the same again stores nothing twice."""
    return await _receive(request, library, slots, files, None)


@post("/batches/{batch:str}/upload-and-add", summary="Upload photos into a batch", **_TAKES_FILES)
async def upload_to_batch(
    request: Request[Any, Any, Any], library: Lib, slots: Slots, batch: FromPath[str], files: Files = None
) -> ASGIResponse:
    """Upload, and put what is here then into the batch, be it new or known."""
    return await _receive(request, library, slots, files, batch)


async def _receive(
    request: Request[Any, Any, Any], library: Library, slots: UploadSlots, files: int | None, batch: str | None
) -> ASGIResponse:
    reader: Reader | None = None
    done: list[Uploaded] = []
    try:
        limits = library.uploads.limits()
        into = None if batch is None else partial(library.batches.include, batch_id(batch))
        _check(request, limits, files)
        if into is not None:
            await asyncio.to_thread(into, ())  # an unknown batch is refused before the body is read
        boundary = boundary_of(request.headers.get("content-type", ""))
        reader = Reader(request.receive, boundary, limits.max_files + FIELDS)
        with slots.hold(reader):
            writer = UploadWriter(library.uploads, limits.max_bytes, into=into)
            done = writer.done
            await _write(reader, writer, slots)
            if not done:
                raise InvalidRequest("No file came with the form", next_step="Send photos as parts with a file name.")
    except ClientLeft:
        return EarlyAnswer(Refusal(400, "client-left", "The connection was closed.").problem(), request.receive)
    except PixsortdError as error:
        problem = error.problem() if isinstance(error, Refusal) else problems.of_error(error)
        told = answers.UploadProblem(**msgspec.structs.asdict(problem), items=present.upload_list(done).items)
        headers = dict(error.headers) if isinstance(error, Refusal) else {}
        over = slots.closed or (reader is not None and reader.ended)
        return EarlyAnswer(told, None if over else request.receive, headers)
    body = msgspec.json.encode(present.upload_list(done))
    return ASGIResponse(body=body, media_type="application/json")


def _check(request: Request[Any, Any, Any], limits: UploadLimits, files: int | None) -> None:
    """What can be refused before the body is read."""
    if limits.inbox is None:
        assert limits.reason is not None
        raise Conflict(limits.reason.message, next_step=limits.reason.next_step)
    length, most = int(request.headers.get("content-length", "0")), min(files or limits.max_files, limits.max_files)
    if (files or 0) > limits.max_files:
        raise Refusal(
            413,
            "too-many-files",
            f"{limits.max_files} files can be uploaded at once.",
            next_step="Send them in several requests.",
        )
    if length > most * (limits.max_bytes + OVERHEAD):
        raise Refusal(
            413,
            "too-large",
            f"A file may have at most {limits.max_bytes} bytes.",
            next_step="Copy it into the inbox by hand, or raise upload.max_bytes and decode.max_bytes.",
        )


async def _write(reader: Reader, writer: UploadWriter, slots: UploadSlots) -> None:
    """Read to the end or to what ends it; what is whole by then is stored in any case."""
    queue = WriteQueue(slots.threads, writer.take)
    try:
        async for events in reader.events():
            await queue.give(events)
            if writer.drained > MOST_DRAINED:
                raise Refusal(
                    413,
                    "too-large",
                    f"More than {MOST_DRAINED} bytes of a refused file would have to be read.",
                    next_step="Leave that file out and send the rest again.",
                )
    finally:
        try:
            await queue.end()
        finally:
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(slots.threads, writer.close))


class EarlyAnswer(ASGIResponse):
    """A problem told while the client may still be sending: it gets a moment to notice, then the connection ends."""

    def __init__(self, problem: answers.Problem, rest: Receive | None, headers: dict[str, str] | None = None) -> None:
        """``rest`` is the unread body, None when there is none."""
        self._rest = rest
        super().__init__(
            body=problems.encode(problem),
            status_code=problem.status,
            media_type=problems.MEDIA_TYPE,
            headers={**(headers or {}), **({"connection": "close"} if rest is not None else {})},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await self.start_response(send)
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if self._rest is not None:
            try:
                async with asyncio.timeout(LINGER):
                    while (message := await self._rest())["type"] == "http.request" and message["more_body"]:
                        pass
            except TimeoutError:
                pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


router = Router(path="/", tags=["uploads"], route_handlers=[get_upload_limits, upload_images, upload_to_batch])
