"""The door's decision as a function: it never fails, and lets in exactly what it names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.api.perimeter import Facts, Perimeter, is_loopback, judge
from pixsortd.config import ApiSettings

RULES = Perimeter.of(ApiSettings(allowed_hosts=("Photos.example", "nas.lan:8443")))
STRICT = Perimeter.of(ApiSettings())
SERVER = ("127.0.0.1", 8420)
LET_IN = {"localhost:8420", "127.0.0.1:8420", "[::1]:8420", "photos.example", "photos.example:80", "photos.example:443"}
LET_IN |= {"photos.example:8420", "nas.lan:8443"}

header = st.sampled_from(
    [
        b"host",
        b"origin",
        b"cookie",
        b"authorization",
        b"content-type",
        b"content-length",
        b"sec-fetch-site",
        b"content-encoding",
    ]
)
value = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([one.encode() for one in LET_IN]),
    st.sampled_from([b"http://127.0.0.1:8420", b"pixsortd_session=1.2", b"Bearer t0ken", b"application/json", b"2"]),
)


@given(
    st.text(max_size=8),
    st.one_of(st.binary(max_size=80), st.sampled_from([b"/", b"/api/images", b"/api/session"])),
    st.lists(st.tuples(header, value), max_size=6),
)
def test_any_request_is_judged(method, path, headers):
    for rules in (RULES, STRICT):
        if judge(Facts(method, path, headers, SERVER, 1.0), rules) is None:
            hosts = [given.decode().lower() for name, given in headers if name == b"host"]
            assert len(hosts) == 1
            assert hosts[0] in LET_IN
            assert path.startswith(b"/")
            assert b"//" not in path


@pytest.mark.parametrize("headers", [[(b"x-long", b"a" * 40_000)], [(b"x" * 40_000, b"a")], [(b"x", b"")] * 10_000])
def test_a_head_that_arrived_whole_is_held_to_the_limit_too(headers):
    refusal = judge(Facts("GET", b"/api/images", [(b"host", b"localhost:8420"), *headers], SERVER, 1.0), RULES)
    assert refusal is not None
    assert refusal.refusal_status == 431


@pytest.mark.parametrize("host", sorted(LET_IN))
def test_what_is_let_in(host):
    assert judge(Facts("GET", b"/api/images", [(b"host", host.upper().encode())], SERVER, 1.0), RULES) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((one, True) for one in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LocalHost")),
        *((one, False) for one in ("0.0.0.0", "::", "192.168.1.5", "nas.lan", "")),
    ],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected
