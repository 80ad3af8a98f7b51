"""Hostile requests: each is turned away with a problem, and none of those refused at the door reaches the daemon."""

import asyncio
import json

import pytest

from pixsortd.api import guard
from pixsortd.api.app import create_app
from pixsortd.config import ApiSettings
from tests.api.fake_library import filled
from tests.faults.hostile import (
    BODIES,
    FETCHES,
    HOSTS,
    ID,
    IDS,
    JSON,
    LENGTHS,
    METHODS,
    NAVIGATION,
    NO_LENGTHS,
    ODD_HOSTS,
    ORIGINS,
    OURS,
    PATHS,
    QUERIES,
    SECRETS,
    TYPES,
    WRITES,
)


class Untouchable:
    """A library that fails the test when anything is asked of it."""

    def __getattr__(self, name):
        raise AssertionError(f"a hostile request reached library.{name}")


async def ask(app, method, path, headers, body=b"", *, host=OURS, server=("127.0.0.1", 8420), chunk=65536):
    """One raw ASGI request: (status, headers, body)."""
    path, _, query = path.partition("?")
    parts = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]
    sent: list[dict] = []

    async def receive():
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    from urllib.parse import unquote

    hosts = [(b"host", one) for one in (host if isinstance(host, list) else [host])]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [*hosts, *headers],
        "client": ("203.0.113.9", 5),
        "server": server,
        "state": {},
    }
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(one.get("body", b"") for one in sent[1:])


def refused(app, expected, *request, **more):
    """Send the request and check that the answer is a problem with one of the expected statuses."""
    status, headers, body = asyncio.run(ask(app, *request, **more))
    assert status in expected, (request, more, status, body[:300])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"x-content-type-options"] == b"nosniff"
    problem = json.loads(body)
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    assert b"Traceback" not in body
    return problem


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """An app whose library must never be reached."""
    return create_app(Untouchable(), ApiSettings(allowed_hosts=("photos.example",)), None, tmp_path_factory.mktemp("p"))


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    return create_app(Untouchable(), ApiSettings(), "t0ken", tmp_path_factory.mktemp("p"))


@pytest.fixture(scope="module")
def inside(tmp_path_factory):
    """An app over a real (fake) library, for requests that pass the door and then mean nothing."""
    return create_app(filled(tmp_path_factory.mktemp("l")), ApiSettings(), None, tmp_path_factory.mktemp("p"))


HOST_CASES = [[one.encode()] for one in HOSTS] + [[one] for one in ODD_HOSTS]
HOST_CASES += [[], [OURS, OURS], [OURS, b"evil.example"], [b"evil.example", OURS]]


@pytest.mark.parametrize("hosts", HOST_CASES, ids=range(len(HOST_CASES)))
def test_host(door, hosts):
    refused(door, {400, 421}, "GET", "/api/images", [(b"x-forwarded-host", OURS)], host=hosts)


@pytest.mark.parametrize("origin", [*ORIGINS, "", "\xff"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_origin(door, origin, method):
    headers = [(b"origin", origin.encode("latin-1")), JSON]
    refused(door, {403}, method, "/api/groups/recluster", headers, b"{}")


def test_two_origins(door):
    refused(door, {403}, "GET", "/api/images", [(b"origin", b"http://127.0.0.1:8420")] * 2)


@pytest.mark.parametrize("fetch", FETCHES, ids=lambda fetch: "-".join(fetch))
def test_fetch_metadata(door, fetch):
    names = (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
    headers = [(name, value.encode()) for name, value in zip(names, fetch, strict=True)]
    refused(door, {403}, "GET", f"/api/images/{ID}", headers)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"/api/images/{ID}"), ("GET", "/metrics"), ("GET", "/schema"), ("POST", "/"), ("HEAD", "/")],
)
def test_navigation_from_elsewhere_only_opens_the_page(door, method, path):
    refused(door, {403}, "GET" if method == "HEAD" else method, path if method != "HEAD" else "/api/status", NAVIGATION)
    framed = [*NAVIGATION[:2], (b"sec-fetch-dest", b"iframe")]
    refused(door, {403}, "GET", "/", framed)


@pytest.mark.parametrize(
    "path", [*PATHS, "", "/api/images/\x00", "/api/images/\r\nx", "/" + "a" * 5000], ids=range(len(PATHS) + 4)
)
def test_path(door, path):
    harmless = path in ("/assets/..;/x", "/api/images%20")  # a plain name, which nothing has
    refused(door, {404} if harmless else {400, 414}, "GET", path, [])


@pytest.mark.parametrize("kind", TYPES, ids=repr)
@pytest.mark.parametrize("target", WRITES, ids=lambda target: target[1][:20])
def test_content_type(door, kind, target):
    refused(door, {415}, *target, [(b"content-type", kind)], b"{}")


def test_other_encodings_of_a_body(door):
    length = (b"content-length", b"2")
    for target in WRITES:
        refused(door, {415}, *target, [length], b"{}")
        refused(door, {415}, *target, [(b"transfer-encoding", b"chunked")], b"{}")
        refused(door, {415}, *target, [JSON, JSON, length], b"{}")
        refused(door, {415}, *target, [JSON, (b"content-encoding", b"gzip"), length], b"{}")


@pytest.mark.parametrize("length", LENGTHS + NO_LENGTHS, ids=repr)
def test_length(door, length):
    refused(door, {413} if length in LENGTHS else {400}, *WRITES[0], [JSON, (b"content-length", length)], b"{}")


def test_a_body_that_is_larger_than_it_said(door):
    for declared in (b"2", None):
        headers = [JSON] + ([(b"content-length", declared)] if declared else [])
        refused(door, {413}, *WRITES[0], headers, b" " * 1_000_001)


def test_a_body_that_never_comes(door, monkeypatch):
    monkeypatch.setattr(guard, "BODY_TIME", 0.02)

    async def scenario():
        sent = []

        async def never():
            await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "PATCH",
            "path": f"/api/images/{ID}",
            "query_string": b"",
            "http_version": "1.1",
        }
        scope |= {"headers": [(b"host", OURS), JSON], "server": ("127.0.0.1", 8420), "scheme": "http"}
        await door(scope, never, send)
        return sent

    assert asyncio.run(scenario())[0]["status"] == 408


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("target", WRITES[:2], ids=lambda target: target[1][:20])
def test_body(inside, body, target):
    refused(inside, {400, 422}, *target, [JSON], body)


@pytest.mark.parametrize("headers", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize(
    "path", ["/api/images", "/metrics", "/schema/openapi.json", "/api/events?token=t0ken", "/health/ready/"]
)
def test_token(locked, headers, path):
    refused(locked, {401, 429}, "GET", path, headers)  # 429: the ones before were guesses


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_method(door, method):
    refused(door, {405}, method, "/api/status", [])


@pytest.mark.parametrize("bad", IDS, ids=range(len(IDS)))
@pytest.mark.parametrize(
    "path",
    [
        "images/{}",
        "images/thumbnail/{}",
        "images/metadata/{}",
        "images/quality/{}",
        "groups/{}",
        "jobs/{}",
        "why?id={}",
        "search?like={}",
    ],
)
def test_ids_that_name_nothing(inside, path, bad):
    refused(inside, {404, 422}, "GET", "/api/" + path.format(bad), [])


@pytest.mark.parametrize("query", QUERIES)
def test_query(inside, query):
    refused(inside, {404, 422, 501}, "GET", "/api/" + query, [])


def test_what_is_allowed_still_is(door, inside, locked):
    ours = (b"origin", b"http://127.0.0.1:8420")
    for app, expected, path, headers, host in (
        (inside, 200, "/api/images", [], OURS),
        (inside, 200, "/api/images", [ours, (b"sec-fetch-site", b"same-origin")], OURS),
        (inside, 200, "/api/images", [(b"sec-fetch-site", b"none")], b"LOCALHOST:8420"),
        (inside, 200, "/api/images", [], b"[::1]:8420"),
        (inside, 200, "/api/images", [], b"[0:0:0:0:0:0:0:1]:8420"),
        (door, 200, "/health/live", [], b"photos.example"),
        (door, 200, "/health/live", [(b"origin", b"https://photos.example")], b"Photos.Example:443"),
        (door, 404, "/", NAVIGATION, OURS),
        (locked, 200, "/health/live", [], OURS),
    ):
        assert asyncio.run(ask(app, "GET", path, headers, host=host))[0] == expected, (path, headers, host)


def test_a_bind_to_the_network_answers_to_its_own_address_only(tmp_path):
    app = create_app(filled(tmp_path), ApiSettings(host="0.0.0.0", port=0), None, tmp_path)
    for server, host, expected in (
        (("192.168.1.5", 9000), b"192.168.1.5:9000", 200),
        (("::ffff:192.168.1.5", 9000), b"192.168.1.5:9000", 200),
        (("fe80::1", 9000), b"[fe80:0::1]:9000", 200),
        (("192.168.1.5", 9000), b"192.168.1.5:8420", 421),
        (("192.168.1.5", 9000), b"192.168.1.6:9000", 421),
        (("192.168.1.5", 9000), b"localhost:9000", 421),
        (("192.168.1.5", 9000), b"evil.example:9000", 421),
        (("127.0.0.1", 9000), b"localhost:9000", 200),
    ):
        status, _, _ = asyncio.run(ask(app, "GET", "/api/images", [], host=host, server=server))
        assert status == expected, (server, host)
