"""The event hub and the stream that serves it."""

import asyncio
import json
import threading

import pytest

from pixsortd.api import streams
from pixsortd.api.app import create_app
from pixsortd.api.events import EventHub
from pixsortd.config import ApiSettings
from tests.api.fake_library import filled


async def take(subscription, count):
    """The next ``count`` events."""
    found = []
    async for batch in subscription:
        found += batch
        if len(found) >= count:
            return found
    return found


def test_events_come_in_order_to_everyone_from_any_thread():
    async def scenario():
        hub = EventHub()
        readers = [asyncio.create_task(take(hub.subscribe(hub.last_id), 400)) for _ in range(3)]
        await asyncio.sleep(0)

        def publish(worker):
            for number in range(100):
                hub.publish("file", {"from": worker, "number": number})

        threads = [threading.Thread(target=publish, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        results = await asyncio.wait_for(asyncio.gather(*readers), 10)
        for thread in threads:
            thread.join()
        return results

    results = asyncio.run(scenario())
    assert results[0] == results[1] == results[2]
    ids = [event.id for event in results[0]]
    assert ids == sorted(set(ids))
    for worker in range(4):
        assert [e.data["number"] for e in results[0] if e.data["from"] == worker] == list(range(100))


def test_a_client_that_comes_back_gets_what_it_missed_or_a_gap():
    async def scenario():
        hub = EventHub(keep=5)
        ids = [hub.publish("file", {"n": n}).id for n in range(3)]
        missed = await take(hub.subscribe(ids[0]), 2)
        everything = await take(hub.subscribe(ids[0] - 1), 3)
        for n in range(3, 10):
            ids.append(hub.publish("file", {"n": n}).id)
        lost = await take(hub.subscribe(ids[0]), 1)
        future = await take(hub.subscribe(ids[-1] + 10**9), 1)
        nothing_yet = hub.subscribe(ids[-1])
        waiting = asyncio.create_task(take(nothing_yet, 1))
        await asyncio.sleep(0)
        hub.publish("job", {})
        return ids, missed, everything, lost, future, await waiting

    ids, missed, everything, lost, future, later = asyncio.run(scenario())
    assert [event.data["n"] for event in missed] == [1, 2]
    assert [event.data["n"] for event in everything] == [0, 1, 2]
    assert [(event.kind, event.id) for event in lost] == [("gap", ids[-1])]
    assert [event.kind for event in future] == ["gap"]
    assert [event.kind for event in later] == ["job"]


def test_a_slow_subscriber_gets_one_gap_and_goes_on():
    async def scenario():
        hub = EventHub(keep=10)
        subscription = hub.subscribe(None)
        hub.publish("a", {})
        first = await anext(subscription)
        for _ in range(100):
            hub.publish("b", {})
        second = await anext(subscription)
        hub.publish("c", {})
        third = await anext(subscription)
        await subscription.aclose()
        return first, second, third, hub.subscribers

    first, second, third, left = asyncio.run(scenario())
    assert [[event.kind for event in batch] for batch in (first, second, third)] == [["a"], ["gap"], ["c"]]
    assert left == 0


def test_ids_go_on_rising_after_a_restart_and_fit_javascript():
    first = EventHub(clock=lambda: 1_700_000_000.0)
    last = [first.publish("x", {}).id for _ in range(1000)][-1]
    again = EventHub(clock=lambda: 1_700_000_001.0)
    assert again.publish("x", {}).id > last
    assert EventHub(clock=lambda: 4_000_000_000.0).last_id < 2**53


class Exchange:
    """One ASGI request driven by hand."""

    def __init__(self, app, path, headers=(), method="GET"):
        self.sent = []
        self.progress = asyncio.Event()
        self.leave = asyncio.Event()
        self._first = True
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"127.0.0.1:8420"), *headers],
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 8420),
        }
        self.task = asyncio.create_task(app(scope, self.receive, self.send))

    async def receive(self):
        if self._first:
            self._first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        self.progress.set()

    @property
    def text(self):
        return b"".join(one.get("body", b"") for one in self.sent).decode()

    async def until(self, condition):
        async with asyncio.timeout(5):
            while not condition(self.text):
                self.progress.clear()
                await self.progress.wait()


def in_app(tmp_path, scenario):
    """Run a scenario with an app over the fake library."""

    async def main():
        library = filled(tmp_path)
        app = create_app(library, ApiSettings(), None, tmp_path)
        await scenario(app, library)
        assert library.hub.subscribers == 0

    asyncio.run(main())


def test_the_stream_is_sse(tmp_path):
    async def scenario(app, library):
        before = library.hub.last_id
        exchange = Exchange(app, f"/api/events?last_event_id={before}")
        await exchange.until(lambda text: text.startswith("retry: "))
        library.hub.publish("image", {"id": "x\ny"})
        await exchange.until(lambda text: "event: image" in text)
        headers = dict(exchange.sent[0]["headers"])
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert headers[b"cache-control"] == b"no-store"
        block = exchange.text.split("\n\n")[1].split("\n")
        assert block[:2] == [f"id: {before + 1}", "event: image"]
        assert json.loads(block[2].removeprefix("data: ")) == {"id": "x\ny"}
        exchange.leave.set()
        await exchange.task
        other = Exchange(app, "/api/events?last_event_id=1", [(b"last-event-id", str(before).encode())])
        await other.until(lambda text: "event: image" in text)
        assert "event: gap" not in other.text
        other.leave.set()
        await other.task
        lost = Exchange(app, "/api/events?last_event_id=1")
        await lost.until(lambda text: "event: gap" in text)
        lost.leave.set()
        await lost.task

    in_app(tmp_path, scenario)


@pytest.mark.parametrize("ended_by", ["client", "shutdown", "cancel"])
def test_every_end_cleans_up(tmp_path, ended_by):
    async def scenario(app, library):
        exchanges = [Exchange(app, "/api/events") for _ in range(10)]
        for exchange in exchanges:
            await exchange.until(lambda text: bool(text))
        async with asyncio.timeout(5):
            while library.hub.subscribers < 10:
                await asyncio.sleep(0)
        if ended_by == "client":
            for exchange in exchanges:
                exchange.leave.set()
        elif ended_by == "shutdown":
            app.close_streams()
        else:
            for exchange in exchanges:
                exchange.task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*(one.task for one in exchanges), return_exceptions=True)
        assert library.hub.subscribers == 0
        assert {task for task in asyncio.all_tasks() if not task.done()} == {asyncio.current_task()}

    in_app(tmp_path, scenario)


def test_a_silent_stream_has_a_heartbeat(tmp_path, monkeypatch):
    monkeypatch.setattr(streams.EventStream.__init__, "__defaults__", (0.01,))

    async def scenario(app, library):
        exchange = Exchange(app, "/api/events")
        await exchange.until(lambda text: text.count(": still here") >= 3)
        library.hub.publish("job", {})
        await exchange.until(lambda text: "event: job" in text)
        exchange.leave.set()
        await exchange.task

    in_app(tmp_path, scenario)


def test_a_client_that_stops_reading_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE", 0.02)

    async def scenario(app, library):
        async def stuck(message):
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        exchange = Exchange(lambda scope, receive, _: app(scope, receive, stuck), "/api/events")
        async with asyncio.timeout(5):
            await exchange.task

    in_app(tmp_path, scenario)


def test_streams_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "MOST", 2)

    async def scenario(app, library):
        exchanges = [Exchange(app, "/api/events") for _ in range(2)]
        for exchange in exchanges:
            await exchange.until(lambda text: bool(text))
        third = Exchange(app, "/api/events")
        await third.task
        assert third.sent[0]["status"] == 503
        app.close_streams()
        await asyncio.gather(*(one.task for one in exchanges))

    in_app(tmp_path, scenario)


def test_head_of_the_stream_ends_at_once(tmp_path):
    async def scenario(app, library):
        exchange = Exchange(app, "/api/events", method="HEAD")
        async with asyncio.timeout(5):
            await exchange.task
        assert [one["type"] for one in exchange.sent] == ["http.response.start", "http.response.body"]
        assert exchange.text == ""

    in_app(tmp_path, scenario)


@pytest.mark.parametrize("bad", ["-1", "x", "1.5", "9" * 30])
def test_a_bad_event_id_is_refused(api, bad):
    assert api.get(f"/api/events?last_event_id={bad}").status_code == 422
    assert api.get("/api/events", headers={"last-event-id": bad}).status_code == 422
