"""Groups edited on a real daemon: each edit holds at once, outlives everything, and can be taken back."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

SIZE = 8


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Three groups of eight photos each."""
    root = tmp_path / "photos"
    for group in range(3):
        for number in range(SIZE):
            write_photo(root / f"s{group}" / f"{number}.jpg", seed=group, size=(300 + number, 220))
    daemon = Daemon(tmp_path / "d", [root])
    with daemon:
        daemon.settled(3 * SIZE)
        wait_until(lambda: len(daemon.get("/api/groups")["items"]) == 3, 60, why="three groups")
        yield daemon


def members(daemon: Daemon, group: str) -> set[str]:
    return {image["id"] for image in daemon.images(group=group)}


def groups(daemon: Daemon) -> dict[str, set[str]]:
    return {group["id"]: members(daemon, group["id"]) for group in daemon.get("/api/groups")["items"]}


def recluster(daemon: Daemon) -> dict[str, Any]:
    job = daemon.post("/api/groups/recluster")
    unfinished = {"queued", "running"}
    done = wait_until(lambda: (found := daemon.get(f"/api/jobs/{job['id']}"))["state"] not in unfinished and found, 60)
    assert done["state"] == "complete", done
    return done


def test_every_edit_holds_at_once_and_can_be_taken_back(daemon: Daemon) -> None:
    before = groups(daemon)
    one, two, three = sorted(before)
    moved = sorted(before[one])[:2]
    placed = daemon.post(f"/api/groups/{two}/members", {"add": moved})
    assert members(daemon, two) == before[two] | set(moved)
    assert {group["id"]: group["size"] for group in placed["groups"]}[two] == SIZE + 2
    merged = daemon.post(f"/api/groups/{two}/merge", {"groups": [three]})
    assert three not in groups(daemon)
    split = daemon.post(f"/api/groups/{two}/split", {"images": sorted(before[three])})
    born = next(group["id"] for group in split["groups"] if group["id"] != two)
    assert members(daemon, born) == before[three]
    lineage = {step["event"] for step in daemon.get(f"/api/groups/{born}")["lineage"]}
    assert "split-from" in lineage
    for edit in (split, merged, placed):
        undone = daemon.post(f"/api/groups/edits/{edit['edit']}/undo")
        assert not undone["left"]
    assert groups(daemon) == before
    again = daemon.post(f"/api/groups/edits/{undone['edit']}/undo")
    assert members(daemon, two) == before[two] | set(moved)
    assert "Did again" in again["summary"]
    history = daemon.get("/api/groups/edits")
    assert history["total"] == 7
    assert history["items"][0]["edit"] == again["edit"]


def test_photos_of_all_groups_form_one_that_outlives_a_clustering_and_the_index(daemon: Daemon) -> None:
    before = groups(daemon)
    chosen = {min(photos) for photos in before.values()}
    made = daemon.post("/api/groups", {"images": sorted(chosen)})
    born = made["groups"][0]["id"]
    assert born not in before
    recluster(daemon)
    assert members(daemon, born) == chosen
    daemon.kill()
    shutil.rmtree(daemon.state_dir / "index")
    shutil.rmtree(daemon.state_dir / "backups", ignore_errors=True)
    with daemon:
        daemon.settled(3 * SIZE)
        recluster(daemon)
        assert members(daemon, born) == chosen
        daemon.post("/api" + made["undo"])
        assert born not in groups(daemon)
        assert set().union(*groups(daemon).values()) >= chosen


def test_photos_edited_since_are_left_when_an_edit_is_undone(daemon: Daemon) -> None:
    before = groups(daemon)
    one, two, three = sorted(before)
    first, second = sorted(before[one])[:2]
    placed = daemon.post(f"/api/groups/{two}/members", {"add": [first, second]})
    daemon.post(f"/api/groups/{three}/members", {"add": [second]})
    undone = daemon.post(f"/api/groups/edits/{placed['edit']}/undo")
    assert undone["left"] == ["edited since and left where they are: 1 photo"]
    assert first in members(daemon, one)
    assert second in members(daemon, three)


def test_a_lock_binds_clusterings_and_not_the_user(daemon: Daemon) -> None:
    before = groups(daemon)
    one, two, three = sorted(before)
    first, second, third = sorted(before[one])[:3]
    for group in (one, two):
        daemon.post(f"/api/groups/{group}/lock", {"locked": True}, "PUT")
    edits = [
        daemon.post(f"/api/groups/{two}/members", {"add": [first]}),
        daemon.post(f"/api/groups/{one}/members", {"remove": [second]}),
        daemon.post(f"/api/groups/{one}/split", {"images": [third]}),
        daemon.post(f"/api/groups/{two}/merge", {"groups": [three]}),
    ]
    after = groups(daemon)
    assert after[two] == before[two] | before[three] | {first}
    assert after[one] == before[one] - {first, second, third}
    recluster(daemon)
    assert groups(daemon) == after
    for edit in reversed(edits):
        assert not daemon.post(f"/api/groups/edits/{edit['edit']}/undo")["left"]
    assert groups(daemon) == before


def test_relations_hold_at_once(daemon: Daemon) -> None:
    before = groups(daemon)
    one, two, _ = sorted(before)
    a, b = sorted(before[one])[:2]
    c = min(before[two])
    apart = daemon.post("/api/groups/relations", {"images": [a, b], "relation": "apart"})
    assert sum(photo in members(daemon, one) for photo in (a, b)) == 1
    daemon.post(f"/api/groups/edits/{apart['edit']}/undo")
    assert groups(daemon) == before
    together = daemon.post("/api/groups/relations", {"images": [a, c], "relation": "together"})
    assert any({a, c} <= found for found in groups(daemon).values())
    daemon.post(f"/api/groups/edits/{together['edit']}/undo")
    assert groups(daemon) == before


def edited(daemon: Daemon) -> dict[str, set[str]]:
    """One edit of each kind; the groups afterwards."""
    before = groups(daemon)
    one, two, three = sorted(before)
    photos = {group: sorted(found) for group, found in before.items()}
    daemon.post(f"/api/groups/{one}", {"name": "Harbour"}, "PATCH")
    daemon.post(f"/api/groups/{one}/members", {"add": photos[two][:2]})
    daemon.post(f"/api/groups/{one}/members", {"bar": photos[one][:1]})
    daemon.post(f"/api/groups/{two}/split", {"images": photos[two][2:4]})
    daemon.post(f"/api/groups/{three}/lock", {"locked": True}, "PUT")
    daemon.post("/api/groups/relations", {"images": [photos[two][2], photos[two][5]], "relation": "apart"})
    return groups(daemon)


def test_edits_outlive_reclustering_a_restart_and_the_index(daemon: Daemon) -> None:
    after = edited(daemon)
    shown = {group["id"]: group for group in daemon.get("/api/groups")["items"]}
    recluster(daemon)
    assert groups(daemon) == after
    daemon.kill()
    with daemon:
        assert groups(daemon) == after
    shutil.rmtree(daemon.state_dir / "index")
    shutil.rmtree(daemon.state_dir / "backups", ignore_errors=True)
    with daemon:
        daemon.settled(3 * SIZE)
        recluster(daemon)
        touched = {group for group, found in shown.items() if found["touched"]}
        again = groups(daemon)
        assert {group: again[group] for group in touched} == {group: after[group] for group in touched}
        for group in touched:
            told = daemon.get(f"/api/groups/{group}")
            assert (told["name"], told["locked"], told["touched"]) == (
                shown[group]["name"],
                shown[group]["locked"],
                True,
            )


def test_a_proposal_waits_line_by_line_and_a_refusal_outlives_the_index(daemon: Daemon) -> None:
    before = groups(daemon)
    one, two, _ = sorted(before)
    refused, accepted = sorted(before[two])[:2]
    daemon.post(f"/api/groups/{one}", {"name": "Harbour"}, "PATCH")
    daemon.post(f"/api/groups/{one}/members", {"add": [refused, accepted]})
    daemon.post("/api/groups/release", {"images": [refused, accepted]})
    recluster(daemon)
    assert members(daemon, one) == before[one] | {refused, accepted}, "nobody but the user changes a named group"
    [line] = daemon.get("/api/groups/proposal")["items"]
    assert (line["group"], line["to"], line["photos"], line["waits"]) == (one, two, 2, True)
    assert daemon.get(f"/api/groups/{one}")["waiting"] == 1
    daemon.post(f"/api/groups/proposal/{line['id']}/refuse", {"images": [refused]})
    [rest] = daemon.get("/api/groups/proposal")["items"]
    daemon.post(f"/api/groups/proposal/{rest['id']}/accept", {"images": None})
    after = groups(daemon)
    assert after[one] == before[one] | {refused}
    assert daemon.get("/api/groups/proposal")["items"] == []
    assert recluster(daemon)["result"]["changed"] == 0
    daemon.kill()
    shutil.rmtree(daemon.state_dir / "index")
    shutil.rmtree(daemon.state_dir / "backups", ignore_errors=True)
    with daemon:
        daemon.settled(3 * SIZE)
        recluster(daemon)
        assert members(daemon, one) == after[one]
        assert daemon.get("/api/groups/proposal")["items"] == []
        assert daemon.get(f"/api/groups/{one}")["name"] == "Harbour"
