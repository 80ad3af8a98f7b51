"""Every call of PIXSORT against the running daemon, in the order in which a client of it would make them.

`SCREENS` says which browser test drives each of its screens; a test checks that it exists.
"""

import ast
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import draw
from tests.harness import Daemon, wait_until

HERE = Path(__file__).parents[1]
SCREENS = {
    "project gallery with stacked previews and counts": (
        "test_batches.test_the_gallery_finds_sorts_follows_and_deletes_with_an_undo",
    ),
    "new-project dialog: name, pick images": ("test_batches.test_a_batch_is_made_of_picked_photos",),
    "project toolbox: two sliders, Analyze": (
        "test_batches.test_sliders_never_go_below_what_hdbscan_takes",
        "test_batches.test_groups_form_live_and_what_is_dragged_stays_through_an_analysis",
    ),
    "project toolbox: Upload & Add": ("test_upload.test_files_dropped_on_a_batch_go_into_it",),
    "project toolbox: Rename, Delete": (
        "test_batches.test_names_change_in_place",
        "test_batches.test_a_batch_is_deleted_from_its_page_and_comes_back",
    ),
    "switch All / Grouped, sections sorted by size": (
        "test_batches.test_sections_fold_and_the_view_is_in_the_address",
        "test_grid.test_by_group_with_names_and_what_is_closed",
    ),
    "grid with ticks, bar with count, Remove, Deselect": (
        "test_batches.test_photos_are_taken_out_and_come_back_as_they_were",
        "test_grid.test_marks_on_many_and_their_undoing",
    ),
    "side panel: dimensions, time, camera, place, exposure": (
        "test_rooms.test_exposure_place_and_copies_are_told_in_words",
    ),
    "side panel: stars, caption": ("test_rooms.test_what_is_written_in_the_drawer_survives_a_reload",),
    "Rank Images / Re-rank and the Ranked badge": (
        "test_batches.test_a_group_is_ranked_and_its_badge_goes_when_the_group_changes",
    ),
    "toasts": ("test_rooms.test_a_caption_is_undone_from_its_toast_and_left_with_escape",),
    "empty states": ("test_rooms.test_the_first_run_helps",),
    "delete": ("test_trash.test_a_photo_is_deleted_from_its_drawer_and_restored_from_the_trash",),
    "claimed there: drag-and-drop upload": ("test_upload.test_files_are_dropped_anywhere",),
    "claimed there: moving images between groups": (
        "test_batches.test_moving_with_the_keyboard_is_undone_to_what_was_said_before",
    ),
    "claimed there: scores shown": ("test_rooms.test_scores_stand_beside_those_of_the_others",),
    "claimed there: progress and live update": ("test_page.test_dropped_photos_appear_live",),
    "switched off there: filter, bulk delete": (
        "test_grid.test_filters_are_in_the_address",
        "test_grid.test_to_the_trash_and_back",
    ),
}

SHOTS = 7


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    home = tmp_path_factory.mktemp("pixsort")
    inbox = home / "inbox"
    inbox.mkdir()
    settings = {"score": {"metrics": ["piqe"]}}
    with Daemon(home / "d", {"inbox": {"path": str(inbox), "role": "inbox"}}, settings) as running:
        running.inbox = inbox  # type: ignore[attr-defined]
        yield running


def pictures(scene: int) -> dict[str, bytes]:
    """Look-alikes of one scene: the same picture, a little lighter each time."""
    import io

    found = {}
    for shot in range(SHOTS):
        out = io.BytesIO()
        draw(scene).point(lambda value, by=shot: min(255, value + by)).save(out, "JPEG", quality=92)
        found[f"scene{scene}-{shot}.jpg"] = out.getvalue()
    return found


def upload(daemon: Daemon, path: str, files: dict[str, bytes]) -> list[dict[str, Any]]:
    form = [("files", (name, data, "image/jpeg")) for name, data in files.items()]
    answer = httpx.post(daemon.url + path, files=form, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.fixture(scope="module")
def ids(daemon: Daemon) -> list[str]:
    """Calls 1 and 2: two scenes are uploaded, and listed when they are analysed."""
    files = pictures(1) | pictures(2)
    items = upload(daemon, "/api/images/upload", files)
    assert [one["filename"] for one in items] == list(files)
    assert [one["id"] for one in items] == [sha256(data).hexdigest() for data in files.values()]
    assert not any(one["is_duplicate"] for one in items)
    again = upload(daemon, "/api/images/upload", dict(list(files.items())[:1]))[0]
    assert (again["is_duplicate"], again["duplicate_of"]) == (True, items[0]["id"])
    wait_until(lambda: daemon.get("/api/images")["total"] == len(files), 60)
    return [one["id"] for one in items]


@pytest.fixture(scope="module")
def batch(daemon: Daemon, ids: list[str]) -> str:
    """Call 10: a project of all photos."""
    made = daemon.post("/api/batches", {"name": "Trip", "ids": ids})
    assert (made["size"], made["status"]) == (len(ids), "pending")
    return made["id"]


def test_calls_1_and_2_upload_and_list(daemon: Daemon, ids: list[str]) -> None:
    assert {one["id"] for one in daemon.images()} == set(ids)


def test_call_3_the_original(daemon: Daemon, ids: list[str]) -> None:
    status, headers, body = daemon.request(f"/api/images/{ids[0]}")
    assert (status, headers["Content-Type"], sha256(body).hexdigest()) == (200, "image/jpeg", ids[0])


def test_call_4_the_thumbnail(daemon: Daemon, ids: list[str]) -> None:
    status, headers, body = daemon.request(f"/api/images/thumbnail/{ids[0]}")
    assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")


def test_call_6_the_metadata(daemon: Daemon, ids: list[str]) -> None:
    known = daemon.get(f"/api/images/metadata/{ids[0]}")
    assert (known["width"], known["height"], known["name"]) == (640, 480, "scene1-0.jpg")


def test_calls_7_and_8_quality_of_one_and_of_many(daemon: Daemon, ids: list[str]) -> None:
    asked = daemon.post("/api/images/quality/batch", {"ids": ids, "metric": "piqe"})
    assert len(asked["items"]) == len(ids)
    one = wait_until(lambda: (found := daemon.get(f"/api/images/quality/{ids[0]}?metric=piqe"))["items"] and found)
    assert one["items"][0]["metric"] == "piqe"
    assert one["items"][0]["lower_better"] is True


def test_calls_9_11_and_12_projects_listed_opened_and_renamed(daemon: Daemon, batch: str) -> None:
    assert batch in {one["id"] for one in daemon.get("/api/batches")["items"]}
    assert daemon.post(f"/api/batches/{batch}", {"name": "Journey"}, "PUT")["name"] == "Journey"
    assert daemon.get(f"/api/batches/{batch}")["name"] == "Journey"


def test_calls_14_15_and_16_photos_put_in_and_taken_out(daemon: Daemon, ids: list[str], batch: str) -> None:
    fewer = daemon.post(f"/api/batches/{batch}/images", {"ids": ids[:2]}, "DELETE")
    assert fewer["size"] == len(ids) - 2
    assert daemon.post(f"/api/batches/{batch}/images", {"ids": ids[:2]})["size"] == len(ids)
    added = upload(daemon, f"/api/batches/{batch}/upload-and-add", {"late.jpg": next(iter(pictures(3).values()))})
    assert daemon.get(f"/api/batches/{batch}")["size"] == len(ids) + 1
    daemon.post(f"/api/batches/{batch}/images", {"ids": [added[0]["id"]]}, "DELETE")


def test_calls_17_18_and_19_analyse_regroup_and_rank(daemon: Daemon, ids: list[str], batch: str) -> None:
    wanted = {"min_cluster_size": 3, "min_samples": 2, "metric": "cosine"}
    assert daemon.post(f"/api/batches/{batch}/analyze", wanted, "PUT")["kind"] == "batch"
    done = wait_until(lambda: (found := daemon.get(f"/api/batches/{batch}"))["status"] == "complete" and found, 60)
    assert done["groups"] >= 2
    moved = daemon.post(f"/api/batches/{batch}/groups", {"labels": {ids[0]: "Best of"}}, "PUT")
    assert {one["id"] for one in moved["images"] if one["batch_group"] == "Best of"} == {ids[0]}

    def ranked() -> dict[str, Any] | None:
        found = daemon.post(f"/api/batches/{batch}/groups/Group%201/rank?metric=piqe")
        return found if all(one["rank"] for one in found["items"]) else None

    places = wait_until(ranked, 60)["items"]
    assert [one["rank"] for one in places] == list(range(1, len(places) + 1))
    shown = daemon.get(f"/api/batches/{batch}")["groups_list"]
    assert {one["label"]: one["metric"] for one in shown}["Group 1"] == "piqe"


def test_calls_13_and_5_project_and_photo_deleted(daemon: Daemon, ids: list[str], batch: str) -> None:
    daemon.post(f"/api/batches/{batch}", method="DELETE")
    assert daemon.request(f"/api/batches/{batch}")[0] == 404
    trashed = daemon.post(f"/api/images/{ids[-1]}", method="DELETE")
    assert trashed["items"][0]["name"] == f"scene2-{SHOTS - 1}.jpg"
    assert daemon.request(f"/api/images/{ids[-1]}")[0] == 404


def test_call_20_the_greeting_is_the_page(daemon: Daemon) -> None:
    status, headers, _ = daemon.request("/", headers={"Accept": "text/html"})
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/html")


def test_call_21_nobody_wipes_everything(daemon: Daemon, ids: list[str]) -> None:
    assert daemon.request("/api/admin/truncate-all", "DELETE")[0] == 404
    assert daemon.get("/api/images")["total"] >= len(ids) - 1


@pytest.mark.parametrize("screen", SCREENS)
def test_each_screen_has_its_browser_tests(screen: str) -> None:
    for name in SCREENS[screen]:
        module, _, function = name.partition(".")
        tree = ast.parse((HERE / "browser" / f"{module}.py").read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name
