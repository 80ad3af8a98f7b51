"""Request bodies share one bounded memory: what does not fit is asked to come again, and nothing leaks."""

import asyncio
import json

import pytest

from pixsortd.api import guard
from pixsortd.api.app import create_app
from pixsortd.api.bodies import MAX_BODIES, BodyMemory
from pixsortd.config import ApiSettings
from tests.api.fake_library import filled

SIZE = 100_000
JSON = b'{"ids": ["q1"]' + b" " * 39_985 + b"}"


class Client:
    """A client of the application that sends its body in two halves, the second when told to."""

    def __init__(self, app):
        self.status, self.headers, self.answer = 0, {}, b""
        self.goes_on = asyncio.Event()
        self.waits = asyncio.Event()
        self._halves = [JSON[: len(JSON) // 2], JSON[len(JSON) // 2 :]]
        path = "/api/quarantine/retry"
        scope = {"type": "http", "method": "POST", "scheme": "http", "path": path, "raw_path": path.encode()}
        scope |= {"query_string": b"", "root_path": "", "http_version": "1.1", "server": ("127.0.0.1", 8420)}
        scope |= {"asgi": {"version": "3.0"}, "client": ("127.0.0.1", 5), "state": {}}
        scope["headers"] = [(b"host", b"127.0.0.1:8420"), (b"content-type", b"application/json")]
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self):
        if len(self._halves) == 1:
            self.waits.set()
            await self.goes_on.wait()
        if not self._halves:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self._halves.pop(0), "more_body": bool(self._halves)}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        self.answer += message.get("body", b"")


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "BodyMemory", lambda: BodyMemory(SIZE))
    return create_app(filled(tmp_path), ApiSettings(), None, tmp_path)


def test_bodies_past_the_shared_memory_are_asked_to_come_again(app):
    async def scenario():
        holding = [Client(app) for _ in range(5)]
        for one in holding:
            await one.waits.wait()
        late = Client(app)
        late.goes_on.set()
        await late.task
        assert late.status == 503
        assert late.headers[b"retry-after"] == b"2"
        assert json.loads(late.answer)["type"] == "urn:pixsortd:problem:busy"
        holding[0].task.cancel()  # a client that left
        await asyncio.wait([holding[0].task])
        for one in holding[1:]:
            one.goes_on.set()
            await one.task
        assert [one.status for one in holding[1:]] == [202] * 4
        for _ in range(3):
            again = Client(app)
            again.goes_on.set()
            await again.task
            assert again.status == 202, "what was held is free again"

    asyncio.run(scenario())


def test_the_shared_memory_is_some_bodies_of_the_largest_size():
    memory = BodyMemory()
    with memory.share() as share:
        assert share.take(MAX_BODIES) is None
        assert share.take(1) is not None
    assert memory.free == MAX_BODIES
