"""axe-core finds nothing serious on any page, in the drawer, the viewer and the dialogs, in light and in dark."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import watched
from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "webui" / "node_modules" / "axe-core" / "axe.min.js"
WORST = ("serious", "critical")
FOUND: Counter[str] = Counter()
"""All findings of this run by impact, the light ones too."""


@pytest.fixture(scope="module")
def axe() -> Iterator[str]:
    """The script that looks; it tells its counts at the end."""
    if not AXE.is_file():
        pytest.skip("no axe-core: `npm ci` in webui fetches it")
    yield AXE.read_text()
    print(f"\naxe-core: {dict(FOUND) or 'no findings'}")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory) -> Iterator[Daemon]:
    home = tmp_path_factory.mktemp("axe")
    for shot in range(14):
        name = home / "photos" / f"s{shot}.jpg"
        write_photo(name, shot // 7, (320 + shot, 240), DateTimeOriginal=f"2024:0{1 + shot % 5}:12 12:00:00")
    (home / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture at all")
    for shot in range(3):
        write_photo(home / "inbox" / f"i{shot}.jpg", 20 + shot, DateTimeOriginal=f"2024:0{1 + shot}:12 12:00:00")
    roots = [{"path": str(home / "photos"), "writable": True}, {"path": str(home / "inbox"), "role": "inbox"}]
    rule = {"name": "Months", "when": {"name": "*.jpg"}, "to": str(home / "photos" / "{taken:%Y}") + "/"}
    settings = {"score": {"metrics": ["piqe", "brisque"]}, "sort": {"delay": "300ms", "rules": [rule]}}
    with Daemon(home / "d", roots, settings) as daemon:
        wait_until(lambda: daemon.ledger().get("indexed") == 17, 120, why="photos")
        wait_until(lambda: daemon.get("/api/groups")["items"], 60, why="groups")
        first = next(daemon.images())["id"]
        daemon.post(f"/api/images/{first}", {"rating": 4, "label": "green", "caption": "On the pier"}, "PATCH")
        ids = [one["id"] for one in daemon.images()]
        batch = daemon.post("/api/batches", {"name": "Best of it", "ids": ids[:-1]})["id"]
        daemon.post(f"/api/batches/{batch}/analyze", {"min_cluster_size": 3}, "PUT")
        daemon.post("/api/trash", {"ids": ids[-1:]})
        wait_until(lambda: daemon.get(f"/api/batches/{batch}")["status"] == "complete", 60, why="groups of the batch")
        propose(daemon)
        sort_one(daemon)
        yield daemon


def sort_one(daemon: Daemon) -> None:
    """Have one step of the waiting plan done, so that there is a history too."""
    plan = wait_until(lambda: next(iter(daemon.get("/api/plans")["items"]), None), 60, why="a plan")["id"]
    step = daemon.get(f"/api/plans/{plan}")["items"][0]["id"]
    daemon.post(f"/api/plans/{plan}/apply", {"steps": [step]})
    wait_until(lambda: daemon.get("/api/plans")["total"] == 2, 60, why="the rest to wait")
    wait_until(lambda: past(daemon)["done"] == 1, 60, why="a history")


def past(daemon: Daemon) -> Any:
    """The plan that was done last."""
    return daemon.get("/api/plans")["items"][-1]


def propose(daemon: Daemon) -> None:
    """Have a clustering propose a change that waits: photos of one group were put into another, named one."""
    one, other = (found["id"] for found in daemon.get("/api/groups")["items"])
    daemon.post(f"/api/groups/{one}", {"name": "Pier"}, "PATCH")
    ids = [image["id"] for image in daemon.images(group=other)][:2]
    daemon.post(f"/api/groups/{one}/members", {"add": ids})
    daemon.post("/api/groups/release", {"images": ids})
    daemon.post("/api/groups/recluster")
    wait_until(lambda: daemon.get("/api/groups/proposal")["items"], 60, why="a proposal")


def photo(daemon: Daemon) -> str:
    return next(daemon.images())["id"]


def group(daemon: Daemon) -> str:
    return daemon.get("/api/groups")["items"][0]["id"]


def batch(daemon: Daemon) -> str:
    return daemon.get("/api/batches")["items"][0]["id"]


def press(key: str) -> Callable[[Page], None]:
    return lambda page: page.keyboard.press(key)


def click(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name).first.click()


def pick(key: str) -> Callable[[Page], None]:
    """Pick the first photo, and press a key."""

    def act(page: Page) -> None:
        page.get_by_role("listbox").get_by_role("option").first.focus()
        page.keyboard.press("x")
        page.keyboard.press(key)

    return act


def nothing(_: Page) -> None:
    pass


def lost(page: Page) -> None:
    """Follow a link to nowhere without asking the daemon."""
    page.evaluate("history.pushState({}, '', '/nowhere'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(page.get_by_text("There is no such page")).to_be_visible()


VIEWS: dict[str, tuple[Callable[[Daemon], str], Callable[[Page], None]]] = {
    "library": (lambda _: "/", nothing),
    "groups": (lambda _: "/groups", nothing),
    "groups, a level": (lambda _: "/groups?level=scene", nothing),
    "groups, a cut": (lambda _: "/groups?cut=0.2", nothing),
    "group": (lambda d: f"/groups/{group(d)}", nothing),
    "group, picking": (lambda d: f"/groups/{group(d)}", pick("Shift")),
    "group, moving": (lambda d: f"/groups/{group(d)}", pick("m")),
    "group, saying": (lambda d: f"/groups/{group(d)}", pick("d")),
    "group, merging": (lambda d: f"/groups/{group(d)}", click("Merge")),
    "proposed changes": (lambda _: "/groups/proposal", nothing),
    "edits of groups": (lambda _: "/groups/edits", nothing),
    "batches": (lambda _: "/batches", nothing),
    "new batch": (lambda _: "/batches", click("New batch")),
    "batch": (lambda d: f"/batches/{batch(d)}", nothing),
    "batch, picking": (lambda d: f"/batches/{batch(d)}", pick("Shift")),
    "batch, moving": (lambda d: f"/batches/{batch(d)}", pick("m")),
    "batch, ranking": (lambda d: f"/batches/{batch(d)}", click("Rank all groups")),
    "photos for a batch": (lambda d: f"/?into={batch(d)}", nothing),
    "library, to a batch": (lambda _: "/", pick("a")),
    "upload": (lambda _: "/", click("Upload")),
    "trash": (lambda _: "/trash", nothing),
    "trash, emptying": (lambda _: "/trash", click("Empty the trash")),
    "inbox": (lambda _: "/inbox", nothing),
    "inbox, picking": (lambda _: "/inbox", press("Control+a")),
    "rules": (lambda _: "/inbox/rules", nothing),
    "rules, editing": (lambda _: "/inbox/rules", click("Edit Months")),
    "sorted": (lambda _: "/inbox/history", nothing),
    "what was sorted": (lambda d: f"/inbox/history/{past(d)['id']}", press("Control+a")),
    "overview": (lambda _: "/overview", nothing),
    "overview as tables": (lambda _: "/overview", click("Over time as a table")),
    "pipeline": (lambda _: "/pipeline", nothing),
    "folders": (lambda _: "/roots", nothing),
    "jobs": (lambda _: "/jobs", nothing),
    "quarantine": (lambda _: "/quarantine", click("Why is broken.jpg here")),
    "settings": (lambda _: "/settings", nothing),
    "missing": (lambda _: "/", lost),
    "drawer": (lambda d: f"/?photo={photo(d)}", press("w")),
    "drawer, caption": (lambda d: f"/?photo={photo(d)}", click("On the pier")),
    "viewer": (lambda d: f"/?photo={photo(d)}&full=1", nothing),
    "viewer with facts": (lambda d: f"/?photo={photo(d)}&full=facts", nothing),
    "keyboard": (lambda _: "/", press("?")),
}


def look(page: Page, axe: str, where: str) -> list[str]:
    """What axe-core finds that is serious, in words; everything is counted."""
    page.evaluate(axe + ";0")
    found: dict[str, Any] = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    serious: list[str] = []
    for violation in found["violations"]:
        FOUND[violation["impact"]] += len(violation["nodes"])
        if violation["impact"] in WORST:
            nodes = [f"{node['target']} {node['failureSummary']}" for node in violation["nodes"][:4]]
            serious.append(f"{where}: {violation['id']} ({violation['impact']}): {violation['help']}: {nodes}")
    return serious


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_serious(browser, daemon, axe, view, scheme):
    path, act = VIEWS[view]
    with watched(browser, daemon.url, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto(daemon.url + path(daemon))
        expect(page.locator("h1, h2").first).to_be_attached()
        page.wait_for_timeout(500)  # what is fetched is there
        act(page)
        page.wait_for_timeout(300)
        assert look(page, axe, view) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_on_a_phone(browser, daemon, axe, scheme):
    serious: list[str] = []
    for name in (
        "library",
        "groups, a level",
        "group, picking",
        "proposed changes",
        "edits of groups",
        "batches",
        "batch",
        "trash",
        "inbox",
        "rules",
        "sorted",
        "what was sorted",
        "overview",
        "pipeline",
        "settings",
        "drawer",
        "viewer with facts",
    ):
        path, _ = VIEWS[name]
        size = {"width": 390, "height": 844}
        with watched(browser, daemon.url, color_scheme=scheme, viewport=size, has_touch=True, is_mobile=True) as page:
            page.goto(daemon.url + path(daemon))
            page.wait_for_timeout(800)  # what is fetched is there
            serious += look(page, axe, f"{name} on a phone")
    assert serious == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_on_the_first_run_and_at_the_door(browser, axe, tmp_path, scheme):
    (tmp_path / "empty").mkdir()
    (tmp_path / "token").write_text("the right token, as long as it has to be")
    api = {"require_token": True, "token_file": str(tmp_path / "token")}
    with Daemon(tmp_path / "d", [tmp_path / "empty"], {"api": api, "embed": {"space": "clip"}}) as daemon:
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(daemon.url)
        dialog = page.get_by_role("dialog", name="Sign in")
        expect(dialog).to_be_visible()
        serious = look(page, axe, "sign in")
        dialog.get_by_label("Token").fill("the right token, as long as it has to be")
        dialog.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="No photos yet")).to_be_visible(timeout=20_000)
        serious += look(page, axe, "first run")
        context.close()
    assert serious == []
