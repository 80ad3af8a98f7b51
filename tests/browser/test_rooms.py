"""The viewer, the drawer and the rooms around the photos, on the real daemon in Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL.ExifTags import GPS, IFD, Base
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import watched
from tests.conftest import draw, write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

SHOTS = 8
PHOTOS = SHOTS + 2
"""The shots, a night picture of six megapixels, and a TIFF."""


def night(path: Path) -> None:
    """A large photo with a long exposure and a place."""
    image = draw(50, (3000, 2000))
    tags = image.getexif()
    tags[Base.DateTimeOriginal.value] = "2023:12:13 23:10:00"
    tags.get_ifd(IFD.Exif)[Base.ExposureTime.value] = 2.0
    tags.get_ifd(IFD.Exif)[Base.FNumber.value] = 8.0
    place = tags.get_ifd(IFD.GPSInfo)
    place[GPS.GPSLatitudeRef], place[GPS.GPSLatitude] = "N", (59.0, 19.0, 46.0)
    place[GPS.GPSLongitudeRef], place[GPS.GPSLongitude] = "E", (18.0, 4.0, 7.0)
    place[GPS.GPSAltitude] = 28.0
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, exif=tags, quality=92)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("rooms") / "photos"
    for shot in range(SHOTS):
        write_photo(
            root / f"s{shot}.jpg", 0, (320 + shot, 240), DateTimeOriginal=f"2024:0{1 + shot % 4}:1{shot} 12:00:00"
        )
    night(root / "night.jpg")
    draw(60, (640, 480)).save(root / "scan.tif")
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture at all")
    return root


@pytest.fixture(scope="module")
def daemon(root) -> Iterator[Daemon]:
    settings = {"score": {"metrics": ["piqe", "brisque"]}, "cluster": {"every": "7h"}}
    with Daemon(root.parent / "d", [root], settings) as daemon:
        daemon.settled(PHOTOS + 1)
        wait_until(lambda: daemon.get("/api/groups")["items"], 60, why="groups")
        yield daemon


@pytest.fixture
def ids(daemon) -> dict[str, str]:
    """Ids of the photos by file name."""
    return {image["name"]: image["id"] for image in daemon.images()}


def drawer(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Photo")


def toast(page: Page, text: str) -> Locator:
    return page.get_by_role("status").get_by_text(text).first


def viewer(page: Page) -> Locator:
    return page.get_by_role("dialog", name=re.compile("^Photo in full"))


def percent(page: Page) -> int:
    """How large the viewer shows a picture's pixels, of a hundred."""
    name = viewer(page).get_by_role("button", name=re.compile("now")).get_attribute("aria-label")
    return int(re.search(r"(\d+) %", name or "")[1])  # type: ignore[index]


def placed(page: Page) -> dict[str, float]:
    """Where the picture stands in the window."""
    return page.locator("dialog.viewer .picture").evaluate("e => e.getBoundingClientRect().toJSON()")


# --- the drawer ----------------------------------------------------------------------------------


def test_what_is_written_in_the_drawer_survives_a_reload(daemon, open_page, ids):
    page = open_page(daemon.url, f"/?photo={ids['s1.jpg']}")
    drawer(page).get_by_role("button", name="Add a caption").click()
    page.get_by_label("Caption").fill("On the pier")
    page.keyboard.press("Enter")
    expect(toast(page, "Caption kept")).to_be_visible()
    drawer(page).get_by_role("radio", name="Green").click()
    drawer(page).get_by_role("radio", name="3 stars").click()
    known = f"/api/images/metadata/{ids['s1.jpg']}"
    marks = ("On the pier", "green", 3)
    wait_until(lambda: tuple(map(daemon.get(known).get, ("caption", "label", "rating"))) == marks, 10)
    page.reload()
    expect(drawer(page).get_by_text("On the pier")).to_be_visible()
    expect(drawer(page).get_by_role("radio", name="Green")).to_be_checked()
    expect(drawer(page).get_by_role("radio", name="3 stars")).to_be_checked()


def test_a_caption_is_undone_from_its_toast_and_left_with_escape(daemon, open_page, ids):
    page = open_page(daemon.url, f"/?photo={ids['s2.jpg']}")
    known = f"/api/images/metadata/{ids['s2.jpg']}"
    drawer(page).get_by_role("button", name="Add a caption").click()
    page.get_by_label("Caption").fill("A slip")
    page.keyboard.press("Enter")
    wait_until(lambda: daemon.get(known)["caption"] == "A slip", 10)
    page.get_by_role("button", name="Undo").first.click()
    wait_until(lambda: daemon.get(known)["caption"] is None, 10)
    add = drawer(page).get_by_role("button", name="Add a caption")
    add.click()
    page.get_by_label("Caption").fill("Never mind")
    page.keyboard.press("Escape")
    expect(add).to_be_focused()
    assert daemon.get(known)["caption"] is None
    expect(drawer(page)).to_be_visible()


def test_exposure_place_and_copies_are_told_in_words(daemon, open_page, ids):
    page = open_page(daemon.url, f"/?photo={ids['night.jpg']}")
    facts = drawer(page)
    expect(facts.get_by_text("2 s · f/8")).to_be_visible()
    expect(facts.get_by_text("59.329° N, 18.069° E, 28 m above sea level")).to_be_visible()
    expect(facts.get_by_role("button", name="Copy coordinates")).to_be_visible()
    expect(facts.get_by_text("night.jpg").last).to_be_visible()


def test_scores_stand_beside_those_of_the_others(daemon, open_page, ids):
    page = open_page(daemon.url, f"/?photo={ids['s3.jpg']}")
    quality = drawer(page).get_by_role("region", name="Quality")
    expect(quality.get_by_role("meter", name="piqe, lower is better")).to_be_visible()
    told = quality.get_by_role("img", name=re.compile("At least as good as .* of the library and"))
    expect(told.first).to_be_visible()


def test_the_why_tells_every_step(daemon, open_page, ids):
    page = open_page(daemon.url, f"/?photo={ids['s4.jpg']}")
    expect(drawer(page).get_by_text("s4.jpg").first).to_be_visible()
    page.keyboard.press("w")
    steps = drawer(page).get_by_role("list", name="What happened, oldest first").get_by_role("listitem")
    expect(steps.first).to_contain_text("found")
    expect(steps.filter(has_text="indexed").first).to_be_visible()


# --- the viewer ----------------------------------------------------------------------------------


def test_the_original_is_fetched_only_when_the_viewer_opens(daemon, open_page, ids):
    original = f"{daemon.url}/api/images/{ids['night.jpg']}"
    page = open_page(daemon.url, f"/?photo={ids['night.jpg']}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(drawer(page).get_by_text("2 s · f/8")).to_be_visible()
    assert original not in asked
    page.keyboard.press("f")
    wait_until(lambda: page.locator(f"dialog.viewer img[src='/api/images/{ids['night.jpg']}']").count(), 20)
    assert original in asked


def test_the_viewer_zooms_to_the_pointer_pans_and_comes_back(daemon, open_page, ids):
    page = open_page(daemon.url, f"/?photo={ids['night.jpg']}&full=1")
    wait_until(lambda: page.locator("dialog.viewer .picture img").count() == 2, 20)
    whole = placed(page)
    assert (whole["height"], round(whole["width"])) == (900, 1350)
    page.mouse.move(300, 200)
    page.mouse.wheel(0, -400)
    wait_until(lambda: percent(page) > 45, 5)
    larger = placed(page)
    before = (300 - whole["left"]) / whole["width"], (200 - whole["top"]) / whole["height"]
    after = (300 - larger["left"]) / larger["width"], (200 - larger["top"]) / larger["height"]
    assert after == pytest.approx(before, abs=0.002)
    page.mouse.down()
    page.mouse.move(260, 150, steps=4)
    page.mouse.up()
    moved = placed(page)
    assert (moved["left"], moved["top"]) == pytest.approx((larger["left"] - 40, larger["top"] - 50), abs=1)
    page.keyboard.press("0")
    wait_until(lambda: percent(page) == 45, 5)
    assert daemon.get(f"/api/images/metadata/{ids['night.jpg']}")["rating"] is None
    page.keyboard.press("z")
    wait_until(lambda: percent(page) == 100, 5)
    page.mouse.dblclick(600, 400)
    wait_until(lambda: percent(page) == 45, 5)
    page.keyboard.press("+")
    wait_until(lambda: percent(page) > 45, 5)
    page.keyboard.press("-")
    wait_until(lambda: percent(page) == 45, 5)


def test_the_viewer_walks_rates_tells_facts_and_gives_the_focus_back(daemon, open_page, ids):
    page = open_page(daemon.url)
    page.get_by_role("listbox").get_by_role("option").first.click()
    opener = drawer(page).get_by_role("button", name="Fill the window", exact=True)
    opener.click()
    expect(viewer(page)).to_be_visible()
    first = page.url
    page.keyboard.press("ArrowRight")
    wait_until(lambda: page.url != first, 5)
    expect(viewer(page)).to_be_visible()
    page.keyboard.press("4")
    opened = page.url.split("photo=")[1].split("&")[0]
    wait_until(lambda: daemon.get(f"/api/images/metadata/{opened}")["rating"] == 4, 10)
    page.keyboard.press("i")
    expect(viewer(page).get_by_role("complementary", name="Facts")).to_be_visible()
    assert "full=facts" in page.url
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: first.split("photo=")[1].split("&")[0] in page.url, 5)
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(viewer(page)).to_have_count(0)
    expect(opener).to_be_focused()
    assert "photo=" in page.url


def test_a_format_that_the_browser_does_not_show_has_its_preview_and_says_so(daemon, open_page, ids):
    page = open_page(daemon.url, f"/?photo={ids['scan.tif']}&full=1")
    expect(viewer(page).get_by_text("This browser does not show TIFF")).to_be_visible(timeout=15_000)
    preview = viewer(page).locator("img").first
    assert preview.evaluate("image => image.naturalWidth") > 0
    assert "scan.tif" in (preview.get_attribute("alt") or "")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_motion_is_reduced_when_asked(daemon, open_page, ids, motion):
    page = open_page(daemon.url, f"/?photo={ids['night.jpg']}&full=1", reduced_motion=motion)
    expect(viewer(page)).to_be_visible()
    page.keyboard.press("z")
    picture = page.locator("dialog.viewer .picture.gliding")
    expect(picture).to_have_count(1)
    seconds = float(picture.evaluate("e => getComputedStyle(e).transitionDuration").rstrip("s"))
    assert (seconds <= 0.001) == (motion == "reduce")


# --- the rooms -----------------------------------------------------------------------------------


def test_a_stage_is_held_and_resumed(daemon, open_page):
    page = open_page(daemon.url, "/pipeline")
    card = page.get_by_role("article", name="Analysing")
    card.get_by_role("button", name="Pause analysing").click()
    expect(card.get_by_text("held")).to_be_visible()
    wait_until(lambda: held(daemon) == ["analyze"], 10)
    page.reload()
    card.get_by_role("button", name="Resume analysing").click()
    expect(card.get_by_role("button", name="Pause analysing")).to_be_visible()
    wait_until(lambda: not held(daemon), 10)


def held(daemon: Daemon) -> list[str]:
    return [stage["name"] for stage in daemon.get("/api/pipeline")["items"] if stage["paused"]]


def test_folders_say_that_they_are_read_only_and_their_ledger_adds_up(daemon, open_page, root):
    page = open_page(daemon.url, "/roots")
    card = page.get_by_role("article", name=str(root))
    expect(card.get_by_text("Read-only:")).to_be_visible()
    expect(card.get_by_text("does not add up")).to_have_count(0)
    card.get_by_role("button", name="Scan now").click()
    page.get_by_role("navigation", name="Pipeline").get_by_role("link", name="Jobs").click()
    expect(page.get_by_text("Scan", exact=True).first).to_be_visible()


def test_quarantine_tells_why_and_tries_again(daemon, open_page, root):
    page = open_page(daemon.url, "/quarantine")
    page.get_by_role("button", name="Why is broken.jpg here").click()
    expect(page.get_by_role("list", name="What happened, oldest first")).to_contain_text("failed")
    page.get_by_role("button", name="Try again: broken.jpg").click()
    expect(toast(page, "1 file will be tried again")).to_be_visible()
    daemon.settled(PHOTOS + 1)
    wait_until(lambda: daemon.get("/api/quarantine")["total"] == 1, 30)


def test_the_overview_draws_and_can_be_read_as_tables(daemon, open_page):
    page = open_page(daemon.url, "/overview")
    expect(page.get_by_role("img", name=re.compile(r"^Over time\. 10 photos"))).to_be_visible()
    canvases = page.locator("canvas")
    assert canvases.count() >= 3
    drawn = "c => new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer).some(Boolean)"
    assert all(canvases.nth(at).evaluate(drawn) for at in range(canvases.count()))
    page.get_by_role("button", name="Over time as a table").click()
    table = page.get_by_role("region", name="Over time, table")
    expect(table.get_by_role("row", name="January 2024 2")).to_be_visible()
    formats = page.get_by_role("table", name="Formats")
    expect(formats.get_by_role("row", name="TIFF 1")).to_be_visible()


def test_plots_follow_the_window_and_the_colours(daemon, open_page):
    page = open_page(daemon.url, "/overview")
    canvas = page.locator("canvas").first
    expect(canvas).to_be_visible()
    wide = canvas.evaluate("c => c.clientWidth")
    page.set_viewport_size({"width": 700, "height": 900})
    wait_until(lambda: canvas.evaluate("c => c.clientWidth") < wide, 5)
    before = canvas.evaluate("c => c.toDataURL()")
    page.emulate_media(color_scheme="dark")
    wait_until(lambda: page.locator("canvas").first.evaluate("c => c.toDataURL()") != before, 5)


def test_settings_tell_where_each_value_comes_from(daemon, open_page):
    page = open_page(daemon.url, "/settings")
    page.get_by_label("Find a setting").fill("cluster every")
    own = page.get_by_role("region", name="[cluster]")
    expect(own.get_by_text('"7h"')).to_be_visible()
    expect(own.get_by_text(re.compile(r"^line \d+$"))).to_be_visible()
    page.get_by_label("Find a setting").fill("port")
    expect(page.get_by_role("region", name="[api]").get_by_text("0", exact=True)).to_be_visible()
    page.get_by_label("Find a setting").fill("")
    page.get_by_label("Only what I changed").check()
    expect(page.get_by_role("region", name="[decode]")).to_have_count(0)
    page.get_by_role("button", name="Keyboard").last.click()
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


# --- first run, signing in, a lost daemon --------------------------------------------------------


def test_the_first_run_helps(tmp_path, browser):
    (tmp_path / "empty").mkdir()
    with Daemon(tmp_path / "d", [tmp_path / "empty"], {"embed": {"space": "clip"}}) as daemon:
        daemon.settled(0)
        with watched(browser, daemon.url) as page:
            page.goto(daemon.url)
            expect(page.get_by_role("heading", name="No photos yet")).to_be_visible()
            expect(page.get_by_text("The folder is empty")).to_be_visible()
            expect(page.get_by_text(str(tmp_path / "empty"))).to_be_visible()
            expect(page.get_by_text("pixsortd models pull clip").first).to_be_visible()
            write_photo(tmp_path / "empty" / "first.jpg", 1)
            expect(page.get_by_role("listbox").get_by_role("option", name="first.jpg")).to_be_visible(timeout=30_000)


def test_too_many_wrong_tokens_are_told_how_long_to_wait(tmp_path, browser):
    (tmp_path / "token").write_text("the right token, as long as it has to be")
    (tmp_path / "photos").mkdir()
    api = {"require_token": True, "token_file": str(tmp_path / "token")}
    with Daemon(tmp_path / "d", [tmp_path / "photos"], {"api": api}) as daemon:
        page = browser.new_context().new_page()
        page.goto(daemon.url)
        dialog = page.get_by_role("dialog", name="Sign in")
        sign_in = dialog.get_by_role("button", name="Sign in")
        for attempt in range(12):
            dialog.get_by_label("Token").fill(f"a wrong token {attempt}")
            expect(sign_in).to_be_enabled(timeout=10_000)
            sign_in.click()
            expect(dialog.get_by_role("alert")).not_to_be_empty()
            if dialog.get_by_role("timer").count():
                break
        expect(dialog.get_by_role("timer")).to_contain_text("can be tried in")
        expect(sign_in).to_be_disabled()
        dialog.get_by_label("Token").fill("the right token, as long as it has to be")
        expect(sign_in).to_be_enabled(timeout=20_000)
        sign_in.click()
        expect(dialog).to_have_count(0)
        page.context.close()


def test_a_daemon_that_went_away_is_told_and_comes_back(tmp_path, browser):
    (tmp_path / "photos").mkdir()
    daemon = Daemon(tmp_path / "d", [tmp_path / "photos"])
    with daemon:
        port = int(daemon.url.rsplit(":", 1)[1])
        page = browser.new_context().new_page()
        page.goto(daemon.url + "/pipeline")
        expect(page.get_by_role("article", name="Analysing")).to_be_visible()
        daemon.stop()
        expect(page.get_by_role("alert").first).to_contain_text("No answer from pixsortd", timeout=20_000)
        daemon.config.write_text(daemon.config.read_text().replace("port = 0", f"port = {port}"))
        daemon.start()
        expect(page.get_by_text("No answer from pixsortd")).to_have_count(0, timeout=30_000)
        page.context.close()


def test_rooms_fit_a_phone(daemon, open_page, ids):
    for path in ("/overview", "/pipeline", "/roots", "/jobs", "/quarantine", "/settings", f"/?photo={ids['s0.jpg']}"):
        page = open_page(daemon.url, path, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        expect(page.get_by_role("heading").first).to_be_visible()
        page.wait_for_timeout(500)  # what is fetched is there
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
