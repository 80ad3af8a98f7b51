"""Token and session cookie."""

import pytest

from pixsortd.api import sessions
from tests.api.fake_library import BASE, client, filled

TOKEN = "correct horse battery"


@pytest.fixture
def guarded(tmp_path):
    with client(filled(tmp_path), token=TOKEN) as open_client:
        yield open_client


CLOSED = ["/api/images", "/api/status", "/api/events", "/api/health/ready", "/health/ready", "/metrics", "/api/metrics"]
CLOSED += ["/schema", "/schema/openapi.json", "/api/nothing", "/api/images/", "/metrics/"]


@pytest.mark.parametrize("path", CLOSED)
def test_without_token_nothing_is_told(guarded, path):
    answer = guarded.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_open_without_token(guarded):
    assert guarded.get("/health/live").status_code == 200
    assert guarded.get("/api/health/live").status_code == 200
    assert guarded.get("/api/session").json() == {"required": True, "active": False}


def test_bearer(guarded):
    assert guarded.get("/api/images", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/api/images", headers={"authorization": f"bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/api/session", headers={"authorization": f"Bearer {TOKEN}"}).json()["active"] is True
    for wrong in (f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer ", "Bearer", ""):
        answer = guarded.get("/api/images", headers={"authorization": wrong})
        assert answer.status_code == 401, wrong


def test_session_cookie(guarded):
    assert guarded.post("/api/session", json={"token": "wrong"}).status_code == 401
    answer = guarded.post("/api/session", json={"token": TOKEN})
    assert answer.json() == {"required": True, "active": True}
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert TOKEN not in cookie
    assert guarded.get("/api/images").status_code == 200
    assert guarded.get("/api/session").json()["active"] is True
    assert guarded.delete("/api/session").json() == {"required": True, "active": False}
    assert guarded.get("/api/images").status_code == 401


def test_a_cookie_cannot_be_made_up(guarded):
    for value in ("", "x", "1.2", f"99999999999.{'0' * 64}", "9" * 5000 + ".x", TOKEN):
        answer = guarded.get("/api/images", headers={"cookie": f"a=b; {sessions.COOKIE}={value}"})
        assert answer.status_code == 401, value[:20]


def test_sessions_run_out_and_die_with_the_token():
    value = sessions.mint(TOKEN, 1000.0)
    assert sessions.valid(value, TOKEN, 1001.0)
    assert not sessions.valid(value, TOKEN, 1000.0 + sessions.LIFETIME)
    assert not sessions.valid(value, TOKEN + "x", 1001.0)
    assert not sessions.valid(value.replace(value[0], "9", 1), TOKEN, 1001.0)


def test_a_daemon_without_token_says_so(api):
    assert api.get("/api/session").json() == {"required": False, "active": True}
    assert api.post("/api/session", json={"token": "x"}).json() == {"required": False, "active": True}


def test_login_is_json_from_our_own_page(guarded):
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert guarded.post("/api/session", content=b"token=x", headers=form).status_code == 415
    foreign = {"origin": "http://evil.example"}
    assert guarded.post("/api/session", json={"token": TOKEN}, headers=foreign).status_code == 403
    assert guarded.post("/api/session", json={"token": TOKEN}, headers={"origin": BASE}).status_code == 200
