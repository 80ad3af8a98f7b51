"""The grid on the real daemon: any length, any place at once, picking, marks, the trash, the keyboard, a phone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.bench import library
from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

PHOTOS = 900


@pytest.fixture(scope="module")
def daemon(tmp_path_factory) -> Iterator[Daemon]:
    """Nine hundred photos of many months, in a folder that may be written."""
    home = tmp_path_factory.mktemp("grid") / "made"
    library.make(home, PHOTOS)
    settings = {"score": {"metrics": []}, "cluster": {"every": "365d"}}
    with Daemon(home, [{"path": str(home / "photos"), "writable": True}], settings) as daemon:
        yield daemon


@pytest.fixture
def page(daemon, open_page) -> Page:
    page = open_page(daemon.url)
    expect(options(page).first).to_be_visible()
    return page


def options(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


def heading(page: Page) -> str:
    """The month whose heading sticks at the top."""
    return page.evaluate(
        """() => {
          const top = document.querySelector('.scroller').getBoundingClientRect().top
          const all = [...document.querySelectorAll('.month h2')]
          return all.findLast((one) => one.closest('.month').getBoundingClientRect().top <= top + 1)?.textContent ?? ''
        }"""
    )


def scrub(page: Page, share: float) -> None:
    """Drag the scrubber to that share of the whole list."""
    box = page.get_by_role("slider").bounding_box()
    assert box is not None
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 14)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 12 + share * (box["height"] - 24), steps=5)
    page.mouse.up()


def in_view(page: Page) -> Locator:
    """The first photo that lies wholly below the heading and within the view."""
    found = page.evaluate(
        """() => {
          const list = document.querySelector('.scroller').getBoundingClientRect()
          const one = [...document.querySelectorAll('[role=option]')].filter((option) => {
            const box = option.getBoundingClientRect()
            return box.top >= list.top + 60 && box.bottom <= list.bottom - 8
          }).sort((a, b) => a.getAttribute('aria-posinset') - b.getAttribute('aria-posinset'))[0]
          return one?.dataset.id ?? ''
        }"""
    )
    return page.locator(f"[data-id='{found}']")


def settled(page: Page) -> None:
    """Wait until photos stand where the view is."""
    wait_until(lambda: in_view(page).count() == 1, 10, why="photos in view")


def position(option: Locator) -> int:
    return int(option.get_attribute("aria-posinset") or 0)


def tick(option: Locator) -> None:
    option.hover()
    option.locator(".tick").click()


def detail(daemon: Daemon, option: Locator) -> dict[str, object]:
    return daemon.get(f"/api/images/metadata/{option.get_attribute('data-id')}")


def test_the_list_has_its_full_length_with_few_elements(page):
    total = int(options(page).first.get_attribute("aria-setsize") or 0)
    assert total == PHOTOS
    assert page.locator(".scroller").evaluate("one => one.scrollHeight") > 10_000
    assert options(page).count() < 120
    for share in (0.3, 0.6, 0.9):
        scrub(page, share)
        settled(page)
        assert options(page).count() < 160
    expect(options(page).first).to_have_attribute("aria-label", re.compile(r"^\S+\.\w+, \w+, \w+ \d+, \d{4}"))


def test_the_scrubber_goes_anywhere_and_says_where(page):
    slider = page.get_by_role("slider", name="Go to a date")
    first = heading(page)
    scrub(page, 0.5)
    settled(page)
    assert heading(page) != first
    wait_until(lambda: slider.get_attribute("aria-valuetext") == heading(page), 5)
    slider.focus()
    page.keyboard.press("ArrowDown")
    wait_until(lambda: slider.get_attribute("aria-valuetext") == heading(page), 5)
    page.keyboard.press("End")
    settled(page)
    page.keyboard.press("Home")
    wait_until(lambda: heading(page) == first, 5)


def test_a_place_survives_reload_and_opening_a_photo(page):
    scrub(page, 0.4)
    settled(page)
    page.mouse.move(600, 500)
    page.mouse.wheel(0, 333)
    expect(page).to_have_url(re.compile(r"at=\d{4}-\d\d(~|%7E)[0-9a-f]+"))
    settled(page)
    month, seen = heading(page), in_view(page)
    identity = seen.get_attribute("data-id")
    before = seen.bounding_box()
    page.wait_for_timeout(500)  # the address follows a little later
    page.reload()
    settled(page)
    again = page.locator(f"[data-id='{identity}']")
    expect(again).to_be_visible()
    assert heading(page) == month
    wait_until(lambda: abs((again.bounding_box() or before)["y"] - before["y"]) < 3, 5, why="the same place")
    again.click()
    expect(page.get_by_role("complementary", name="Photo")).to_be_visible()
    expect(again).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_role("complementary", name="Photo")).to_have_count(0)
    wait_until(lambda: abs((again.bounding_box() or before)["y"] - before["y"]) < 60, 5, why="about the same place")


def test_a_link_to_a_photo_shows_where_it_is(page, daemon, open_page):
    scrub(page, 0.7)
    settled(page)
    identity = in_view(page).get_attribute("data-id")
    other = open_page(daemon.url, f"/?photo={identity}")
    expect(other.locator(f"[data-id='{identity}']")).to_be_in_viewport()


def test_a_range_over_months_that_were_never_seen(page):
    first = options(page).nth(2)
    start = position(first)
    tick(first)
    scrub(page, 0.8)
    settled(page)
    last = in_view(page)
    end = position(last)
    last.click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Selected photos")
    expect(bar.get_by_text(f"{end - start + 1} selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(bar).to_have_count(0)


def test_marks_on_many_and_their_undoing(page, daemon):
    chosen = [options(page).nth(at) for at in (0, 1, 3)]
    before = [detail(daemon, one)["rating"] for one in chosen]
    for one in chosen:
        tick(one)
    bar = page.get_by_role("toolbar", name="Selected photos")
    expect(bar.get_by_text("3 selected")).to_be_visible()
    bar.get_by_role("radio", name="4 stars").click()
    wait_until(lambda: [detail(daemon, one)["rating"] for one in chosen] == [4, 4, 4], 10, why="the ratings")
    expect(chosen[2]).to_have_attribute("aria-label", re.compile("4 stars"))
    page.keyboard.press("8")
    wait_until(lambda: {detail(daemon, one)["label"] for one in chosen} == {"green"}, 10, why="the labels")
    for _ in range(2):
        page.keyboard.press("u")
    wait_until(lambda: [detail(daemon, one)["rating"] for one in chosen] == before, 10, why="the undoing")
    wait_until(lambda: "green" not in {detail(daemon, one)["label"] for one in chosen}, 10, why="the undoing")


def test_to_the_trash_and_back(page, daemon):
    total = int(options(page).first.get_attribute("aria-setsize") or 0)
    gone = [options(page).nth(at).get_attribute("data-id") for at in (1, 2)]
    stays = options(page).nth(0)
    place = stays.bounding_box()
    for identity in gone:
        tick(page.locator(f"[data-id='{identity}']"))
    page.keyboard.press("Delete")
    expect(page.get_by_text("2 photos moved to the trash")).to_be_visible()
    for identity in gone:
        expect(page.locator(f"[data-id='{identity}']")).to_have_count(0)
    expect(stays).to_have_attribute("aria-setsize", str(total - 2))
    after = stays.bounding_box()
    assert after
    assert place
    assert (after["x"], after["y"]) == (place["x"], place["y"])
    wait_until(lambda: daemon.get("/api/trash")["total"] == 2, 10)
    page.get_by_role("button", name="Undo").click()
    wait_until(lambda: daemon.get("/api/trash")["total"] == 0, 10)
    wait_until(lambda: daemon.get("/api/images?limit=1")["total"] == total, 30, why="both back in the index")
    pill = page.get_by_role("button", name="new")
    back = page.locator(f"[data-id='{gone[0]}']")
    wait_until(lambda: back.count() or pill.count(), 30, why="the page to know of them")
    if not back.count():
        pill.click()
    expect(back).to_be_visible()


def test_the_keyboard_alone(page):
    first = options(page).first
    expect(page.locator("[role=option][tabindex='0']")).to_have_count(1)
    first.focus()
    page.keyboard.press("ArrowRight")
    focused = page.locator("[role=option]:focus")
    expect(focused).to_have_attribute("aria-posinset", "2")
    page.keyboard.press("ArrowDown")
    assert position(focused) > 2
    page.keyboard.press("PageDown")
    further = position(focused)
    page.keyboard.press("End")
    expect(focused).to_have_attribute("aria-posinset", options(page).first.get_attribute("aria-setsize") or "")
    assert position(focused) > further
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(focused).to_have_attribute("aria-posinset", "1")
    page.keyboard.press("x")
    expect(focused).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Photo")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[role=option][aria-current]")).to_have_attribute("aria-posinset", "3")


def test_new_photos_are_announced_and_nothing_moves(page, daemon):
    page.mouse.move(600, 500)
    page.mouse.wheel(0, 900)
    settled(page)
    page.wait_for_timeout(400)
    seen = in_view(page)
    place, total = seen.bounding_box(), int(seen.get_attribute("aria-setsize") or 0)
    for number in range(2):
        taken = f"2031:05:0{number + 1} 12:00:00"
        write_photo(daemon.home / "photos" / f"fresh{number}.jpg", 500 + number, (400, 300), DateTimeOriginal=taken)
    pill = page.get_by_role("button", name="2 new")
    expect(pill).to_be_visible(timeout=40_000)
    assert seen.bounding_box() == place
    expect(seen).to_have_attribute("aria-setsize", str(total))
    pill.click()
    expect(page.get_by_role("option", name="fresh1.jpg")).to_be_in_viewport()
    assert heading(page) == "May 2031"
    expect(pill).to_have_count(0)


def test_filters_are_in_the_address(page, daemon):
    expected = daemon.get("/api/images?limit=1&rating=4")["total"]
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("radio", name="4 stars").click()
    expect(page).to_have_url(re.compile("rating=4"))
    expect(options(page).first).to_have_attribute("aria-setsize", str(expected))
    page.get_by_label("Taken until").fill("1971-01-01")
    expect(page.get_by_text("No photo fits these filters")).to_be_visible()
    page.go_back()
    expect(options(page).first).to_have_attribute("aria-setsize", str(expected))


def test_by_group_with_names_and_what_is_closed(page, daemon):
    page.get_by_role("link", name="Grouped").click()
    largest = daemon.get("/api/groups?limit=2")["items"]
    section = page.get_by_role("group", name=re.compile("Unnamed group, "))
    expect(section.first).to_be_visible()
    expect(options(page).first).to_be_visible()
    page.locator("h2").get_by_role("button").first.click()
    page.get_by_label("Name of the group").fill("By the sea")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="By the sea", exact=True)).to_be_visible()
    wait_until(lambda: daemon.get(f"/api/groups/{largest[0]['id']}")["name"] == "By the sea", 10)
    page.get_by_role("button", name="Collapse By the sea").click()
    expect(page.get_by_role("button", name="Expand By the sea")).to_be_visible()
    expect(options(page).first).to_have_attribute("aria-posinset", str(largest[0]["size"] + 1))
    page.reload()
    expect(page.get_by_role("button", name="Expand By the sea")).to_be_visible()
    page.get_by_role("button", name="Expand By the sea").click()
    expect(options(page).first).to_have_attribute("aria-posinset", "1")
    page.get_by_role("link", name="To the page of By the sea").click()
    expect(page.get_by_role("heading", name="By the sea")).to_be_visible()
    expect(options(page).first).to_have_attribute("aria-setsize", str(largest[0]["size"]))


def test_a_phone(daemon, open_page):
    page = open_page(daemon.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(options(page).first).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, nav a, [role=slider]')].filter((one) => {
          const box = one.getBoundingClientRect()
          return box.width > 0 && !one.closest('[inert]') && (box.width < 24 || box.height < 24)
        }).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == []
    page.get_by_role("button", name="More").tap()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").tap()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.go_back()
    first = options(page).first
    box = first.bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    point = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point})
    expect(page.get_by_text("1 selected")).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    options(page).nth(1).tap()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Deselect").tap()
    first.tap()
    expect(page.get_by_role("complementary", name="Photo")).to_be_visible()
