"""Coarser and finer views on a real daemon: bursts by EXIF time, ids that last, duplicates that are none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

SIZE = 6
TIMES = ("10:00:00", "10:00:05", "10:00:05", "10:20:00", "10:20:01", "18:00:00")
"""Of every scene: a burst of three with a tie, one of two, and one taken in the evening."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Three scenes of six almost equal photos, and one without times."""
    root = tmp_path / "photos"
    for scene in range(4):
        for number in range(SIZE):
            when = {} if scene == 3 else {"DateTimeOriginal": f"2024:05:0{scene + 1} {TIMES[number]}"}
            write_photo(root / f"s{scene}" / f"{number}.jpg", seed=scene, size=(300 + number, 220), **when)
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(4 * SIZE)
        wait_until(lambda: len(daemon.get("/api/groups")["items"]) == 4, 60, why="four groups")
        recluster(daemon)
        yield daemon


def recluster(daemon: Daemon) -> None:
    job = daemon.post("/api/groups/recluster")
    ends = ("complete", "failed", "cancelled")
    wait_until(lambda: daemon.get(f"/api/jobs/{job['id']}")["state"] in ends, 60)


def cut(daemon: Daemon, query: str) -> dict[str, list[str]]:
    """Names of the photos by group of a view, in the order they come in, through pages of one."""
    found: dict[str, list[str]] = {}
    cursor = ""
    while True:
        page = daemon.get(f"/api/groups/cuts?{query}&limit=1{cursor}")
        for one in page["items"]:
            images = daemon.get(f"/api/groups/cuts/{one['id']}/images?{query}")
            assert (len(images["items"]), images["total"]) == (one["size"], one["size"])
            paths = [Path(image["files"][0]["path"]) for image in images["items"]]
            found[one["id"]] = [f"{path.parent.name}/{path.stem}" for path in paths]
        if page["next_cursor"] is None:
            assert (page["groups"], page["grouped"]) == (len(found), sum(map(len, found.values())))
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_views_of_a_library(daemon: Daemon) -> None:
    levels = daemon.get("/api/groups/levels")
    assert [(one["name"], one["groups"]) for one in levels["items"]] == [
        ("near-duplicate", 4),
        ("burst", 7),
        ("scene", 4),
        ("theme", 4),
    ]
    bursts = cut(daemon, "level=burst")
    timed = [names for names in bursts.values() if not names[0].startswith("s3")]
    assert sorted(map(sorted, timed)) == sorted(
        [f"s{scene}/{n}" for n in part] for scene in range(3) for part in ("012", "34")
    )
    assert [sorted(names) for names in bursts.values() if names[0].startswith("s3")] == [[f"s3/{n}" for n in "012345"]]
    assert sorted(map(len, cut(daemon, "level=scene").values())) == [5, 5, 5, 6]
    before: dict[str, Any] = {query: cut(daemon, query) for query in ("level=burst", "level=scene", "at=0.5", "at=1")}
    recluster(daemon)
    assert {query: cut(daemon, query) for query in before} == before


def test_photos_that_are_no_duplicates_part_at_once(daemon: Daemon) -> None:
    group = next(iter(cut(daemon, "level=near-duplicate")))
    images = daemon.get(f"/api/groups/cuts/{group}/images?level=near-duplicate")["items"]
    first, second = images[0]["id"], images[1]["id"]
    daemon.post("/api/groups/relations", {"images": [first, second], "relation": "distinct"})
    groups = [
        {image["id"] for image in daemon.get(f"/api/groups/cuts/{one['id']}/images?level=near-duplicate")["items"]}
        for one in daemon.get("/api/groups/cuts?level=near-duplicate")["items"]
    ]
    assert not any({first, second} <= photos for photos in groups)


def test_a_lost_or_broken_tree_is_made_anew(daemon: Daemon) -> None:
    file = next(daemon.home.rglob("levels.tree"))
    broken = file.with_name("broken")
    broken.write_bytes(file.read_bytes()[:-1] + b"?")
    broken.replace(file)
    assert daemon.get("/api/groups/levels")["items"] == []
    assert daemon.request("/api/groups/cuts?at=0.3")[0] == 409
    assert len(daemon.get("/api/groups/cuts")["items"]) == 4
    recluster(daemon)
    assert len(daemon.get("/api/groups/levels")["items"]) == 4
