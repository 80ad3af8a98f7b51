"""The trash on the page and the real daemon: there and back, what is a last copy, and gone for good only when asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

PHOTOS = 6


@pytest.fixture
def photos(tmp_path) -> Path:
    for shot in range(PHOTOS):
        write_photo(tmp_path / "photos" / f"p{shot}.jpg", shot, DateTimeOriginal=f"2024:05:1{shot} 12:00:00")
    return tmp_path / "photos"


@pytest.fixture
def daemon(tmp_path, photos) -> Iterator[Daemon]:
    """Six photos in a folder that may be written, and one in a folder that may not."""
    write_photo(tmp_path / "fixed" / "fixed.jpg", 99, DateTimeOriginal="2023:01:01 12:00:00")
    roots = [{"path": str(photos), "writable": True}, {"path": str(tmp_path / "fixed")}]
    with Daemon(tmp_path / "d", roots) as daemon:
        wait_until(lambda: daemon.ledger().get("indexed") == PHOTOS + 1, 60)
        yield daemon


@pytest.fixture
def page(daemon, open_page) -> Page:
    page = open_page(daemon.url)
    expect(photo(page, "p0.jpg")).to_be_visible()
    return page


def photo(page: Page, name: str) -> Locator:
    return page.get_by_role("option", name=name)


def toast(page: Page, text: str) -> Locator:
    return page.locator(".toast").filter(has_text=text)


def discard(daemon: Daemon, *names: str) -> list[dict[str, Any]]:
    ids = [one["id"] for one in daemon.images() if one["name"] in names]
    return daemon.post("/api/trash", {"ids": ids})["items"]


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def test_picked_photos_go_to_the_trash_and_come_back_by_undo(page, photos):
    for name in ("p0.jpg", "p1.jpg"):
        photo(page, name).focus()
        page.keyboard.press("x")
    page.keyboard.press("Delete")
    said = toast(page, "2 photos moved to the trash")
    expect(said.get_by_text("Each the only copy, kept until")).to_be_visible()
    expect(photo(page, "p0.jpg")).to_have_count(0)
    assert not (photos / "p0.jpg").exists()
    said.get_by_role("button", name="Undo").click()
    expect(photo(page, "p0.jpg")).to_be_visible()
    wait_until(lambda: (photos / "p0.jpg").exists(), 10)


def test_a_photo_is_deleted_from_its_drawer_and_restored_from_the_trash(page, photos):
    (photos / "p2.xmp").write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    photo(page, "p2.jpg").click()
    drawer = page.get_by_role("complementary", name="Photo", exact=True)
    expect(drawer.get_by_role("heading", name="p2.jpg")).to_be_visible()
    drawer.get_by_role("button", name="Move to the trash").click()
    expect(toast(page, "p2.jpg moved to the trash").get_by_text("The only copy, kept until")).to_be_visible()
    expect(drawer.get_by_role("heading", name="p1.jpg")).to_be_visible()  # on to the next one
    page.keyboard.press("Escape")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Trash").click()
    gone = row(page, "p2.jpg")
    expect(gone.get_by_text("only copy")).to_be_visible()
    expect(gone.get_by_text(str(photos))).to_be_visible()
    expect(gone.get_by_text("1 companion")).to_be_visible()
    expect(page.get_by_text("Kept for 30 days")).to_be_visible()
    gone.get_by_role("button", name="Restore p2.jpg").click()
    expect(toast(page, "p2.jpg is back")).to_be_visible()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    wait_until(lambda: (photos / "p2.jpg").exists(), 10)
    wait_until(lambda: (photos / "p2.xmp").exists(), 10)


def test_what_comes_back_under_another_name_says_so(page, daemon, photos):
    discard(daemon, "p3.jpg")
    write_photo(photos / "p3.jpg", 50)
    page.goto(daemon.url + "/trash")
    row(page, "p3.jpg").get_by_role("button", name="Restore p3.jpg").click()
    said = toast(page, "p3.jpg is back")
    expect(said.get_by_text("since the old name was taken")).to_be_visible()
    assert len(list(photos.glob("p3*.jpg"))) == 2


def test_nothing_is_deleted_for_good_without_naming_last_copies(page, daemon, photos):
    write_photo(photos / "p4-copy.jpg", 4, DateTimeOriginal="2024:05:14 12:00:00")
    wait_until(lambda: daemon.ledger().get("indexed") == PHOTOS + 2, 60)
    image = next(one["id"] for one in daemon.images() if one["name"].startswith("p4"))
    file = next(one for one in daemon.get(f"/api/images/metadata/{image}")["files"] if one["name"] == "p4-copy.jpg")
    daemon.post(f"/api/images/{image}?file={file['id']}", method="DELETE")
    page.goto(daemon.url + "/trash")
    expect(row(page, "p4-copy.jpg")).to_be_visible()
    discard(daemon, "p0.jpg", "p1.jpg")  # seen without asking
    expect(page.get_by_role("listitem")).to_have_count(3 + _rooms(page))
    page.get_by_role("button", name="Empty the trash").click()
    dialog = page.get_by_role("dialog", name="Delete for good?")
    expect(dialog.get_by_text("For 2 photos these are the only copies")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    assert daemon.get("/api/trash")["total"] == 3
    page.get_by_label("Select p4-copy.jpg").check()
    page.get_by_role("button", name="Delete for good …").click()
    expect(dialog.get_by_text("another copy is in the library")).to_be_visible()
    dialog.get_by_role("button", name="Delete 1 file").click()
    expect(row(page, "p4-copy.jpg")).to_have_count(0)
    page.get_by_role("button", name="Empty the trash").click()
    dialog.get_by_role("button", name="Delete 2 files").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    wait_until(lambda: daemon.get("/api/trash")["total"] == 0, 10)


def _rooms(page: Page) -> int:
    """List items of the navigation."""
    return page.get_by_role("navigation", name="Main").get_by_role("listitem").count()


def test_many_are_picked_with_shift_and_restored_together(page, daemon, photos):
    discard(daemon, *(f"p{shot}.jpg" for shot in range(5)))
    page.goto(daemon.url + "/trash")
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(5)
    boxes.nth(0).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.get_by_role("heading", name="4 selected")).to_be_visible()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(toast(page, "4 files are back")).to_be_visible()
    expect(boxes).to_have_count(1)
    assert len(list(photos.glob("p*.jpg"))) == PHOTOS - 1


def test_a_read_only_folder_explains_the_way_out(page):
    photo(page, "fixed.jpg").click()
    page.get_by_role("complementary", name="Photo", exact=True).get_by_role("button", name="Move to the trash").click()
    said = toast(page, "fixed.jpg could not be moved to the trash")
    expect(said.get_by_text("writable = true")).to_be_visible()
