"""Server-sent events: one answer that lives as long as its client, and cleans up after it.

Written on ASGI itself because the framework's stream leaves generators suspended when a client goes.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from pixsortd.api.ports import Event
from pixsortd.api.problems import Busy

HEARTBEAT = 15.0
"""Seconds between comments on a silent stream."""
PATIENCE = 30.0
"""Seconds that a client may take to accept a chunk before it is taken for dead."""
MOST = 64
"""Streams open at once."""


class Streams:
    """The open event streams of one app, so that a shutdown can end them first."""

    def __init__(self) -> None:
        self.open = 0
        self.closing = asyncio.Event()

    def close(self) -> None:
        """End every stream, now and from now on; clients reconnect by themselves."""
        self.closing.set()

    def renew(self) -> None:
        """End the streams that are open; those who may can open new ones."""
        if not self.closing.is_set():
            self.closing.set()
            self.closing = asyncio.Event()


def encode(events: Sequence[Event]) -> bytes:
    """Events in the text/event-stream format."""
    return b"".join(
        b"id: %d\nevent: %s\ndata: %s\n\n" % (one.id, one.kind.encode(), msgspec.json.encode(one.data))
        for one in events
    )


class EventStream(ASGIResponse):
    """An endless answer fed by one subscription."""

    _should_set_content_length = False

    def __init__(
        self, subscription: AsyncGenerator[Sequence[Event], None], streams: Streams, heartbeat: float = HEARTBEAT
    ) -> None:
        super().__init__(
            media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
        )
        if streams.open >= MOST:
            raise Busy(f"{MOST} event streams are open already", next_step="Close some tabs of the page.")
        self._subscription = subscription
        self._streams = streams
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self._streams.open += 1
        ends = [asyncio.create_task(_left(receive)), asyncio.create_task(self._streams.closing.wait())]
        try:
            await self.start_response(send)
            await _put(send, b"retry: 2000\n\n")
            await self._pump(send, ends)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            pass  # the client stopped reading; leaving without an end makes the server drop the connection
        finally:
            self._streams.open -= 1
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            await self._subscription.aclose()

    async def _pump(self, send: Send, ends: list[asyncio.Task[bool]]) -> None:
        batch: asyncio.Task[Sequence[Event]] | None = None
        try:
            while True:
                batch = batch or asyncio.create_task(_next(self._subscription))
                await asyncio.wait({batch, *ends}, timeout=self._heartbeat, return_when=asyncio.FIRST_COMPLETED)
                if any(task.done() for task in ends):
                    return
                if not batch.done():
                    await _put(send, b": still here\n\n")
                    continue
                events, batch = batch.result(), None
                if not events:
                    return
                await _put(send, encode(events))
        finally:
            if batch is not None:
                batch.cancel()
                await asyncio.gather(batch, return_exceptions=True)


async def _next(subscription: AsyncGenerator[Sequence[Event], None]) -> Sequence[Event]:
    """The next batch; an empty one at the end (a StopAsyncIteration cannot leave a task)."""
    async for batch in subscription:
        if batch:
            return batch
    return ()


async def _left(receive: Receive) -> bool:
    while (await receive())["type"] != "http.disconnect":
        pass
    return True


async def _put(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
