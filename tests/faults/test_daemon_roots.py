"""Disks that go away, come back, or come back as something else: absence is never deletion."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import write_photo
from tests.faults.test_daemon_killed import computed
from tests.harness import Daemon, wait_until

COUNT = 20


def fill(root: Path, count: int = COUNT) -> Path:
    for number in range(count):
        write_photo(root / f"{number % 4}" / f"{number}.jpg", seed=number, size=(160, 120))
    return root


def state(daemon: Daemon) -> str:
    return daemon.roots()[0]["state"]


def assert_away_and_whole(daemon: Daemon) -> None:
    wait_until(lambda: state(daemon) == "away", 20, why="the root to be away")
    root = daemon.roots()[0]
    assert root["reason"]["message"]
    assert root["ledger"] == {
        "on_disk": COUNT,
        "indexed": 0,
        "excluded": 0,
        "pending": 0,
        "failed": 0,
        "away": COUNT,
    }
    assert {image["status"] for image in daemon.images()} == {"away"}
    assert len(list(daemon.images())) == COUNT


def assert_back_for_free(daemon: Daemon, before: int) -> None:
    wait_until(lambda: state(daemon) == "online", 20, why="the root to be back")
    assert daemon.settled(COUNT)["indexed"] == COUNT
    assert computed(daemon) == before


def test_a_directory_swapped_for_an_empty_one_is_away_and_its_return_is_free(tmp_path):
    root = fill(tmp_path / "photos")
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(COUNT)
        before = computed(daemon)
        os.rename(root, tmp_path / "elsewhere")
        root.mkdir()
        assert_away_and_whole(daemon)
        root.rmdir()
        os.rename(tmp_path / "elsewhere", root)
        assert_back_for_free(daemon, before)


def test_a_directory_swapped_for_a_different_one_is_away(tmp_path):
    root = fill(tmp_path / "photos")
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(COUNT)
        before = computed(daemon)
        os.rename(root, tmp_path / "elsewhere")
        for number in range(30):
            write_photo(root / f"other{number}.jpg", seed=1000 + number, size=(160, 120))
        assert_away_and_whole(daemon)
        shutil.rmtree(root)
        os.rename(tmp_path / "elsewhere", root)
        assert_back_for_free(daemon, before)


def test_a_missing_directory_is_away_also_across_a_restart(tmp_path):
    root = fill(tmp_path / "photos")
    daemon = Daemon(tmp_path / "d", [root])
    with daemon:
        daemon.settled(COUNT)
    os.rename(root, tmp_path / "elsewhere")
    with daemon:
        assert_away_and_whole(daemon)
        os.rename(tmp_path / "elsewhere", root)
        assert_back_for_free(daemon, 0)


def test_half_of_the_files_vanishing_waits_for_an_answer(tmp_path):
    root = fill(tmp_path / "photos", 40)
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(40)
        for name in ("0", "1"):
            shutil.rmtree(root / name)
        wait_until(lambda: state(daemon) == "away", 20)
        wait_until(lambda: daemon.ledger()["away"] == 40, 20)
        assert len(list(daemon.images())) == 40
        identity = daemon.roots()[0]["id"]
        daemon.post(f"/api/roots/{identity}/confirm-gone", {})
        wait_until(lambda: state(daemon) == "online", 20)
        assert daemon.settled(20)["indexed"] == 20
        assert len(list(daemon.images())) == 20


def test_an_unreadable_root_is_unreadable_and_loses_nothing(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root reads everything: the unit tests of watch cover it")
    root = fill(tmp_path / "photos")
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(COUNT)
        root.chmod(0)
        try:
            wait_until(lambda: state(daemon) == "unreadable", 20)
        finally:
            root.chmod(0o755)
        wait_until(lambda: state(daemon) == "online", 20)
        assert daemon.settled(COUNT)["indexed"] == COUNT


def test_an_unmounted_volume_is_away_and_its_return_is_free(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(root)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        fill(root)
        keep = tmp_path / "keep"
        keep.mkdir()
        subprocess.run(["mount", "--bind", str(root), str(keep)], check=True)
        try:
            with Daemon(tmp_path / "d", [root]) as daemon:
                daemon.settled(COUNT)
                before = computed(daemon)
                subprocess.run(["umount", "-l", str(root)], check=True)
                assert_away_and_whole(daemon)
                subprocess.run(["mount", "--bind", str(keep), str(root)], check=True)
                assert_back_for_free(daemon, before)
        finally:
            subprocess.run(["umount", "-l", str(keep)], check=False)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=False)


def test_nothing_under_a_read_only_root_is_ever_opened_for_writing(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    root = fill(tmp_path / "photos")
    daemon = Daemon(tmp_path / "d", [root], {"worker": {"idle": "1s"}}).start()
    daemon.settled(COUNT)
    # The tracer follows children that are born under its eyes: the next worker has to be a new one.
    wait_until(lambda: not daemon.children(), 60, why="the worker and the analyst to end")
    trace = tmp_path / "trace"
    tracer = subprocess.Popen(
        ["strace", "-f", "-y", "-qq", "-o", str(trace), "-e", "trace=%file,%desc", "-p", str(daemon.core.pid)],
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(trace.exists, 10)
        write_photo(root / "new.jpg", seed=77, size=(160, 120))
        daemon.settled(COUNT + 1)
        (root / "new.jpg").unlink()
        daemon.settled(COUNT)
    finally:
        daemon.stop()
        tracer.wait(10)
    calls = [line for line in trace.read_text(errors="replace").splitlines() if str(root) in line]
    assert calls, "the trace saw no call on the root at all"
    assert len({line.split()[0] for line in calls}) > 1, "the worker was not traced"
    written = (
        "O_WRONLY",
        "O_RDWR",
        "O_CREAT",
        "rename",
        "unlink",
        "utime",
        "mkdir",
        "rmdir",
        "chmod",
        "chown",
        "link(",
    )
    assert [call for call in calls if any(word in call for word in written)] == []
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == sorted(f"{n}.jpg" for n in range(COUNT))
