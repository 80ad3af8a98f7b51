"""Every call to the disk fails or is the last one, on file systems of every kind: old state or new, nothing lost."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from pixsortd.errors import IndexFull, StateDirectoryFull
from pixsortd.sorting.journal import Move
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.trash import Trash
from tests.faults.faulty_disk import FAULTS, WAYS, Stopped, disk_that, never, stop
from tests.faults.trash_stage import PHOTOS, UNITS, Stage, allow

Act = Callable[[], object]


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: thousands of syncs would take minutes elsewhere."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        yield Path(directory)


def discard(stage: Stage) -> Act:
    groups = [[stage.wanted(name)] for name in UNITS]
    return lambda: stage.trash.discard(groups)


def one_move(stage: Stage) -> Act:
    """Both photos as one move: all or nothing across directories."""
    groups = [[stage.wanted(name) for name in UNITS]]
    return lambda: stage.trash.discard(groups)


def restore(stage: Stage) -> Act:
    return lambda: stage.trash.restore([item.id for item in stage.trash.contents.all()], allow)


def purge(stage: Stage) -> Act:
    return lambda: stage.trash.purge([item.id for item in stage.trash.contents.all()], allow)


ACTS: dict[str, Callable[[Stage], Act]] = {"discard": discard, "one_move": one_move, "restore": restore, "purge": purge}
AFTER = {"discard": "trash", "one_move": "trash", "restore": "old", "purge": "purged"}


def staged(home: Path, act: str, way: str) -> Stage:
    home.mkdir()
    stage = Stage(home)
    if act in ("restore", "purge"):
        with disk_that(never, WAYS[way]):
            stage.discard()
    return stage


def calls(home: Path, act: str, way: str) -> int:
    """How many calls a run without any fault makes, which must do what it should."""
    stage = staged(home, act, way)
    do = ACTS[act](stage)
    with disk_that(never, WAYS[way]) as shim:
        do()
        count = shim.calls
    assert set(stage.assert_whole(purged=act == "purge").values()) == {AFTER[act]}
    stage.restart()
    assert set(stage.assert_whole(purged=act == "purge").values()) == {AFTER[act]}
    stage.trash.mover.close()
    return count


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("act", ACTS)
def test_every_call_fails_or_is_the_last(quick: Path, act: str, way: str) -> None:
    total = calls(quick / "clean", act, way)
    seen: set[str] = set()
    for name, fault in FAULTS.items():
        for k in range(1, total + 1):
            stage = staged(quick / f"{name}{k}", act, way)
            do = ACTS[act](stage)
            try:
                with disk_that(fault(k), WAYS[way]):
                    do()
            except Stopped:
                pass
            except OSError as error:
                raise AssertionError(f"{name} at call {k} came through") from error
            stage.restart()
            # Where nothing can be renamed without replacing, the name is taken by an empty file first.
            states = stage.assert_whole(purged=act == "purge", stubs=way == "bare")
            seen |= set(states.values())
            if act == "one_move":
                assert len(set(states.values())) == 1, "half a move"
            assert not list(stage.root.rglob("*.part")), "an unfinished copy stays"
            stage.trash.mover.close()
    assert len(seen) == 2, f"only {seen} came about"


def test_a_stopped_recovery_is_recovered(quick: Path) -> None:
    total = calls(quick / "clean", "one_move", "link")
    for k in range(1, total + 1):
        stage = staged(quick / str(k), "one_move", "link")
        do = one_move(stage)
        with suppress(Stopped), disk_that(stop(k)):
            do()
        for again in range(1, 40, 3):
            stage.trash.mover.close()
            try:
                with disk_that(stop(again)):
                    stage.trash = stage.opened()
                    stage.trash.mover.recover([stage.base])
            except Stopped:
                stage.trash = stage.opened()
        stage.restart()
        assert len(set(stage.assert_whole().values())) == 1
        stage.trash.mover.close()


def test_a_failed_journal_moves_nothing(quick: Path) -> None:
    stage = Stage(quick)
    groups = [[stage.wanted(name)] for name in UNITS]
    with disk_that(never, {"pwrite": errno.ENOSPC}.get):
        answers = stage.trash.discard(groups)
    assert {type(one.error) for one in answers} == {StateDirectoryFull}
    assert "disk is full" in str(answers[0].error)
    assert set(stage.assert_whole().values()) == {"old"}
    assert not (stage.root / ".pixsortd-trash").exists()
    assert len(stage.discard()) == 2, "it works again when there is room"


def test_an_end_that_could_not_be_journaled_is_made_up_for(quick: Path) -> None:
    stage = Stage(quick)
    writes = 0

    def full_after_the_plan(name: str) -> int | None:
        nonlocal writes
        writes += name == "pwrite"
        return errno.ENOSPC if name == "pwrite" and writes > 1 else None

    with disk_that(never, full_after_the_plan):
        stage.discard()
    kept = stage.trash.contents.all()
    assert set(stage.assert_whole().values()) == {"trash"}
    stage.restart()
    assert stage.trash.contents.all() == kept
    stage.trash.restore([kept[0].id], allow)
    stage.restart()
    assert sorted(stage.assert_whole().values()) == ["old", "trash"]


def test_an_index_that_refuses_is_told_again(quick: Path) -> None:
    stage = Stage(quick)
    refusing = True

    def told(moves: Sequence[Move]) -> None:
        if refusing:
            raise IndexFull("the disk is full")
        stage.told.extend(moves)

    stage.trash.mover.close()
    stage.trash = Trash(Mover(quick / "journal", told), PHOTOS)
    kept = stage.discard()
    assert stage.told == []
    refused = stage.trash.restore(kept, allow)
    assert {type(one.error) for one in refused} == {IndexFull}, "nothing more is moved until it is known"
    refusing = False
    stage.trash.mover.recover([stage.base])
    assert [move.kind for move in stage.told] == ["discard", "discard"]
    assert [item.id for item in stage.trash.contents.all()] == kept
    assert not stage.trash.mover.interrupted(stage.base)
    stage.trash.restore(kept, allow)
    assert set(stage.assert_whole().values()) == {"old"}
