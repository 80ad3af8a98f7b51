"""Sends an open original: whole, one byte range, or nothing when the client has it already."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from pixsortd.api.frame import HEAD
from pixsortd.api.ports import Original
from pixsortd.api.problems import Refusal
from pixsortd.api.ranges import Span, Unsatisfiable, matches, parse_range, range_still_wanted
from pixsortd.api.text import disposition

CHUNK = 256 * 1024
DISK = ThreadPoolExecutor(max_workers=4, thread_name_prefix="original")
"""Threads of their own, so that a disk that hangs does not take the rest of the API with it."""

_MEDIA_TYPES = {
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "HEIF": "image/heic",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
}


def media_type(image_format: str) -> str:
    """Media type of a container by Pillow's name; an unknown one is bytes to a browser."""
    return _MEDIA_TYPES.get(image_format, "application/octet-stream")


class OriginalAnswer(ASGIResponse):
    """Owns the descriptor and closes it whatever happens to the connection."""

    def __init__(self, original: Original, sha256: str, *, wanted: str | None, if_range: str | None) -> None:
        etag = f'"{sha256}"'
        span = parse_range(wanted, original.size) if range_still_wanted(if_range, etag) else None
        if isinstance(span, Unsatisfiable):
            os.close(original.descriptor)
            raise Refusal(
                416,
                "range-not-satisfiable",
                f"The photo has {original.size} bytes; none of them was asked for.",
                headers=(("content-range", f"bytes */{original.size}"),),
            )
        self._descriptor = original.descriptor
        self._span = span or Span(0, original.size)
        headers = {
            "etag": etag,
            "accept-ranges": "bytes",
            "cache-control": "private, max-age=31536000, immutable",
            "content-disposition": disposition(original.name),
            "content-length": str(self._span.stop - self._span.start),
        }
        if span is not None:
            headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{original.size}"
        super().__init__(
            status_code=200 if span is None else 206, headers=headers, media_type=media_type(original.format)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        loop = asyncio.get_running_loop()
        position, stop = self._span
        try:
            await self.start_response(send)
            while position < stop and not scope.get(HEAD):
                chunk = await loop.run_in_executor(
                    DISK, os.pread, self._descriptor, min(CHUNK, stop - position), position
                )
                if not chunk:
                    return  # cut short under us: leaving without an end makes the server drop the connection
                position += len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            os.close(self._descriptor)


class NotModified(ASGIResponse):
    """304: the client's copy is good."""

    def __init__(self, etag: str, cache_control: str) -> None:
        super().__init__(status_code=304, headers={"etag": etag, "cache-control": cache_control})


def unchanged(if_none_match: str | None, etag: str, cache_control: str) -> NotModified | None:
    """A 304 when the client already has ``etag``, else None."""
    return NotModified(etag, cache_control) if matches(if_none_match, etag) else None
