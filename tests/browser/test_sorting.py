"""Sorting on the page and the real daemon: rules with a preview, plans that wait, what was done, and taking it back."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

DROPPED = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
"""Two of May, two of June."""


@pytest.fixture
def inbox(tmp_path) -> Path:
    for shot, name in enumerate(DROPPED):
        write_photo(tmp_path / "inbox" / name, shot, DateTimeOriginal=f"2024:0{5 + shot // 2}:1{shot} 12:00:00")
    return tmp_path / "inbox"


@pytest.fixture
def sorted_to(tmp_path) -> Path:
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def rules() -> str:
    """What is written of rules into the settings file; a comment of the user's has to stay."""
    return ""


@pytest.fixture
def daemon(tmp_path, inbox, sorted_to, rules) -> Iterator[Daemon]:
    """An inbox with four photos, and a folder that may be written."""
    roots = [{"path": str(sorted_to), "writable": True}, {"path": str(inbox), "role": "inbox"}]
    daemon = Daemon(tmp_path / "d", roots, {"sort": {"delay": "300ms", "free_floor": 0}})
    daemon.config.write_text(daemon.config.read_text() + "\n# mine\n" + rules.format(to=sorted_to))
    with daemon:
        wait_until(lambda: daemon.ledger().get("indexed") == len(DROPPED), 60)
        yield daemon


@pytest.fixture
def refused_page(browser) -> Iterator[Page]:
    """A page whose console may tell of refusals: browsers write each of them there."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


MONTHS = '[[sort.rules]]\nname = "Months"\nto = "{to}/{{taken:%Y/%m}}/"\n'
BY_MONTH = {"2024/05": ("a.jpg", "b.jpg"), "2024/06": ("c.jpg", "d.jpg")}


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*.jpg")}


SORTED = {f"{month}/{name}" for month, names in BY_MONTH.items() for name in names}


def toast(page: Page, text: str) -> Locator:
    return page.locator(".toast").filter(has_text=text)


def plan(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("would be sorted$"))


def sort(page: Page, what: str) -> None:
    plan(page).get_by_role("button", name=f"Sort {what}").click()


def test_a_rule_is_written_looked_at_approved_applied_and_undone(daemon, open_page, inbox, sorted_to):
    page = open_page(daemon.url, "/inbox")
    page.get_by_role("link", name="Write the first one").click()
    page.get_by_role("button", name="Write the first rule").click()
    page.get_by_label("Name", exact=True).fill("Months")
    # Without a destination it cannot be used, and says so where it is missing.
    field = page.get_by_label("To", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Store the rules")).to_be_disabled()
    field.fill(f"{sorted_to}/{{taken:%Y/%m}}/")
    preview = page.get_by_role("region", name="What that would do")
    expect(preview.get_by_text("4 of 4 photos would be taken by Months.")).to_be_visible()
    expect(preview.get_by_text(f"{sorted_to}/2024/05/a.jpg")).to_be_visible()
    # A condition changes what is shown.
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Condition 1, what").select_option("taken")
    page.get_by_label("Condition 1, taken").fill("2024-06")
    expect(preview.get_by_text("2 of 4 photos would be taken by Months.")).to_be_visible()
    page.get_by_role("button", name="Remove condition 1").click()
    expect(preview.get_by_text("4 of 4 photos would be taken by Months.")).to_be_visible()
    assert files(inbox) == set(DROPPED)  # nothing was moved by looking at it
    page.get_by_role("button", name="Store the rules").click()
    expect(toast(page, "The rules are stored")).to_be_visible()
    written = daemon.config.read_text()
    assert [rule["name"] for rule in tomllib.loads(written)["sort"]["rules"]] == ["Months"]
    assert "# mine" in written
    # Its first plan waits.
    page.get_by_role("navigation", name="Inbox").get_by_role("link", name="Waiting").click()
    expect(plan(page).get_by_role("heading", name="4 photos would be sorted")).to_be_visible(timeout=20_000)
    expect(plan(page).get_by_role("row", name=f"{sorted_to}/2024/05")).to_be_visible()
    expect(plan(page).get_by_role("heading", level=4)).to_have_text(["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    assert files(sorted_to) == set()
    sort(page, "all 4 photos")
    done = toast(page, "4 photos sorted")
    expect(done).to_be_visible(timeout=20_000)
    assert (files(inbox), files(sorted_to)) == (set(), SORTED)
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    done.get_by_role("button", name="Undo").click()
    back = toast(page, "4 photos back where they were")
    expect(back).to_be_visible(timeout=20_000)
    assert (files(inbox), files(sorted_to)) == (set(DROPPED), set())
    back.get_by_role("button", name="Redo").click()
    expect(toast(page, "4 photos sorted again")).to_be_visible(timeout=20_000)
    assert (files(inbox), files(sorted_to)) == (set(), SORTED)
    page.get_by_role("link", name="History").click()
    lines = page.get_by_role("region", name="What was sorted").get_by_role("listitem").get_by_role("link")
    expect(lines).to_have_text(["Did a plan again, 4 photos", "Undid a plan, 4 photos", "Sorted 4 photos"])


@pytest.mark.parametrize("rules", [MONTHS])
def test_some_are_sorted_others_left_and_the_history_takes_back_one(daemon, open_page, inbox, sorted_to):
    page = open_page(daemon.url, "/inbox")
    expect(plan(page).get_by_role("heading", name="4 photos would be sorted")).to_be_visible(timeout=20_000)
    page.get_by_role("checkbox", name=f"Select all for {sorted_to}/2024/05").check()
    expect(page.get_by_role("checkbox", name="Select a.jpg")).to_be_checked()
    sort(page, "2 photos")
    expect(toast(page, "2 photos sorted")).to_be_visible(timeout=20_000)
    assert files(sorted_to) == {"2024/05/a.jpg", "2024/05/b.jpg"}
    # Of the others one is to stay: it is not asked about again, and the list says why.
    expect(plan(page).get_by_role("heading", name="2 photos would be sorted")).to_be_visible()
    page.get_by_role("checkbox", name="Select d.jpg").check()
    plan(page).get_by_role("button", name="Leave 1 photo").click()
    expect(toast(page, "1 photo left where it is")).to_be_visible()
    expect(plan(page).get_by_role("heading", name="1 photo would be sorted")).to_be_visible()
    plan(page).get_by_text("1 file would stay").click()
    expect(plan(page).get_by_text("you said leave it", exact=False).first).to_be_visible()
    # One of two comes back, with the history; the other stays sorted.
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="Sorted 2 photos").click()
    page.get_by_role("checkbox", name="Select a.jpg").check()
    page.get_by_role("button", name="Undo 1 photo").click()
    expect(toast(page, "1 photo back where it was")).to_be_visible(timeout=20_000)
    assert files(sorted_to) == {"2024/05/b.jpg"}
    assert "a.jpg" in files(inbox)
    expect(page.get_by_text("taken back", exact=True)).to_be_visible()


@pytest.mark.parametrize("rules", [MONTHS])
def test_what_changed_since_it_was_shown_is_not_done(daemon, refused_page, inbox, sorted_to):
    page = refused_page
    page.goto(daemon.url + "/inbox")
    expect(plan(page).get_by_role("heading", name="4 photos would be sorted")).to_be_visible(timeout=20_000)
    page.route("**/apply", lambda route: (late(daemon, inbox), route.continue_()))
    sort(page, "all 4 photos")
    expect(toast(page, "Nothing was sorted")).to_be_visible(timeout=20_000)
    expect(plan(page).get_by_role("heading", name="5 photos would be sorted")).to_be_visible()
    assert files(sorted_to) == set()


def late(daemon: Daemon, inbox: Path) -> None:
    """A photo comes just before the approval does."""
    before = daemon.get("/api/plans")["items"][0]["id"]
    write_photo(inbox / "late.jpg", 77, DateTimeOriginal="2024:07:01 12:00:00")
    wait_until(lambda: daemon.get("/api/plans")["items"][0]["id"] != before, 30)


@pytest.mark.parametrize("rules", [MONTHS])
def test_a_rule_that_acts_by_itself_sorts_what_comes_next(daemon, open_page, inbox, sorted_to):
    page = open_page(daemon.url, "/inbox")
    expect(plan(page)).to_be_visible(timeout=20_000)
    plan(page).get_by_role("switch", name="From now on by itself").check(force=True)
    wait_until(lambda: daemon.get("/api/sort/rules")["items"][0]["auto"], 10)
    expect(plan(page).get_by_role("heading", name="4 photos would be sorted")).to_be_visible()
    sort(page, "all 4 photos")
    expect(toast(page, "4 photos sorted")).to_be_visible(timeout=20_000)
    write_photo(inbox / "next.jpg", 50, DateTimeOriginal="2024:07:01 12:00:00")
    wait_until(lambda: "2024/07/next.jpg" in files(sorted_to), 30)
    page.get_by_role("link", name="History").click()
    lines = page.get_by_role("region", name="What was sorted").get_by_role("listitem")
    expect(lines).to_have_count(2)
    expect(lines.first.get_by_text("by the rules themselves")).to_be_visible()


@pytest.mark.parametrize("rules", [MONTHS])
def test_rules_are_tried_on_what_is_sorted_already(daemon, open_page, sorted_to):
    write_photo(sorted_to / "2024" / "05" / "there.jpg", 60, DateTimeOriginal="2024:05:20 12:00:00")
    write_photo(sorted_to / "odd" / "elsewhere.jpg", 61, DateTimeOriginal="2024:05:21 12:00:00")
    wait_until(lambda: daemon.ledger().get("indexed") == len(DROPPED) + 2, 60)
    page = open_page(daemon.url, "/inbox/rules")
    trial = page.get_by_role("region", name="Try them on the library")
    trial.get_by_role("button", name="Try").click()
    expect(trial.get_by_text("1 of them (50%) lie already where the rules would put them")).to_be_visible(
        timeout=20_000
    )
    trial.get_by_text("Where the rules disagree with you").click()
    expect(trial.get_by_text(f"{sorted_to}/2024/05/elsewhere.jpg")).to_be_visible()
    assert (sorted_to / "odd" / "elsewhere.jpg").exists()


@pytest.mark.parametrize("rules", [MONTHS])
def test_rules_that_cannot_be_written_come_with_what_to_paste(daemon, refused_page):
    page = refused_page
    page.goto(daemon.url + "/inbox/rules")
    page.route(
        "**/api/sort/rules", lambda route: refused(route) if route.request.method == "PUT" else route.continue_()
    )
    page.get_by_role("button", name="Edit Months").click()
    page.get_by_label("If the name is taken").select_option("skip")
    page.get_by_role("button", name="Store the rules").click()
    dialog = page.get_by_role("dialog", name="Put this into the file")
    expect(dialog.get_by_text('conflict = "skip"')).to_be_visible()


def refused(route) -> None:
    """Answer as the daemon does where its file is read-only, which no file is to root."""
    body = {"title": "Rules not written", "status": 409, "detail": "the file is read-only", "toml": 'conflict = "skip"'}
    route.fulfill(status=409, json=body, content_type="application/problem+json")


@pytest.mark.parametrize("rules", [MONTHS])
def test_it_works_by_the_keyboard(daemon, open_page, sorted_to):
    page = open_page(daemon.url)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", name="Inbox", level=1)).to_be_visible()
    expect(plan(page)).to_be_visible(timeout=20_000)
    page.keyboard.press("Control+a")
    expect(plan(page).get_by_role("button", name="Sort 4 photos")).to_be_visible()
    page.keyboard.press("Escape")
    expect(plan(page).get_by_role("button", name="Sort all 4 photos")).to_be_visible()
    boxes = page.get_by_role("checkbox", name=re.compile(r"Select \w\.jpg"))
    boxes.nth(0).press("Space")
    boxes.nth(2).click(modifiers=["Shift"])
    plan(page).get_by_role("button", name="Sort 3 photos").press("Enter")
    expect(toast(page, "3 photos sorted")).to_be_visible(timeout=20_000)
    page.keyboard.press("u")
    expect(toast(page, "3 photos back where they were")).to_be_visible(timeout=20_000)
    wait_until(lambda: files(sorted_to) == set(), 10)
    for key, name in (("r", "Sorting rules"), ("h", "Sorted")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


@pytest.mark.parametrize("rules", [MONTHS])
def test_the_photo_of_a_step_is_looked_at_beside_the_plan(daemon, open_page):
    page = open_page(daemon.url, "/inbox")
    plan(page).get_by_role("link", name="Look at a.jpg").click(timeout=20_000)
    drawer = page.get_by_role("complementary", name="Photo", exact=True)
    expect(drawer.get_by_role("heading", name="a.jpg")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(drawer.get_by_role("heading", name="b.jpg")).to_be_visible()
    expect(plan(page).get_by_role("heading", name="4 photos would be sorted")).to_be_visible()


class TestManyPhotos:
    """A plan of more steps than the page fetches and shows."""

    MANY = 230

    @pytest.fixture
    def rules(self) -> str:
        return MONTHS

    @pytest.fixture
    def inbox(self, tmp_path) -> Path:
        for shot in range(self.MANY):
            taken = f"2024:0{1 + shot // 40}:10 12:00:00"
            write_photo(tmp_path / "inbox" / f"{shot:03}.jpg", shot, (48, 32), DateTimeOriginal=taken)
        return tmp_path / "inbox"

    @pytest.fixture
    def daemon(self, tmp_path, inbox, sorted_to, rules) -> Iterator[Daemon]:
        roots = [{"path": str(sorted_to), "writable": True}, {"path": str(inbox), "role": "inbox"}]
        settings = {"sort": {"delay": "300ms", "free_floor": 0}, "score": {"metrics": []}}
        daemon = Daemon(tmp_path / "d", roots, settings)
        daemon.config.write_text(daemon.config.read_text() + rules.format(to=sorted_to))
        with daemon:
            wait_until(lambda: sum(one["steps"] for one in daemon.get("/api/plans")["items"]) == self.MANY, 120)
            yield daemon

    def test_only_what_is_looked_at_is_fetched_and_all_of_it_can_be_decided(self, daemon, open_page, inbox, sorted_to):
        page = open_page(daemon.url)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "order=folder" in request.url else None)
        page.goto(daemon.url + "/inbox")
        expect(plan(page).get_by_role("heading", name=f"{self.MANY} photos would be sorted")).to_be_visible()
        expect(plan(page).get_by_role("heading", name="000.jpg", level=4)).to_be_visible()
        rows = plan(page).get_by_role("row")
        assert rows.count() < 60
        assert ["cursor=0" in one for one in asked] == [True]
        expect(plan(page).get_by_role("row", name=f"{sorted_to}/2024/01")).to_have_attribute("aria-setsize", "6")
        # A folder that was never looked into is picked with one tick, and the words are true.
        plan(page).get_by_role("treegrid").get_by_role("row").first.press("End")
        last = plan(page).get_by_role("row").filter(has=page.get_by_role("heading", name="229.jpg"))
        expect(last).to_be_focused()
        expect(last).to_be_in_viewport(ratio=1)
        assert (last.get_attribute("aria-posinset"), last.get_attribute("aria-setsize")) == ("30", "30")
        page.keyboard.press("ArrowLeft")
        folder = plan(page).get_by_role("row", name=f"{sorted_to}/2024/06")
        expect(folder).to_be_focused()
        expect(folder).to_be_in_viewport(ratio=1)
        page.keyboard.press("Space")
        expect(plan(page).get_by_role("button", name="Sort 30 photos")).to_be_visible()
        page.keyboard.press("ArrowLeft")
        expect(folder).to_have_attribute("aria-expanded", "false")
        sort(page, "30 photos")
        expect(toast(page, "30 photos sorted")).to_be_visible(timeout=60_000)
        assert len(files(sorted_to)) == 30
        rest = self.MANY - 30
        expect(plan(page).get_by_role("heading", name=f"{rest} photos would be sorted")).to_be_visible()
        # What was never fetched is left, or sorted, with the rest.
        plan(page).get_by_role("button", name=f"Leave all {rest} photos").click()
        expect(toast(page, f"{rest} photos left where they are")).to_be_visible(timeout=20_000)
        plan(page).get_by_text(f"{rest} files would stay").click()
        expect(plan(page).get_by_role("listitem").first).to_have_attribute("aria-setsize", str(rest))
        assert len(files(inbox)) == rest
