"""Scenarios for a process of their own: they mount, lower kernel limits, or are watched by strace.

Run as ``python -m tests.faults.watch_scenarios NAME DIRECTORY``; a failed assertion is the result.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pixsortd.config import Duration, RootSettings, WatchSettings
from pixsortd.records import FileState, RootState, WatchMode
from pixsortd.watch import mounts
from pixsortd.watch.observer import Observer
from pixsortd.watch.watcher import RootWatcher
from tests.unit.fake_catalog import FakeCatalog
from tests.unit.watch_stage import EXTENSIONS, Stage


def sh(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True)


def filled(root: Path, count: int = 40) -> Stage:
    stage = Stage(root, observe=Observer)
    for number in range(count):
        stage.write(f"{number % 4}/{number}.jpg", b"photo %d" % number)
    stage.index()
    stage.run(5)
    stage.catalog.forget_changes()
    return stage


def untouched(stage: Stage, count: int = 40) -> bool:
    """Nothing was recorded, and every photo is as it was (``lost+found`` is there too, and excluded)."""
    states = [state for state in stage.states().values() if state is not FileState.EXCLUDED]
    return stage.catalog.changes == [] and states == [FileState.INDEXED] * count


def unmounted_and_back(place: Path) -> None:
    """A volume goes, leaving an empty mount point, and comes back under another device number."""
    volume, root = place / "volume.img", place / "root"
    root.mkdir()
    with open(volume, "wb") as image:
        image.truncate(16 << 20)
    sh("mkfs.ext4", "-q", volume)
    sh("mount", "-o", "loop", volume, root)
    stage = filled(root)
    for _ in range(2):
        sh("umount", root)  # nothing of ours may keep it busy
        stage.run(1000)
        assert stage.record.state is RootState.AWAY, stage.record
        assert stage.record.reason is not None
        assert stage.record.reason.code == "root-empty"
        assert untouched(stage), stage.catalog.changes
        assert list(root.iterdir()) == []
        sh("mount", "-o", "loop", volume, root)
        stage.run(10)
        assert stage.record.state is RootState.ONLINE, stage.record
        assert untouched(stage), stage.catalog.changes
    stage.write("after.jpg")
    stage.until(lambda: b"after.jpg" in stage.states())
    stage.close()
    sh("umount", root)


def copied_to_another_volume(place: Path) -> None:
    """The photos come back on a new disk: other device, other inodes, other ctimes."""
    root, kept = place / "root", place / "kept"
    root.mkdir()
    sh("mount", "-t", "tmpfs", "none", root)
    stage = filled(root)
    sh("cp", "-a", f"{root}/.", kept)
    sh("umount", root)
    stage.run(10)
    assert stage.record.state is RootState.AWAY
    sh("mount", "-t", "tmpfs", "none", root)
    stage.run(10)
    assert stage.record.state is RootState.AWAY
    sh("cp", "-a", f"{kept}/.", root)
    stage.run(10)
    assert stage.record.state is RootState.ONLINE, stage.record
    assert list(stage.states().values()) == [FileState.INDEXED] * 40
    stage.catalog.forget_changes()
    stage.scan(10)
    assert untouched(stage)
    stage.close()


def covered_by_another_volume(place: Path) -> None:
    """Another disk is mounted over the root."""
    root = place / "root"
    stage = filled(root)
    sh("mount", "-t", "tmpfs", "none", root)
    for number in range(20):
        (root / f"stranger-{number}.jpg").write_bytes(b"%d" % number)
    stage.run(1000)
    assert stage.record.state is RootState.AWAY
    assert stage.record.reason is not None
    assert stage.record.reason.code == "other-volume"
    assert untouched(stage)
    sh("umount", root)
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert untouched(stage)
    stage.close()


def a_disk_in_the_root(place: Path) -> None:
    """A disk mounted below the root goes and comes; fewer files than the brake needs."""
    root, disk = place / "root", place / "disk"
    disk.mkdir()
    for number in range(5):
        (disk / f"{number}.jpg").write_bytes(b"on disk %d" % number)
    (root / "disk").mkdir(parents=True)
    sh("mount", "--bind", disk, root / "disk")
    stage = filled(root)
    assert stage.record.mounts == (b"disk",), stage.record
    assert len(stage.states()) == 45
    sh("umount", root / "disk")
    stage.run(2000)
    assert stage.record.state is RootState.ONLINE
    assert stage.record.reason is not None
    assert stage.record.reason.code == "mount-away"
    assert stage.ledger.away == 5
    stage.catalog.forget_changes()
    sh("mount", "--bind", disk, root / "disk")
    stage.run(20)
    assert stage.record.reason is None
    assert stage.ledger.away == 0
    assert len(stage.states()) == 45
    assert {type(change).__name__ for change in stage.catalog.changes} == {"Back"}
    sh("umount", root / "disk")
    stage.run(20)
    assert stage.watcher.confirm_gone() == 5
    assert len(stage.states()) == 40
    stage.close()
    sh("rm", "-rf", root)


def read_only(place: Path) -> None:
    """A root on a file system that cannot be written at all."""
    root = place / "root"
    for number in range(10):
        (root / f"{number % 3}").mkdir(parents=True, exist_ok=True)
        (root / f"{number % 3}/{number}.jpg").write_bytes(b"%d" % number)
    sh("mount", "--bind", root, root)
    sh("mount", "-o", "remount,bind,ro", root)
    stage = Stage(root, observe=Observer)
    stage.index()
    stage.run(1000)
    assert stage.ledger.indexed == 10
    assert stage.record.watch is WatchMode.EVENTS
    stage.close()


def polled(place: Path) -> None:
    """A file system without events; FUSE and network shares are known by their type."""
    stage = filled(place / "root")
    real = mounts.read()
    mounts.read = lambda: [*real, mounts.Mount(point=os.fsencode(stage.root), kind="cifs")]
    stage.restart()
    stage.run(5)
    assert stage.record.watch is WatchMode.POLLING
    for blink in range(3):
        os.rename(stage.root, place / "blink")
        stage.root.mkdir()
        stage.run(7)
        assert stage.record.state is RootState.AWAY
        stage.root.rmdir()
        os.rename(place / "blink", stage.root)
        stage.run(7)
        assert stage.record.state is RootState.ONLINE, blink
    stage.run(1000)
    assert untouched(stage)
    stage.close()


def few_watches(place: Path) -> None:
    """The kernel grants twenty watches to a root of fifty directories."""
    limit = Path("/proc/sys/user/max_inotify_watches")
    limit.write_text("20")
    stage = Stage(place / "root", observe=Observer)
    for number in range(50):
        stage.write(f"{number}/x.jpg", b"%d" % number)
    began = stage.now
    stage.run(1)
    assert stage.record.watch is WatchMode.DEGRADED
    assert stage.now - began < 10
    assert stage.record.watch_reason is not None
    assert "max_user_watches" in stage.record.watch_reason.next_step
    assert stage.record.watched == 20, stage.record
    stage.run(3)
    for number in range(50):
        stage.write(f"{number}/y.jpg", b"y%d" % number)
    stage.run(45)
    assert stage.ledger.pending == 100
    assert all(row.settled for row in stage.rows().values())
    limit.write_text("100")
    stage.scan(5)
    assert stage.record.watch is WatchMode.EVENTS
    assert stage.record.watched == 51
    stage.close()


def no_instances(place: Path) -> None:
    """The kernel grants no inotify instance at all."""
    Path("/proc/sys/user/max_inotify_instances").write_text("0")
    stage = Stage(place / "root", observe=Observer)
    stage.write("a.jpg")
    stage.run(5)
    assert stage.record.watch is WatchMode.DEGRADED
    assert stage.record.watch_reason is not None
    assert "max_user_instances" in stage.record.watch_reason.next_step
    stage.write("b.jpg")
    stage.run(45)
    assert stage.ledger.pending == 2
    stage.close()


def unreadable(place: Path) -> None:
    """A root, and then a directory in it, that may no longer be read; run as an ordinary user."""
    stage = filled(place / "root")
    for mode in (0o000, 0o400):
        os.chmod(stage.root, mode)
        stage.run(400)
        assert stage.record.state is RootState.UNREADABLE, oct(mode)
        assert untouched(stage)
        assert stage.watcher.confirm_gone() == 0
        os.chmod(stage.root, 0o755)
        stage.run(10)
        assert stage.record.state is RootState.ONLINE
        assert untouched(stage)
    for mode in (0o000, 0o400):
        os.chmod(stage.root / "1", mode)
        stage.scan(1000)
        assert stage.record.state is RootState.ONLINE
        assert untouched(stage), stage.catalog.changes
        os.chmod(stage.root / "1", 0o755)
    stage.close()


def observe_only(place: Path) -> None:
    """A day with a library: found, settled, moved, deleted, believed. Run under strace."""
    root = place / "root"
    for number in range(30):
        (root / f"{number % 3}").mkdir(parents=True, exist_ok=True)
        (root / f"{number % 3}/{number}.jpg").write_bytes(b"%d" % number)
    (root / "x.txt").write_bytes(b"x")
    stage = Stage(root, observe=Observer)
    (place / "started").touch()
    stage.run(10)
    stage.scan(5000)
    assert stage.ledger.pending == 30
    stage.close()


def stopped_in_a_burst(place: Path) -> None:
    """30,000 files appear while the process is stopped; the kernel's queue is too small for them."""
    root = place / "root"
    root.mkdir()
    catalog = FakeCatalog()
    degraded = threading.Event()
    watcher = RootWatcher(
        RootSettings(path=str(root)),
        WatchSettings(quiet=Duration(0.2)),
        catalog,
        extensions=EXTENSIONS,
        on_change=lambda record, _: degraded.set() if record.watch is WatchMode.DEGRADED else None,
    )
    watcher.start()
    while watcher.record.watch is not WatchMode.EVENTS or watcher.record.last_scan == 0:
        time.sleep(0.01)
    burst = "import os,signal,sys,time\nos.kill(int(sys.argv[2]),signal.SIGSTOP)\n"
    burst += "for n in range(30000): open(f'{sys.argv[1]}/{n}.jpg','wb').close()\n"
    burst += "os.kill(int(sys.argv[2]),signal.SIGCONT)"
    subprocess.run([sys.executable, "-c", burst, str(root), str(os.getpid())], check=True)
    deadline = time.monotonic() + 60
    while not (
        catalog.ledger(watcher.record.id).pending == 30_000
        and degraded.is_set()
        and watcher.record.watch is WatchMode.EVENTS
    ):
        assert time.monotonic() < deadline, (catalog.ledger(watcher.record.id), watcher.record)
        time.sleep(0.05)
    watcher.stop()
    watcher.join(10)


SCENARIOS: dict[str, Callable[[Path], None]] = {
    scenario.__name__: scenario
    for scenario in (
        unmounted_and_back,
        copied_to_another_volume,
        covered_by_another_volume,
        a_disk_in_the_root,
        read_only,
        polled,
        few_watches,
        no_instances,
        unreadable,
        observe_only,
        stopped_in_a_burst,
    )
}

if __name__ == "__main__":
    SCENARIOS[sys.argv[1]](Path(sys.argv[2]))
