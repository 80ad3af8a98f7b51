"""Cross-site request forgery: what a page of another site can make a browser send changes nothing.

Each request comes with the user's own session cookie, as if SameSite did not exist.
"""

import pytest

from pixsortd.api import sessions
from tests.api.fake_library import BASE, client, filled

TOKEN = "correct horse battery"
PHOTO = "ab" * 32
WRITES = [
    ("POST", "/api/session", b'{"token": "x"}'),
    ("DELETE", "/api/session", b""),
    ("PATCH", f"/api/images/{PHOTO}", b'{"rating": 1}'),
    ("POST", "/api/groups/recluster", b""),
    ("POST", "/api/groups/g1/members", b'{"remove": ["%s"]}' % PHOTO.encode()),
    ("POST", "/api/groups/g1/merge", b'{"groups": ["g2"]}'),
    ("PUT", "/api/groups/g1/lock", b'{"locked": true}'),
    ("POST", "/api/groups/proposal/accept", b'{"ids": ["c1"]}'),
    ("POST", "/api/groups/edits/e1/undo", b""),
    ("POST", "/api/quarantine/retry", b'{"ids": []}'),
    ("POST", "/api/roots/r1/scan", b""),
    ("POST", "/api/images/upload", b"--x\r\n\r\n--x--"),
]
FORM = {"content-type": "application/x-www-form-urlencoded"}
PLAIN = {"content-type": "text/plain"}
MULTIPART = {"content-type": "multipart/form-data; boundary=x"}
JSON = {"content-type": "application/json"}
FOREIGN = {"origin": "http://evil.example"}
SANDBOXED = {"origin": "null"}
NEIGHBOUR = {"origin": "http://127.0.0.1:9999"}
SITE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
SAME_SITE = {**SITE, "sec-fetch-site": "same-site"}
NAVIGATE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FORGERIES = {
    "form": {**FORM, **FOREIGN, **NAVIGATE},
    "form of an old browser": {**FORM, **FOREIGN},
    "form in a sandbox": {**FORM, **SANDBOXED, **NAVIGATE},
    "form without an origin": {**FORM, **NAVIGATE},
    "multipart form": {**MULTIPART, **FOREIGN, **NAVIGATE},
    "multipart form of an old browser": {**MULTIPART, **FOREIGN},
    "multipart form in a sandbox": {**MULTIPART, **SANDBOXED},
    "multipart with only a cookie": MULTIPART,
    "multipart with a referer": {**MULTIPART, "referer": "http://evil.example/"},
    "text that looks like JSON": {**PLAIN, **FOREIGN, **NAVIGATE},
    "simple fetch": {**PLAIN, **FOREIGN, **SITE},
    "simple fetch from a neighbouring port": {**PLAIN, **NEIGHBOUR, **SAME_SITE},
    "beacon": {**PLAIN, **FOREIGN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    "JSON in spite of the preflight": {**JSON, **FOREIGN, **SITE},
    "JSON from a neighbouring port": {**JSON, **NEIGHBOUR, **SAME_SITE},
    "JSON from a sandbox": {**JSON, **SANDBOXED},
    "JSON with our origin but a foreign site": {**JSON, "origin": BASE, **SITE},
    "JSON with only a cookie": JSON,
    "JSON with a referer": {**JSON, "referer": BASE + "/"},
    "JSON without an origin": {**JSON, "sec-fetch-site": "same-origin"},
    "our origin twice": {**JSON, "origin": f"{BASE} {BASE}"},
}


@pytest.mark.parametrize("token", [None, TOKEN], ids=["open", "token"])
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=list(FORGERIES))
def test_forgeries_change_nothing(tmp_path, token, forgery):
    library = filled(tmp_path)
    with client(library, token=token) as site:
        if token:
            site.post("/api/session", json={"token": token})
        cookie = site.cookies.get(sessions.COOKIE) or "1.2.3.4"
        for method, path, body in WRITES:
            headers = {"cookie": f"{sessions.COOKIE}={cookie}", **forgery}
            answer = site.request(method, path, content=body, headers=headers)
            assert answer.status_code in (403, 415), (method, path, answer.status_code, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "access-control-allow-origin" not in answer.headers
        if token:
            assert site.get("/api/session").json()["active"] is True


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", [path for _, path, _ in WRITES])
def test_no_read_changes_anything(tmp_path, method, path):
    with client(filled(tmp_path)) as site:
        answer = site.request(method, path)
        assert answer.status_code in (200, 204, 404, 405), answer.text


def test_a_preflight_is_never_granted(api):
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = api.options("/api/groups/recluster", headers=asked)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": BASE},
        {"origin": BASE, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "cookie": "a=b"},
        {},
        {"user-agent": "curl/8"},
    ],
)
def test_our_page_and_scripts_may_write(api, headers):
    assert api.post("/api/groups/recluster", headers={**JSON, **headers}, content=b"{}").status_code == 202
