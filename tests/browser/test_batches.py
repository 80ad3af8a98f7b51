"""Batches on the page and the real daemon: made of picked photos, grouped live, changed by hand and undone, ranked."""

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

SCENES, SHOTS = 3, 8
ALL = SCENES * SHOTS


@pytest.fixture(scope="module")
def daemon(tmp_path_factory) -> Iterator[Daemon]:
    """Three scenes of eight shots, and a metric that needs no weights."""
    home = tmp_path_factory.mktemp("batches")
    for scene in range(SCENES):
        for shot in range(SHOTS):
            when = f"2024:0{scene + 1}:1{shot} 12:00:00"
            name = home / "photos" / f"s{scene}-{shot}.jpg"
            write_photo(name, scene, (320 + shot, 240), DateTimeOriginal=when)
    settings = {"score": {"metrics": ["piqe"]}, "cluster": {"every": "365d"}}
    with Daemon(home / "d", [{"path": str(home / "photos"), "writable": True}], settings) as daemon:
        wait_until(lambda: daemon.ledger().get("indexed") == ALL, 120, why="photos")
        yield daemon


@pytest.fixture
def batch(daemon) -> Iterator[dict[str, Any]]:
    """A batch of all photos, gone afterwards."""
    made = daemon.post("/api/batches", {"name": "All of it", "ids": [one["id"] for one in daemon.images()]})
    yield made
    if made["id"] in [one["id"] for one in daemon.get("/api/batches")["items"]]:
        daemon.post(f"/api/batches/{made['id']}", method="DELETE")


@pytest.fixture
def grouped(daemon, batch) -> dict[str, Any]:
    """The same, after an analysis."""
    daemon.post(f"/api/batches/{batch['id']}/analyze", {}, "PUT")
    return wait_until(lambda: complete(daemon, batch), 60, why="the analysis")


def detail(daemon: Daemon, batch: dict[str, Any]) -> dict[str, Any]:
    return daemon.get(f"/api/batches/{batch['id']}")


def complete(daemon: Daemon, batch: dict[str, Any]) -> dict[str, Any] | None:
    found = detail(daemon, batch)
    return found if found["status"] == "complete" else None


def member(daemon: Daemon, batch: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in detail(daemon, batch)["images"] if one["name"] == name)


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("listbox").get_by_role("option", name=name)


def heading(page: Page, label: str) -> Locator:
    return page.get_by_role("heading", name=label, exact=True)


def section(page: Page, label: str) -> Locator:
    return page.get_by_role("group", name=f"{label}, ")


def toast(page: Page, text: str) -> Locator:
    return page.locator(".toast").filter(has_text=text)


def other_group(daemon: Daemon, batch: dict[str, Any], name: str) -> str:
    """A group that the photo is not in."""
    own = member(daemon, batch, name)["batch_group"]
    return next(one["label"] for one in detail(daemon, batch)["groups_list"] if one["label"] not in (own, "Ungrouped"))


def test_a_batch_is_made_of_picked_photos(daemon, open_page):
    page = open_page(daemon.url)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    page.get_by_role("listbox").get_by_role("option").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("Shift+End")
    expect(page.get_by_text(f"{ALL} selected")).to_be_visible()
    page.get_by_role("button", name="Add to batch").click()
    page.get_by_role("button", name="New batch").click()
    page.get_by_label("Name").fill("Best of 2024")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Best of 2024")).to_be_visible()
    expect(page.get_by_text(f"{ALL} photos").first).to_be_visible()
    expect(page.get_by_text("not grouped yet")).to_be_visible()
    made = next(one for one in daemon.get("/api/batches")["items"] if one["name"] == "Best of 2024")
    assert made["size"] == ALL
    assert page.url.endswith(made["id"])


def test_groups_form_live_and_what_is_dragged_stays_through_an_analysis(daemon, batch, open_page):
    page = open_page(daemon.url, f"/batches/{batch['id']}")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    page.get_by_role("button", name="Analyze").click()
    expect(heading(page, "Group 1")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("grouped", exact=True)).to_be_visible()
    target = other_group(daemon, batch, "s0-0.jpg")
    page.set_viewport_size({"width": 1400, "height": 1800})
    photo = tile(page, "s0-0.jpg")
    expect(photo).to_be_visible()
    to = section(page, target).bounding_box()
    assert to is not None
    photo.hover()
    page.mouse.down()
    page.mouse.move(to["x"] + 40, to["y"] + 30, steps=8)
    expect(page.get_by_text("New group")).to_be_visible()  # a place to drop it, beside the groups
    page.mouse.up()
    expect(toast(page, f"s0-0.jpg: now in “{target}”")).to_be_visible()
    expect(section(page, target).get_by_role("option", name="s0-0.jpg")).to_be_visible()
    wait_until(lambda: member(daemon, batch, "s0-0.jpg")["manual"], 10)
    page.get_by_role("button", name="Analyze again").click()
    expect(toast(page, "The groups are formed")).to_be_visible(timeout=60_000)
    moved = member(daemon, batch, "s0-0.jpg")
    assert (moved["batch_group"], moved["manual"]) == (target, True)
    expect(section(page, target).get_by_role("option", name="s0-0.jpg")).to_be_visible()


def test_a_drag_can_be_called_off_and_a_click_is_no_drag(daemon, grouped, open_page):
    page = open_page(daemon.url, f"/batches/{grouped['id']}")
    photo = tile(page, "s1-0.jpg")
    photo.hover()
    page.mouse.down()
    page.mouse.move(700, 300, steps=5)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.get_by_text("New group")).to_have_count(0)
    assert not any(one["manual"] for one in detail(daemon, grouped)["images"])
    page.mouse.move(5, 5)
    tile(page, "s1-0.jpg").click()
    expect(page.get_by_role("complementary", name="Photo", exact=True)).to_be_visible()


def test_moving_with_the_keyboard_is_undone_to_what_was_said_before(daemon, grouped, open_page):
    target = other_group(daemon, grouped, "s0-1.jpg")
    was = member(daemon, grouped, "s0-1.jpg")["batch_group"]
    daemon.post(
        f"/api/batches/{grouped['id']}/groups", {"labels": {member(daemon, grouped, "s1-1.jpg")["id"]: was}}, "PUT"
    )
    page = open_page(daemon.url, f"/batches/{grouped['id']}")
    for name in ("s0-1.jpg", "s1-1.jpg"):  # one the analysis put there, one a hand did
        tile(page, name).focus()
        page.keyboard.press("x")
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="Move 2 photos to a group")
    dialog.get_by_label("New group").fill("Keepers")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(heading(page, "Keepers")).to_be_visible()
    assert {member(daemon, grouped, name)["batch_group"] for name in ("s0-1.jpg", "s1-1.jpg")} == {"Keepers"}
    toast(page, "2 photos: now in “Keepers”").get_by_role("button", name="Undo").click()
    expect(heading(page, "Keepers")).to_have_count(0)
    back = [member(daemon, grouped, name) for name in ("s0-1.jpg", "s1-1.jpg")]
    assert [(one["batch_group"], one["manual"]) for one in back] == [(was, False), (was, True)]
    assert target != was
    page.keyboard.press("m")
    page.get_by_role("button", name="Ungrouped").click()
    expect(toast(page, "2 photos: now in “Ungrouped”")).to_be_visible()
    page.keyboard.press("m")
    page.get_by_role("button", name="Where the analysis puts it").click()
    wait_until(lambda: not any(one["manual"] for one in detail(daemon, grouped)["images"]), 10)


def test_a_group_is_ranked_and_its_badge_goes_when_the_group_changes(daemon, grouped, open_page):
    page = open_page(daemon.url, f"/batches/{grouped['id']}")
    label = member(daemon, grouped, "s2-0.jpg")["batch_group"]
    page.get_by_role("button", name=f"Rank {label}", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("lower is better")).to_be_visible()
    expect(dialog.get_by_text("Equal scores")).to_be_visible()
    dialog.get_by_role("button", name="Rank", exact=True).click()
    badge = page.get_by_role("button", name="Ranked by piqe")
    expect(badge).to_have_count(1, timeout=120_000)
    wait_until(lambda: sum(one["rank"] is not None for one in detail(daemon, grouped)["images"]) == SHOTS, 120)
    best = next(one for one in detail(daemon, grouped)["images"] if one["rank"] == 1)
    values = {one["value"] for one in detail(daemon, grouped)["images"] if one["value"] is not None}
    assert best["value"] == min(values)  # piqe: lower is better, and rank 1 is the best
    first = section(page, label).get_by_role("option").first
    expect(first).to_have_accessible_name(f"{best['name']}, {_day(best)}, rank 1")
    tile(page, "s2-3.jpg").focus()
    page.keyboard.press("m")
    page.get_by_role("button", name="Ungrouped").click()
    expect(badge).to_have_count(0)
    expect(page.get_by_role("listbox").get_by_role("option", name="rank 1")).to_have_count(0)


def _day(image: dict[str, Any]) -> str:
    day = datetime.datetime.fromtimestamp(image["taken_at"], datetime.UTC)
    return f"{day:%a, %b} {day.day}, {day.year}"


def test_sliders_never_go_below_what_hdbscan_takes(daemon, batch, open_page):
    page = open_page(daemon.url, f"/batches/{batch['id']}")
    for label, least in (("Smallest group", 2), ("Strictness", 1)):
        slider = page.get_by_label(f"{label}, slider")
        assert slider.get_attribute("max") == "50"
        for _ in range(60):
            slider.press("ArrowLeft")
        number = page.get_by_label(label, exact=True)
        expect(number).to_have_value(str(least))
        number.fill(str(least - 1))
        number.blur()
        expect(number).to_have_value(str(least))
        number.fill("7")
        number.blur()
        expect(slider).to_have_value("7")
    page.get_by_label("euclidean").check()
    page.get_by_label("distance alone").check()
    page.get_by_role("button", name="Analyze").click()
    done = wait_until(lambda: complete(daemon, batch), 60)
    assert done["parameters"] == {"min_cluster_size": 7, "min_samples": 7, "metric": "euclidean", "weights": "plain"}


def test_names_change_in_place(daemon, grouped, open_page):
    label = member(daemon, grouped, "s0-0.jpg")["batch_group"]
    page = open_page(daemon.url, f"/batches/{grouped['id']}")
    page.get_by_role("button", name=label, exact=True).click()
    page.get_by_label("Name of the batch").or_(page.get_by_label("Name of the group")).fill("Sea & sand")
    page.keyboard.press("Enter")
    expect(heading(page, "Sea & sand")).to_be_visible()
    wait_until(lambda: member(daemon, grouped, "s0-7.jpg")["batch_group"] == "Sea & sand", 10)
    toast(page, f"“{label}” is now “Sea & sand”").get_by_role("button", name="Undo").click()
    expect(heading(page, label)).to_be_visible()
    assert not any(one["manual"] for one in detail(daemon, grouped)["images"])
    page.keyboard.press("r")
    page.get_by_label("Name of the batch").fill("Renamed")
    page.keyboard.press("Enter")
    expect(heading(page, "Renamed")).to_be_visible()
    wait_until(lambda: detail(daemon, grouped)["name"] == "Renamed", 10, why="the new name")


def test_sections_fold_and_the_view_is_in_the_address(daemon, grouped, open_page):
    page = open_page(daemon.url, f"/batches/{grouped['id']}")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    page.get_by_role("button", name="Collapse all").click()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Expand all")).to_be_visible()
    page.get_by_role("button", name="Expand Group 1").click()
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.get_by_role("listbox", name="Photos of the batch").get_by_role("option")).to_have_count(ALL)
    assert "view=all" in page.url
    page.go_back()
    expect(page.get_by_role("listbox", name="Photos by group")).to_have_count(1)


def test_photos_are_taken_out_and_come_back_as_they_were(daemon, grouped, open_page):
    image = member(daemon, grouped, "s1-4.jpg")
    daemon.post(f"/api/batches/{grouped['id']}/groups", {"labels": {image["id"]: "Mine"}}, "PUT")
    page = open_page(daemon.url, f"/batches/{grouped['id']}")
    tile(page, "s1-4.jpg").focus()
    page.keyboard.press("Backspace")
    expect(heading(page, "Mine")).to_have_count(0)
    wait_until(lambda: detail(daemon, grouped)["size"] == ALL - 1, 10)
    toast(page, "s1-4.jpg taken out").get_by_role("button", name="Undo").click()
    expect(heading(page, "Mine")).to_be_visible()
    back = member(daemon, grouped, "s1-4.jpg")
    assert (back["batch_group"], back["manual"]) == ("Mine", True)


def test_photos_are_added_from_the_library(daemon, open_page):
    made = daemon.post("/api/batches", {"name": "Few"})
    page = open_page(daemon.url, f"/batches/{made['id']}")
    expect(page.get_by_role("heading", name="The batch is empty")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Add from the library").last.click()
    expect(page.get_by_role("heading", name="Pick photos for “Few”")).to_be_visible()
    tile(page, "s2-0.jpg").click()
    tile(page, "s2-1.jpg").click()
    page.get_by_role("button", name="Add to “Few”").click()
    expect(tile(page, "s2-0.jpg")).to_be_visible()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
    assert page.url.endswith(f"/batches/{made['id']}")
    toast(page, "2 photos added").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="The batch is empty")).to_be_visible()


def test_the_gallery_finds_sorts_follows_and_deletes_with_an_undo(daemon, grouped, open_page):
    page = open_page(daemon.url, "/batches")
    cards = page.get_by_role("list", name="Batches").get_by_role("listitem")
    card = cards.filter(has=page.get_by_role("link", name=f"All of it, {ALL} photos, 3 groups"))
    expect(card).to_be_visible()
    expect(card.get_by_text("grouped")).to_be_visible()
    expect(card.locator("img")).to_have_count(3)
    other = daemon.post("/api/batches", {"name": "A second one"})  # seen without asking
    expect(page.get_by_role("heading", name="A second one")).to_be_visible()
    page.get_by_label("Order").select_option("name")
    expect(cards.first).to_contain_text("A second one")
    page.get_by_label("Search by name").fill("second")
    expect(cards).to_have_count(1)
    assert "q=second" in page.url
    assert "sort=name" in page.url
    page.get_by_role("button", name="Delete A second one").click()
    expect(page.get_by_text("No batch is called so")).to_be_visible()
    toast(page, "“A second one” is deleted").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="A second one")).to_be_visible()
    daemon.post(f"/api/batches/{other['id']}", method="DELETE")
    expect(page.get_by_role("heading", name="A second one")).to_have_count(0)


def test_a_batch_is_deleted_from_its_page_and_comes_back(daemon, open_page):
    made = daemon.post("/api/batches", {"name": "Short"})
    page = open_page(daemon.url, f"/batches/{made['id']}")
    expect(page.get_by_role("heading", name="The batch is empty")).to_be_visible()
    page.get_by_role("button", name="Delete the batch").click()
    expect(page.get_by_role("heading", name="Batches", exact=True)).to_be_visible()
    toast(page, "“Short” is deleted").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="The batch is empty")).to_be_visible()


def test_a_batch_that_is_gone_says_so(daemon, browser):
    page = browser.new_page()  # the browser tells of the answer 404 as an error
    page.goto(f"{daemon.url}/batches/000000000000")
    expect(page.get_by_role("heading", name="This batch is no more")).to_be_visible()
    page.get_by_role("link", name="All batches", exact=True).click()
    expect(page.get_by_role("heading", name="Batches", exact=True)).to_be_visible()
    page.close()


def test_a_group_of_the_library_is_ranked_too(daemon, open_page):
    daemon.post("/api/groups/recluster")
    group = wait_until(lambda: daemon.get("/api/groups")["items"], 60)[0]
    page = open_page(daemon.url, f"/groups/{group['id']}")
    page.get_by_role("button", name="Rank", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Rank", exact=True).click()
    expect(page.get_by_role("button", name="Ranked by piqe")).to_be_visible()
    expect(page.get_by_role("listbox").get_by_role("option").first).to_have_accessible_name(
        _ending("rank 1"), timeout=120_000
    )
    assert "rank=piqe" in page.url
    page.get_by_role("link", name="By time").click()
    expect(page.get_by_role("button", name="Ranked by piqe")).to_have_count(0)


def _ending(text: str) -> re.Pattern[str]:
    return re.compile(f"{text}$")


def test_on_a_phone_the_tools_are_a_dialog(daemon, grouped, open_page):
    page = open_page(daemon.url, f"/batches/{grouped['id']}", viewport={"width": 390, "height": 844})
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    expect(page.get_by_label("Smallest group", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Tools").click()
    expect(page.get_by_role("dialog").get_by_label("Smallest group", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
