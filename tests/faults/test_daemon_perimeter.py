"""Hundreds of hostile requests against running daemons: all refused, nothing changed, everybody else served."""

import re
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.conftest import write_photo
from tests.faults.hostile_wire import JSON, LOCKED_BLOCKS, OPEN_BLOCKS, wire
from tests.harness import Daemon, wait_until

PHOTOS = 3
TOKEN = "a token for the hostile list"
SLOW = 450
"""More slow connections than the daemon has places."""


def start(home, api) -> Iterator[Daemon]:
    for number in range(PHOTOS):
        write_photo(home / "photos" / f"{number}.jpg", number, (160, 120))
    with Daemon(home / "d", [home / "photos"], {"api": api}) as daemon:
        if "token_file" in api:
            daemon.headers = {"Authorization": f"Bearer {TOKEN}"}
        daemon.settled(PHOTOS)
        yield daemon


@pytest.fixture(scope="module")
def open_daemon(tmp_path_factory):
    yield from start(tmp_path_factory.mktemp("open"), {"allowed_hosts": ["photos.example"]})


@pytest.fixture(scope="module")
def locked_daemon(tmp_path_factory):
    home = tmp_path_factory.mktemp("locked")
    (home / "token").write_text(TOKEN)
    yield from start(home, {"token_file": str(home / "token")})


def port_of(daemon) -> int:
    return int(daemon.url.rpartition(":")[2])


def connect(daemon) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(daemon)), 10)


def answers(daemon, request: bytes) -> list[int]:
    """The statuses of everything that comes back until the daemon closes; 100 means "go on" and is left out."""
    request = request.replace(b"8420", b"%d" % port_of(daemon))
    found = b""
    with connect(daemon) as one:
        try:
            one.sendall(request)
            one.shutdown(socket.SHUT_WR)
            while chunk := one.recv(65536):
                found += chunk
        except OSError:
            pass  # closed on us, which is an answer too
    return [int(one) for one in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", found) if one != b"100"]


def serves(daemon) -> None:
    """Somebody else is served: alive, and the photos are all there, unchanged."""
    assert daemon.request("/health/live")[0] == 200
    photos = daemon.get("/api/images")
    assert photos["total"] == PHOTOS
    assert [one["rating"] for one in photos["items"]] == [None] * PHOTOS


@pytest.mark.parametrize("name", OPEN_BLOCKS)
def test_every_hostile_request_is_refused(open_daemon, name):
    check(open_daemon, name, OPEN_BLOCKS[name])


def check(daemon, name, block):
    distinct = dict.fromkeys(block)
    allowed = {}
    for request in distinct:
        statuses = answers(daemon, request)
        if not all(400 <= one < 500 or one == 501 for one in statuses) or len(statuses) > 1:
            allowed[request[:300]] = statuses
    assert not allowed
    serves(daemon)
    assert "request failed" not in daemon.tail(1_000_000)
    assert "Traceback" not in daemon.tail(1_000_000)
    print(f"{len(distinct)} hostile requests ({name}): all refused")


@pytest.mark.parametrize("name", LOCKED_BLOCKS)
def test_without_the_token_nothing_is_told(locked_daemon, name):
    # The right token would wait with the wrong ones, so a session begun before looks on.
    login = locked_daemon.request("/api/session", "POST", {"token": TOKEN}, {"Origin": locked_daemon.url})
    locked_daemon.headers = {"Cookie": login[1]["Set-Cookie"].partition(";")[0]}
    check(locked_daemon, name, LOCKED_BLOCKS[name])


def test_the_list_is_long_enough():
    distinct = {one for block in (*OPEN_BLOCKS.values(), *LOCKED_BLOCKS.values()) for one in block}
    print(f"{len(distinct)} distinct hostile requests")
    assert len(distinct) >= 200


def crowd(daemon, start: bytes) -> list[socket.socket]:
    """Many connections that began a request and do not end it."""
    found = []
    for _ in range(SLOW):
        one = connect(daemon)
        one.sendall(start.replace(b"8420", b"%d" % port_of(daemon)))
        found.append(one)
    return found


def gone(crowd: list[socket.socket]) -> int:
    """How many of them the daemon has closed; to the others one more byte is sent."""
    selector, closed = selectors.DefaultSelector(), 0
    for one in crowd:
        selector.register(one, selectors.EVENT_READ)
    for key, _ in selector.select(0):
        try:
            while key.fileobj.recv(65536):
                pass
            closed += 1
        except (BlockingIOError, TimeoutError):
            pass
        except OSError:
            closed += 1
    for one in crowd:
        with suppress(OSError):
            one.send(b"x")
    selector.close()
    return closed


SLOW_HEAD = b"GET /api/images HTTP/1.1\r\nHost: 127.0.0.1:8420\r\nX-Slow: "
SLOW_BODY = wire("PATCH", f"/api/images/{'ab' * 32}", JSON, (b"Content-Length", b"100000"), body=b'{"caption": "')
NOTHING = b""


@pytest.mark.parametrize("beginning", [SLOW_HEAD, NOTHING], ids=["slow heads", "silence"])
def test_many_slow_clients_do_not_keep_others_out(open_daemon, beginning):
    slow = crowd(open_daemon, beginning)
    try:
        for one in slow:
            one.setblocking(False)
        for _ in range(20):
            serves(open_daemon)
            gone(slow)
            time.sleep(0.05)
        wait_until(lambda: gone(slow) == SLOW, 40, 0.5, why="the slow connections to be dropped")
    finally:
        for one in slow:
            one.close()
    serves(open_daemon)


def test_slow_bodies_are_dropped_and_leave_room(open_daemon):
    slow = [connect(open_daemon) for _ in range(100)]
    try:
        for one in slow:
            one.sendall(SLOW_BODY.replace(b"8420", b"%d" % port_of(open_daemon)))
            one.setblocking(False)
        for _ in range(20):
            serves(open_daemon)
            gone(slow)
            time.sleep(0.05)
        wait_until(lambda: gone(slow) == len(slow), 60, 0.5, why="the slow bodies to be dropped")
    finally:
        for one in slow:
            one.close()
    serves(open_daemon)
