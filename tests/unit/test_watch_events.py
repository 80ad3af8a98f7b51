"""Kernel events, as hints: what they bring to light, what they must not, and what happens when they fail."""

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixsortd.config import Duration, RootSettings, WatchSettings
from pixsortd.records import FileState, Found, Moved, RootState, WatchMode
from pixsortd.watch.hints import Hints
from pixsortd.watch.observer import Observer
from pixsortd.watch.watcher import RootWatcher

from .watch_stage import Stage

PENDING, INDEXED, AWAY = FileState.PENDING, FileState.INDEXED, FileState.AWAY


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "photos", observe=Observer)
    for number in range(12):
        stage.write(f"{'abc'[number % 3]}/{number}.jpg", b"photo %d" % number)
    stage.index()
    stage.run(5)
    stage.catalog.forget_changes()
    assert stage.record.watch is WatchMode.EVENTS
    yield stage
    stage.close()


def settled(stage: Stage, path: str) -> bool:
    row = stage.rows().get(os.fsencode(path))
    return row is not None and row.settled


def test_every_directory_is_watched(stage: Stage) -> None:
    assert stage.record.directories == stage.record.watched == 4


def test_a_new_file_and_a_new_directory(stage: Stage) -> None:
    stage.write("new.jpg")
    stage.write("d/e/f/deep.jpg")
    stage.until(lambda: settled(stage, "new.jpg") and settled(stage, "d/e/f/deep.jpg"))
    stage.write("d/e/f/later.jpg")
    stage.until(lambda: settled(stage, "d/e/f/later.jpg"))
    assert stage.record.last_scan > 0


def test_a_directory_tree_moved_in(stage: Stage) -> None:
    outside = stage.root.parent / "outside"
    for number in range(300):
        path = outside / f"{number % 5}/{number % 3}/{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
        os.utime(path, (915148800, 915148800))
    os.rename(outside, stage.root / "in")
    stage.until(lambda: stage.ledger.pending == 300 and all(row.settled for row in stage.rows().values()))
    stage.assert_adds_up()
    stage.write("in/4/2/after.jpg")
    stage.until(lambda: settled(stage, "in/4/2/after.jpg"))


def test_a_renamed_file(stage: Stage) -> None:
    os.rename(stage.root / "a/0.jpg", stage.root / "b/renamed.jpg")
    stage.until(lambda: b"b/renamed.jpg" in stage.states())
    assert stage.row("b/renamed.jpg").state is INDEXED
    stage.run(5)
    assert {type(change) for change in stage.catalog.changes} == {Moved}


def test_a_renamed_directory_keeps_being_watched(stage: Stage) -> None:
    os.rename(stage.root / "a", stage.root / "z")
    stage.until(lambda: b"z/0.jpg" in stage.states())
    stage.run(5)
    assert {type(change) for change in stage.catalog.changes} == {Moved}
    assert len(stage.catalog.changes) == 4
    stage.write("z/new.jpg")
    stage.until(lambda: settled(stage, "z/new.jpg"))
    (stage.root / "a").mkdir()
    stage.write("a/again.jpg")
    stage.until(lambda: settled(stage, "a/again.jpg"))
    os.rename(stage.root / "z", stage.root / "b/z")
    stage.until(lambda: b"b/z/0.jpg" in stage.states())
    stage.write("b/z/more.jpg")
    stage.until(lambda: settled(stage, "b/z/more.jpg"))


def test_deleted_and_restored_files(stage: Stage) -> None:
    os.rename(stage.root / "a/0.jpg", stage.root.parent / "bin.jpg")
    stage.until(lambda: stage.states()[b"a/0.jpg"] is AWAY)
    os.rename(stage.root.parent / "bin.jpg", stage.root / "a/0.jpg")
    stage.until(lambda: stage.states()[b"a/0.jpg"] is INDEXED)


def test_a_directory_moved_out(stage: Stage) -> None:
    os.rename(stage.root / "b", stage.root.parent / "outside")
    stage.until(lambda: stage.ledger.away == 4)
    watched = stage.watcher._lookout.observer
    assert watched is not None
    assert not watched.watches(b"b")
    assert watched.count() == 3
    (stage.root.parent / "outside/new.jpg").write_bytes(b"not ours")
    stage.run(400)
    assert stage.ledger.on_disk == 8


def test_a_rewritten_file_settles_anew(stage: Stage) -> None:
    stage.write("a/0.jpg", b"rewritten")
    stage.until(lambda: settled(stage, "a/0.jpg") and stage.row("a/0.jpg").state is PENDING)


def test_our_own_reads_cause_no_event(stage: Stage) -> None:
    for path in stage.root.rglob("*.jpg"):
        path.read_bytes()
        path.stat()
    for _ in os.walk(stage.root):
        pass
    stage.write("fence.jpg")
    stage.until(lambda: b"fence.jpg" in stage.states())
    assert {change.path for change in stage.catalog.changes} == {b"fence.jpg"}
    seen: list[bytes] = []
    name = stage.watcher._lookout._hints.name
    stage.watcher._lookout._hints.name = lambda directory, part: (seen.append(part), name(directory, part))  # type: ignore[assignment, func-returns-value]
    (stage.root / "a/0.jpg").read_bytes()
    os.listdir(stage.root / "a")
    stage.write("fence2.jpg")
    stage.until(lambda: b"fence2.jpg" in stage.states())
    assert set(seen) == {b"fence2.jpg"}


def test_excluded_directories_are_not_watched(stage: Stage) -> None:
    stage.write(".git/objects/x.jpg")
    stage.until(lambda: b".git" in stage.states())
    observer = stage.watcher._lookout.observer
    assert observer is not None
    assert not observer.watches(b".git")
    assert observer.count() == 4


def test_a_burst_larger_than_the_queue(stage: Stage) -> None:
    """The kernel queue holds 16,384 events: with nobody reading, most of these are lost."""
    observer = stage.watcher._lookout.observer
    assert observer is not None
    with observer._lock:  # the reader cannot hand on anything
        for number in range(9000):
            stage.write(f"a/burst-{number}.jpg", b"")
    stage.until(lambda: stage.ledger.pending == 9000, 30)
    stage.run(10)
    assert all(row.settled for row in stage.rows().values())
    told = [record.watch_reason for record, _ in stage.told if record.watch is WatchMode.DEGRADED]
    assert told
    assert told[0] is not None
    assert "max_queued_events" in told[0].next_step
    assert stage.record.watch is WatchMode.EVENTS
    stage.assert_adds_up()


def test_the_root_itself_moved_away(stage: Stage) -> None:
    os.rename(stage.root, stage.root.parent / "elsewhere")
    before = stage.now
    stage.until(lambda: stage.record.state is RootState.AWAY)
    assert stage.now - before < 5
    os.rename(stage.root.parent / "elsewhere", stage.root)
    stage.until(lambda: stage.record.state is RootState.ONLINE)
    stage.run(5)
    assert stage.catalog.changes == []
    stage.write("again.jpg")
    stage.until(lambda: settled(stage, "again.jpg"))


def test_too_few_watches_are_said_and_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    granted = 3
    real = Observer.watch

    def limited(self: Observer, directory: bytes, descriptor: int) -> None:
        if len(self._watches) >= granted and not self.watches(directory):
            monkeypatch.setattr(self._reader, "add_callback", refuse)
        real(self, directory, descriptor)

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "watch", limited)
    stage = Stage(tmp_path / "photos", observe=Observer)
    for number in range(10):
        stage.write(f"{number}/x.jpg", b"%d" % number)
    stage.index()
    assert stage.record.watch is WatchMode.DEGRADED
    assert stage.record.watch_reason is not None
    assert "fs.inotify.max_user_watches" in stage.record.watch_reason.next_step
    assert (stage.record.directories, stage.record.watched) == (11, 3)
    stage.write("9/unseen.jpg")
    stage.run(40)
    assert settled(stage, "9/unseen.jpg")
    stage.close()


def test_no_inotify_instance_is_said_and_made_up_for(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "photos")
    stage.run(5)
    assert stage.record.watch is WatchMode.DEGRADED
    assert stage.record.watch_reason is not None
    assert "fs.inotify.max_user_instances" in stage.record.watch_reason.next_step
    stage.write("a.jpg")
    stage.run(40)
    assert settled(stage, "a.jpg")


def test_an_event_reader_that_ends_is_noticed(stage: Stage) -> None:
    observer = stage.watcher._lookout.observer
    assert observer is not None
    observer.close()
    stage.run(6)
    assert stage.record.watch is WatchMode.DEGRADED
    stage.write("a/new.jpg")
    stage.run(60)
    assert settled(stage, "a/new.jpg")


def test_threads_and_descriptors_are_given_back(tmp_path: Path) -> None:
    def held() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = held()
    for _ in range(3):
        stage = Stage(tmp_path / "photos", observe=Observer)
        stage.write("a/b.jpg")
        stage.run(5)
        stage.watcher.start()
        stage.watcher.stop()
        stage.watcher.join(10)
    assert held() == before


def test_a_thread_on_the_real_clock(tmp_path: Path) -> None:
    found = threading.Event()
    beats: list[int] = []

    def on_change(_record: object, changes: object) -> None:
        if any(isinstance(change, Found) and change.settled for change in changes):  # type: ignore[attr-defined]
            found.set()

    stage = Stage(tmp_path / "photos")
    watcher = RootWatcher(
        RootSettings(path=str(stage.root)),
        WatchSettings(quiet=Duration(0.05)),
        stage.catalog,
        extensions=frozenset((b".jpg",)),
        on_change=on_change,
        beat=lambda: beats.append(1),
        beat_every=0.2,
    )
    watcher.start()
    try:
        stage.write("a.jpg")
        assert found.wait(10)
        found.clear()
        stage.write("b.jpg")
        assert found.wait(10)
    finally:
        watcher.stop()
        watcher.join(10)
    assert not watcher.is_alive()
    assert beats


def test_hints_collapse() -> None:
    woken: list[int] = []
    hints = Hints(lambda: woken.append(1))
    hints.name(b"d", b"1.jpg")
    hints.name(b"d", b"1.jpg")
    hints.tree(b"t")
    assert len(woken) == 1
    doubt = hints.drain()
    assert doubt.names == {b"d": frozenset((b"1.jpg",))}
    assert doubt.trees == {b"t"}
    assert not hints
    for number in range(1000):
        hints.name(b"d", b"%d" % number)
    doubt = hints.drain()
    assert doubt.names == {b"d": None}
    assert not doubt.everything
    for number in range(30_000):
        hints.name(b"%d" % number, b"x")
    doubt = hints.drain()
    assert doubt.everything
    assert not doubt.names
    hints.lost()
    assert hints.drain().lost


def test_a_removed_tree_is_one_wave(stage: Stage) -> None:
    shutil.rmtree(stage.root / "c")
    stage.until(lambda: stage.ledger.away == 4)
    assert stage.record.state is RootState.ONLINE
    stage.run(400)
    stage.until(lambda: stage.ledger.on_disk == 8)
