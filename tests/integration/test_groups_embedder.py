"""Another embedding model on a real daemon: what the user decided of groups is the same in every space."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Daemon, wait_until

SUBJECTS = ("Leopards", "hawksbill", "pizza", "sunflower")
EACH = 12


@pytest.fixture
def photos(shared_data: Path, tmp_path: Path) -> Path:
    """A dozen real photos of each of four subjects, which both spaces tell from one another."""
    root = tmp_path / "photos"
    for subject in SUBJECTS:
        (root / subject).mkdir(parents=True)
        for photo in sorted((shared_data / "photos" / subject).iterdir())[:EACH]:
            shutil.copyfile(photo, root / subject / photo.name)
    return root


def in_space(home: Path, photos: Path, weights: Path, space: str) -> Daemon:
    own = {"model": "timm:mobilenetv2_100", "weights": str(weights), "args": {"pad_type": "same"}}
    return Daemon(home, [photos], {"embed": {"space": space}, "spaces.mobilenet": own})


def members(daemon: Daemon, group: str) -> set[str]:
    return {image["id"] for image in daemon.images(group=group)}


def touched(daemon: Daemon) -> dict[str, set[str]]:
    return {
        group["id"]: members(daemon, group["id"]) for group in daemon.get("/api/groups")["items"] if group["touched"]
    }


def of_subject(daemon: Daemon, group: str) -> dict[str, list[str]]:
    """Members by the subject they show."""
    found: dict[str, list[str]] = {}
    for image in daemon.images(group=group):
        found.setdefault(Path(image["files"][0]["path"]).parent.name, []).append(image["id"])
    return {subject: sorted(ids) for subject, ids in found.items()}


def recluster(daemon: Daemon) -> dict[str, Any]:
    job = daemon.post("/api/groups/recluster")
    ends = ("complete", "failed", "cancelled")
    done = wait_until(lambda: (one := daemon.get(f"/api/jobs/{job['id']}"))["state"] in ends and one, 60)
    assert done["state"] == "complete", done
    return done["result"]


def clustered(daemon: Daemon, space: str) -> None:
    """Wait until the daemon has by itself clustered all photos in that space."""

    def done() -> bool:
        jobs = [job["result"] for job in daemon.get("/api/jobs")["items"] if job["state"] == "complete"]
        return any((job.get("space"), job.get("photos")) == (space, len(SUBJECTS) * EACH) for job in jobs if job)

    daemon.settled(len(SUBJECTS) * EACH)
    wait_until(done, 120, why=f"a clustering in {space}")


def edited(daemon: Daemon) -> dict[str, Any]:
    """Decisions of every kind; what must hold from then on."""
    home = {}
    for group in daemon.get("/api/groups")["items"]:
        found = of_subject(daemon, group["id"])
        home.setdefault(max(found, key=lambda subject: len(found[subject])), group["id"])
    leopards, turtles, pizzas = (home[subject] for subject in SUBJECTS[:3])
    own = {subject: of_subject(daemon, home[subject])[subject] for subject in SUBJECTS[:3]}
    pinned, barred, refused, *_ = own["hawksbill"]
    one, other = own["Leopards"][:2]
    daemon.post(f"/api/groups/{leopards}", {"name": "Leopards"}, "PATCH")
    daemon.post(f"/api/groups/{turtles}", {"name": "Turtles"}, "PATCH")
    # A turtle that was put among the leopards and is free to go again: a line that would take it back is refused.
    daemon.post(f"/api/groups/{leopards}/members", {"add": [refused]})
    daemon.post("/api/groups/release", {"images": [refused]})
    recluster(daemon)
    line = next(line for line in daemon.get("/api/groups/proposal")["items"] if refused in line["images"])
    daemon.post(f"/api/groups/proposal/{line['id']}/refuse", {"images": [refused]})
    daemon.post(f"/api/groups/{leopards}/members", {"add": [pinned]})
    daemon.post(f"/api/groups/{turtles}/members", {"bar": [barred]})
    daemon.post("/api/groups/relations", {"images": [one, other], "relation": "apart"})
    daemon.post(f"/api/groups/{pizzas}/lock", {"locked": True}, "PUT")
    return {
        "names": {leopards: "Leopards", turtles: "Turtles", pizzas: None},
        "locked": pizzas,
        "pinned": (pinned, leopards),
        "barred": (barred, turtles),
        "apart": (one, other),
        "refused": (refused, line["group"], line["to"]),
        "members": touched(daemon),
        "edits": daemon.get("/api/groups/edits")["total"],
    }


def holds(daemon: Daemon, said: dict[str, Any]) -> None:
    """Nothing that the user decided is broken, and nobody but the user changed a group of theirs."""
    shown = {group["id"]: group for group in daemon.get("/api/groups")["items"]}
    now = touched(daemon)
    assert now == said["members"]
    assert {group: shown[group]["name"] for group in said["names"]} == said["names"]
    assert [group for group, one in shown.items() if one["locked"]] == [said["locked"]]
    pinned, home = said["pinned"]
    assert pinned in now[home]
    barred, strange = said["barred"]
    assert barred not in now[strange]
    one, other = said["apart"]
    assert not any({one, other} <= members(daemon, group) for group in shown)
    refused, group, to = said["refused"]
    assert refused in now[group]
    proposal = daemon.get("/api/groups/proposal")
    assert proposal["conflicts"] == []
    assert not any(
        refused in line["images"] for line in proposal["items"] if (line["group"], line["to"]) == (group, to)
    )
    for line in proposal["items"]:
        assert said["locked"] not in (line["group"], line["to"])
        assert pinned not in line["images"]
        assert not (barred in line["images"] and line["to"] == strange)
    assert daemon.get("/api/groups/edits")["total"] == said["edits"], "no line was accepted"


def test_a_change_of_the_embedding_space_and_back_changes_nothing_of_the_users(
    shared_data: Path, photos: Path, tmp_path: Path
) -> None:
    weights = shared_data / "weights" / "mobilenetv2_100.tfhub_ptq_in1k.safetensors"
    with in_space(tmp_path / "d", photos, weights, "builtin") as daemon:
        clustered(daemon, "builtin")
        said = edited(daemon)
        holds(daemon, said)
    for space in ("mobilenet", "builtin"):
        with in_space(tmp_path / "d", photos, weights, space) as daemon:
            clustered(daemon, space)
            holds(daemon, said)
            assert recluster(daemon)["changed"] == 0
            holds(daemon, said)
