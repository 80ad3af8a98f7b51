"""A likeness learned from corrections of real photos on a real daemon: judged, used, and switched off and on."""

import csv
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Daemon, wait_until

SUBJECTS = ("dalmatian", "elephant", "flamingo", "starfish")
LOT = 30
"""Corrections between two clusterings."""
LEARNED = "a likeness learned from"


@pytest.fixture
def labels(shared_data: Path) -> dict[str, str]:
    """What real photos show, by path below the directory they come from."""
    with (shared_data / "photos" / "labels.csv").open(newline="") as lines:
        return {line["file"]: line["label"] for line in csv.DictReader(lines) if line["label"] in SUBJECTS}


@pytest.fixture
def daemon(shared_data: Path, labels: Mapping[str, str], tmp_path: Path) -> Iterator[Daemon]:
    """Photos that the weight-free space tells from one another with many mistakes."""
    root = tmp_path / "photos"
    for photo in labels:
        (root / photo).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared_data / "photos" / photo, root / photo)
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(len(labels))
        wait_until(lambda: daemon.get("/api/groups")["items"], 60, why="groups")
        recluster(daemon)
        yield daemon


def recluster(daemon: Daemon) -> str:
    """How the groups were formed anew, in words."""
    job = daemon.post("/api/groups/recluster")
    ends = ("complete", "failed", "cancelled")
    done = wait_until(lambda: (one := daemon.get(f"/api/jobs/{job['id']}"))["state"] in ends and one, 60)
    assert done["state"] == "complete", done
    return daemon.get("/api/groups/proposal")["method"]


def placed(daemon: Daemon) -> dict[str, str]:
    """The group of each photo that is in one."""
    groups = daemon.get("/api/groups")["items"]
    return {image["id"]: group["id"] for group in groups for image in daemon.images(group=group["id"])}


def mistakes(daemon: Daemon, labels: Mapping[str, str]) -> dict[str, str]:
    """The photos in the wrong group or in none, by the group that most photos of their subject in any are in."""
    subjects = {image["id"]: labels["/".join(Path(image["files"][0]["path"]).parts[-2:])] for image in daemon.images()}
    now = placed(daemon)
    mostly: dict[str, str] = {}
    counts = Counter((subjects[photo], group) for photo, group in now.items())
    for (subject, group), _ in counts.most_common():
        if subject not in mostly and group not in mostly.values():
            mostly[subject] = group
    homes = {photo: mostly[subject] for photo, subject in sorted(subjects.items()) if subject in mostly}
    return {photo: group for photo, group in homes.items() if now.get(photo) != group}


def learning(daemon: Daemon) -> dict[str, Any]:
    return daemon.get("/api/groups/learning")


def test_corrections_teach_a_likeness_that_is_judged_and_can_be_switched_off(
    daemon: Daemon, labels: Mapping[str, str]
) -> None:
    assert (learning(daemon)["state"], learning(daemon)["pairs"]) == ("learning", 0)
    wrong = mistakes(daemon, labels)
    assert len(wrong) > LOT, "photos that are grouped without a mistake teach nothing"
    method, moved = "", dict[str, str]()
    for photo, group in wrong.items():
        daemon.post(f"/api/groups/{group}/members", {"add": [photo]})
        moved[photo] = group
        if len(moved) % LOT and len(moved) < len(wrong):
            continue
        method = recluster(daemon)
        told = learning(daemon)
        assert told["state"] in ("learning", "on", "worse")
        assert (told["edits"], told["use"]) == (len(moved), None)
        assert told["pairs"] >= told["held_out"] > 0
        assert (LEARNED in method) == (told["state"] == "on")
        assert f"{told['held_out']} pairs" in told["why"]
    assert told["state"] == "on", told
    assert told["learned"] > told["plain"]
    assert f"{LEARNED} {told['edits']} edits" in method

    off = daemon.post("/api/groups/learning", {"use": False}, "PUT")
    assert (off["state"], off["use"]) == ("off", False)
    assert LEARNED not in recluster(daemon)
    assert learning(daemon)["state"] == "off"
    assert learning(daemon)["held_out"] == told["held_out"], "it is judged nevertheless"
    assert moved.items() <= placed(daemon).items()

    again = daemon.post("/api/groups/learning", {"use": None}, "PUT")
    assert (again["state"], again["use"]) == ("learning", None)
    assert recluster(daemon) == method
    assert learning(daemon) == told
    assert moved.items() <= placed(daemon).items()
