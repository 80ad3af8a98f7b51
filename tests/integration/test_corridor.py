"""The whole corridor on a real daemon: files appear on disk and become photos, groups and answers."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until


@pytest.fixture
def photos(tmp_path) -> Path:
    """Twelve photos in two directories."""
    root = tmp_path / "photos"
    for number in range(12):
        write_photo(root / ("a" if number < 6 else "b") / f"p{number:02}.jpg", seed=number, size=(320, 240))
    return root


def names(daemon: Daemon, **query: object) -> set[str]:
    return {image["name"] for image in daemon.images(**query)}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def embedded(daemon: Daemon) -> float:
    """How many vectors the worker has computed since the daemon started."""
    _, _, body = daemon.request("/metrics")
    for line in body.decode().splitlines():
        if line.startswith("pixsortd_embeddings_computed_total"):
            return float(line.split()[-1])
    raise AssertionError("no such metric")


def test_a_photo_directory_becomes_a_library(tmp_path, photos):
    (photos / "notes.txt").write_text("not a photo")
    (photos / ".hidden.jpg").write_bytes(b"x")
    with Daemon(tmp_path / "d", [photos]) as daemon:
        ledger = daemon.settled(14)
        assert ledger == {"on_disk": 14, "indexed": 12, "excluded": 2, "pending": 0, "failed": 0, "away": 0}
        items = list(daemon.images())
        assert len(items) == 12
        one = next(item for item in items if item["name"] == "p03.jpg")
        assert one["id"] == sha256(photos / "a" / "p03.jpg")
        assert (one["width"], one["height"], one["status"]) == (320, 240, "indexed")
        status, headers, body = daemon.request(f"/api/images/{one['id']}")
        assert (status, body) == (200, (photos / "a" / "p03.jpg").read_bytes())
        status, _, part = daemon.request(f"/api/images/{one['id']}", headers={"Range": "bytes=10-19"})
        assert (status, part) == (206, body[10:20])
        status, _, _ = daemon.request(f"/api/images/{one['id']}", headers={"If-None-Match": headers["ETag"]})
        assert status == 304
        status, headers, body = daemon.request(f"/api/images/thumbnail/{one['id']}")
        assert status == 200
        assert "immutable" in headers["Cache-Control"]
        why = daemon.get(f"/api/why?id={one['id']}")
        assert why["steps"][0]["what"] == "found"
        assert "indexed" in [step["what"] for step in why["steps"]]
        excluded = daemon.get(f"/api/why?path={photos}/notes.txt")
        assert "not-a-photo" in json.dumps(excluded)
        similar = daemon.get(f"/api/search?like={one['id']}&limit=5")
        assert len(similar["items"]) == 5
        assert daemon.stop() == 0


def test_restart_without_change_reads_and_computes_nothing(tmp_path, photos):
    daemon = Daemon(tmp_path / "d", [photos])
    with daemon:
        daemon.settled(12)
        daemon.grouped()
    with daemon:
        daemon.settled(12)
        assert embedded(daemon) == 0
        assert not daemon.children()


def test_dropped_files_arrive_by_every_road(tmp_path, photos):
    arrivals = tmp_path / "arrivals"
    for number in range(100, 110):
        write_photo(arrivals / "tree" / "deep" / f"t{number}.jpg", seed=number, size=(200, 150))
    slow = write_photo(tmp_path / "slow.jpg", seed=999, size=(640, 480))
    with Daemon(tmp_path / "d", [photos]) as daemon:
        daemon.settled(12)
        shutil.copy(write_photo(tmp_path / "one.jpg", seed=50), photos / "one.jpg")
        os.rename(arrivals / "tree", photos / "tree")
        if shutil.which("rsync"):
            subprocess.run(["rsync", "-a", str(slow), str(photos / "synced.jpg")], check=True)
        else:
            shutil.copy(slow, photos / "synced.jpg")

        def trickle() -> None:
            data = write_photo(tmp_path / "trickle.jpg", seed=998, size=(640, 480)).read_bytes()
            with (photos / "trickle.jpg").open("wb") as out:
                for start in range(0, len(data), 5000):
                    out.write(data[start : start + 5000])
                    out.flush()
                    time.sleep(0.1)

        writer = threading.Thread(target=trickle)
        writer.start()
        writer.join()
        ledger = daemon.settled(12 + 1 + 10 + 1 + 1)
        assert ledger["failed"] == 0
        assert ledger["indexed"] == 25
        found = {image["id"] for image in daemon.images()}
        assert sha256(photos / "trickle.jpg") in found
        assert len(found) == 25
        steps = daemon.get(f"/api/why?id={sha256(photos / 'trickle.jpg')}")["steps"]
        assert [step["what"] for step in steps].count("indexed") == 1


def test_renames_and_moves_recompute_nothing_and_lose_nothing(tmp_path, photos):
    with Daemon(tmp_path / "d", [photos]) as daemon:
        daemon.settled(12)
        before = embedded(daemon)
        rated = sha256(photos / "a" / "p00.jpg")
        daemon.post(f"/api/images/{rated}", {"rating": 4}, "PATCH")
        for name in ("a", "b"):
            os.rename(photos / name, photos / f"renamed-{name}")
        os.rename(photos / "renamed-a" / "p00.jpg", photos / "top.jpg")
        wait_until(lambda: "top.jpg" in names(daemon), 20)
        wait_until(lambda: daemon.ledger()["away"] == 0, 20)
        assert daemon.settled(12)["indexed"] == 12
        assert embedded(daemon) == before
        image = daemon.get(f"/api/images/metadata/{rated}")
        assert image["rating"] == 4
        assert [Path(file["path"]).name for file in image["files"]] == ["top.jpg"]


def test_changed_content_is_a_new_photo(tmp_path, photos):
    with Daemon(tmp_path / "d", [photos]) as daemon:
        daemon.settled(12)
        old = sha256(photos / "a" / "p00.jpg")
        write_photo(photos / "a" / "p00.jpg", seed=4242, size=(300, 200))
        new = sha256(photos / "a" / "p00.jpg")
        wait_until(lambda: new in {image["id"] for image in daemon.images()}, 30)
        daemon.settled(12)
        assert old not in {image["id"] for image in daemon.images()}


def test_single_deletes_are_believed_after_the_grace_time(tmp_path, photos):
    with Daemon(tmp_path / "d", [photos]) as daemon:
        daemon.settled(12)
        (photos / "a" / "p01.jpg").unlink()
        wait_until(lambda: daemon.ledger()["away"] == 1, 10)
        wait_until(lambda: daemon.ledger()["on_disk"] == 11, 20)
        assert "p01.jpg" not in names(daemon)


def test_the_core_never_loads_the_model_libraries(tmp_path, photos):
    code = (
        "import sys, pixsortd.daemon.run, pixsortd.daemon.compose\n"
        "heavy = {'torch', 'hdbscan', 'pyiqa', 'sklearn', 'scipy', 'transformers', 'open_clip', 'timm'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code]).decode().strip() == "[]"
    with Daemon(tmp_path / "d", [photos]) as daemon:
        daemon.settled(12)
        job = daemon.post("/api/groups/recluster")
        wait_until(lambda: daemon.get(f"/api/jobs/{job['id']}")["state"] == "complete", 60)
        mapped = Path(f"/proc/{daemon.core.pid}/maps").read_text()
        assert "libtorch" not in mapped
        assert "_hdbscan" not in mapped


def test_names_and_ratings_come_back_after_the_index_is_deleted(tmp_path):
    root = tmp_path / "photos"
    for group in range(3):
        for number in range(8):
            write_photo(root / f"g{group}" / f"{number}.jpg", seed=group, size=(300 + number, 220))
    daemon = Daemon(tmp_path / "d", [root])
    with daemon:
        daemon.settled(24)
        groups = wait_until(lambda: daemon.get("/api/groups")["items"], 60, why="groups")
        named = groups[0]
        daemon.post(f"/api/groups/{named['id']}", {"name": "Beach 2019"}, "PATCH")
        members = {image["id"] for image in daemon.images(group=named["id"])}
        photo = sorted(members)[0]
        daemon.post(f"/api/images/{photo}", {"rating": 5}, "PATCH")
    shutil.rmtree(daemon.state_dir / "index")
    with daemon:
        daemon.settled(24)
        assert daemon.get(f"/api/images/metadata/{photo}")["rating"] == 5
        again = daemon.get(f"/api/groups/{named['id']}")
        assert again["name"] == "Beach 2019"
        assert {image["id"] for image in daemon.images(group=named["id"])} == members
        job = daemon.post("/api/groups/recluster")
        wait_until(lambda: daemon.get(f"/api/jobs/{job['id']}")["state"] == "complete", 60)
        assert daemon.get(f"/api/groups/{named['id']}")["name"] == "Beach 2019"


def test_a_second_daemon_on_the_same_state_is_refused_in_words(tmp_path, photos):
    daemon = Daemon(tmp_path / "d", [photos])
    with daemon:
        second = subprocess.run(
            [sys.executable, "-m", "pixsortd", "run", "--config", str(daemon.config)], capture_output=True, timeout=60
        )
        assert second.returncode == 3
        assert b"another pixsortd" in second.stderr
        assert daemon.get("/api/health/live")


def test_a_backlog_is_visible_before_it_is_scored(tmp_path, photos):
    settings = {"score": {"metrics": ["piqe"]}, "worker": {"batch_files": 4}}
    with Daemon(tmp_path / "d", [photos], settings) as daemon:
        daemon.settled(12)
        wait_until(lambda: all("piqe" in image["scores"] for image in daemon.images()), 120)
        write_photo(photos / "late.jpg", seed=900)
        wait_until(lambda: "late.jpg" in names(daemon), 60)
        late = next(image for image in daemon.images() if image["name"] == "late.jpg")
        assert "piqe" in late["scores"]


def test_a_newcomer_joins_its_nearest_group_at_once_and_says_why(tmp_path):
    root = tmp_path / "photos"
    for scene in range(3):
        for shot in range(8):
            write_photo(root / f"s{scene}" / f"{shot}.jpg", seed=scene, size=(300 + shot, 220))
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(24)
        wait_until(lambda: len(daemon.get("/api/groups")["items"]) == 3, 60, why="three groups")
        home = next(image["group"] for image in daemon.images() if "/s1/" in image["files"][0]["path"])
        new = write_photo(root / "new.jpg", seed=1, size=(303, 220), ImageDescription="the same scene once more")
        wait_until(lambda: sha256(new) in {image["id"] for image in daemon.images(group=home)}, 60)
        why = daemon.get(f"/api/why?id={sha256(new)}")
        assert why["membership"]["how"] == "joined"
        assert why["membership"]["nearest"]
        assert "grouped" in [step["what"] for step in why["steps"]]
