"""The page below a path of a reverse proxy, beside another application: every request stays below that path."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.subpath_proxy import SubpathProxy
from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

TOKEN = "a token for the test of the path"


@pytest.fixture(scope="module")
def proxy() -> Iterator[SubpathProxy]:
    with SubpathProxy("/photos") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def daemon(tmp_path_factory, proxy) -> Iterator[Daemon]:
    home = tmp_path_factory.mktemp("subpath")
    for number in range(12):
        write_photo(home / "photos" / f"{number}.jpg", number // 6, (320 + number, 240))
    (home / "token").write_text(TOKEN)
    api = {"base_path": "/photos", "allowed_hosts": [proxy.host], "token_file": str(home / "token")}
    with Daemon(home / "d", [home / "photos"], {"api": api}) as daemon:
        daemon.headers = {"Authorization": f"Bearer {TOKEN}"}
        daemon.settled(12)
        proxy.target = daemon.url
        yield daemon


@pytest.fixture
def page(browser, daemon, proxy) -> Iterator[Page]:
    """A page behind the proxy; a request beside the path or an error of a script fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    strays: list[str] = []
    errors: list[str] = []
    inside = (proxy.url + "/", proxy.url + "?", "data:", "blob:")
    page.on("request", lambda r: None if (r.url + "/").startswith(inside) else strays.append(r.url))
    page.on("pageerror", lambda e: errors.append(str(e)))
    yield page
    context.close()
    assert (strays, errors, proxy.strays) == ([], [], [])


def sign_in(page: Page) -> None:
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_login_photos_and_views_work_below_the_path(page, proxy):
    page.goto(proxy.url)
    sign_in(page)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    wait_until(lambda: page.evaluate("() => [...document.images].filter(i => i.naturalWidth > 0).length"), 30)
    cookie = next(one for one in page.context.cookies() if one["name"] == "pixsortd_session")
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == ("/photos", True, "Strict")
    rail = page.get_by_role("navigation", name="Main")
    for name, path in (("Groups", "/groups"), ("Pipeline", "/pipeline"), ("Settings", "/settings"), ("Library", "/")):
        rail.get_by_role("link", name=name).first.click()
        wait_until(lambda path=path: page.evaluate("location.pathname").rstrip("/") == f"/photos{path}".rstrip("/"), 10)
    rail.get_by_role("link", name="Groups").first.click()
    page.reload()
    expect(rail.get_by_role("link", name="Groups").first).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()


def test_a_photo_and_a_write_work_below_the_path(page, proxy, daemon):
    page.goto(proxy.url + "/")
    sign_in(page)
    with page.expect_response(lambda answer: "/photos/api/images/metadata/" in answer.url) as told:
        page.get_by_role("listbox").get_by_role("option").first.click()
    assert told.value.status == 200
    assert "?photo=" in page.url
    assert page.evaluate("location.pathname").startswith("/photos")
    changed = page.evaluate(
        """async () => {
            const items = (await (await fetch('/photos/api/images')).json()).items
            const how = { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: '{"rating": 4}' }
            return (await fetch('/photos/api/images/' + items[0].id, how)).status
        }"""
    )
    assert changed == 200


def test_live_updates_come_through(page, proxy, daemon):
    page.goto(proxy.url + "/")
    sign_in(page)
    expect(page.get_by_title("Live", exact=True)).to_be_visible()


def test_the_interactive_documentation_works_below_the_path(page, proxy):
    page.goto(proxy.url + "/")
    sign_in(page)
    page.goto(proxy.url + "/docs")
    operation = page.get_by_text("/api/status", exact=False).first
    expect(operation).to_be_visible(timeout=15_000)
    operation.click()
    page.get_by_role("button", name="Try it out").click()
    with page.expect_response(lambda answer: answer.url.endswith("/api/status")) as told:
        page.get_by_role("button", name="Execute").click()
    assert (told.value.url, told.value.status) == (f"{proxy.url}/api/status", 200)
