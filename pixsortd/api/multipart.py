"""Reads a multipart/form-data body (RFC 7578) while it streams in, never more than a chunk of it at once."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from litestar.types import Receive
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from pixsortd.api.problems import Refusal

IDLE = 30.0
"""Seconds a client may pause; as long as bytes come, an upload may take any time."""
AGAIN = "Send the files again: what is here already is not stored twice."
MOST_SILENT = 256 * 1024
"""Bytes before, between and after parts that are read without anything coming of it."""
LONGEST_HEADER = 16 * 1024
"""A path of 2048 bytes may be escaped threefold."""
MOST_HEADERS = 8
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]*)", re.IGNORECASE)


class Part(NamedTuple):
    """A part begins."""

    filename: str | None
    """Bytes that are no UTF-8 as surrogates; None for a form field."""
    length: int
    """What the part says of itself; 0 when it does not."""


Event = Part | bytes | None
"""A part, some of its content, its end."""


class ClientLeft(Exception):
    """The connection was closed before the body's end."""


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type header announces. Raises ``Refusal``."""
    boundary = str(parse_options_header(content_type)[1].get("boundary", ""))
    if not _BOUNDARY.fullmatch(boundary):
        raise _malformed("the Content-Type header has no valid boundary")
    return boundary


class Reader:
    """One body. ``ended`` says whether all of it was received."""

    def __init__(self, receive: Receive, boundary: str, most_parts: int) -> None:
        self._receive = receive
        self._most_parts = most_parts
        # Names are read as the bytes they are, so that one file with a bad name does not spoil the others.
        self._parser = PushMultipartParser(
            boundary,
            max_header_size=LONGEST_HEADER,
            max_header_count=MOST_HEADERS,
            max_segment_count=most_parts,
            header_charset="latin-1",
        )
        self.ended = False
        self._patience: asyncio.Timeout | None = None
        self._stopped = False

    def stop(self) -> None:
        """Read no more: `events` ends with a refusal that says so."""
        self._stopped = True
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def events(self) -> AsyncGenerator[list[Event], None]:
        """What each chunk brings. Raises ``Refusal`` for a body that is none, or too slow, and ``ClientLeft``."""
        silent = 0
        while not self.ended:
            chunk = await self._chunk()
            found: list[Event] = []
            trouble: MultipartError | None = None
            try:
                for event in self._parser.parse(chunk) if chunk else ():
                    found.append(_part(event) if isinstance(event, MultipartSegment) else event)  # noqa: PERF401 - kept on an error
                if self.ended:
                    self._parser.close()
            except MultipartError as error:
                trouble = error
            if found:
                silent = 0
                yield found
            if trouble is not None:
                raise self._refusal(trouble) from trouble
            silent += 0 if found else len(chunk)
            if silent > MOST_SILENT:
                raise _malformed("there is much that belongs to no part")

    async def _chunk(self) -> bytes:
        try:
            async with asyncio.timeout(0 if self._stopped else IDLE) as self._patience:
                message = await self._receive()
        except TimeoutError:
            if self._stopped:
                raise Refusal(503, "stopping", "The daemon is stopping.", next_step=AGAIN) from None
            raise Refusal(408, "body-too-slow", f"No byte arrived for {IDLE:.0f} seconds.", next_step=AGAIN) from None
        finally:
            self._patience = None
        if message["type"] != "http.request":
            raise ClientLeft
        self.ended = not message["more_body"]
        return message["body"]

    def _refusal(self, error: MultipartError) -> Refusal:
        if isinstance(error, ParserLimitReached):
            return Refusal(
                413,
                "form-too-large",
                f"The form is larger than what is taken: {error}.",
                next_step=f"Send at most {self._most_parts} files in one request.",
            )
        return _malformed(str(error))


def _part(segment: MultipartSegment) -> Part:
    name = segment.filename
    if name is None:
        extended = _EXTENDED.search(segment.header("Content-Disposition", ""))
        raw = None if extended is None else unquote_to_bytes(extended[1].encode("latin-1"))
    else:
        raw = name.encode("latin-1")
    declared = segment.header("Content-Length", "0")
    return Part(None if raw is None else raw.decode("utf-8", "surrogateescape"), int(declared))


def _malformed(what: str) -> Refusal:
    return Refusal(
        400,
        "malformed-multipart",
        f"The request body is not a whole multipart/form-data body: {what}.",
        next_step=AGAIN,
    )
