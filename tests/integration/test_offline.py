"""Commands without a daemon: what the index of its last run answers, and what only a daemon can do."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

LOCK = "index/lock.mdb"
"""LMDB writes its reader table into it, which is how a daemon that starts meanwhile spares the pages being read."""


def ask(daemon: Daemon, *words: object, code: int = 0) -> tuple[list[dict[str, Any]], str]:
    """The JSON lines a command prints, and what it says on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "pixsortd", *map(str, words), "--config", str(daemon.config), "--json"],
        capture_output=True,
        env=daemon.environ,
        text=True,
        check=False,
    )
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def answers(daemon: Daemon, photos: Path) -> dict[str, list[dict[str, Any]]]:
    """What the reading commands answer."""
    found = {"groups": ask(daemon, "groups", "list")[0]}
    group = found["groups"][0]["id"]
    known = photos / "a" / "0.jpg"
    asked: dict[str, tuple[object, ...]] = {
        "roots": ("roots", "list"),
        "members": ("groups", "show", group),
        "why path": ("why", known),
        "why content": ("why", hashlib.sha256(known.read_bytes()).hexdigest()),
        "why excluded": ("why", photos / "notes.txt"),
        "why below": ("why", photos / ".hidden" / "x.jpg"),
        "like": ("search", "--like", known, "-n", 5),
        "batches": ("batches", "list"),
        "batch": ("batches", "show", "Two scenes"),
        "quarantine": ("quarantine", "list"),
        "status": ("status",),
    }
    found |= {name: ask(daemon, *words)[0] for name, words in asked.items()}
    found["why failed"] = ask(daemon, "why", found["quarantine"][0]["id"])[0]
    return found


def contents(state_dir: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of the state directory: digest and time of change."""
    return {
        str(path.relative_to(state_dir)): (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns)
        for path in sorted(state_dir.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes of eight photos, a broken one, and files that are none."""
    root = tmp_path_factory.mktemp("roots") / "photos"
    for seed, directory in enumerate("ab"):
        for number in range(8):
            write_photo(root / directory / f"{number}.jpg", seed=seed, size=(300 + number, 220))
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    (root / "notes.txt").write_text("not a photo")
    write_photo(root / ".hidden" / "x.jpg", seed=7)
    return root


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> tuple[Daemon, dict[str, list[dict[str, Any]]]]:
    """A daemon that has stopped, and what it answered before."""
    daemon = Daemon(tmp_path_factory.mktemp("home"), [photos], {"cluster": {"min_cluster_size": 4}})
    with daemon:
        daemon.settled()
        job = daemon.post("/api/groups/recluster")
        wait_until(lambda: daemon.get(f"/api/jobs/{job['id']}")["state"] == "complete", 60)
        known = hashlib.sha256((photos / "a" / "0.jpg").read_bytes()).hexdigest()
        daemon.post(f"/api/images/{known}", {"rating": 4, "label": "green", "caption": "Mühle"}, "PATCH")
        ids = [image["id"] for image in daemon.images(status="indexed")]
        which = ask(daemon, "batches", "create", "Two scenes", *ids)[0][0]["id"]
        ask(daemon, "batches", "analyze", "Two scenes", "--min-cluster-size", 3, "--wait")
        ask(daemon, "batches", "rename", ask(daemon, "batches", "create", "Gone", known)[0][0]["id"], "Deleted")
        ask(daemon, "batches", "delete", "Deleted")
        daemon.post(f"/api/batches/{which}/groups", {"labels": {known: "Mills"}}, "PUT")
        ask(daemon, "groups", "rename", next(iter(daemon.get("/api/groups")["items"]))["id"], "Märchen")
        scanned, _ = ask(daemon, "scan", "--wait")
        assert scanned[0]["detail"] == f"{daemon.ledger()['on_disk']} files seen"
        found = answers(daemon, photos)
    return daemon, found


@pytest.fixture
def stopped(before: tuple[Daemon, object]) -> Iterator[Daemon]:
    """The stopped daemon; the test must leave its state directory as it is."""
    daemon, _ = before
    was = contents(daemon.state_dir)
    yield daemon
    now = contents(daemon.state_dir)
    was.pop(LOCK, None)
    now.pop(LOCK, None)
    assert now == was


def test_the_index_answers_as_the_daemon_did(stopped, before, photos):
    was, now = before[1], answers(stopped, photos)
    for found in (was, now):
        found["similar"] = [{key: value for key, value in one.items() if key != "similarity"} for one in found["like"]]
    assert [one["similarity"] for one in now.pop("like")] == pytest.approx([one["similarity"] for one in was["like"]])
    (status,), (daemon,) = now.pop("status"), was["status"]
    assert now == {name: was[name] for name in now}
    image = now["why path"][0]["image"]
    assert (image["rating"], image["label"], image["caption"]) == (4, "green", "Mühle")
    assert [one["name"] for one in now["batches"]] == ["Two scenes"]
    assert [one["label"] for one in now["batch"][0]["groups_list"]][-1] == "Mills"
    assert now["groups"][0]["name"] == "Märchen"
    assert status["worker"]["state"] == "off"
    assert (status["pid"], status["uptime"]) == (0, 0)
    assert status["notices"][0]["code"] == "daemon-down"
    of_a_process = {"pid", "started", "uptime", "worker", "notices", "index", "queue", "stages"}
    assert {key: status[key] for key in status.keys() - of_a_process} == {
        key: daemon[key] for key in daemon.keys() - of_a_process
    }
    of_a_moment = {"bytes", "free", "generation"}
    assert {key: value for key, value in status["index"].items() if key not in of_a_moment} == {
        key: value for key, value in daemon["index"].items() if key not in of_a_moment
    }


def test_it_is_said_where_the_answer_is_from(stopped):
    _, said = ask(stopped, "quarantine", "list")
    assert "No daemon runs: this is from its index as of 20" in said
    assert ask(stopped, "quarantine", "list", "--quiet")[1] == ""
    assert "there is no group g9" in ask(stopped, "groups", "show", "g9", code=6)[1]
    assert "not known" in ask(stopped, "why", "/nowhere/x.jpg", code=6)[1]


@pytest.mark.parametrize(
    "words",
    [
        ("scan",),
        ("roots", "scan", "any"),
        ("roots", "confirm-gone", "any"),
        ("groups", "rename", "g", "name"),
        ("groups", "merge", "g", "h"),
        ("groups", "proposal"),
        ("groups", "accept", "--all"),
        ("groups", "edits"),
        ("groups", "undo", "e"),
        ("groups", "recluster"),
        ("quarantine", "retry", "--all"),
    ],
)
def test_what_changes_something_needs_the_daemon(stopped, words):
    _, said = ask(stopped, *words, code=4)
    assert "no daemon runs" in said
    assert "`pixsortd run`" in said


def test_the_address_of_a_killed_daemon_is_not_believed(stopped):
    note = stopped.state_dir / "run" / "daemon.json"
    note.write_text('{"pid": 1, "url": "http://127.0.0.1:9", "token": null, "version": ""}')
    try:
        assert ask(stopped, "groups", "list")[0]
    finally:
        note.unlink()


def test_no_lock_file_is_made_where_none_is(stopped, tmp_path):
    (tmp_path / "index").mkdir()
    data = (stopped.state_dir / "index" / "data.mdb").read_bytes()
    (tmp_path / "index" / "data.mdb").write_bytes(data)
    assert ask(stopped, "groups", "list", "--set", f"state_dir={tmp_path}")[0]
    assert os.listdir(tmp_path / "index") == ["data.mdb"]
    assert os.listdir(tmp_path) == ["index"]


def test_a_damaged_index_is_said_and_left_alone(stopped, tmp_path):
    (tmp_path / "index").mkdir()
    data = bytearray((stopped.state_dir / "index" / "data.mdb").read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 + 10 : page * 4096 + 40] = b"\xa5" * 30
    (tmp_path / "index" / "data.mdb").write_bytes(data)
    _, said = ask(stopped, "groups", "list", "--set", f"state_dir={tmp_path}", code=7)
    assert "damaged" in said
    assert (tmp_path / "index" / "data.mdb").read_bytes() == data


def test_an_index_that_was_never_finished_is_none(stopped, tmp_path):
    (tmp_path / "index").mkdir()
    lmdb.open(str(tmp_path / "index")).close()
    assert "no daemon runs" in ask(stopped, "status", "--set", f"state_dir={tmp_path}", code=4)[1]


def test_nothing_heavy_is_loaded(stopped):
    code = (
        "import sys, pixsortd.daemon.offline.answers\n"
        "heavy = {'torch', 'hdbscan', 'sklearn', 'scipy', 'litestar', 'watchdog', 'PIL', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code]).decode().strip() == "[]"
