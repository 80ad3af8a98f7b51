"""Below a path, as a reverse proxy passes it on: everything works there, and nothing beside it."""

import pytest

from pixsortd.api.below import OUTSIDE, entered
from tests.api.fake_library import BASE, client, filled

PAGE = '<meta name="pixsortd-base" content="/" /><script src="/assets/a.js"></script><a href="/schema">x</a>'


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "docs").mkdir()
    (folder / "index.html").write_text(PAGE)
    (folder / "docs" / "index.html").write_text(PAGE)
    (folder / "assets" / "a.js").write_text('x="/y"')
    with client(filled(tmp_path), page=folder, base_path="/photos", token="t0ken") as open_client:
        yield open_client


TOKEN = {"authorization": "Bearer t0ken"}


@pytest.mark.parametrize("path", ["/photos", "/photos/", "/photos/groups", "/photos/groups/g1", "/photos/docs"])
def test_the_page_knows_where_it_lives(site, path):
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.text == PAGE.replace('="/', '="/photos/')
    assert answer.headers["etag"] != ""


def test_everything_is_there(site):
    assert site.get("/photos/assets/a.js").text == 'x="/y"', "only pages are rewritten"
    assert site.get("/photos/api/images", headers=TOKEN).json()["total"] == 3
    assert site.get("/photos/metrics", headers=TOKEN).status_code == 200
    assert site.get("/photos/health/live").status_code == 200
    assert "'unsafe-inline'" in site.get("/photos/docs").headers["content-security-policy"]
    assert "'unsafe-inline'" not in site.get("/photos/").headers["content-security-policy"]
    described = site.get("/photos/schema/openapi.json", headers=TOKEN).json()
    assert described["servers"] == [{"url": "/photos"}]


@pytest.mark.parametrize(
    "path",
    ["/", "/api/images", "/metrics", "/docs", "/photosx", "/photo", "/PHOTOS/", "/health/ready", "/api/health/live"],
)
def test_nothing_is_beside_it(site, path):
    answer = site.get(path, headers=TOKEN)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "/photos/" in answer.json()["next_step"]


def test_whether_it_lives_is_told_at_the_root_too(site):
    assert site.get("/health/live").status_code == 200


def test_the_perimeter_looks_at_the_whole_address(site):
    assert site.get("/photos/api/images").status_code == 401
    assert site.get("/photos//api/images", headers=TOKEN).status_code == 400
    assert site.get("/", headers={"host": "evil.example"}).status_code == 421
    assert site.get("/photos/", headers={"host": "evil.example"}).status_code == 421


def test_the_cookie_belongs_to_the_path(site):
    answer = site.post("/photos/api/session", json={"token": "t0ken"}, headers={"origin": BASE})
    assert "Path=/photos;" in answer.headers["set-cookie"]
    assert site.get("/photos/api/images").status_code == 200


@pytest.mark.parametrize(
    ("raw", "inside"),
    [
        (b"/photos", b"/"),
        (b"/photos/", b"/"),
        (b"/photos?x", b"?x"),
        (b"/photos/a/b", b"/a/b"),
        (b"/photos/../x", b"/../x"),
        (b"/photos%2fapi", None),
        (b"/%70hotos/api", None),
        (b"/", None),
        (b"photos/", None),
    ],
)
def test_the_raw_address_decides(raw, inside):
    scope = entered({"path": raw.partition(b"?")[0].decode(), "raw_path": raw}, "/photos")
    assert (OUTSIDE in scope) is (inside is None)
    if inside is not None:
        assert scope["raw_path"] == inside


def test_without_a_base_path_requests_stay_as_they_are():
    scope = {"path": "/x", "raw_path": b"/x"}
    assert entered(scope, "") is scope
