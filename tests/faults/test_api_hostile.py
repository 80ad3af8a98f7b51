"""Hostile requests: each is turned away with a problem, and none of those refused at the door reaches the daemon."""

import asyncio
import itertools
import json

import pytest

from pixsortd.api import guard
from pixsortd.api.app import create_app
from pixsortd.config import ApiSettings
from tests.api.fake_library import filled

OURS = b"127.0.0.1:8420"
JSON = (b"content-type", b"application/json")
ID = "ab" * 32


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


HOSTS = """
evil.example
evil.example:8420
localhost
127.0.0.1
localhost:80
localhost:8421
localhost:08420x
127.0.0.1.nip.io:8420
localhost.evil.example:8420
localhost.:8420
localhost:8420.evil.example
2130706433:8420
0177.0.0.1:8420
0x7f.0.0.1:8420
127.1:8420
0.0.0.0:8420
[::]:8420
[::ffff:127.0.0.1]:8420
[::1:8420
::1:8420
[::1]8420
[fe80::1%25eth0]:8420
[v1.x]:8420
localhost:0
localhost:99999
localhost:-1
localhost:+8420
localhost:8420:8420
localhost:
:8420
http://localhost:8420
//localhost:8420
localhost:8420/
localhost:8420?x
localhost:8420#x
user@localhost:8420
evil.example@127.0.0.1:8420
localhost:8420@evil.example
localhost:8420,evil.example
localhost:8420 evil.example
local%68ost:8420
local host:8420
-localhost:8420
.localhost:8420
*:8420
*.example
photos.example.evil
evilphotos.example
photos.example:9999
photos.example:22
192.168.1.5:8420
203.0.113.9:8420
""".strip().splitlines()
ODD_HOSTS = [
    b"",
    b" ",
    b"localhost:8420\x00",
    b"localhost\xff:8420",
    b"loc\xc3\xa4lhost:8420",
    b"a" * 10_000,
    b"\t127.0.0.1:8420",
]
HOST_CASES = [[one.encode()] for one in HOSTS] + [[one] for one in ODD_HOSTS]
HOST_CASES += [[], [OURS, OURS], [OURS, b"evil.example"], [b"evil.example", OURS]]


@pytest.mark.parametrize("hosts", HOST_CASES, ids=range(len(HOST_CASES)))
def test_host(door, hosts):
    refused(door, {400, 421}, "GET", "/api/images", [(b"x-forwarded-host", OURS)], host=hosts)


ORIGINS = """
null
NULL
http://evil.example
https://evil.example:8420
http://localhost
http://localhost:3000
http://127.0.0.1:8421
https://127.0.0.1
http://127.0.0.1:8420.evil.example
http://127.0.0.1:8420@evil.example
http://evil.example/http://127.0.0.1:8420
http://127.0.0.1:8420/
http://127.0.0.1:8420/path
http://[::1]:1
file://
file:///etc/passwd
data:text/html,x
chrome-extension://abcdef
moz-extension://abcdef
ftp://127.0.0.1:8420
ws://127.0.0.1:8420
http:127.0.0.1:8420
http://
http:///
http://127.0.0.1:8420 http://evil.example
http://photos.example.evil
http://localhost.:8420
*
undefined
""".strip().splitlines()


@pytest.mark.parametrize("origin", [*ORIGINS, "", "\xff"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_origin(door, origin, method):
    headers = [(b"origin", origin.encode("latin-1")), JSON]
    refused(door, {403}, method, "/api/groups/recluster", headers, b"{}")


def test_two_origins(door):
    refused(door, {403}, "GET", "/api/images", [(b"origin", b"http://127.0.0.1:8420")] * 2)


FETCHES = list(
    itertools.product(
        ["cross-site", "same-site", "", "CROSS-SITE"], ["cors", "no-cors", "navigate"], ["empty", "image"]
    )
)


@pytest.mark.parametrize("fetch", FETCHES, ids=lambda fetch: "-".join(fetch))
def test_fetch_metadata(door, fetch):
    names = (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
    headers = [(name, value.encode()) for name, value in zip(names, fetch, strict=True)]
    refused(door, {403}, "GET", f"/api/images/{ID}", headers)


NAVIGATION = [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"document")]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"/api/images/{ID}"), ("GET", "/metrics"), ("GET", "/schema"), ("POST", "/"), ("HEAD", "/")],
)
def test_navigation_from_elsewhere_only_opens_the_page(door, method, path):
    refused(door, {403}, "GET" if method == "HEAD" else method, path if method != "HEAD" else "/api/status", NAVIGATION)
    framed = [*NAVIGATION[:2], (b"sec-fetch-dest", b"iframe")]
    refused(door, {403}, "GET", "/", framed)


PATHS = """
/api/images/..%2f..%2fetc%2fpasswd
/api/images/%2e%2e/%2e%2e/etc/passwd
/api/images/%2E%2E%5Cwindows
/api/images/..%5c..%5cx
/api/images/%252e%252e%252fetc
/api/images/../../etc/passwd
/api/images/..
/api/images/.
/api/../api/images
/./api/images
/..
/../../../../etc/passwd
/assets/../index.html
/assets/..%2f..%2fports.py
/assets/%2e%2e/%2e%2e/ports.py
/assets//etc/passwd
/assets/%00
/assets/x%00.js
/assets/..;/x
/docs/..%2fassets
/docs/../../app.py
//etc/passwd
///
//evil.example/
/api//images
/api/images//
/api%2fimages
/%61pi/images
/api/images%20
/api/images%0d%0aSet-Cookie:x=1
/api/images%0a
/api/images\\x
/\\evil.example
/api/images/%c0%ae%c0%ae/
/api/images/%ff
/api/images/\xff
/api/images/<script>
/api/images/"x
/api/images/ x
/api/images/|id
/api/images/`id`
/api/images/{x}
/api/images/[x]
/api/images/^
/api/images/#x
http://evil.example/api/images
http://127.0.0.1:8420/api/images
127.0.0.1:8420
*
api/images
""".strip().splitlines()


@pytest.mark.parametrize(
    "path", [*PATHS, "", "/api/images/\x00", "/api/images/\r\nx", "/" + "a" * 5000], ids=range(len(PATHS) + 4)
)
def test_path(door, path):
    harmless = path in ("/assets/..;/x", "/api/images%20")  # a plain name, which nothing has
    refused(door, {404} if harmless else {400, 414}, "GET", path, [])


TYPES = [
    b"text/plain",
    b"text/plain;application/json",
    b"text/json",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=x",
    b"application/xml",
    b"application/json, text/plain",
    b"application/jsonx",
    b"application/ld+json",
    b"application/octet-stream",
    b"application/json/",
    b"",
    b"*/*",
    b"\xff",
]
WRITES = [("PATCH", f"/api/images/{ID}"), ("POST", "/api/quarantine/retry"), ("POST", "/api/session")]


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


LENGTHS = [b"1000001", b"99999999999999", b"9" * 20]
NO_LENGTHS = [b"-1", b"+1", b"1 1", b"0x10", b"1,1", b"", b"9" * 21, b"1e9", "\u0661".encode()]


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


BODIES = [
    b"",
    b"{",
    b"}",
    b"[",
    b"nul",
    b"null",
    b"true",
    b"0",
    b'""',
    b"[]",
    b"{}",
    b"{}{}",
    b'{"rating": 1} x',
    b'{"rating": 1e400}',
    b'{"rating": NaN}',
    b'{"rating": -0.5}',
    b'{"rating": 99999999999999999999999999}',
    b'{"rating": []}',
    b'{"rating": {"$gt": 0}}',
    b'{"rating": "<script>"}',
    b'{"rating": 1, "__proto__": {}}',
    b'{"Rating": 1}',
    b'{"ids": 1}',
    b'{"ids": [[]]}',
    b'{"ids": [null]}',
    b'{"token": null}',
    b'{"token": 5}',
    b'{"token": "' + b"a" * 600 + b'"}',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"rating": "\xff"}',
    b'{"rating": "\\ud800"}',
    b"\x00",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"rating": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b"a=b",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("target", WRITES[:2], ids=lambda target: target[1][:20])
def test_body(inside, body, target):
    refused(inside, {400, 422}, *target, [JSON], body)


SECRETS = [
    [],
    [(b"authorization", b"")],
    [(b"authorization", b"Bearer")],
    [(b"authorization", b"Bearer ")],
    [(b"authorization", b"Bearer t0ke")],
    [(b"authorization", b"Bearer t0kenn")],
    [(b"authorization", b"Bearer T0KEN")],
    [(b"authorization", b"Bearer \xff\xfe")],
    [(b"authorization", b"Basic dDBrZW4=")],
    [(b"authorization", b"t0ken")],
    [(b"authorization", b"Bearer t0ken"), (b"authorization", b"Bearer x")],
    [(b"x-api-key", b"t0ken")],
    [(b"cookie", b"pixsortd_session=t0ken")],
    [(b"cookie", b"pixsortd_session=")],
    [(b"cookie", b"pixsortd_session=9999999999.00")],
    [(b"cookie", b"pixsortd_session=\xff")],
    [(b"cookie", b"pixsortd_session=" + "\u0669".encode() * 10 + b".00")],
    [(b"cookie", b";;;=;==;")],
    [(b"x-forwarded-for", b"127.0.0.1")],
]


@pytest.mark.parametrize("headers", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize(
    "path", ["/api/images", "/metrics", "/schema/openapi.json", "/api/events?token=t0ken", "/health/ready/"]
)
def test_token(locked, headers, path):
    refused(locked, {401, 429}, "GET", path, headers)  # 429: the ones before were guesses


METHODS = ["PUT", "TRACE", "CONNECT", "PROPFIND", "FOO", "get", "G\xcbT", "PATCH"]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_method(door, method):
    refused(door, {405}, method, "/api/status", [])


IDS = [
    "x",
    "0" * 63,
    "0" * 64,
    "0" * 65,
    "A" * 64,
    "-" * 64,
    "null",
    "undefined",
    "NaN",
    "..:",
    "a'or'1'='1",
    "a;b",
    "$(id)",
    "0" * 900,
]


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


QUERIES = [
    "images?limit=-1",
    "images?limit=1e9",
    "images?limit=",
    "images?limit=%00",
    "images?cursor=../../etc/passwd",
    "images?cursor=%ff%fe",
    "images?from=9999999-01-01",
    "images?from=2024-01-01T99:99",
    "images?from=%ff",
    "images?metric=niqe&min=nan",
    "images?metric=niqe&min=1e999",
    "images?sort=;drop table",
    "images?status=%3Cscript%3E",
    "images?root=" + "a" * 500,
    "why?path=../../etc/passwd",
    "why?path=",
    "why?path=%00",
    "why?path=/%00",
    "why?path=/etc/shadow",
    "why?path=/etc/passwd",
    "why?path=/proc/self/environ",
    "why?path=file:///etc/passwd",
    "why?path=/x&id=y",
    "events?last_event_id=-1",
    "events?last_event_id=1e400",
    "events?last_event_id=99999999999999999999999",
    "search",
    "search?like=",
    "search?q=x",
]


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
