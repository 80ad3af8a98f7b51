"""SIGKILL of the daemon while it sorts and takes back: disk, index and history agree after each restart."""

import hashlib
import os
import random
import time
from pathlib import Path

import pytest

from tests.conftest import write_photo
from tests.faults.test_daemon_killed import computed
from tests.harness import Daemon, wait_until

COUNT = 120


def look(*roots: Path) -> dict[str, tuple[str, int]]:
    """Content and time of every photo and sidecar, by path."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for root in roots
        for path in root.rglob("*")
        if path.suffix in (".jpg", ".xmp")
    }


def over(daemon: Daemon) -> list[dict]:
    """The history, newest first, once nothing is under way."""

    def quiet() -> list[dict] | None:
        runs = [one for one in daemon.get("/api/plans?limit=200")["items"] if one["state"] != "waiting"]
        return runs if all(one["state"] != "applying" for one in runs) else None

    return wait_until(quiet, 120, why="no plan to be under way")


def agrees(daemon: Daemon, inbox: Path, library: Path, truth: list[tuple[str, int]]) -> None:
    """Nothing is lost, doubled or left over, and the index knows every file where it is."""
    now = look(inbox, library)
    assert sorted(now.values()) == truth
    assert not [path for root in (inbox, library) for path in root.rglob(".pixsortd-*.*")], "something is left over"
    indexed = {file["path"] for image in daemon.images() for file in image["files"]}
    assert indexed == {path for path in now if path.endswith(".jpg")}
    for root in daemon.roots():
        ledger = root["ledger"]
        assert root["state"] == "online", root
        assert ledger["on_disk"] == sum(value for key, value in ledger.items() if key != "on_disk"), root
        assert ledger["away"] == 0, root


def kill_while_sorting(home: Path, library: Path, kills: int, seed: int) -> None:
    chance, inbox = random.Random(seed), home / "inbox"
    library.mkdir(parents=True)
    for number in range(COUNT):
        write_photo(inbox / f"{number}.jpg", seed=number, size=(160, 120))
        (inbox / f"{number}.xmp").write_text(f"settings {number}")
    before = look(inbox)
    truth = sorted(before.values())
    rule = {"name": "all", "to": f"{library}/{{format}}/{{stem|truncate(1)}}/{{name}}"}
    daemon = Daemon(
        home / "d",
        [{"path": str(inbox), "role": "inbox"}, {"path": str(library), "writable": True}],
        {"sort": {"delay": "200ms", "free_floor": "0B", "rules": [rule]}},
    )
    undone = hit = 0
    try:
        daemon.start()
        plan = wait_until(
            lambda: next((one for one in daemon.get("/api/plans")["items"] if one["steps"] == COUNT), None), 120
        )
        run = daemon.post(f"/api/plans/{plan['id']}/apply", {"steps": None})["id"]
        for turn in range(kills):
            time.sleep(chance.random() * 0.4)
            daemon.kill()
            there = len(look(inbox))
            hit += there not in (0, len(before))
            daemon.start()
            daemon.settled(seconds=120)
            runs = over(daemon)
            assert runs[0]["id"] == run, f"turn {turn}: the last run is not known any more"
            assert runs[0]["done"] == COUNT, f"turn {turn}: {runs[0]}"
            agrees(daemon, inbox, library, truth)
            assert computed(daemon) == 0, f"turn {turn}: photos were read again"
            assert len(look(inbox)) in (0, len(before)), f"turn {turn}: a plan was not finished"
            run = daemon.post(f"/api/plans/{run}/undo", {"steps": None})["id"]
            undone += 1
        over(daemon)
        agrees(daemon, inbox, library, truth)
        if undone % 2:
            assert look(inbox) == before
        assert daemon.stop() == 0
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
    print(f"{kills} kills, {hit} of them in the middle of a plan")


def test_killed_while_sorting(tmp_path: Path) -> None:
    kill_while_sorting(tmp_path, tmp_path / "library", 5, int(os.environ.get("PIXSORTD_TEST_SEED", "1")))


@pytest.mark.slow
def test_killed_often_while_sorting(tmp_path: Path) -> None:
    kill_while_sorting(tmp_path, tmp_path / "library", 60, 2)
