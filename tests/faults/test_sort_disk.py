"""Every call to the disk fails or is the last one, in every scenario of sorting: old state or new, nothing lost."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pixsortd.errors import PixsortdError
from tests.faults.faulty_disk import FAULTS, WAYS, Stopped, disk_that, never
from tests.faults.sort_stage import SCENARIOS, Seen, Stage, done_steps, fill, plan_of

PHASES = ("apply", "undo", "undo the undo")


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: thousands of syncs would take minutes elsewhere."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        yield Path(directory)


def staged(home: Path, scenario: str, phase: str, way: str) -> tuple[Stage, str]:
    """A stage at the beginning of a phase, and the run that is to be applied."""
    stage = Stage(home)
    fill(stage)
    with disk_that(never, WAYS[way]):
        run = stage.approve(plan_of([stage.step(deed) for deed in SCENARIOS[scenario]]))
        for _ in range(PHASES.index(phase)):
            stage.apply(run)
            run = stage.approve(stage.inverse(run))
    return stage, run


def settled(stage: Stage, run: str, before: dict[str, Seen], *, stubs: bool = False, modes: bool = True) -> list[bool]:
    """Which steps are done after recovery, on disk and in the journal alike; nothing is half done or left over."""
    now = stage.look()
    if not modes:
        now, before = _without_modes(now), _without_modes(before)
    if stubs:  # killed just when an empty file had taken a name, before it was marked as ours
        now = {name: seen for name, seen in now.items() if seen.content or name in before}
    done = done_steps(stage, stage.sorter.plan_of(run).steps, before, now)
    assert stage.done(run) == done, "the journal says something else"
    assert not any(stage.mover.interrupted(base) for base in stage.bases), "a move has no end"
    return done


def _without_modes(look: dict[str, Seen]) -> dict[str, Seen]:
    return {name: seen._replace(mode=0) if stat.S_ISREG(seen.kind) else seen for name, seen in look.items()}


def clean(home: Path, scenario: str, phase: str, way: str) -> int:
    """A run without any fault does everything; how many calls it makes."""
    stage, run = staged(home, scenario, phase, way)
    before = stage.look()
    with disk_that(never, WAYS[way]) as shim:
        outcomes = stage.apply(run)
    assert not [str(error) for error in outcomes.values() if error is not None]
    assert all(settled(stage, run, before))
    stage.restart()
    assert all(settled(stage, run, before))
    stage.close()
    return shim.calls


def ways(scenario: str) -> list[str]:
    """The kinds of file systems that a scenario can be done on."""
    return ["link"] if "link" in scenario and scenario not in ("reflink", "symlink") else list(WAYS)


CASES = [(scenario, way) for scenario in SCENARIOS for way in ways(scenario)]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("scenario", "way"), CASES)
def test_it_is_done_and_taken_back(quick: Path, scenario: str, way: str, phase: str) -> None:
    assert clean(quick / "clean", scenario, phase, way)


# A copy's mode is kept as far as its file system can; where that very call fails, the copy is made all the same.
MODES = {"stop", "dead"}


def every_call(home: Path, scenario: str, phase: str, way: str, faults: list[str]) -> int:
    """Let each call fail in each of these ways, or be the last; how many that were."""
    total = clean(home / "clean", scenario, phase, way)
    tried = 0
    for fault in faults:
        for k in range(1, total + 1):
            place = home / f"{fault}{k}"
            stage, run = staged(place, scenario, phase, way)
            before = stage.look()
            with suppress(Stopped, PixsortdError), disk_that(FAULTS[fault](k), WAYS[way]):
                stage.apply(run)
            stage.restart()
            settled(stage, run, before, stubs=way == "bare", modes=fault in MODES)
            # What is still open goes on, and nothing keeps it from being done or refused in words.
            stage.apply(run)
            settled(stage, run, before, stubs=way == "bare", modes=fault in MODES)
            assert not stage.sorter.unfinished()
            stage.close()
            shutil.rmtree(place)
            tried += 1
    return tried


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_call_is_the_last(quick: Path, scenario: str, phase: str) -> None:
    every_call(quick, scenario, phase, "link", ["stop"])


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("scenario", "way"), CASES)
def test_every_call_fails_or_is_the_last(quick: Path, scenario: str, way: str, phase: str) -> None:
    print(every_call(quick, scenario, phase, way, list(FAULTS)), "faults")


def stopped_twice(home: Path, scenario: str, phase: str, way: str, stride: int) -> int:
    """End the process at a call, and recovery at one of its calls; every ``stride``-th of each. How many that were."""
    total = clean(home / "clean", scenario, phase, way)
    tried = 0
    for k in range(1, total + 1, stride):
        recovered, j = False, tried % stride
        while not recovered:
            j += stride
            place = home / f"{k} {j}"
            stage, run = staged(place, scenario, phase, way)
            before = stage.look()
            with suppress(Stopped), disk_that(FAULTS["stop"](k), WAYS[way]):
                stage.apply(run)
            stage.close()
            with suppress(Stopped), disk_that(FAULTS["stop"](j), WAYS[way]):
                stage.open()
                stage.recover()
                recovered = True
            stage.close()
            stage.open()
            stage.recover()
            settled(stage, run, before, stubs=way == "bare")
            stage.close()
            shutil.rmtree(place)
            tried += 1
    return tried


@pytest.mark.parametrize("way", ["link", "bare", "copy"])
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("scenario", ["copy into a place", "take a twin's place"])
def test_recovery_is_ended_too(quick: Path, scenario: str, way: str, phase: str) -> None:
    assert stopped_twice(quick, scenario, phase, way, 7)


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("scenario", "way"), CASES)
def test_recovery_is_ended_at_many_calls(quick: Path, scenario: str, way: str, phase: str) -> None:
    print(stopped_twice(quick, scenario, phase, way, 3), "times")
