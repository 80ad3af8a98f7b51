"""Groups on the page and the real daemon: edited by hand and undone, proposals decided line by line, cuts, learning."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import watched
from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

SCENES, SHOTS = 8, 8


@pytest.fixture(scope="module")
def daemon(tmp_path_factory) -> Iterator[Daemon]:
    """Eight scenes of eight shots, each a group; every test has scenes of its own."""
    home = tmp_path_factory.mktemp("groups")
    for scene in range(SCENES):
        for shot in range(SHOTS):
            when = f"2024:0{scene + 1}:1{shot} 12:00:00"
            write_photo(home / "photos" / f"s{scene}-{shot}.jpg", scene, (320 + shot, 240), DateTimeOriginal=when)
    settings = {"score": {"metrics": []}, "cluster": {"every": "365d"}}
    with Daemon(home / "d", [home / "photos"], settings) as daemon:
        wait_until(lambda: daemon.ledger().get("indexed") == SCENES * SHOTS, 120, why="photos")
        recluster(daemon)
        assert len(daemon.get("/api/groups")["items"]) == SCENES
        yield daemon


def recluster(daemon: Daemon) -> None:
    """Form the groups anew, and wait for it."""
    job = daemon.post("/api/groups/recluster")["id"]
    done = wait_until(lambda: ended(daemon, job), 60, why="a clustering")
    assert done["state"] == "complete", done


def ended(daemon: Daemon, job: str) -> dict[str, Any] | None:
    found = daemon.get(f"/api/jobs/{job}")
    return found if found["ended"] else None


def photo(daemon: Daemon, name: str) -> dict[str, Any]:
    return next(one for one in daemon.images() if one["name"] == name)


def group_of(daemon: Daemon, name: str) -> str | None:
    return photo(daemon, name)["group"]


def named(daemon: Daemon, scene: int, name: str) -> str:
    """Give the group of a scene a name; its id."""
    group = group_of(daemon, f"s{scene}-0.jpg")
    assert group is not None
    daemon.post(f"/api/groups/{group}", {"name": name}, "PATCH")
    return group


def names(daemon: Daemon, group: str | None) -> set[str]:
    """The photos of a group."""
    return {one["name"] for one in daemon.images(group=group or "none")}


def shots(scene: int, *which: int) -> set[str]:
    return {f"s{scene}-{shot}.jpg" for shot in which or range(SHOTS)}


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("listbox").get_by_role("option", name=name)


def toast(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.locator(".toast").filter(has_text=text)


def pick(page: Page, *photos: str) -> None:
    for name in photos:
        tile(page, name).focus()
        page.keyboard.press("x")


def carry(page: Page, name: str, to: Locator) -> None:
    """Drag a photo onto something that may only be there while something is dragged."""
    tile(page, name).hover()
    page.mouse.down()
    page.mouse.move(700, 420, steps=4)
    expect(to).to_be_visible()
    wait_until(lambda: over(page, to), 10, why="something that takes the photo")
    page.mouse.up()


def over(page: Page, to: Locator) -> bool:
    """Hold what is dragged over something, wherever the list has put it by now; whether that takes it."""
    box = to.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 16, steps=4)
    held = page.locator("[data-bucket].over").bounding_box() if page.locator("[data-bucket].over").count() else None
    return held is not None and held["y"] <= box["y"] + 16 <= held["y"] + held["height"]


def test_a_group_is_named_and_locked_and_both_are_undone(daemon, open_page):
    group = group_of(daemon, "s0-0.jpg")
    page = open_page(daemon.url, f"/groups/{group}")
    page.get_by_role("button", name="Unnamed group").click()
    page.get_by_label("Name of the group").fill("Harbour")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Harbour")).to_be_visible()
    wait_until(lambda: daemon.get(f"/api/groups/{group}")["name"] == "Harbour", 10)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("button", name="Locked")).to_have_attribute("aria-pressed", "true")
    wait_until(lambda: daemon.get(f"/api/groups/{group}")["locked"], 10)
    page.get_by_role("button", name="Locked").click()
    expect(page.get_by_role("button", name="Lock", exact=True)).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("u")  # the unlocking is taken back
    expect(page.get_by_role("button", name="Locked")).to_be_visible()
    wait_until(lambda: daemon.get(f"/api/groups/{group}")["locked"], 10)


def test_groups_are_merged_split_in_two_and_both_are_undone_and_redone(daemon, open_page):
    sea, sand = named(daemon, 1, "Sea"), named(daemon, 2, "Sand")
    page = open_page(daemon.url, f"/groups/{sea}")
    page.get_by_role("button", name="Merge", exact=True).click()
    dialog = page.get_by_role("dialog", name="Merge other groups into “Sea”")
    dialog.get_by_label("Search groups").fill("san")
    dialog.get_by_role("checkbox", name="Sand").check()
    expect(dialog.get_by_text("“Sand” will no longer be a group of its own")).to_be_visible()
    dialog.get_by_role("button", name="Merge 1 group").click()
    expect(page.get_by_text("16 photos", exact=True)).to_be_visible()
    expect(page.get_by_role("list", name="Where it comes from").get_by_text("became part of it")).to_be_visible()
    wait_until(lambda: names(daemon, sea) == shots(1) | shots(2), 10)
    toast(page, "Merged").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("8 photos", exact=True)).to_be_visible()
    wait_until(lambda: names(daemon, sand) == shots(2), 10)
    page.get_by_role("button", name="Redo").last.click()
    expect(page.get_by_text("16 photos", exact=True)).to_be_visible()
    recluster(daemon)  # which parts nothing that was merged
    wait_until(lambda: names(daemon, sea) == shots(1) | shots(2), 10)
    page.get_by_role("button", name="Split for me").click()
    expect(page.get_by_text("8 photos", exact=True)).to_be_visible()
    for scene in (1, 2):
        wait_until(lambda scene=scene: names(daemon, group_of(daemon, f"s{scene}-0.jpg")) == shots(scene), 10)


def test_a_selection_is_split_off_and_comes_back(daemon, open_page):
    group = named(daemon, 3, "Meadow")
    page = open_page(daemon.url, f"/groups/{group}")
    pick(page, "s3-1.jpg", "s3-2.jpg", "s3-3.jpg")
    page.keyboard.press("v")
    expect(page.get_by_text("5 photos", exact=True)).to_be_visible()
    expect(tile(page, "s3-1.jpg")).to_have_count(0)
    born = group_of(daemon, "s3-1.jpg")
    assert born not in (group, None)
    wait_until(lambda: names(daemon, born) == shots(3, 1, 2, 3), 10)
    story = page.get_by_role("list", name="Where it comes from")
    expect(story.get_by_text("was split off")).to_be_visible()
    story.get_by_role("link").click()
    expect(page.get_by_text("3 photos", exact=True)).to_be_visible()
    expect(page.get_by_text("Split off from")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_text("8 photos", exact=True)).to_be_visible()
    wait_until(lambda: names(daemon, group) == shots(3), 10)


def test_photos_are_dragged_between_groups_and_out_of_them(daemon, open_page):
    lake, wood = named(daemon, 4, "Lake"), named(daemon, 5, "Wood")
    page = open_page(daemon.url, f"/groups/{lake}")
    carry(page, "s4-0.jpg", page.locator(f"[data-bucket='{wood}']"))
    expect(tile(page, "s4-0.jpg")).to_have_count(0)
    expect(page.get_by_text("7 photos", exact=True)).to_be_visible()
    wait_until(lambda: names(daemon, wood) == shots(5) | shots(4, 0), 10)
    carry(page, "s4-1.jpg", page.get_by_text("In no group"))
    expect(page.get_by_text("6 photos", exact=True)).to_be_visible()
    wait_until(lambda: group_of(daemon, "s4-1.jpg") is None, 10)
    recluster(daemon)
    assert group_of(daemon, "s4-1.jpg") is None  # what a hand did stays
    assert group_of(daemon, "s4-0.jpg") == wood


def test_photos_are_dragged_between_sections_of_the_library(daemon, open_page):
    wood, hill = group_of(daemon, "s5-1.jpg"), named(daemon, 6, "Hill")
    page = open_page(daemon.url, "/?view=groups", viewport={"width": 1400, "height": 4800})
    to = page.get_by_role("group", name="Hill, ")
    expect(to).to_be_visible()
    carry(page, "s5-1.jpg", to)
    expect(to.get_by_role("option", name="s5-1.jpg")).to_be_visible()
    wait_until(lambda: names(daemon, hill) == shots(6) | shots(5, 1), 10)
    page.keyboard.press("u")
    wait_until(lambda: group_of(daemon, "s5-1.jpg") == wood, 10, why="the undoing")


def test_photos_of_several_groups_form_one_of_their_own(daemon, open_page):
    homes = {name: group_of(daemon, name) for name in ("s0-6.jpg", "s1-6.jpg", "s2-6.jpg")}
    page = open_page(daemon.url, "/?view=groups", viewport={"width": 1400, "height": 4800})
    pick(page, *homes)
    page.get_by_role("button", name="Move to group").click()
    page.get_by_role("dialog").get_by_role("button", name="A group of their own").click()
    toast(page, "Made a group of 3 photos")
    born = wait_until(
        lambda: group_of(daemon, "s0-6.jpg") not in (*homes.values(), None) and group_of(daemon, "s0-6.jpg"), 10
    )
    assert names(daemon, born) == set(homes)
    recluster(daemon)
    assert names(daemon, born) == set(homes)
    page.keyboard.press("u")
    wait_until(lambda: {name: group_of(daemon, name) for name in homes} == homes, 10)


def test_what_is_said_of_photos_is_in_the_history_and_undone_there(daemon, open_page):
    group = named(daemon, 5, "Wood")
    page = open_page(daemon.url, f"/groups/{group}")
    pick(page, "s5-2.jpg", "s5-3.jpg")
    for said in ("Pin to this group", "They belong together", "They are no duplicates", "Take back what was said"):
        page.keyboard.press("d")
        page.get_by_role("dialog", name="About these 2 photos").get_by_role("button", name=said).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("d")
    page.get_by_role("button", name="Never in this group").click()
    expect(tile(page, "s5-2.jpg")).to_have_count(0)
    page.get_by_role("link", name="Back to all groups").click()
    page.get_by_role("link", name="Your edits").click()
    expect(page.get_by_role("button", name=re.compile("^Undo: ")).nth(4)).to_be_visible()
    history = page.get_by_role("region", name="History").get_by_role("listitem")
    rows = history.count()
    for where in (group, None, group):  # the ban is undone, the undoing is, and that is
        history.first.get_by_role("button").click()
        rows += 1
        expect(history).to_have_count(rows)
        wait_until(lambda where=where: group_of(daemon, "s5-2.jpg") == where, 10)
    assert page.get_by_text("undone", exact=True).count() >= 3


def test_a_proposal_is_decided_line_by_line(daemon, open_page):
    ice, snow = named(daemon, 6, "Ice"), named(daemon, 7, "Snow")
    moved = sorted(shots(7, 1, 2, 3))
    ids = [photo(daemon, name)["id"] for name in moved]
    daemon.post(f"/api/groups/{ice}/members", {"add": ids})
    daemon.post("/api/groups/release", {"images": ids})
    recluster(daemon)
    assert names(daemon, ice) >= set(moved)  # it waits
    page = open_page(daemon.url, "/groups")
    expect(page.get_by_role("link", name=re.compile("1 change to decide")).first).to_be_visible()
    page.get_by_role("navigation", name="Groups").get_by_role("link", name="Proposed changes").click()
    line = page.get_by_role("article", name="3 photos would move from Ice to Snow")
    expect(line).to_be_visible()
    expect(line.get_by_text("You ")).to_be_visible()  # why it waits
    expect(line.get_by_role("option")).to_have_count(3)
    line.get_by_role("option").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Photo", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    line.get_by_role("option").first.focus()
    page.keyboard.press("x")
    line.get_by_role("button", name="Accept 1 photo").click()
    rest = page.get_by_role("article", name="2 photos would move from Ice to Snow")
    expect(rest).to_be_visible()
    wait_until(lambda: len(names(daemon, snow)) == SHOTS - 2, 10, why="the accepted photo")
    rest.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("to decide"))).to_have_count(0)
    recluster(daemon)
    assert daemon.get("/api/groups/proposal")["items"] == []  # a refusal is remembered
    assert len(names(daemon, snow)) == SHOTS - 2
    page.get_by_role("link", name="Your edits").click()
    page.get_by_role("button", name=re.compile("^Undo: Refused")).first.click()
    expect(page.get_by_text("undone", exact=True).first).to_be_visible()
    recluster(daemon)
    page.get_by_role("link", name="Proposed changes").click()
    page.get_by_role("article").get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    wait_until(lambda: names(daemon, snow) == shots(7), 10)


def test_levels_and_the_slider_show_coarser_and_finer_groups(daemon, open_page):
    page = open_page(daemon.url, "/groups")
    expect(page.get_by_role("list", name="Groups", exact=True)).to_be_visible()
    level = page.get_by_role("group", name="Level")
    level.get_by_role("link", name="Bursts").click()
    cards = page.get_by_role("list", name="Groups of this cut")
    expect(cards.or_(page.get_by_role("heading", name="Nothing is that much alike"))).to_be_visible()
    slider = page.get_by_role("slider", name="Coarser or finer")
    slider.focus()
    page.keyboard.press("Home")
    expect(cards.get_by_role("listitem").first).to_be_visible()
    assert "cut=" in page.url
    coarse = slider.get_attribute("aria-valuetext")
    assert coarse is not None
    assert "groups with" in coarse or "group with" in coarse
    cards.get_by_role("link", name=re.compile("photos")).first.click()
    expect(page.get_by_role("listbox", name="Photos of the cut").get_by_role("option").first).to_be_visible()
    page.get_by_role("link", name="Back to the cut").click()
    expect(cards).to_be_visible()
    level.get_by_role("link", name="Themes").click()
    expect(page.get_by_role("list", name="Groups", exact=True)).to_be_visible()
    assert "cut=" not in page.url


def test_learning_has_one_switch(daemon, open_page):
    page = open_page(daemon.url, "/groups/edits")
    switch = page.get_by_role("switch", name="Use what it learned")
    expect(switch).to_be_checked()
    switch.press("Space")
    expect(switch).not_to_be_checked()
    expect(page.get_by_text("Switched off")).to_be_visible()
    wait_until(lambda: daemon.get("/api/groups/learning")["use"] is False, 10)
    switch.press("Space")
    expect(switch).to_be_checked()
    wait_until(lambda: daemon.get("/api/groups/learning")["use"] is None, 10)


def test_why_a_photo_is_in_its_group(daemon, open_page):
    image = photo(daemon, "s0-3.jpg")
    page = open_page(daemon.url, f"/groups/{image['group']}?photo={image['id']}")
    expect(page.get_by_role("complementary", name="Photo", exact=True)).to_be_visible()
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name=re.compile("^Why in "))).to_be_visible()
    expect(page.get_by_role("listbox", name="Members that speak for it").get_by_role("option").first).to_be_visible()


def test_nothing_to_decide_before_the_first_clustering(browser, tmp_path):
    (tmp_path / "photos").mkdir()
    with Daemon(tmp_path / "d", [tmp_path / "photos"]) as daemon, watched(browser, daemon.url) as page:
        page.goto(daemon.url + "/groups/proposal")
        expect(page.get_by_role("heading", name="Nothing to decide yet")).to_be_visible()
        page.get_by_role("link", name="Your edits").click()
        expect(page.get_by_role("heading", name="You have not edited any group yet")).to_be_visible()


def test_on_a_phone_everything_fits(daemon, open_page):
    group = group_of(daemon, "s0-0.jpg")
    for path in ("/groups", "/groups?level=scene", f"/groups/{group}", "/groups/proposal", "/groups/edits"):
        page = open_page(daemon.url, path, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        expect(page.get_by_role("main").locator("h1, h2").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
