"""The page on the real daemon, in the system's Chromium: photos arrive live, groups are named, failures explained."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

SCENES, SHOTS = 3, 8


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def root(home) -> Path:
    """Three scenes of eight shots, and a file that is no picture."""
    root = home / "photos"
    for scene in range(SCENES):
        for shot in range(SHOTS):
            when = f"2024:0{scene + 1}:1{shot} 12:00:00"
            write_photo(
                root / f"scene{scene}" / f"s{scene}-{shot}.jpg", scene, (320 + shot, 240), DateTimeOriginal=when
            )
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture at all")
    return root


@pytest.fixture(scope="module")
def daemon(home, root) -> Iterator[Daemon]:
    with Daemon(home / "d", [root]) as daemon:
        daemon.settled(SCENES * SHOTS + 1)
        wait_until(lambda: daemon.get("/api/groups")["items"], 60, why="groups")
        yield daemon


@pytest.fixture
def page(daemon, open_page) -> Page:
    """A fresh page; any request to another host and any error in the console fails the test."""
    return open_page(daemon.url)


def tiles(page: Page):
    """The photos of the grid that are drawn."""
    return page.get_by_role("listbox").get_by_role("option")


def photo(page: Page, name: str):
    """The photo of that file name in the grid."""
    return page.get_by_role("listbox").get_by_role("option", name=name).first


def test_the_grid_shows_every_photo_newest_first(page):
    expect(tiles(page).first).to_be_visible()
    expect(page.get_by_text(f"{SCENES * SHOTS} photos")).to_be_visible()
    images = page.locator("[role=option] img")
    expect(images.first).to_be_visible()
    wait_until(lambda: images.first.evaluate("image => image.complete && image.naturalWidth > 0"), 10)
    expect(page.get_by_role("heading", name="March 2024")).to_be_visible()


def test_dropped_photos_appear_live(page, daemon, root):
    expect(tiles(page).first).to_be_visible()
    write_photo(root / "dropped.jpg", 77, (400, 300))
    pill = page.get_by_role("status").get_by_role("button")
    arrived = photo(page, "dropped.jpg")
    wait_until(lambda: arrived.count() or pill.count(), 30, why="the page to tell of a new photo")
    if not arrived.count():
        pill.first.click()
    expect(arrived).to_be_visible(timeout=10_000)
    (root / "dropped.jpg").unlink()
    wait_until(lambda: daemon.ledger()["away"] == 0 and daemon.ledger()["on_disk"] == SCENES * SHOTS + 1, 30)


def test_a_photo_opens_with_its_facts_and_its_why(page):
    link = photo(page, "s1-3.jpg")
    link.click()
    drawer = page.get_by_role("complementary", name="Photo")
    expect(drawer.get_by_text("s1-3.jpg").first).to_be_visible()
    expect(drawer.get_by_text("2024").first).to_be_visible()
    expect(drawer.get_by_text("indexed", exact=False).first).to_be_visible()
    assert "photo=" in page.url
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    assert "photo=" not in page.url


def test_a_rating_is_kept(page, daemon):
    photo(page, "s2-1.jpg").click()
    drawer = page.get_by_role("complementary", name="Photo")
    drawer.get_by_role("radio", name="4 stars").click()
    identity = page.url.split("photo=")[1].split("&")[0]
    wait_until(lambda: daemon.get(f"/api/images/metadata/{identity}")["rating"] == 4, 10)
    page.reload()
    expect(page.get_by_role("radio", name="4 stars")).to_be_checked()


def test_a_group_is_named_in_place_and_the_name_stays(page, daemon):
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Groups").click()
    page.get_by_role("list", name="Groups", exact=True).get_by_role("link").first.click()
    expect(tiles(page).first).to_be_visible()
    page.get_by_role("button", name="group").first.click()
    page.get_by_label("Name of the group").fill("Beach 2019")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Beach 2019")).to_be_visible()
    wait_until(lambda: "Beach 2019" in [group["name"] for group in daemon.get("/api/groups")["items"]], 10)
    page.reload()
    expect(page.get_by_role("heading", name="Beach 2019")).to_be_visible()


def test_a_broken_file_is_in_quarantine_with_a_reason(page):
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Pipeline").click()
    page.get_by_role("navigation", name="Pipeline").get_by_role("link", name="Quarantine").click()
    expect(page.get_by_text("broken.jpg")).to_be_visible()
    expect(page.get_by_role("button", name="Try again: broken.jpg")).to_be_enabled()
    expect(page.get_by_text("decode-failed")).to_be_visible()


def test_the_pipeline_shows_a_ledger_that_adds_up(page, root):
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Pipeline").click()
    expect(page.get_by_text("builtin").first).to_be_visible()
    page.get_by_role("navigation", name="Pipeline").get_by_role("link", name="Folders").click()
    card = page.get_by_role("article", name=str(root))
    expect(card).to_be_visible()
    expect(card.get_by_text("indexed", exact=False).first).to_be_visible()
    expect(card.get_by_text("does not add up")).to_have_count(0)


def test_scroll_position_survives_opening_a_photo(page):
    page.set_viewport_size({"width": 700, "height": 400})
    grid = tiles(page).first
    expect(grid).to_be_visible()
    scroller = page.evaluate_handle(
        "() => [...document.querySelectorAll('*')].find(e => e.scrollHeight > e.clientHeight + 50"
        " && getComputedStyle(e).overflowY !== 'visible' && e.querySelector('[role=option]'))"
    )
    scroller.evaluate("element => { element.scrollTop = 300 }")
    page.wait_for_timeout(300)
    before = scroller.evaluate("element => element.scrollTop")
    page.mouse.click(300, 250)
    expect(page.get_by_role("complementary", name="Photo")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Photo")).to_have_count(0)
    assert abs(scroller.evaluate("element => element.scrollTop") - before) < 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_palettes_are_real(browser, daemon, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(daemon.url)
    expect(tiles(page).first).to_be_visible()
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    numbers = [float(part) for part in colour.partition("(")[2].rstrip(")").replace(",", " ").split()[:3]]
    bright = sum(numbers) / 3 > 128
    assert bright == (scheme == "light"), colour
    context.close()


def test_the_interactive_documentation_works_offline(page, daemon):
    page.goto(daemon.url + "/docs")
    expect(page.get_by_text("/api/images/{", exact=False).first).to_be_visible(timeout=15_000)
