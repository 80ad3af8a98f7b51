"""Token and session cookie."""

import time

import pytest
import structlog
from litestar.testing import TestClient

from pixsortd.api import attempts, sessions
from pixsortd.api.app import create_app
from pixsortd.api.perimeter import Facts, Perimeter, client_of, is_https
from pixsortd.api.sessions import Sessions
from pixsortd.config import ApiSettings
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
    parts = {part.strip() for part in cookie.split(";")}
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={sessions.LIFETIME}"} <= parts
    assert "Secure" not in parts
    assert TOKEN not in cookie
    assert guarded.get("/api/images").status_code == 200
    assert guarded.get("/api/session").json()["active"] is True


def test_logging_out_ends_the_session_for_every_copy_of_the_cookie(guarded):
    guarded.post("/api/session", json={"token": TOKEN})
    stolen = guarded.cookies[sessions.COOKIE]
    answer = guarded.delete("/api/session", headers={"origin": BASE})
    assert answer.json() == {"required": True, "active": False}
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert guarded.get("/api/images").status_code == 401
    copy = {"cookie": f"{sessions.COOKIE}={stolen}"}
    assert guarded.get("/api/images", headers=copy).status_code == 401
    guarded.post("/api/session", json={"token": TOKEN})
    assert guarded.get("/api/images").status_code == 200, "another session is another matter"


def test_a_cookie_cannot_be_made_up(guarded):
    made = Sessions().begin(TOKEN, time.time())  # with the right token, but not this daemon's secret
    for value in ("", "x", "1.2", "a.1.2.3", f"a.1.99999999999.{'0' * 64}", "9" * 5000 + ".x", TOKEN, made):
        answer = guarded.get("/api/images", headers={"cookie": f"a=b; {sessions.COOKIE}={value}"})
        assert answer.status_code == 401, value[:20]


def test_sessions_run_out_and_die_with_the_token():
    kept = Sessions()
    value = kept.begin(TOKEN, 1000.0)
    assert kept.holds(value, TOKEN, 1001.0)
    assert not kept.holds(value, TOKEN, 1000.0 + sessions.LIFETIME)
    assert not kept.holds(value, TOKEN, 1.0), "from the future"
    assert not kept.holds(value, TOKEN + "x", 1001.0)
    name, began, expires, proof = value.split(".")
    for changed in (("x", began, expires), (name, str(int(began) + 1), expires), (name, began, str(int(expires) + 1))):
        assert not kept.holds(".".join([*changed, proof]), TOKEN, 1001.0)


def test_a_session_in_use_is_renewed_but_not_for_ever():
    kept, now = Sessions(), 1000.0
    value = first = kept.begin(TOKEN, now)
    assert kept.renewed(value, TOKEN, now + sessions.RENEW - 1) is None
    days = 0
    while kept.holds(value, TOKEN, now):
        now, days = now + 86400, days + 1
        value = kept.renewed(value, TOKEN, now) or value
    assert days == sessions.LONGEST // 86400
    again = Sessions()
    later = again.renewed(again.begin(TOKEN, 0.0), TOKEN, 2.0 * sessions.RENEW)
    again.end(later, TOKEN, 2.0 * sessions.RENEW)
    assert not again.holds(later, TOKEN, 2.0 * sessions.RENEW)
    assert first.split(".")[0] == value.split(".")[0]


def test_the_answer_to_a_session_in_use_brings_its_later_cookie(tmp_path, monkeypatch):
    with client(filled(tmp_path), token=TOKEN) as site:
        site.post("/api/session", json={"token": TOKEN})
        assert "set-cookie" not in site.get("/api/images").headers
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 2 * sessions.RENEW)
        old = site.cookies[sessions.COOKIE]
        assert "HttpOnly; SameSite=Strict" in site.get("/api/images").headers["set-cookie"]
        assert site.cookies[sessions.COOKIE] != old
        site.delete("/api/session", headers={"origin": BASE})
        assert site.get("/api/images", headers={"cookie": f"{sessions.COOKIE}={old}"}).status_code == 401


def test_sessions_and_their_ends_outlive_a_restart(tmp_path):
    file = tmp_path / "run" / "sessions.json"
    kept = Sessions(file)
    one, two = kept.begin(TOKEN, 1000.0), kept.begin(TOKEN, 1000.0)
    kept.end(one, TOKEN, 1001.0)
    assert file.stat().st_mode & 0o777 == 0o600
    again = Sessions(file)
    assert not again.holds(one, TOKEN, 1002.0)
    assert again.holds(two, TOKEN, 1002.0)
    file.write_bytes(b"{")
    assert not Sessions(file).holds(two, TOKEN, 1002.0), "a damaged file ends every session"


def test_ended_sessions_take_bounded_room(monkeypatch):
    monkeypatch.setattr(sessions, "MOST_ENDED", 10)
    kept = Sessions()
    values = [kept.begin(TOKEN, 1000.0) for _ in range(12)]
    for value in values[:11]:
        kept.end(value, TOKEN, 1000.0)
    assert not any(kept.holds(value, TOKEN, 1000.0) for value in values)
    assert len(kept._kept.ended) <= 10
    assert kept.holds(kept.begin(TOKEN, 1002.0), TOKEN, 1002.0)


def test_another_token_ends_every_session_at_once(tmp_path):
    app = create_app(filled(tmp_path), ApiSettings(), TOKEN, tmp_path / "no-page")
    with TestClient(app, base_url=BASE) as site:
        site.post("/api/session", json={"token": TOKEN})
        assert site.get("/api/images").status_code == 200
        app.change_token("another horse battery")
        assert site.get("/api/images").status_code == 401
        assert site.get("/api/images", headers={"authorization": "Bearer another horse battery"}).status_code == 200


# --- guessing ---------------------------------------------------------------------------------------------


def at(site, address, method="GET", path="/api/images", **more):
    """A request as a proxy on this machine passes it on for ``address``."""
    headers = {"host": "photos.example", "x-forwarded-for": address, **more.pop("headers", {})}
    return site.request(method, path, headers=headers, **more)


@pytest.fixture
def proxied(tmp_path):
    app = create_app(filled(tmp_path), ApiSettings(allowed_hosts=("photos.example",)), TOKEN, tmp_path / "no-page")

    async def through_the_proxy(scope, receive, send):
        await app({**scope, "client": ("127.0.0.1", 5000)}, receive, send)

    with TestClient(through_the_proxy, base_url=BASE) as site:
        yield site


@pytest.mark.parametrize("way", ["login", "bearer"])
def test_guessing_makes_its_own_address_wait_even_with_the_right_token(proxied, way):
    def guess(token):
        if way == "login":
            return at(proxied, "203.0.113.5", "POST", "/api/session", json={"token": token})
        return at(proxied, "203.0.113.5", headers={"authorization": f"Bearer {token}"})

    answers = [guess(f"guess {number}") for number in range(10)]
    assert [answer.status_code for answer in answers] == [401] * attempts.FREE + [429] * (10 - attempts.FREE)
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    assert answers[-1].json()["type"].endswith("too-many-tries")
    assert guess(TOKEN).status_code == 429
    right = {"authorization": f"Bearer {TOKEN}"}
    assert at(proxied, "203.0.113.5", headers=right).status_code == 429
    assert at(proxied, "203.0.113.6", headers=right).status_code == 200
    assert at(proxied, "203.0.113.6", "POST", "/api/session", json={"token": TOKEN}).status_code == 200


def test_a_session_goes_on_while_its_address_waits(proxied):
    at(proxied, "203.0.113.5", "POST", "/api/session", json={"token": TOKEN})
    cookie = {"cookie": f"{sessions.COOKIE}={proxied.cookies[sessions.COOKIE]}"}
    proxied.cookies.clear()
    for number in range(10):
        at(proxied, "203.0.113.5", "POST", "/api/session", json={"token": f"guess {number}"})
    assert at(proxied, "203.0.113.5", "POST", "/api/session", json={"token": TOKEN}).status_code == 429
    assert at(proxied, "203.0.113.5", headers=cookie).status_code == 200


def test_who_shows_nothing_is_not_guessing(guarded):
    for _ in range(50):
        assert guarded.get("/api/images").status_code == 401
        assert guarded.get("/api/images", headers={"authorization": "Basic x"}).status_code == 401
    assert guarded.get("/api/images", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_question_for_a_session_is_no_way_around_the_wait(guarded):
    for number in range(20):
        guarded.get("/api/session", headers={"authorization": f"Bearer guess {number}"})
    right = {"authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/api/session", headers=right).json()["active"] is False
    assert guarded.get("/api/images", headers=right).status_code == 429


def test_failures_are_logged_with_the_address_and_without_the_token(guarded, capsys):
    structlog.reset_defaults()
    guarded.post("/api/session", json={"token": "s3cret guess"})
    text = capsys.readouterr().out
    assert "wrong token" in text
    assert "testclient" in text
    assert "s3cret" not in text


# --- what a proxy tells -----------------------------------------------------------------------------------

PROXIED = Perimeter.of(ApiSettings(allowed_hosts=("photos.example",)))


def told(host, peer, **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Facts("GET", b"/", [(b"host", host.encode()), *named], ("127.0.0.1", 8420), 1.0, peer)


@pytest.mark.parametrize(
    ("facts", "client", "https"),
    [
        (
            told("photos.example", "127.0.0.1", x_forwarded_for="203.0.113.5", x_forwarded_proto="https"),
            "203.0.113.5",
            1,
        ),
        (told("photos.example", "172.17.0.1", x_forwarded_for="9.9.9.9, 203.0.113.5"), "203.0.113.5", 0),
        (told("photos.example", "127.0.0.1", x_forwarded_for="nonsense"), "127.0.0.1", 0),
        (told("photos.example", "127.0.0.1"), "127.0.0.1", 0),
        (told("127.0.0.1:8420", "127.0.0.1", x_forwarded_for="1.2.3.4", x_forwarded_proto="https"), "127.0.0.1", 0),
        (told("photos.example", "8.8.8.8", x_forwarded_for="1.2.3.4", x_forwarded_proto="https"), "8.8.8.8", 0),
        (told("photos.example", "127.0.0.1", x_forwarded_proto="http"), "127.0.0.1", 0),
        (told("photos.example", "", x_forwarded_for="1.2.3.4"), "", 0),
    ],
)
def test_a_proxy_is_believed_for_an_allowed_host_only(facts, client, https):
    assert client_of(facts, PROXIED) == client
    assert is_https(facts, PROXIED) is bool(https)


def test_the_cookie_is_secure_over_https(proxied):
    answer = at(
        proxied, "203.0.113.5", "POST", "/api/session", json={"token": TOKEN}, headers={"x-forwarded-proto": "https"}
    )
    assert answer.headers["set-cookie"].endswith("; Secure")


def test_a_daemon_without_token_says_so(api):
    assert api.get("/api/session").json() == {"required": False, "active": True}
    assert api.post("/api/session", json={"token": "x"}).json() == {"required": False, "active": True}


def test_login_is_json_from_our_own_page(guarded):
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert guarded.post("/api/session", content=b"token=x", headers=form).status_code == 415
    foreign = {"origin": "http://evil.example"}
    assert guarded.post("/api/session", json={"token": TOKEN}, headers=foreign).status_code == 403
    assert guarded.post("/api/session", json={"token": TOKEN}, headers={"origin": BASE}).status_code == 200
