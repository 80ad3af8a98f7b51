"""Scans by hand: what is found, moved, changed, lost, and what is left alone."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pixsortd.config import Duration
from pixsortd.errors import IndexFull
from pixsortd.records import Back, Change, FileState, Found, Gone, Linked, Moved, Reason, RootState

from .fake_catalog import FakeCatalog, sha256
from .watch_stage import Stage

INDEXED, PENDING, EXCLUDED, AWAY, FAILED = (
    FileState.INDEXED,
    FileState.PENDING,
    FileState.EXCLUDED,
    FileState.AWAY,
    FileState.FAILED,
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "photos")
    yield stage
    stage.close()


def kinds(stage: Stage) -> set[type]:
    return {type(change) for change in stage.catalog.changes}


def filled(stage: Stage, count: int = 5) -> Stage:
    """Some indexed photos in two directories."""
    for number in range(count):
        stage.write(f"{'ab'[number % 2]}/{number}.jpg", b"photo %d" % number)
    stage.index()
    stage.catalog.forget_changes()
    return stage


def test_first_scan_finds_then_settles(stage: Stage) -> None:
    stage.write("a.jpg")
    stage.write("deep/er/b.JPG")
    stage.write("notes.txt")
    stage.run()
    assert stage.record.state is RootState.ONLINE
    assert not stage.row("a.jpg").settled
    assert stage.row("a.jpg").reason is not None
    stage.run(3)
    assert stage.states() == {b"a.jpg": PENDING, b"deep/er/b.JPG": PENDING, b"notes.txt": EXCLUDED}
    assert stage.row("a.jpg").settled
    assert stage.row("deep/er/b.JPG").settled
    assert stage.record.directories == 3
    stage.assert_adds_up()


def test_nothing_settles_before_quiet_even_when_old(stage: Stage) -> None:
    stage.write("old.jpg", mtime=915148800.0)
    stage.run(1.9)
    assert not stage.row("old.jpg").settled
    stage.run(0.2)
    assert stage.row("old.jpg").settled


def test_what_a_first_scan_meets_is_backlog_but_not_what_is_dropped_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mtime may be that of long ago, as a copy that keeps times leaves it."""
    stage.write("0/old.jpg", mtime=1e9)
    differing = stage.catalog.differing

    def drop_meanwhile(root: str, directory: bytes, seen: Mapping[bytes, tuple[int, int, int, int]]) -> object:
        if directory == b"":  # the first that is looked at
            time.sleep(0.02)  # the kernel's clock is a coarse one
            stage.write("0/dropped.jpg", mtime=1e9)
        return differing(root, directory, seen)

    monkeypatch.setattr(stage.catalog, "differing", drop_meanwhile)
    stage.run()
    monkeypatch.undo()
    stage.write("0/later.jpg", mtime=1e9)
    stage.scan()
    found = {change.path: change.backlog for change in stage.catalog.changes if isinstance(change, Found)}
    assert found == {b"0/old.jpg": True, b"0/dropped.jpg": False, b"0/later.jpg": False}


def test_a_scan_without_changes_writes_nothing_but_the_root(stage: Stage) -> None:
    filled(stage)
    stage.write("x.txt")
    stage.write(".hidden/y.jpg")
    stage.scan(3)
    stage.catalog.forget_changes()
    saves = stage.catalog.saves
    stage.scan(10)
    assert stage.catalog.changes == []
    assert stage.catalog.saves == saves + 1
    stage.run(1200)
    assert stage.catalog.changes == []


def test_moved_file_and_renamed_directory_cost_nothing(stage: Stage) -> None:
    filled(stage)
    os.rename(stage.root / "a/0.jpg", stage.root / "moved.jpg")
    os.rename(stage.root / "b", stage.root / "z")
    stage.scan(5)
    assert kinds(stage) == {Moved}
    assert stage.states() == dict.fromkeys([b"moved.jpg", b"a/2.jpg", b"a/4.jpg", b"z/1.jpg", b"z/3.jpg"], INDEXED)


def test_directory_renamed_to_an_earlier_name(stage: Stage) -> None:
    filled(stage)
    os.rename(stage.root / "b", stage.root / "0")
    stage.scan(5)
    assert kinds(stage) == {Moved}
    assert set(stage.states().values()) == {INDEXED}


def test_nested_directories_renamed_and_swapped(stage: Stage) -> None:
    for path in ("x/1.jpg", "x/in/2.jpg", "y/3.jpg", "y/in/4.jpg"):
        stage.write(path, path.encode())
    stage.index()
    stage.catalog.forget_changes()
    os.rename(stage.root / "x", stage.root / "t")
    os.rename(stage.root / "y", stage.root / "x")
    os.rename(stage.root / "t", stage.root / "y")
    stage.scan(5)
    assert kinds(stage) == {Moved}
    assert stage.states() == dict.fromkeys([b"y/1.jpg", b"y/in/2.jpg", b"x/3.jpg", b"x/in/4.jpg"], INDEXED)


def test_two_files_swapped_are_both_known_afterwards(stage: Stage) -> None:
    filled(stage)
    os.rename(stage.root / "a/0.jpg", stage.root / "t")
    os.rename(stage.root / "b/1.jpg", stage.root / "a/0.jpg")
    os.rename(stage.root / "t", stage.root / "b/1.jpg")
    stage.scan(5)
    assert set(stage.states()) == {b"a/0.jpg", b"a/2.jpg", b"a/4.jpg", b"b/1.jpg", b"b/3.jpg"}
    assert all(row.settled for row in stage.rows().values())
    stage.assert_adds_up()


def test_a_file_moved_over_another(stage: Stage) -> None:
    filled(stage)
    os.replace(stage.root / "a/0.jpg", stage.root / "b/1.jpg")
    stage.scan(5)
    assert kinds(stage) == {Gone, Moved}
    assert stage.row("b/1.jpg").sha256 == sha256(stage.root / "b/1.jpg")
    stage.assert_adds_up()


def test_changed_in_place_is_found_again(stage: Stage) -> None:
    filled(stage)
    stage.write("a/0.jpg", b"another photo")
    stage.scan(5)
    assert kinds(stage) == {Found}
    assert stage.row("a/0.jpg").state is PENDING
    assert stage.row("a/0.jpg").settled


def test_same_size_and_mtime_but_new_bytes_is_found_again(stage: Stage) -> None:
    filled(stage)
    path = stage.root / "a/0.jpg"
    seen = path.stat()
    path.write_bytes(b"PHOTO 0")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    stage.scan(5)
    assert stage.row("a/0.jpg").state is PENDING


def test_hard_link_of_an_indexed_file(stage: Stage) -> None:
    filled(stage)
    os.link(stage.root / "a/0.jpg", stage.root / "a/link.jpg")
    stage.scan(5)
    assert Linked in kinds(stage)
    assert stage.row("a/link.jpg").state is INDEXED
    assert stage.row("a/link.jpg").sha256 == stage.row("a/0.jpg").sha256
    stage.catalog.forget_changes()
    stage.scan(5)
    assert stage.catalog.changes == []


def test_single_delete_is_believed_after_the_grace_time(stage: Stage) -> None:
    filled(stage)
    os.unlink(stage.root / "a/0.jpg")
    stage.scan(10)
    assert stage.row("a/0.jpg").state is AWAY
    assert stage.row("a/0.jpg").reason is not None
    stage.assert_adds_up()
    stage.run(280)
    assert stage.row("a/0.jpg").state is AWAY
    stage.run(30)
    assert b"a/0.jpg" not in stage.states()


def test_a_file_that_returns_within_the_grace_time(stage: Stage, tmp_path: Path) -> None:
    filled(stage)
    os.rename(stage.root / "a/0.jpg", tmp_path / "elsewhere.jpg")
    stage.scan(10)
    assert stage.row("a/0.jpg").state is AWAY
    os.rename(tmp_path / "elsewhere.jpg", stage.root / "a/0.jpg")
    stage.catalog.forget_changes()
    stage.scan(10)
    assert kinds(stage) == {Back}
    assert stage.row("a/0.jpg").state is INDEXED
    stage.run(600)
    assert stage.row("a/0.jpg").state is INDEXED


def test_a_file_that_returns_elsewhere_is_moved(stage: Stage, tmp_path: Path) -> None:
    filled(stage)
    os.rename(stage.root / "a/0.jpg", tmp_path / "elsewhere.jpg")
    stage.scan(10)
    os.rename(tmp_path / "elsewhere.jpg", stage.root / "b/new.jpg")
    stage.catalog.forget_changes()
    stage.scan(10)
    assert kinds(stage) == {Back, Moved}
    assert stage.row("b/new.jpg").state is INDEXED


def test_another_file_at_an_away_path_is_found(stage: Stage) -> None:
    filled(stage)
    os.unlink(stage.root / "a/0.jpg")
    stage.scan(10)
    stage.write("a/0.jpg", b"quite another one")
    stage.scan(10)
    assert stage.row("a/0.jpg").state is PENDING
    assert stage.row("a/0.jpg").settled


def test_the_grace_time_survives_a_restart(stage: Stage) -> None:
    filled(stage)
    os.unlink(stage.root / "a/0.jpg")
    stage.scan(10)
    stage.restart()
    stage.run(200)
    assert stage.row("a/0.jpg").state is AWAY
    stage.run(120)
    assert b"a/0.jpg" not in stage.states()


def test_restart_without_changes_writes_nothing(stage: Stage) -> None:
    filled(stage)
    stage.restart()
    stage.run(10)
    assert stage.catalog.changes == []


def test_restart_while_settling_settles(stage: Stage) -> None:
    stage.write("a.jpg")
    stage.run(1)
    stage.restart()
    stage.run(1.5)
    assert not stage.row("a.jpg").settled
    stage.run(1)
    assert stage.row("a.jpg").settled


def test_a_scan_that_is_cut_off_goes_on_from_what_was_recorded(stage: Stage) -> None:
    for number in range(1500):
        stage.write(f"{number // 100:02}/{number}.jpg", b"%d" % number)
    for _ in range(2):  # each step records a part, and the watcher is gone before the next
        stage.watcher.step()
        stage.restart()
    begun = len(stage.catalog.changes)
    assert 500 <= begun < 1500
    stage.index()
    found = [change for change in stage.catalog.changes if isinstance(change, Found)]
    assert len([change for change in found if not change.settled]) == 1500, "none is recorded as new twice"
    assert len([change for change in found if change.settled]) == 1500
    assert all(change.backlog for change in found if not change.settled)
    stage.restart()
    stage.catalog.forget_changes()
    stage.run(10)
    assert stage.catalog.changes == []


def test_symlinks_fifos_and_sockets_are_counted_and_left_alone(stage: Stage, tmp_path: Path) -> None:
    stage.write("real.jpg")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "other.jpg").write_bytes(b"x")
    os.symlink(outside, stage.root / "linked")
    os.symlink(outside / "other.jpg", stage.root / "linked.jpg")
    os.symlink("nowhere", stage.root / "broken.jpg")
    os.symlink(".", stage.root / "loop")
    os.mkfifo(stage.root / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(stage.root, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{here}/socket.jpg")
        os.close(here)
        stage.run(5)
    assert stage.states() == {b"real.jpg": PENDING}
    assert stage.record.skipped == {"symlink": 4, "fifo": 1, "socket": 1}


def test_a_file_replaced_by_a_link_is_missing(stage: Stage) -> None:
    filled(stage)
    os.rename(stage.root / "a/0.jpg", stage.root.parent / "away.jpg")
    os.symlink(stage.root.parent / "away.jpg", stage.root / "a/0.jpg")
    stage.scan(5)
    assert stage.row("a/0.jpg").state is AWAY


def test_a_directory_replaced_by_a_link_to_its_new_place(stage: Stage) -> None:
    filled(stage)
    os.rename(stage.root / "a", stage.root / "moved")
    os.symlink("moved", stage.root / "a")
    stage.scan(5)
    assert kinds(stage) == {Moved}
    assert set(stage.states().values()) == {INDEXED}


def test_excluded_directories_are_one_row(stage: Stage) -> None:
    stage.write("a.jpg")
    for name in (".cache/x.jpg", ".cache/deep/y.jpg", "@eaDir/SYNOPHOTO_THUMB_XL.jpg"):
        stage.write(name)
    stage.run(5)
    assert stage.states() == {b"a.jpg": PENDING, b".cache": EXCLUDED, b"@eaDir": EXCLUDED}
    assert stage.row(".cache").files == 2
    stage.assert_adds_up()
    stage.write(".cache/z.jpg")
    stage.scan()
    assert stage.row(".cache").files == 3
    stage.assert_adds_up()


def test_rules_that_change_between_starts(stage: Stage) -> None:
    stage.write("keep/a.jpg")
    for number in range(20):
        stage.write(f"cache/{number}.jpg", b"c%d" % number)
    stage.index()
    stage.restart(exclude=("cache/**",))
    stage.run(5)
    assert stage.record.state is RootState.ONLINE
    assert stage.states() == {b"keep/a.jpg": INDEXED, b"cache": EXCLUDED}
    stage.assert_adds_up()
    stage.restart()
    stage.run(5)
    assert len(stage.states()) == 21
    stage.assert_adds_up()


def test_nested_roots_and_the_state_directory_belong_elsewhere(stage: Stage) -> None:
    stage.write("a.jpg")
    stage.write("inbox/b.jpg")
    stage.write(".pixsortd/index/data.mdb")
    never = [os.fsencode(stage.root / "inbox"), os.fsencode(stage.root / ".pixsortd"), b"/elsewhere"]
    stage.restart(never=never)
    stage.run(5)
    assert stage.states() == {b"a.jpg": PENDING}


def test_temporary_names_wait_for_their_final_one(stage: Stage) -> None:
    stage.write("x.jpg.part", b"half")
    stage.write(".photo.jpg.Ab3dE9", b"rsync")
    stage.run(5)
    assert set(stage.states().values()) == {EXCLUDED}
    assert {row.reason.code for row in stage.rows().values() if row.reason} == {"temp"}
    os.rename(stage.root / "x.jpg.part", stage.root / "x.jpg")
    os.rename(stage.root / ".photo.jpg.Ab3dE9", stage.root / "photo.jpg")
    stage.scan(5)
    assert stage.states() == {b"x.jpg": PENDING, b"photo.jpg": PENDING}
    stage.assert_adds_up()


def test_names_are_bytes(stage: Stage) -> None:
    names = [
        b"latin-\xe9.jpg", b"new\nline.jpg", b"-rf.jpg", b" .jpg", "emoji-🦊.jpg".encode(), b"a" * 251 + b".jpg",
        "nfc-\u00e9.jpg".encode(), "nfd-e\u0301.jpg".encode(), b"Case.jpg", b"case.JPG", b"\xff\xfe.jpg",
        b"quote\"'`$(x).jpg", b"\x01\x7f.jpg",
    ]  # fmt: skip
    for number, name in enumerate(names):
        stage.write(name, b"%d" % number)
        stage.write(b"dir-" + name.removesuffix(b".jpg")[:200] + b"/" + name, b"in %d" % number)
    stage.index()
    assert set(stage.states().values()) == {INDEXED}
    assert len(stage.states()) == 2 * len(names)
    assert set(names) <= set(stage.states())
    stage.catalog.forget_changes()
    stage.scan(5)
    assert stage.catalog.changes == []


def test_paths_deeper_than_the_kernel_takes_at_once(stage: Stage) -> None:
    here = os.open(stage.root, os.O_RDONLY)
    part = b"d" * 200
    for _ in range(25):  # 5,025 bytes, more than PATH_MAX
        os.mkdir(part, dir_fd=here)
        inner = os.open(part, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    photo = os.open(b"photo.jpg", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(photo, b"deep")
    os.close(photo)
    os.close(here)
    stage.run(5)
    [path] = stage.states()
    assert len(path) > 5000
    assert stage.row(path).settled
    os.rename(stage.root / part.decode(), stage.root / "e")
    stage.catalog.forget_changes()
    stage.scan(5)
    assert kinds(stage) == {Moved}


def test_changes_come_in_large_batches(stage: Stage) -> None:
    for number in range(1200):
        stage.write(f"{number % 7}/{number}.jpg")
    stage.run(10)
    assert stage.ledger.pending == 1200
    assert len(stage.catalog.batches) <= 10
    assert all(row.settled for row in stage.rows().values())


def test_on_change_follows_the_record(stage: Stage) -> None:
    stage.write("a.jpg")
    stage.run(5)
    told = [change for _, changes in stage.told for change in changes]
    assert told == stage.catalog.changes
    assert stage.told[-1][0].state is RootState.ONLINE


def test_retry_settles_a_file_anew(stage: Stage) -> None:
    filled(stage)
    stage.watcher.retry(b"a/0.jpg")
    stage.run(1)
    assert stage.row("a/0.jpg").state is PENDING
    assert not stage.row("a/0.jpg").settled
    stage.run(3)
    assert stage.row("a/0.jpg").settled


def test_retry_of_a_file_that_is_not_there(stage: Stage) -> None:
    filled(stage)
    os.unlink(stage.root / "a/0.jpg")
    stage.watcher.retry(b"a/0.jpg")
    stage.run(3)
    assert stage.row("a/0.jpg").state is AWAY


def test_a_file_that_never_settles_is_said_and_taken_when_it_rests(stage: Stage) -> None:
    stage.write("growing.jpg")
    stage.run()
    for number in range(100):
        stage.write("growing.jpg", b"x" * (number + 10))
        stage.run(1)
        assert not stage.row("growing.jpg").settled
    reason = stage.row("growing.jpg").reason
    assert reason is not None
    assert reason.code == "never-settles"
    told = [c for c in stage.catalog.changes if isinstance(c, Found) and c.reason and c.reason.code == "never-settles"]
    assert len(told) == 1
    stage.scan()
    assert stage.row("growing.jpg").reason == reason
    stage.run(40)
    assert stage.row("growing.jpg").settled


def test_short_lived_files_leave_no_trace(stage: Stage) -> None:
    filled(stage)
    for number in range(50):
        stage.write(f"export-{number}.jpg")
    stage.scan()
    for number in range(50):
        os.unlink(stage.root / f"export-{number}.jpg")
    stage.run(5)
    assert stage.record.state is RootState.ONLINE
    assert len(stage.states()) == 5


class Full(FakeCatalog):
    """A catalog that takes nothing while its disk is full."""

    full = threading.Event()

    def record(self, root: str, changes: Sequence[Change]) -> None:
        if self.full.is_set():
            self.refused = True
            raise IndexFull("no space left")
        super().record(root, changes)


def test_a_failing_catalog_is_made_up_for_by_the_next_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixsortd.watch.patrol._RETRY", 0.05)
    catalog = Full()
    catalog.full.set()
    stage = Stage(tmp_path / "photos", catalog, monotonic=time.monotonic, watch={"quiet": Duration(0.01)})
    stage.write("a.jpg")
    stage.watcher.start()
    try:
        wait_for(lambda: hasattr(catalog, "refused"))
        assert stage.states() == {}
        catalog.full.clear()
        wait_for(lambda: b"a.jpg" in stage.states() and stage.row("a.jpg").settled)
    finally:
        stage.watcher.stop()
        stage.watcher.join(10)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_is_moved_and_recorded_under_the_gate_is_never_seen_half_way(tmp_path: Path) -> None:
    gate = threading.RLock()
    beats: list[int] = []
    stage = Stage(tmp_path / "root", gate=gate, beat_every=0.01, beat=lambda: beats.append(1))
    for number in range(40):
        stage.write(f"{number}.jpg", b"%d" % number)
    stage.index()
    stage.watcher.request_scan()
    stepping = threading.Thread(target=lambda: stage.run(10))
    with gate:
        stepping.start()
        for number in range(30):
            os.unlink(stage.root / f"{number}.jpg")
        heard = len(beats)
        while len(beats) < heard + 3:  # it waits, and is alive
            time.sleep(0.005)
        stage.catalog.forget_changes()
        gone = [Gone(path=b"%d.jpg" % number, reason=Reason(code="moved", message="")) for number in range(30)]
        stage.catalog.record(stage.id, gone)
    stepping.join()
    assert stage.record.state is RootState.ONLINE
    assert stage.catalog.changes == gone
    stage.assert_adds_up()
