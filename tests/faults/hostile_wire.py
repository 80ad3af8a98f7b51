"""Hostile requests as bytes on the wire, in blocks by the part of the request that is hostile.

Our own address is 127.0.0.1:8420 in them; the test puts the daemon's port in its place.
"""

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


def wire(method, target, *headers, body=b"", host=OURS):
    """One request; ``host`` None leaves the Host header out."""
    lines = [b"%s %s HTTP/1.1" % (_raw(method), _raw(target))]
    lines += [b"Host: " + host] if host is not None else []
    lines += [b"%s: %s" % (_raw(name), _raw(value)) for name, value in headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


def _raw(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def _sized(method, target, *headers, body):
    return wire(method, target, *headers, (b"Content-Length", b"%d" % len(body)), body=body)


PATCH = f"/api/images/{ID}"
HIDDEN = b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:8420\r\n\r\n"

HOST_BLOCK = [wire("GET", "/api/images", host=_raw(one)) for one in (*HOSTS, *ODD_HOSTS)] + [
    wire("GET", "/api/images", host=None),
    wire("GET", "/api/images", (b"Host", b"evil.example")),
    wire("GET", "/api/images", (b"host", OURS)),
    wire("GET", "/", host=b"evil.example:8420"),
    wire("GET", "/docs", host=b"evil.example:8420"),
    wire("GET", "/api/images", (b"X-Forwarded-Host", OURS), host=b"evil.example"),
    b"GET /api/images HTTP/1.0\r\n\r\n",
    b"GET /api/images\r\n\r\n",
]
ORIGIN_BLOCK = [
    wire(method, "/api/groups/recluster", (b"Origin", one), JSON, (b"Content-Length", b"2"), body=b"{}")
    for one in (*ORIGINS, "\xff")
    for method in ("GET", "POST")
] + [
    wire("GET", "/api/images", (b"Origin", b"http://127.0.0.1:8420"), (b"Origin", b"http://evil.example")),
    wire("GET", "/api/images", (b"Origin", b"http://evil.example"), (b"Referer", b"http://127.0.0.1:8420/")),
    wire("DELETE", "/api/session", (b"Origin", b"null")),
    wire("OPTIONS", "/api/images", (b"Origin", b"http://evil.example"), (b"Access-Control-Request-Method", b"POST")),
]
_FETCH_NAMES = (b"Sec-Fetch-Site", b"Sec-Fetch-Mode", b"Sec-Fetch-Dest")
FETCH_BLOCK = [wire("GET", PATCH, *zip(_FETCH_NAMES, fetch, strict=True)) for fetch in FETCHES] + [
    _sized("POST", "/api/groups/recluster", JSON, *extra, body=b"{}")
    for extra in (
        [(b"Cookie", b"pixsortd_session=a.1.2.b")],
        [(b"Referer", b"http://evil.example/")],
        [(b"Referer", b"http://127.0.0.1:8420/")],
        [(b"Sec-Fetch-Site", b"none")],
        [(b"Sec-Fetch-Site", b"same-origin")],
        [(b"Sec-Fetch-Mode", b"navigate")],
        [(b"Origin", b"http://127.0.0.1:8420"), (b"Sec-Fetch-Site", b"cross-site")],
        [(b"Origin", b"http://127.0.0.1:8420"), (b"Sec-Fetch-Site", b"same-origin"), (b"Sec-Fetch-Site", b"x")],
        NAVIGATION,
    )
]
_MORE_METHODS = [
    "OPTIONS",
    "M-SEARCH",
    "SUBSCRIBE",
    "LOCK",
    "MOVE",
    "COPY",
    "SEARCH",
    "PURGE",
    "DELETE",
    "POST",
    "x" * 5000,
]
METHOD_BLOCK = (
    [wire(one, "/api/status") for one in (*METHODS, *_MORE_METHODS) if one != "OPTIONS"]
    + [
        wire(one, target)
        for one in ("CONNECT", "TRACE", "PUT", "DELETE")
        for target in ("/", "/schema", "127.0.0.1:8420")
    ]
    + [wire("OPTIONS", "*"), wire("", "/api/status"), wire("GET GET", "/api/status"), wire("G\tT", "/api/status")]
    + [wire("GET", PATCH, (b"X-HTTP-Method-Override", b"DELETE"))]
)
_MORE_PATHS = [
    *("/api/images/thumbnail/" + one for one in ("..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "..%252f", "%252e%252e/x")),
    *("/assets/" + one for one in ("%2e%2e/x", "..%2f", "..%5c", "%2e%2e%5c", "....//x", ".../x", "%c0%af", "%c1%9c")),
    *(
        "/docs/" + one
        for one in ("%e0%80%af", "%f0%80%80%af", "%u2215", "%c0%2e%c0%2e", "%00.html", "x%00", "x%0d%0ay")
    ),
    *("/photo/" + one for one in ("%2F%2Fetc", "%5c%5cevil", "%2e", "%2e%2e", "%252e", "%", "%2", "%zz", "%%32%66")),
    "/api/images?" + "a=" + "b" * 20_000,
    "/api/images?" + "&".join(f"limit={number}" for number in range(2000)),
    "/api/images?limit=%ff%fe",
    "ftp://127.0.0.1:8420/api/images",
    "https://127.0.0.1:8420/api/images",
    "javascript:alert(1)",
    "?x",
]
PATH_BLOCK = [wire("GET", one) for one in (*PATHS, *_MORE_PATHS)] + [
    wire("GET", "/" + "a" * n) for n in (2000, 30_000, 70_000)
]
HEAD_BLOCK = [
    wire("GET", "/api/images", (b"X-Long", b"a" * 40_000)),
    wire("GET", "/api/images", (b"x" * 40_000, b"a")),
    wire("GET", "/api/images", *((b"X-%d" % number, b"a" * 100) for number in range(1000))),
    wire("GET", "/api/images", *((b"X", b"") for _ in range(10_000))),
    wire("GET", "/api/images", (b"Cookie", b"a=b; " * 8000)),
    wire("GET", "/api/images", (b"X-Nul", b"a\x00b")),
    wire("GET", "/api/images", (b"X Space", b"a")),
    wire("GET", "/api/images", (b"X-Space ", b"a")),
    wire("GET", "/api/images", (b"", b"a")),
    wire("GET", "/api/images", (b"X\x7f", b"a")),
    wire("GET", "/api/images", (b"X\xff", b"a")),
    b"GET /api/images HTTP/1.1\r\nHost: 127.0.0.1:8420\r\n folded\r\n\r\n",
    b"GET /api/images HTTP/1.1\r\nHost: 127.0.0.1:8420\r\n\t:9\r\n\r\n",
    b"GET /api/images HTTP/1.1\r\nHost 127.0.0.1:8420\r\n\r\n",
    b"GET /api/images HTTP/1.1\rHost: 127.0.0.1:8420\r\r",
    b"GET  /api/images HTTP/1.1\r\nHost: 127.0.0.1:8420\r\n\r\n",
    b"GET /api/images  HTTP/1.1\r\nHost: 127.0.0.1:8420\r\n\r\n",
    b"GET /api/images HTTP/9.9\r\nHost: 127.0.0.1:8420\r\n\r\n",
    b"GET /api/images http/1.1\r\nHost: 127.0.0.1:8420\r\n\r\n",
    b"GET /api/images HTTP/1.1 HTTP/1.1\r\nHost: 127.0.0.1:8420\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 1000,
    b"\xff" * 40_000,
    b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    b"\r\n" * 20_000,
]
TYPE_BLOCK = [_sized(*target, (b"Content-Type", kind), body=b"{}") for kind in TYPES for target in WRITES[:2]] + [
    _sized("POST", "/api/images/upload", (b"Content-Type", kind), body=b"--x--")
    for kind in (b"application/json", b"multipart/mixed; boundary=x", b"multipart/form-data", b"text/plain")
]
LENGTH_BLOCK = [wire(*WRITES[0], JSON, (b"Content-Length", one), body=b"{}") for one in LENGTHS + NO_LENGTHS] + [
    _sized(*WRITES[0], JSON, body=b" " * 1_000_001),
    _sized(*WRITES[0], JSON, (b"Expect", b"100-continue"), body=b" " * 1_000_001),
    _sized(*WRITES[0], JSON, (b"Content-Encoding", b"gzip"), body=b"{}"),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked"), body=b"f4241\r\n" + b" " * 1_000_001 + b"\r\n0\r\n\r\n"),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked"), body=b"-1\r\n{}\r\n0\r\n\r\n"),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked"), body=b"zz\r\n{}\r\n0\r\n\r\n"),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked"), body=b"f" * 30 + b"\r\n{}\r\n0\r\n\r\n"),
]
SMUGGLING_BLOCK = [
    wire(*WRITES[0], JSON, (b"Content-Length", b"4"), (b"Transfer-Encoding", b"chunked"), body=b"0\r\n\r\n" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"4"), body=b"0\r\n\r\n" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Content-Length", b"2"), (b"Content-Length", b"99"), body=b"{}" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Content-Length", b"2, 99"), body=b"{}" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Content-Length", b"0"), (b"content-length", b"2"), body=b"{}" + HIDDEN),
    *(
        wire(*WRITES[0], JSON, (b"Transfer-Encoding", one), body=b"0\r\n\r\n" + HIDDEN)
        for one in (
            b"gzip, chunked",
            b"chunked, identity",
            b"xchunked",
            b"chunked, chunked",
            b"\x0bchunked",
            b"identity",
        )
    ),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding ", b"chunked"), body=b"0\r\n\r\n" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding\n", b"chunked"), body=b"0\r\n\r\n" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Content-Length", b"2\r\n 2"), body=b"{}" + HIDDEN),
    wire(
        *WRITES[0], JSON, (b"Content-Length", b"2"), (b"X", b"a\r\nTransfer-Encoding:\r\n chunked"), body=b"{}" + HIDDEN
    ),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked\r\n , identity"), body=b"0\r\n\r\n" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked"), body=b"2\r\n{}\n0\r\n\r\n" + HIDDEN),
    wire(*WRITES[0], JSON, (b"Transfer-Encoding", b"chunked"), body=b"1;a=b\r\n{\r\n0\r\n\r\n" + HIDDEN),
    wire("GET", "/..", (b"Content-Length", b"0"), (b"Transfer-Encoding", b"chunked"), body=b"0\r\n\r\n" + HIDDEN),
    wire("GET", "/api/images HTTP/1.1\r\nHost: 127.0.0.1:8420\r\nX: y", host=b"evil.example"),
]
UPGRADE_BLOCK = [
    wire("GET", target, (b"Connection", b"Upgrade"), (b"Upgrade", kind), *more)
    for target in ("/api/events", "/")
    for kind, more in (
        (b"websocket", [(b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="), (b"Sec-WebSocket-Version", b"13")]),
        (b"h2c", [(b"HTTP2-Settings", b"AAMAAABkAARAAAAAAAIAAAAA")]),
        (b"h2c", []),
        (b"TLS/1.0", []),
        (b"websocket, h2c", []),
    )
]
JSON_BLOCK = [_sized(*target, JSON, body=body) for body in BODIES for target in WRITES[:2]]
QUERY_BLOCK = [wire("GET", "/api/" + one.replace(" ", "+")) for one in QUERIES] + [
    wire("GET", f"/api/{where}/{one}") for one in IDS for where in ("images/metadata", "groups")
]
SECRET_BLOCK = [
    wire("GET", target, *headers)
    for headers in SECRETS
    for target in ("/api/images", "/metrics", "/schema/openapi.json", "/health/ready")
] + [
    wire("GET", "/api/images", (b"Cookie", cookie))
    for cookie in (
        b"pixsortd_session=" + b"a" * 5000,
        b"pixsortd_session=a.1.99999999999." + b"0" * 64,
        b"pixsortd_session=a.1.2.3; pixsortd_session=b.1.2.3",
        b"PIXSORTD_SESSION=x",
        b'pixsortd_session="a.b.c.d"',
        b"pixsortd_session=../../etc/passwd",
        b"pixsortd_session=%00",
        b"pixsortd_session=a.-1.-2.b",
    )
]
OPEN_BLOCKS = {
    "host": HOST_BLOCK,
    "origin": ORIGIN_BLOCK,
    "fetch metadata": FETCH_BLOCK,
    "method": METHOD_BLOCK,
    "path": PATH_BLOCK,
    "head": HEAD_BLOCK,
    "content type": TYPE_BLOCK,
    "length": LENGTH_BLOCK,
    "smuggling": SMUGGLING_BLOCK,
    "upgrade": UPGRADE_BLOCK,
    "json": JSON_BLOCK,
    "query": QUERY_BLOCK,
}
"""For a daemon without a token."""
LOCKED_BLOCKS = {"token": SECRET_BLOCK}
"""For a daemon with one."""
