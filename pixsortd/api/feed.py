"""``/api/events``: what happens, as it happens."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter, SkipValidation

from pixsortd.api.parameters import Lib
from pixsortd.api.streams import EventStream, Streams

OpenStreams = NamedDependency[SkipValidation[Streams]]
EventId = Annotated[int | None, QueryParameter(ge=0, le=2**53, description="continue after this id")]
HeaderId = Annotated[int | None, HeaderParameter(name="last-event-id", ge=0, le=2**53)]


@get(
    "/events",
    summary="Server-sent events",
    tags=["events"],
    sync_to_thread=False,
    responses={
        200: ResponseSpec(
            str,
            media_type="text/event-stream",
            generate_examples=False,
            description="`id`, `event` (image, file, group, job, root, status, gap) and JSON `data`; ids rise. "
            "A `gap` says that events were missed: refetch.",
        )
    },
)
def events(
    library: Lib, streams: OpenStreams, last_event_id: EventId = None, last_seen: HeaderId = None
) -> EventStream:
    """A stream that goes on until the client leaves; a comment every 15 seconds keeps it open."""
    return EventStream(library.subscribe(last_seen if last_seen is not None else last_event_id), streams)
