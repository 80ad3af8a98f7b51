"""Uploads on the page and the real daemon: picked and dropped, files and folders, twins, refusals, pauses."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def daemon(tmp_path_factory) -> Iterator[Daemon]:
    """Two photos, and an inbox beside them."""
    home = tmp_path_factory.mktemp("upload")
    for shot in range(2):
        write_photo(home / "photos" / f"known{shot}.jpg", shot, DateTimeOriginal="2020:05:01 12:00:00")
    (home / "inbox").mkdir()
    roots = [{"path": str(home / "photos")}, {"path": str(home / "inbox"), "role": "inbox"}]
    with Daemon(home / "d", roots, {"upload": {"free_floor": 0}}) as daemon:
        wait_until(lambda: daemon.ledger().get("indexed") == 2, 60)
        yield daemon


@pytest.fixture
def page(daemon, open_page) -> Page:
    page = open_page(daemon.url)
    expect(photo(page, "known0.jpg")).to_be_visible()
    return page


@pytest.fixture
def inbox(daemon) -> Path:
    return daemon.home.parent / "inbox"


def tray(page: Page) -> Locator:
    return page.get_by_role("region", name="Uploads")


def give(page: Page, *files: Path) -> None:
    """Through the dialog and its field for files."""
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("dialog", name="Upload photos").get_by_text("They land in")).to_be_visible()
    page.get_by_label("Files to upload").set_input_files(list(files))


def drop(page: Page, *files: Path) -> None:
    """Drop files on the window, as a file manager does."""
    given = [{"name": file.name, "data": base64.b64encode(file.read_bytes()).decode()} for file in files]
    data = page.evaluate_handle(
        """(files) => {
          const data = new DataTransfer()
          for (const { name, data: text } of files) {
            const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))
            data.items.add(new File([bytes], name, { type: 'image/jpeg' }))
          }
          return data
        }""",
        given,
    )
    page.dispatch_event("main", "dragenter", {"dataTransfer": data})
    expect(page.get_by_text(re.compile("^Drop to upload"))).to_be_visible()
    page.dispatch_event("main", "dragover", {"dataTransfer": data})
    page.dispatch_event("main", "drop", {"dataTransfer": data})
    expect(page.get_by_text(re.compile("^Drop to upload"))).to_have_count(0)


def photo(page: Page, name: str) -> Locator:
    return page.get_by_role("listbox").get_by_role("option", name=name)


def arrived(page: Page, name: str) -> None:
    """The photo comes by itself, or is announced and shown on request."""
    pill = page.get_by_role("button", name=re.compile(r"\d+ new"))
    wait_until(lambda: photo(page, name).count() or pill.count(), 30, why="the page to tell of a new photo")
    if not photo(page, name).count():
        pill.click()
    expect(photo(page, name)).to_be_visible()


def test_files_are_stored_and_appear_and_twins_are_answered(page, inbox, tmp_path, daemon):
    new = [write_photo(tmp_path / f"new{shot}.jpg", 10 + shot) for shot in range(3)]
    twin = write_photo(tmp_path / "twin.jpg", 0, DateTimeOriginal="2020:05:01 12:00:00")
    (tmp_path / "notes.txt").write_text("no photo")
    give(page, *new, twin, tmp_path / "notes.txt")
    expect(tray(page).get_by_text("3 photos uploaded, 1 there already, 1 refused")).to_be_visible()
    expect(tray(page).get_by_text(".txt files are not photos that pixsortd reads")).to_be_visible()  # named at once
    assert sorted(one.name for one in inbox.iterdir() if one.suffix) == ["new0.jpg", "new1.jpg", "new2.jpg"]
    arrived(page, "new0.jpg")
    tray(page).get_by_role("button", name="There already").click()
    expect(tray(page).get_by_text("in the library already")).to_be_visible()
    tray(page).get_by_role("link", name="Show twin.jpg").click()
    drawer = page.get_by_role("complementary", name="Photo", exact=True)
    expect(drawer.get_by_role("heading", name="known0.jpg")).to_be_visible()
    expect(tray(page)).to_be_visible()  # it stays while one looks around
    tray(page).get_by_role("button", name="Close the list").click()
    expect(tray(page)).to_have_count(0)


def test_a_folder_keeps_its_folders(page, inbox, tmp_path):
    for shot in range(4):
        write_photo(tmp_path / "trip" / f"day{shot // 2}" / f"f{shot}.jpg", 20 + shot)
    (tmp_path / "trip" / ".DS_Store").write_bytes(b"clutter")
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_label("Folder to upload").set_input_files(tmp_path / "trip")
    expect(tray(page).get_by_text("4 photos uploaded")).to_be_visible()
    assert sorted(str(one.relative_to(inbox)) for one in inbox.rglob("trip/**/*.jpg")) == [
        f"trip/day{shot // 2}/f{shot}.jpg" for shot in range(4)
    ]
    arrived(page, "f3.jpg")


def test_files_are_dropped_anywhere(page, tmp_path):
    drop(page, write_photo(tmp_path / "dropped.jpg", 30))
    expect(tray(page).get_by_text("1 photo uploaded")).to_be_visible()
    arrived(page, "dropped.jpg")


def test_files_dropped_on_a_batch_go_into_it(daemon, open_page, tmp_path):
    made = daemon.post("/api/batches", {"name": "Fresh"})
    page = open_page(daemon.url, f"/batches/{made['id']}")
    expect(page.get_by_role("heading", name="The batch is empty")).to_be_visible()
    drop(page, write_photo(tmp_path / "b1.jpg", 40), write_photo(tmp_path / "b2.jpg", 41))
    expect(photo(page, "b1.jpg")).to_be_visible(timeout=30_000)
    expect(photo(page, "b2.jpg")).to_be_visible()
    wait_until(lambda: daemon.get(f"/api/batches/{made['id']}")["size"] == 2, 10)


def test_pause_go_on_and_a_warning_when_leaving(page, tmp_path, inbox):
    held: list[Route] = []
    page.route("**/api/images/upload?**", lambda route: held.append(route))
    give(page, write_photo(tmp_path / "slow.jpg", 50))
    wait_until(lambda: page.wait_for_timeout(50) or held, 10)
    expect(tray(page).get_by_text("Uploading 0 of 1")).to_be_visible()
    warned = "() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert page.evaluate(warned)
    tray(page).get_by_role("button", name="Pause").click()
    expect(tray(page).get_by_text("Upload paused")).to_be_visible()
    page.unroute("**/api/images/upload?**")
    tray(page).get_by_role("button", name="Go on").click()
    expect(tray(page).get_by_text("1 photo uploaded")).to_be_visible()
    assert (inbox / "slow.jpg").exists()
    assert not page.evaluate(warned)


def test_what_is_called_off_is_not_sent(page, tmp_path, inbox):
    page.route("**/api/images/upload?**", lambda _: None)
    give(page, write_photo(tmp_path / "never.jpg", 60))
    expect(tray(page).get_by_text("Uploading 0 of 1")).to_be_visible()
    tray(page).get_by_role("button", name="Cancel the rest").click()
    expect(tray(page)).to_have_count(0)
    assert not (inbox / "never.jpg").exists()


def test_without_an_inbox_the_page_says_what_to_configure(open_page, tmp_path):
    write_photo(tmp_path / "photos" / "one.jpg")
    with Daemon(tmp_path / "d", [tmp_path / "photos"]) as alone:
        page = open_page(alone.url)
        page.get_by_role("button", name="Upload", exact=True).click(timeout=30_000)
        dialog = page.get_by_role("dialog", name="Upload photos")
        expect(dialog.get_by_text('role = "inbox"')).to_be_visible()
        expect(dialog.get_by_role("button", name="Choose files")).to_have_count(0)
        page.keyboard.press("Escape")
        drop(page, write_photo(tmp_path / "x.jpg", 70))
        expect(dialog.get_by_text('role = "inbox"')).to_be_visible()
        page.goto("about:blank")
