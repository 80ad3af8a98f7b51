"""Ten thousand files sorted with a crash in the middle, and all taken back; full disks and disks that are gone."""

import errno
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from pixsortd.records import PlanState, PlanStep
from tests.faults.faulty_disk import Stopped, disk_that, stop
from tests.faults.sort_stage import Stage, done_steps, fill, moved, plan_of
from tests.faults.test_index_full import fill as fill_up
from tests.faults.test_sort_disk import quick, settled

__all__ = ["quick"]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB that can be taken away."""
    place = tmp_path / "mounted"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("mounting a file system is not permitted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def scattered(stage: Stage, count: int) -> list[str]:
    """So many photos, every fifth with a sidecar, in many directories."""
    names = [f"in/{number % 37}/{number % 5}/{number}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        stage.write(name)
        if number % 5 == 0:
            stage.write(name.replace(".jpg", ".xmp"))
    return names


def sorted_and_back(home: Path, count: int) -> None:
    stage = Stage(home)
    names = scattered(stage, count)
    before, directories = stage.look(), stage.directories()
    deeds = []
    for name in names:
        number = int(name.rpartition("/")[2].removesuffix(".jpg"))
        unit = [name] + ([name.replace(".jpg", ".xmp")] if number % 5 == 0 else [])
        deeds.append(moved(*((one, f"lib/20{number % 20:02}/{number % 12}/{one.rpartition('/')[2]}") for one in unit)))
    run = stage.approve(plan_of([stage.step(deed) for deed in deeds]))
    with suppress(Stopped), disk_that(stop(count * 6)):
        stage.apply(run)
    stage.restart()
    done = settled(stage, run, before)
    assert 0 < sum(done) < count, "the crash was not in the middle"
    stage.apply(run)
    assert all(settled(stage, run, before))
    back = stage.approve(stage.inverse(run))
    with suppress(Stopped), disk_that(stop(count * 5)):
        stage.apply(back)
    stage.restart()
    assert 0 < sum(stage.done(back)) < count, "the crash was not in the middle"
    stage.apply(back)
    assert stage.look() == before, "it is not as it was"
    assert stage.directories() == directories, "directories are left over"
    assert stage.sorter.record(run).state is PlanState.UNDONE
    stage.close()


def test_a_thousand_files_are_taken_back(quick: Path) -> None:
    sorted_and_back(quick, 1000)


@pytest.mark.slow
def test_ten_thousand_files_are_taken_back(quick: Path) -> None:
    sorted_and_back(quick, 10_000)


def test_half_a_plan_is_taken_back(quick: Path) -> None:
    stage = Stage(quick)
    scattered(stage, 300)
    before, directories = stage.look(), stage.directories()
    steps = [stage.step(moved((f"in/{n % 37}/{n % 5}/{n}.jpg", f"lib/{n}/{n}.jpg"))) for n in range(300)]
    run = stage.approve(plan_of(steps))
    with suppress(Stopped), disk_that(stop(3000)):
        stage.apply(run)
    stage.restart()
    stage.sorter.close_run(run, "it is taken back")
    done = settled(stage, run, before)
    assert 0 < sum(done) < 300, "the crash was not in the middle"
    stage.apply(stage.approve(stage.inverse(run)))
    assert stage.look() == before
    assert stage.directories() == directories
    stage.close()


def test_a_full_disk_is_said_and_later_there_is_room(quick: Path, mounted: Path) -> None:
    stage = Stage(quick, mounted)
    for number in range(6):
        stage.write(f"in/{number}.jpg", bytes([number]) * 900_000)
    before = stage.look()
    ballast = fill_up(mounted, 100_000)
    steps = [stage.step(moved((f"in/{number}.jpg", f"lib/x/{number}.jpg"))) for number in range(6)]
    run = stage.approve(plan_of(steps))
    errors = stage.apply(run)
    assert all("no room" in str(error) or "full" in str(error) for error in errors.values())
    assert stage.look() == before
    assert not list(mounted.rglob("*.part"))
    ballast.unlink()
    assert stage.apply(run) == {}, "what was refused stays refused"
    again = stage.apply(stage.approve(plan_of(steps[:4])))
    assert list(again.values()) == [None] * 4
    assert len(list(mounted.rglob("*.jpg"))) == 4
    stage.close()


def test_a_disk_that_fills_while_files_are_copied(quick: Path, mounted: Path) -> None:
    stage = Stage(quick, mounted)
    for number in range(6):
        stage.write(f"in/{number}.jpg", bytes([number]) * 300_000)
    before = stage.look()
    run = stage.approve(plan_of([stage.step(moved((f"in/{n}.jpg", f"lib/x/{n}.jpg"))) for n in range(6)]))

    def full_after(count: int, name: str) -> None:
        if name in ("write", "copy_file_range", "sendfile") and count > 120:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with disk_that(full_after):
        errors = stage.apply(run)
    assert any(error is None for error in errors.values())
    assert any("no space is left" in str(error) for error in errors.values())
    done = done_steps(stage, steps_of(stage, run), before, stage.look())
    assert stage.done(run) == done
    assert not list(mounted.rglob("*.part"))
    stage.close()


def steps_of(stage: Stage, run: str) -> Sequence[PlanStep]:
    """What was approved."""
    return stage.sorter.plan_of(run).steps


def test_a_mount_that_is_gone(quick: Path, mounted: Path) -> None:
    """The library is not mounted when its move is recovered: it waits, and is settled when the disk is back."""
    stage = Stage(quick, mounted)
    fill(stage)
    before = stage.look()
    run = stage.approve(plan_of([stage.step(moved(("in/a.jpg", "lib/x/a.jpg"), ("in/x.jpg", "lib/x/x.jpg")))]))
    with suppress(Stopped), disk_that(stop(75)):
        stage.apply(run)
    aside = quick / "aside"
    aside.mkdir()
    subprocess.run(["mount", "--move", str(mounted), str(aside)], check=False)
    if (mounted / "lib").exists():
        pytest.skip("a mount cannot be moved here")
    stage.restart()
    there = stage.path("in/a.jpg").exists()
    subprocess.run(["mount", "--move", str(aside), str(mounted)], check=True)
    stage.restart()
    assert stage.done(run) == done_steps(stage, steps_of(stage, run), before, stage.look())
    assert there or stage.path("lib/x/a.jpg").exists()
    stage.close()
