"""The real server on real sockets: start, stop, slow clients, junk, and no idle wake-ups."""

import asyncio
import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from pixsortd.api import server
from pixsortd.api.app import create_app
from pixsortd.config import ApiSettings
from pixsortd.errors import ConfigError
from tests.api.fake_library import filled


class Running:
    """A server in a thread of its own."""

    def __init__(self, tmp_path, host="127.0.0.1", **settings):
        self.library = filled(tmp_path)
        self.app = create_app(self.library, ApiSettings(host=host, port=0, **settings), None, tmp_path)
        self.bound = threading.Event()
        self.url = ""
        self.host = host
        self.thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    async def _main(self):
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()

        def on_bound(url):
            self.url = url
            self.bound.set()

        await server.serve(self.app, self.host, 0, on_bound, self.stop)

    def __enter__(self):
        self.thread.start()
        assert self.bound.wait(10)
        self.port = int(self.url.rpartition(":")[2])
        return self

    def end(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)
        assert not self.thread.is_alive()

    def __exit__(self, *_):
        if self.thread.is_alive():
            self.end()

    @contextmanager
    def raw(self, text: bytes):
        """A socket over which ``text`` was sent."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as one:
            one.sendall(text)
            yield one

    def answer(self, text: bytes) -> bytes:
        """Everything the server says to ``text`` until it closes."""
        with self.raw(text) as one:
            one.shutdown(socket.SHUT_WR)
            return read_all(one)


def read_all(one: socket.socket) -> bytes:
    found = b""
    while chunk := one.recv(65536):
        found += chunk
    return found


def until(one: socket.socket, end: bytes) -> bytes:
    """What arrives up to ``end``."""
    found = b""
    while end not in found:
        chunk = one.recv(65536)
        assert chunk, found
        found += chunk
    return found


@pytest.fixture
def running(tmp_path):
    with Running(tmp_path) as one:
        yield one


def get(running, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_it_serves_on_the_port_it_announces(running):
    assert running.url == f"http://127.0.0.1:{running.port}"
    status, headers, body = get(running, "/api/images")
    assert (status, json.loads(body)["total"]) == (200, 3)
    assert (
        abs(time.mktime(time.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.mktime(time.gmtime())) < 5
    )
    assert "server" not in headers
    photo = next(iter(running.library.entries)).hex()
    status, headers, body = get(running, f"/api/images/{photo}", Range="bytes=5-14")
    assert (status, body) == (206, (running.library.folder / "a.jpg").read_bytes()[5:15])


def test_other_names_are_refused_on_the_real_port(running):
    assert get(running, "/api/images", Host=f"localhost:{running.port}")[0] == 200
    assert get(running, "/api/images", Host=f"[::1]:{running.port}")[0] == 200
    assert get(running, "/api/images", Host="localhost:1")[0] == 421
    assert get(running, "/api/images", Host=f"evil.example:{running.port}")[0] == 421


def test_stop_ends_streams_before_connections(tmp_path):
    with Running(tmp_path) as running:
        host = b"localhost:%d" % running.port
        with running.raw(b"GET /api/events HTTP/1.1\r\nHost: " + host + b"\r\n\r\n") as stream:
            assert until(stream, b"retry: 2000").startswith(b"HTTP/1.1 200")
            running.end()
            assert read_all(stream).endswith(b"0\r\n\r\n"), "the stream was cut instead of ended"


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/images HTTP/1.1\r\n\r\n",
        b"GET /api/images HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /api/images HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_junk_gets_a_problem_and_the_door(running, junk):
    answer = running.answer(junk)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), answer[:100]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] >= 400
    assert get(running, "/api/health/live")[0] == 200


@pytest.mark.parametrize("start", [b"", b"GET /api/im", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_client_that_never_gets_to_the_point_is_dropped(running, monkeypatch, start):
    monkeypatch.setattr(server, "HEAD_TIME", 0.1)
    with running.raw(start) as one:
        answer = read_all(one)
    assert answer.startswith(b"HTTP/1.1 408")


def test_trickling_after_a_first_request_is_dropped_too(running, monkeypatch):
    monkeypatch.setattr(server, "HEAD_TIME", 0.1)
    with running.raw(b"GET /health/live HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % running.port) as one:
        assert until(one, b"}").startswith(b"HTTP/1.1 200")
        one.sendall(b"GET /he")
        assert read_all(one).startswith(b"HTTP/1.1 408")


def test_a_long_answer_is_not_taken_for_a_slow_client(running, monkeypatch):
    monkeypatch.setattr(server, "HEAD_TIME", 0.05)
    with running.raw(b"GET /api/events HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % running.port) as one:
        until(one, b"retry: 2000")
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            one.recv(10000)


def test_connections_are_bounded(running, monkeypatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    ask = b"GET /api/events HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % running.port
    with running.raw(ask) as first, running.raw(ask) as second:
        until(first, b"retry: 2000")
        until(second, b"retry: 2000")
        with running.raw(b"") as third:
            assert read_all(third).startswith(b"HTTP/1.1 503")


def test_those_who_ask_nothing_make_room(running, monkeypatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    with running.raw(b"GET / HT") as oldest, running.raw(b"") as idle:
        assert get(running, "/api/health/live")[0] == 200
        with suppress(ConnectionResetError):  # or an end without an answer
            assert read_all(oldest) == b""
        idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % running.port)
        assert until(idle, b"}").startswith(b"HTTP/1.1 200")


def test_an_idle_connection_makes_room_after_its_answer_too(running, monkeypatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 1)
    with running.raw(b"GET /health/live HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % running.port) as one:
        until(one, b"}")
        assert get(running, "/api/health/live")[0] == 200
        assert read_all(one) == b""


def test_a_client_that_does_not_listen_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "READ_TIME", 0.2)
    (tmp_path / "big.txt").write_bytes(bytes(50_000_000))
    with Running(tmp_path) as running:
        ask = b"GET /big.txt HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n" % running.port
        with running.raw(ask) as one:
            until(one, b"HTTP/1.1 200")
            time.sleep(1)
            with suppress(ConnectionResetError):
                assert len(read_all(one)) < 50_000_000
        assert get(running, "/api/health/live")[0] == 200


def test_a_port_in_use_is_explained(running, tmp_path):
    app = create_app(running.library, ApiSettings(), None, tmp_path)
    with pytest.raises(ConfigError, match="the port is in use") as caught:
        asyncio.run(server.serve(app, "127.0.0.1", running.port, lambda _: None, asyncio.Event()))
    assert "running already" in caught.value.next_step


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_explained(tmp_path, host):
    app = create_app(filled(tmp_path), ApiSettings(), None, tmp_path)
    with pytest.raises(ConfigError, match="cannot listen"):
        asyncio.run(server.serve(app, host, 0, lambda _: None, asyncio.Event()))


def test_a_wildcard_bind_is_reached_through_loopback(tmp_path):
    with Running(tmp_path, host="0.0.0.0") as running:
        assert running.url.startswith("http://127.0.0.1:")
        assert get(running, "/api/images")[0] == 200


def test_an_idle_server_sleeps(tmp_path):
    class CountingLoop(asyncio.SelectorEventLoop):
        turns = 0

        def _run_once(self):
            CountingLoop.turns += 1
            super()._run_once()

    async def main():
        app = create_app(filled(tmp_path), ApiSettings(), None, tmp_path)
        stop, bound = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(server.serve(app, "127.0.0.1", 0, lambda _: bound.set(), stop))
        await bound.wait()
        await asyncio.sleep(0.1)
        before = CountingLoop.turns
        await asyncio.sleep(1.0)
        turns = CountingLoop.turns - before
        stop.set()
        await task
        return turns

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        assert runner.run(main()) <= 4
