"""The power fails at any call of sorting and of its recovery: whatever the disk kept, nothing is lost."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from pixsortd.errors import PixsortdError
from tests.faults.faulty_disk import WAYS, Stopped, disk_that, stop
from tests.faults.power_cut import PowerCut
from tests.faults.sort_stage import SCENARIOS, Look, Stage
from tests.faults.test_sort_disk import CASES, PHASES, clean, quick, settled, staged

__all__ = ["quick"]


def assert_any_tree_recovers(stage: Stage, run: str, cut: PowerCut, before: Look, seed: int, mixed: int) -> int:
    """Whatever the disk may hold now, recovery makes the old state or the new one of it; how many were tried."""
    trees = list(cut.trees(random.Random(seed), mixed))
    cut.close()
    for tree in trees:
        tree.lay_out()
        stage.open()
        stage.recover()
        settled(stage, run, before)
        stage.close()
    return len(trees)


def power_fails(home: Path, scenario: str, phase: str, way: str, mixed: int, every: int) -> int:
    """Cut the power at every so many calls of a run; how many states of the disk were recovered from."""
    tried = 0
    for k in range(1, clean(home / "clean", scenario, phase, way) + 2, every):
        stage, run = staged(home / str(k), scenario, phase, way)
        before, cut = stage.look(), PowerCut(stage.home)
        with suppress(Stopped, PixsortdError), disk_that(stop(k), WAYS[way], cut):
            stage.apply(run)
        stage.close()
        tried += assert_any_tree_recovers(stage, run, cut, before, k, mixed)
        shutil.rmtree(stage.home)
    return tried


def power_fails_in_recovery(home: Path, scenario: str, phase: str, way: str, every: int) -> int:
    """End the process at every so many calls, and cut the power at every so many calls of the recovery."""
    tried = 0
    for k in range(1, clean(home / "clean", scenario, phase, way) + 2, every):
        for again in range(1, 1000, every):
            stage, run = staged(home / f"{k}-{again}", scenario, phase, way)
            before, cut = stage.look(), PowerCut(stage.home)
            with suppress(Stopped, PixsortdError), disk_that(stop(k), WAYS[way], cut):
                stage.apply(run)
            stage.close()
            opened = ended = False
            with suppress(Stopped), disk_that(stop(again), WAYS[way], cut):
                stage.open()
                opened = True
                stage.recover()
                ended = True
            if opened:
                stage.close()
            tried += assert_any_tree_recovers(stage, run, cut, before, k, 1)
            shutil.rmtree(stage.home)
            if ended:
                break
    return tried


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_power_fails_now_and_then(quick: Path, scenario: str, phase: str) -> None:
    assert power_fails(quick, scenario, phase, "link", 1, 9)


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("scenario", "way"), [case for case in CASES if case[1] != "bare"])
def test_power_fails_at_any_call(quick: Path, scenario: str, way: str, phase: str) -> None:
    print(power_fails(quick, scenario, phase, way, 3, 1), "states of the disk")


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("scenario", "way"), [case for case in CASES if case[1] != "bare"])
def test_power_fails_while_a_crash_is_recovered_from(quick: Path, scenario: str, way: str, phase: str) -> None:
    print(power_fails_in_recovery(quick, scenario, phase, way, 7), "states of the disk")
