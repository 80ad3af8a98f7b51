"""The static page: exact files, client routes, caching, and no road from the API to it."""

import os

import pytest

from tests.api.fake_library import client, filled


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "docs").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>pixsortd</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc123.js").write_text("export {}")
    (folder / "docs" / "index.html").write_text("<!doctype html>docs")
    (folder / "docs" / "swagger-ui.css").write_text("a{}")
    (tmp_path / "secret.txt").write_text("secret")
    os.symlink(tmp_path / "secret.txt", folder / "link.txt")
    os.symlink(tmp_path, folder / "assets" / "up")
    return folder


@pytest.fixture
def site(tmp_path, page):
    with client(filled(tmp_path), page=page) as open_client:
        yield open_client


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/groups",
        "/groups/g1",
        "/inbox",
        "/inbox/rules",
        "/inbox/history",
        "/inbox/history/p1",
        "/photo/" + "0" * 64,
        "/pipeline",
        "/quarantine",
        "/settings",
        "/settings/",
    ],
)
def test_client_routes_answer_the_page(site, path):
    answer = site.get(path)
    assert (answer.status_code, answer.text) == (200, "<!doctype html><title>pixsortd</title>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert site.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert site.head(path).status_code == 200


def test_assets_are_immutable(site):
    answer = site.get("/assets/index-abc123.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert site.get("/favicon.svg").headers["content-type"] == "image/svg+xml"


def test_docs_are_local_and_only_their_styles_are_laxer(site):
    for path in ("/docs", "/docs/"):
        answer = site.get(path)
        assert answer.text == "<!doctype html>docs"
        assert "style-src 'self' 'unsafe-inline'" in answer.headers["content-security-policy"]
        assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert site.get("/docs/swagger-ui.css").headers["content-type"].startswith("text/css")
    assert "unsafe" not in site.get("/").headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/nothing",
        "/link.txt",
        "/assets/up",
        "/assets",
        "/nothing",
        "/docs/nothing",
        "/groups/a/b",
        "/index.htm",
    ],
)
def test_everything_else_is_a_problem(site, path):
    answer = site.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_page_is_only_read(site):
    for path in ("/", "/settings", "/assets/index-abc123.js"):
        assert site.post(path, json={}).status_code == 405
        assert site.delete(path).status_code == 405


def test_a_page_that_was_not_built_is_said(tmp_path):
    with client(filled(tmp_path)) as site:
        for path in ("/", "/docs", "/assets/x.js"):
            answer = site.get(path)
            assert answer.status_code == 404
            assert "not built" in answer.json()["detail"]
            assert answer.json()["next_step"]


def test_the_page_needs_no_token_but_the_api_does(tmp_path, page):
    with client(filled(tmp_path), page=page, token="t0ken") as site:
        assert site.get("/").status_code == 200
        assert site.get("/assets/index-abc123.js").status_code == 200
        assert site.get("/api/images").status_code == 401
