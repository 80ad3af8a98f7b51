"""Deleting and bringing back with the real daemon: nothing is lost, nothing is computed again, no brake is tripped."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_photo
from tests.faults.test_daemon_killed import computed
from tests.harness import Daemon, wait_until

TRASH = ".pixsortd-trash"


def fill(root: Path, count: int) -> Path:
    for number in range(count):
        write_photo(root / f"{number % 4}" / f"{number}.jpg", seed=number, size=(160, 120))
    return root


def writable(root: Path) -> dict[str, object]:
    return {"path": str(root), "writable": True}


def photo(daemon: Daemon, name: str) -> dict[str, Any]:
    """The image one of whose files has that name."""
    return next(one for one in daemon.images() if any(file["path"].endswith(f"/{name}") for file in one["files"]))


def delete(daemon: Daemon, image: str, file: str | None = None) -> tuple[int, dict[str, Any]]:
    status, _, body = daemon.request(f"/api/images/{image}" + (f"?file={file}" if file else ""), "DELETE")
    return status, json.loads(body)


def adds_up(daemon: Daemon) -> dict[str, int]:
    ledger = daemon.ledger()
    assert ledger["on_disk"] == sum(value for key, value in ledger.items() if key != "on_disk"), ledger
    return ledger


def pixsortd(daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pixsortd", *words, "--config", str(daemon.config)],
        capture_output=True,
        text=True,
        env=daemon.environ,
    )


def steps(daemon: Daemon, image: str) -> list[str]:
    return [step["what"] for step in daemon.get(f"/api/why?id={image}")["steps"]]


def test_a_deleted_photo_comes_back_with_all_it_had(tmp_path):
    root = fill(tmp_path / "photos", 6)
    (root / "0" / "0.xmp").write_text("settings")
    daemon = Daemon(tmp_path / "d", [writable(root)])
    with daemon:
        daemon.settled(8)  # with the sidecar and the root's marker
        image = photo(daemon, "0.jpg")["id"]
        assert daemon.get("/api/roots")["items"][0]["writable"] is True
        daemon.post(f"/api/images/{image}", {"rating": 4, "caption": "Anna"}, "PATCH")
        before = (root / "0" / "0.jpg").stat()
        status, answer = delete(daemon, image)
        assert status == 200
        assert answer["last_copy"] is True
        assert [item["companions"] for item in answer["items"]] == [1]
        assert image not in {one["id"] for one in daemon.images()}
        assert adds_up(daemon) == {"on_disk": 6, "indexed": 5, "excluded": 1, "pending": 0, "failed": 0, "away": 0}
        assert daemon.request(f"/api/images/thumbnail/{image}")[0] == 200
        assert daemon.request(f"/api/images/{image}")[0] == 404
        assert steps(daemon, image)[-1] == "trashed"
        listed = pixsortd(daemon, "trash", "list", "--json")
        assert [json.loads(line)["image"] for line in listed.stdout.splitlines()] == [image]
        daemon.stop()
        daemon.start()
        daemon.settled(6)
        page = daemon.get("/api/trash")
        assert (page["total"], page["items"][0]["last_copy"]) == (1, True)
        assert pixsortd(daemon, "trash", "restore", page["items"][0]["id"]).returncode == 0
        assert adds_up(daemon)["indexed"] == 6
        found = photo(daemon, "0.jpg")
        assert (found["id"], found["rating"], found["caption"]) == (image, 4, "Anna")
        assert steps(daemon, image)[-1] == "restored"
        assert daemon.settled(8)["indexed"] == 6
        assert computed(daemon) == 0
        after = (root / "0" / "0.jpg").stat()
        assert (after.st_mtime_ns, after.st_ino, after.st_mode) == (before.st_mtime_ns, before.st_ino, before.st_mode)
        assert daemon.get("/api/trash")["total"] == 0


def test_most_of_a_library_deleted_at_once_trips_no_brake(tmp_path):
    root = fill(tmp_path / "photos", 600)
    with Daemon(tmp_path / "d", [writable(root)]) as daemon:
        daemon.settled(601)
        before, images = computed(daemon), [one["id"] for one in daemon.images()]
        began = time.monotonic()
        answers = daemon.post("/api/trash", {"ids": images[:500]})["items"]
        print(f"500 photos deleted in {time.monotonic() - began:.2f} s")
        assert [answer["reason"] for answer in answers] == [None] * 500
        assert adds_up(daemon)["indexed"] == 100
        daemon.post(f"/api/roots/{daemon.roots()[0]['id']}/scan", {})
        for _ in range(12):  # longer than the grace time and many looks at the root
            time.sleep(0.25)
            assert daemon.roots()[0]["state"] == "online"
            assert adds_up(daemon)["away"] == 0
        assert {one["id"] for one in daemon.images()} == set(images[500:])
        items, cursor = [], ""
        while cursor is not None:
            page = daemon.get("/api/trash?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            items += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert len(set(items)) == len(items) == 500
        restored = daemon.post("/api/trash/restore", {"ids": items})["items"]
        assert [one["reason"] for one in restored] == [None] * 500
        assert daemon.settled(601)["indexed"] == 600
        assert {one["id"] for one in daemon.images()} == set(images)
        assert computed(daemon) == before
        assert daemon.get("/api/trash")["total"] == 0


def test_a_read_only_root_is_refused_with_the_way_out_and_nothing_is_touched(tmp_path):
    root, other = fill(tmp_path / "photos", 3), tmp_path / "other"
    other.mkdir()
    shutil.copy(root / "0" / "0.jpg", other / "twin.jpg")
    with Daemon(tmp_path / "d", [root, writable(other)]) as daemon:
        daemon.settled(5)
        image = photo(daemon, "0.jpg")
        status, problem = delete(daemon, image["id"])
        assert status == 409
        assert str(root) in problem["detail"]
        assert "writable = true" in problem["next_step"]
        bulk = daemon.post("/api/trash", {"ids": [image["id"], photo(daemon, "1.jpg")["id"]]})["items"]
        assert ["read-only" in one["reason"]["message"] for one in bulk] == [True, True]
        assert (other / "twin.jpg").exists(), "all or nothing"
        put = pixsortd(daemon, "trash", "put", str(root / "1" / "1.jpg"))
        assert put.returncode == 1
        assert "read-only" in put.stderr
        assert "writable = true" in put.stderr
        assert not (root / TRASH).exists()
        twin = next(file for file in image["files"] if file["path"].endswith("twin.jpg"))
        status, answer = delete(daemon, image["id"], twin["id"])
        assert (status, answer["last_copy"]) == (200, False)
        assert photo(daemon, "0.jpg")["id"] == image["id"]
        assert delete(daemon, image["id"], "0" * 44)[0] == 404
        assert delete(daemon, "0" * 64)[0] == 404


def test_a_refused_deletion_makes_no_call_that_writes(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    root = fill(tmp_path / "photos", 3)
    daemon = Daemon(tmp_path / "d", [root]).start()
    daemon.settled(3)
    trace = tmp_path / "trace"
    tracer = subprocess.Popen(
        ["strace", "-f", "-y", "-qq", "-o", str(trace), "-e", "trace=%file,%desc", "-p", str(daemon.core.pid)],
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(trace.exists, 10)
        images = [one["id"] for one in daemon.images()]
        assert delete(daemon, images[0])[0] == 409
        daemon.post("/api/trash", {"ids": images})
        daemon.post(f"/api/roots/{daemon.roots()[0]['id']}/scan", {})
        wait_until(lambda: str(root) in trace.read_text(errors="replace"), 20)
    finally:
        daemon.stop()
        tracer.wait(10)
    calls = [line for line in trace.read_text(errors="replace").splitlines() if str(root) in line]
    words = ("O_WRONLY", "O_RDWR", "O_CREAT", "rename", "unlink", "utime", "mkdir", "rmdir", "chmod", "chown", "link(")
    assert [call for call in calls if any(word in call for word in words)] == []


def test_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path):
    root = fill(tmp_path / "photos", 2)
    with Daemon(tmp_path / "d", [writable(root)]) as daemon:
        daemon.settled(3)
        image = photo(daemon, "0.jpg")["id"]
        _, answer = delete(daemon, image)
        write_photo(root / "0" / "0.jpg", seed=77, size=(160, 120))
        newcomer = (root / "0" / "0.jpg").read_bytes()
        daemon.settled(3)
        back = daemon.post("/api/trash/restore", {"ids": [answer["items"][0]["id"]]})["items"]
        assert back[0]["path"].endswith("/0/0 (2).jpg")
        assert (root / "0" / "0.jpg").read_bytes() == newcomer
        assert daemon.settled(4)["indexed"] == 3
        assert photo(daemon, "0 (2).jpg")["id"] == image


def test_a_deleted_directory_is_made_again(tmp_path):
    root = fill(tmp_path / "photos", 8)
    with Daemon(tmp_path / "d", [writable(root)]) as daemon:
        daemon.settled(9)
        images = [photo(daemon, f"{number}.jpg")["id"] for number in (0, 4)]
        items = [one["items"][0]["id"] for one in daemon.post("/api/trash", {"ids": images})["items"]]
        (root / "0").rmdir()
        daemon.post("/api/trash/restore", {"ids": items})
        assert sorted(path.name for path in (root / "0").iterdir()) == ["0.jpg", "4.jpg"]
        assert daemon.settled(9)["indexed"] == 8


def test_purging_deletes_for_good_and_says_when_it_was_the_last_copy(tmp_path):
    root = fill(tmp_path / "photos", 3)
    shutil.copy(root / "0" / "0.jpg", root / "twin.jpg")
    with Daemon(tmp_path / "d", [writable(root)]) as daemon:
        daemon.settled(5)
        answers = [delete(daemon, photo(daemon, name)["id"])[1] for name in ("0.jpg", "1.jpg")]
        assert len(answers[0]["items"]) == 2
        size = sum(item["size"] for answer in answers for item in answer["items"])
        assert daemon.get("/api/trash")["bytes"] == size
        first, second = (item["id"] for item in answers[0]["items"])
        assert daemon.post("/api/trash/purge", {"ids": [first]})["bytes"] > 0
        assert '"last_copy": true' not in daemon.tail(10**6)
        assert daemon.request("/api/trash/purge", "POST", {"ids": [first, second]})[0] == 404
        assert pixsortd(daemon, "trash", "empty", "--yes").returncode == 0
        assert daemon.tail(10**6).count('"last_copy": true') == 2
        assert list((root / TRASH).iterdir()) == []
        assert daemon.get("/api/trash")["total"] == 0
        assert daemon.settled(2)["indexed"] == 1


def test_nothing_below_the_trash_is_looked_at(tmp_path):
    root = fill(tmp_path / "photos", 3)
    with Daemon(tmp_path / "d", [writable(root)], {"watch": {"hidden": True}}) as daemon:
        daemon.settled(4)
        delete(daemon, photo(daemon, "0.jpg")["id"])
        (root / ".pixsortd-upload").mkdir()
        write_photo(root / ".pixsortd-upload" / "half.jpg", seed=9, size=(160, 120))
        daemon.post(f"/api/roots/{daemon.roots()[0]['id']}/scan", {})
        write_photo(root / "new.jpg", seed=8, size=(160, 120))
        assert daemon.settled(4) == {"on_disk": 4, "indexed": 3, "excluded": 1, "pending": 0, "failed": 0, "away": 0}


def test_a_root_that_went_away_keeps_its_trash(tmp_path):
    root = fill(tmp_path / "photos", 4)
    with Daemon(tmp_path / "d", [writable(root)]) as daemon:
        daemon.settled(5)
        before = computed(daemon)
        _, answer = delete(daemon, photo(daemon, "0.jpg")["id"])
        item = answer["items"][0]["id"]
        os.rename(root, tmp_path / "elsewhere")
        root.mkdir()
        wait_until(lambda: daemon.roots()[0]["state"] == "away", 20)
        kept = daemon.post("/api/trash/restore", {"ids": [item]})["items"][0]
        assert "away" in kept["reason"]["message"]
        assert delete(daemon, next(daemon.images())["id"])[0] == 409
        assert daemon.request("/api/trash/purge", "POST", {"ids": [item]})[0] == 409
        assert daemon.post("/api/trash/purge", {"ids": None})["bytes"] == 0
        assert list(root.iterdir()) == []
        root.rmdir()
        os.rename(tmp_path / "elsewhere", root)
        wait_until(lambda: daemon.roots()[0]["state"] == "online", 20)
        assert daemon.post("/api/trash/restore", {"ids": [item]})["items"][0]["reason"] is None
        assert daemon.settled(5)["indexed"] == 4
        assert computed(daemon) == before


def test_a_root_swapped_under_our_hands_loses_nothing(tmp_path):
    """The swap is younger than the daemon's last look at the root."""
    root = fill(tmp_path / "photos", 4)
    with Daemon(tmp_path / "d", [writable(root)], {"watch": {"liveness": "1h"}}) as daemon:
        daemon.settled(5)
        _, answer = delete(daemon, photo(daemon, "0.jpg")["id"])
        image = photo(daemon, "1.jpg")["id"]
        os.rename(root, tmp_path / "elsewhere")
        fill(root, 4)  # the same names and contents, other files
        status, problem = delete(daemon, image)
        assert status == 409, problem
        kept = daemon.post("/api/trash/restore", {"ids": [answer["items"][0]["id"]]})["items"][0]
        assert kept["reason"] is not None
        assert not (root / TRASH).exists()
        assert len(list((tmp_path / "elsewhere").rglob("*.jpg"))) == 4


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    place = tmp_path / "volume"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_mount_inside_a_root_has_a_trash_of_its_own(tmp_path, volume):
    fill(volume / "in", 4)
    with Daemon(tmp_path / "d", [writable(tmp_path)], {"watch": {"exclude": ["d/**"]}}) as daemon:
        wait_until(lambda: daemon.ledger()["indexed"] == 4, 60)
        image = photo(daemon, "0.jpg")["id"]
        _, answer = delete(daemon, image)
        assert [path.name.partition("-")[2] for path in (volume / TRASH).iterdir()] == ["0.jpg"]
        assert not (tmp_path / TRASH).exists()
        daemon.post("/api/trash/restore", {"ids": [answer["items"][0]["id"]]})
        assert (volume / "in" / "0" / "0.jpg").exists()
        assert adds_up(daemon)["indexed"] == 4


def test_a_bind_mount_of_a_part_is_copied_and_compared(tmp_path, volume):
    root = fill(tmp_path / "photos", 2)
    (tmp_path / "part").mkdir()
    os.rename(root / "1", tmp_path / "part" / "1")
    (root / "1").mkdir()
    subprocess.run(["mount", "--bind", str(tmp_path / "part" / "1"), str(root / "1")], check=True)
    try:
        with Daemon(tmp_path / "d", [writable(root)]) as daemon:
            daemon.settled(3)
            before = computed(daemon)
            file = root / "1" / "1.jpg"
            os.utime(file, ns=(10**18, 10**18 + 7))
            os.chmod(file, 0o640)
            daemon.settled(3)
            content, image = file.read_bytes(), photo(daemon, "1.jpg")["id"]
            wait_until(lambda: delete(daemon, image)[0] == 200, 20)
            stored = next((root / TRASH).iterdir())
            assert stored.read_bytes() == content
            assert list((root / "1").iterdir()) == []
            assert (stored.stat().st_mtime_ns, stored.stat().st_mode & 0o777) == (10**18 + 7, 0o640)
            daemon.post("/api/trash/restore", {"ids": [daemon.get("/api/trash")["items"][0]["id"]]})
            assert (file.read_bytes(), file.stat().st_mtime_ns) == (content, 10**18 + 7)
            assert list((root / TRASH).iterdir()) == []
            assert daemon.settled(3)["indexed"] == 2
            assert computed(daemon) == before
    finally:
        subprocess.run(["umount", "-l", str(root / "1")], check=False)


def test_a_file_system_mounted_read_only_says_so(tmp_path, volume):
    root = fill(volume / "photos", 2)
    with Daemon(tmp_path / "d", [writable(root)]) as daemon:
        daemon.settled(3)
        image = photo(daemon, "0.jpg")["id"]
        subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True)
        status, problem = delete(daemon, image)
        assert status == 409
        assert "read-only" in problem["detail"]
        subprocess.run(["mount", "-o", "remount,rw", str(volume)], check=True)
        assert photo(daemon, "0.jpg")["id"] == image
        assert delete(daemon, image)[0] == 200


def test_a_full_disk_under_the_journal_moves_nothing(tmp_path, volume):
    root = fill(tmp_path / "photos", 6)
    daemon = Daemon(volume / "d", [writable(root)], {"index": {"map_size": "64MB"}})
    with daemon:
        daemon.settled(7)
        images = [one["id"] for one in daemon.images()]
        assert delete(daemon, images[0])[0] == 200
        subprocess.run(["dd", "if=/dev/zero", f"of={volume / 'filler'}", "bs=4096"], stderr=subprocess.DEVNULL)
        answers = daemon.post("/api/trash", {"ids": images[1:]})["items"]
        assert all("full" in answer["reason"]["message"] for answer in answers), answers
        assert len(list(root.rglob("[0-9].jpg"))) == 5
        (volume / "filler").unlink()
        assert delete(daemon, images[1])[0] == 200
        assert adds_up(daemon)["indexed"] == 4


def kill_while_deleting(tmp_path: Path, kills: int, seed: int) -> None:
    """SIGKILL of the daemon in the middle of bulk deletes and restores."""
    chance, count = random.Random(seed), 120
    root = fill(tmp_path / "photos", count)
    daemon = Daemon(tmp_path / "d", [writable(root)])
    try:
        daemon.start()
        daemon.settled(count + 1)
        everything = {one["id"] for one in daemon.images()}
        for turn in range(kills):
            ids = [one["id"] for one in daemon.images()]
            stored = [item["id"] for item in daemon.get("/api/trash?limit=500")["items"]]
            restoring = bool(stored) and (len(stored) > 60 or chance.random() < 0.4)
            body = {"ids": stored} if restoring else {"ids": chance.sample(ids, min(len(ids), 60))}
            asking = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], sys.argv[2].encode(),"
                    " {'Content-Type': 'application/json'}, method='POST')).read()",
                    f"{daemon.url}/api/trash" + ("/restore" if restoring else ""),
                    json.dumps(body),
                ],
                stderr=subprocess.DEVNULL,
            )
            time.sleep(0.1 + chance.random() * 0.4)
            daemon.kill()
            asking.wait()
            daemon.start()
            ledger = daemon.settled()
            assert daemon.roots()[0]["state"] == "online", f"turn {turn}: {daemon.roots()[0]['reason']}"
            assert ledger["away"] == 0
            here = {one["id"] for one in daemon.images()}
            away = {item["image"] for item in daemon.get("/api/trash?limit=500")["items"]}
            assert here | away == everything
            assert not here & away
            assert ledger["indexed"] == len(here)
            assert len(list(root.rglob("*.jpg"))) == count
            assert computed(daemon) == 0
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()


def test_killed_while_deleting(tmp_path):
    kill_while_deleting(tmp_path, 5, int(os.environ.get("PIXSORTD_TEST_SEED", "1")))


@pytest.mark.slow
def test_killed_often_while_deleting(tmp_path):
    kill_while_deleting(tmp_path, 60, 2)
