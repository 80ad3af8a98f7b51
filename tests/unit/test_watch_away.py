"""Absence is not deletion: empty, swapped, missing and half-vanished roots, and the user's word."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixsortd.errors import Conflict
from pixsortd.records import FileState, Role, RootState, WatchMode
from pixsortd.watch import mounts
from pixsortd.watch.roots import MARKER

from .watch_stage import Stage

INDEXED, AWAY = FileState.INDEXED, FileState.AWAY


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "photos")
    for number in range(40):
        stage.write(f"{number % 4}/{number}.jpg", b"photo %d" % number)
    stage.index()
    stage.catalog.forget_changes()
    yield stage
    stage.close()


def untouched(stage: Stage) -> bool:
    """Nothing was recorded and every row is as it was."""
    return stage.catalog.changes == [] and set(stage.states().values()) == {INDEXED}


def reason(stage: Stage) -> str:
    assert stage.record.reason is not None
    assert stage.record.reason.next_step
    return stage.record.reason.code


def test_missing_root_and_its_return(stage: Stage) -> None:
    os.rename(stage.root, stage.root.parent / "elsewhere")
    stage.run(10)
    assert stage.record.state is RootState.AWAY
    assert reason(stage) == "root-missing"
    assert stage.record.watch is WatchMode.OFF
    stage.run(10_000)
    assert untouched(stage)
    os.rename(stage.root.parent / "elsewhere", stage.root)
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert stage.record.reason is None
    assert untouched(stage)


def test_missing_at_start(stage: Stage) -> None:
    stage.close()
    os.rename(stage.root, stage.root.parent / "elsewhere")
    stage.open()
    stage.run(10)
    assert stage.record.state is RootState.AWAY
    assert untouched(stage)


def test_a_root_that_was_never_there(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "photos")
    stage.root.rmdir()
    stage.run(10)
    assert stage.record.state is RootState.AWAY
    stage.write("a.jpg")
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert stage.row("a.jpg").settled


def test_emptied_root(stage: Stage) -> None:
    aside = stage.root.parent / "aside"
    aside.mkdir()
    for name in os.listdir(stage.root):
        os.rename(stage.root / name, aside / name)
    stage.scan(1000)
    assert stage.record.state is RootState.AWAY
    assert reason(stage) == "root-empty"
    assert untouched(stage)
    for name in os.listdir(aside):
        os.rename(aside / name, stage.root / name)
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert untouched(stage)


def test_root_swapped_for_an_empty_directory(stage: Stage) -> None:
    os.rename(stage.root, stage.root.parent / "aside")
    stage.root.mkdir()
    stage.run(1000)
    assert stage.record.state is RootState.AWAY
    assert untouched(stage)
    stage.root.rmdir()
    os.rename(stage.root.parent / "aside", stage.root)
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert untouched(stage)


def test_root_swapped_for_another_full_directory(stage: Stage) -> None:
    os.rename(stage.root, stage.root.parent / "aside")
    for number in range(30):
        stage.write(f"{number % 4}/{number}.jpg", b"a stranger %d" % number)
    stage.run(1000)
    assert stage.record.state is RootState.AWAY
    assert reason(stage) == "other-volume"
    assert untouched(stage)


def test_the_same_files_in_a_new_directory_are_believed(stage: Stage) -> None:
    """As after a remount or a restored backup: other device and inodes, the same files."""
    os.rename(stage.root, stage.root.parent / "aside")
    shutil.copytree(stage.root.parent / "aside", stage.root)
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert set(stage.states().values()) == {INDEXED}
    stage.catalog.forget_changes()
    stage.scan(10)
    assert stage.catalog.changes == []


def test_half_vanished_root_waits(stage: Stage) -> None:
    aside = stage.root.parent / "aside"
    aside.mkdir()
    for name in "01":
        os.rename(stage.root / name, aside / name)
    stage.write("new.jpg")
    stage.scan(3)
    assert stage.record.state is RootState.AWAY
    assert reason(stage) == "files-missing"
    assert stage.record.missing == 20
    stage.run(5000)
    assert AWAY not in stage.states().values()
    assert len(stage.states()) == 41
    for name in "01":
        os.rename(aside / name, stage.root / name)
    stage.run(30)
    assert stage.record.state is RootState.ONLINE
    assert len(stage.states()) == 41
    assert stage.row("new.jpg").settled


def test_a_brake_that_held_holds_on_after_a_restart(stage: Stage) -> None:
    os.rename(stage.root / "0", stage.root.parent / "aside")
    stage.scan(3)
    stage.catalog.forget_changes()
    stage.restart()
    stage.write("new.jpg")
    stage.run(1000)
    assert stage.record.state is RootState.AWAY
    assert untouched(stage)
    os.rename(stage.root.parent / "aside", stage.root / "0")
    stage.run(30)
    assert stage.record.state is RootState.ONLINE
    assert b"new.jpg" in stage.states()


def test_the_brake_holds_against_a_slow_trickle(stage: Stage) -> None:
    for number in range(0, 40, 2):
        os.unlink(stage.root / f"{number % 4}/{number}.jpg")
        stage.scan(5)
    assert stage.record.state is RootState.AWAY
    stage.run(1000)
    assert len(stage.states()) == 40


def test_fewer_than_the_brake_are_deleted(stage: Stage) -> None:
    for number in range(9):
        os.unlink(stage.root / f"{number % 4}/{number}.jpg")
    stage.scan(5)
    assert stage.record.state is RootState.ONLINE
    stage.run(400)
    assert len(stage.states()) == 31


def test_confirming_drops_what_is_missing(stage: Stage) -> None:
    shutil.rmtree(stage.root / "0")
    stage.scan(3)
    assert stage.watcher.confirm_gone() == 10
    assert stage.record.state is RootState.ONLINE
    assert len(stage.states()) == 30
    stage.run(100)
    assert len(stage.states()) == 30


def test_confirming_an_empty_root(stage: Stage) -> None:
    shutil.rmtree(stage.root)
    stage.root.mkdir()
    stage.run(30)
    assert stage.watcher.confirm_gone() == 40
    assert stage.states() == {}
    assert stage.record.state is RootState.ONLINE


def test_confirming_a_missing_root(stage: Stage) -> None:
    shutil.rmtree(stage.root)
    stage.run(30)
    assert stage.watcher.confirm_gone() == 40
    assert stage.states() == {}
    assert stage.record.state is RootState.AWAY


def test_confirming_another_volume_adopts_it(stage: Stage) -> None:
    os.rename(stage.root, stage.root.parent / "aside")
    stage.write("stranger.jpg")
    stage.run(30)
    assert stage.watcher.confirm_gone() == 40
    assert stage.record.state is RootState.ONLINE
    stage.run(10)
    assert set(stage.states()) == {b"stranger.jpg"}


def test_confirming_within_the_grace_time(stage: Stage) -> None:
    os.unlink(stage.root / "0/0.jpg")
    stage.scan(3)
    assert stage.watcher.confirm_gone() == 1
    assert b"0/0.jpg" not in stage.states()


def test_confirming_when_nothing_is_missing(stage: Stage) -> None:
    assert stage.watcher.confirm_gone() == 0
    assert untouched(stage)


def test_confirming_from_another_thread(stage: Stage) -> None:
    shutil.rmtree(stage.root / "0")
    stage.scan(3)
    stage.watcher.start()
    try:
        assert stage.watcher.confirm_gone() == 10
    finally:
        stage.watcher.stop()
        stage.watcher.join(10)
    assert not stage.watcher.is_alive()


def test_a_confirmation_that_comes_too_late_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.watcher, "step", lambda: 3600.0)  # a thread that answers nothing any more
    stage.watcher.start()
    ending = threading.Timer(0.1, stage.watcher.stop)
    ending.start()
    with pytest.raises(Conflict):
        stage.watcher.confirm_gone()
    ending.join()


def test_a_volume_that_goes_in_the_middle_of_a_scan(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixsortd.watch.scan._SLICE", -1.0)
    stage.watcher.request_scan()
    stage.watcher.step()
    stage.watcher.step()
    assert stage.watcher.scan_progress is not None
    os.rename(stage.root, stage.root.parent / "aside")
    stage.root.mkdir()
    stage.run(20)
    assert stage.record.state is RootState.AWAY
    assert untouched(stage)


def test_a_directory_that_blinks_in_the_middle_of_a_scan(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixsortd.watch.scan._SLICE", -1.0)
    os.rename(stage.root / "2", stage.root.parent / "aside")
    stage.watcher.request_scan()
    while stage.watcher.scan_progress is None or stage.watcher.scan_progress[0] < 4:
        stage.watcher.step()
    os.rename(stage.root.parent / "aside", stage.root / "2")
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert untouched(stage)


def test_a_library_gets_no_marker_and_an_inbox_does(tmp_path: Path) -> None:
    library = Stage(tmp_path / "library")
    library.run(5)
    assert os.listdir(library.root) == []
    inbox = Stage(tmp_path / "inbox", role=Role.INBOX)
    inbox.run(5)
    assert os.listdir(inbox.root) == [os.fsdecode(MARKER)]
    assert (inbox.root / os.fsdecode(MARKER)).read_text().strip() == inbox.id
    inbox.assert_adds_up()


def test_a_library_that_may_be_written_is_marked_from_then_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "library")
    stage.write("a.jpg")
    stage.index()
    assert not stage.record.writable
    stage.restart(writable=True)
    stage.run(5)
    assert (stage.record.writable, stage.record.state) == (True, RootState.ONLINE)
    assert (stage.root / os.fsdecode(MARKER)).read_text().strip() == stage.id
    stage.restart(writable=False)
    stage.run(5)
    assert (stage.record.writable, stage.record.state) == (False, RootState.ONLINE)
    assert stage.catalog.ledger(stage.id).indexed == 1


def test_a_marked_inbox_may_become_empty(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "inbox", role=Role.INBOX)
    for number in range(5):
        stage.write(f"{number}.jpg", b"%d" % number)
    stage.index()
    for number in range(5):
        os.unlink(stage.root / f"{number}.jpg")
    stage.scan(5)
    assert stage.record.state is RootState.ONLINE
    stage.run(400)
    assert stage.ledger.indexed + stage.ledger.away == 0


def test_an_empty_mount_point_under_an_empty_inbox_gets_no_marker(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "inbox", role=Role.INBOX)
    stage.run(5)
    os.rename(stage.root, tmp_path / "aside")
    stage.root.mkdir()
    stage.run(20)
    assert stage.record.state is RootState.AWAY
    assert reason(stage) == "marker-missing"
    assert os.listdir(stage.root) == []
    stage.root.rmdir()
    os.rename(tmp_path / "aside", stage.root)
    stage.run(20)
    assert stage.record.state is RootState.ONLINE


def test_a_marker_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "inbox", role=Role.INBOX)
    stage.write("a.jpg")
    stage.index()
    os.unlink(stage.root / os.fsdecode(MARKER))
    stage.run(20)
    assert stage.record.state is RootState.ONLINE
    assert (stage.root / os.fsdecode(MARKER)).exists()


def test_files_below_a_mount_that_is_gone_are_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    table = [mounts.Mount(point=os.fsencode(stage.root / "0"), kind="ext4")]
    monkeypatch.setattr(mounts, "read", lambda: list(table))
    for number in range(16, 40):
        stage.write(f"9/{number}.jpg", b"more %d" % number)
        stage.write(f"8/{number}.jpg", b"yet more %d" % number)
    stage.scan(5)
    stage.catalog.index(stage.id)
    assert stage.record.mounts == (b"0",)
    os.rename(stage.root / "0", stage.root.parent / "aside")
    (stage.root / "0").mkdir()
    table.clear()
    stage.run(10)
    assert stage.record.state is RootState.ONLINE
    assert reason(stage) == "mount-away"
    assert stage.ledger.away == 10
    stage.run(5000)
    assert stage.ledger.away == 10
    stage.restart()
    stage.run(5000)
    assert stage.ledger.away == 10
    (stage.root / "0").rmdir()
    os.rename(stage.root.parent / "aside", stage.root / "0")
    table.append(mounts.Mount(point=os.fsencode(stage.root / "0"), kind="ext4"))
    stage.run(10)
    assert stage.record.reason is None
    assert set(stage.states().values()) == {INDEXED}


def test_network_file_systems_are_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path / "photos")
    monkeypatch.setattr(mounts, "read", lambda: [mounts.Mount(point=os.fsencode(stage.root), kind="nfs4")])
    stage.write("a.jpg")
    stage.run(4)
    assert stage.record.watch is WatchMode.POLLING
    assert stage.record.watch_reason is not None
    assert "nfs4" in stage.record.watch_reason.message
    assert not stage.row("a.jpg").settled
    stage.run(2)
    assert stage.row("a.jpg").settled
    stage.write("b.jpg")
    stage.run(40)
    assert stage.row("b.jpg").settled


def test_idle_wake_ups_are_rare_and_write_nothing(stage: Stage) -> None:
    stage.run(30)
    saves = stage.catalog.saves
    wakes = 0
    end = stage.now + 29
    while stage.now < end:
        pause = stage.watcher.step()
        assert pause > 1
        stage.now += pause
        wakes += 1
    assert wakes <= 8
    assert stage.catalog.saves <= saves + 1
