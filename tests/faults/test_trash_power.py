"""The power fails at any call of discard, restore, purge and recovery: whatever the disk kept, nothing is lost."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.faulty_disk import WAYS, Stopped, disk_that, stop
from tests.faults.power_cut import PowerCut
from tests.faults.test_trash_disk import ACTS, calls, quick, staged
from tests.faults.trash_stage import Stage

__all__ = ["quick"]


def assert_any_tree_recovers(stage: Stage, cut: PowerCut, act: str, way: str, seed: int) -> int:
    """Whatever the disk may hold now, recovery makes the old state or the new one of it; how many were tried."""
    trees = list(cut.trees(random.Random(seed), 2))
    cut.close()
    for tree in trees:
        tree.lay_out()
        stage.trash = stage.opened()
        stage.trash.mover.recover([stage.base])
        states = stage.assert_whole(purged=act == "purge", stubs=way == "bare")
        assert act != "one_move" or len(set(states.values())) == 1, "half a move"
        stage.trash.mover.close()
    return len(trees)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("act", ACTS)
def test_power_fails_at_any_call(quick: Path, act: str, way: str) -> None:
    tried = 0
    for k in range(1, calls(quick / "clean", act, way) + 2, 2):
        stage = staged(quick / str(k), act, way)
        do, cut = ACTS[act](stage), PowerCut(stage.home)
        with suppress(Stopped), disk_that(stop(k), WAYS[way], cut):
            do()
        stage.trash.mover.close()
        tried += assert_any_tree_recovers(stage, cut, act, way, k)
    print(f"{tried} states of the disk")


# Without RENAME_NOREPLACE a name is taken by an empty file first, and its mark may be lost: no harm, but no end either.
@pytest.mark.parametrize("way", ["link", "rename", "copy"])
@pytest.mark.parametrize("act", ["one_move", "restore"])
def test_power_fails_while_a_crash_is_recovered_from(quick: Path, act: str, way: str) -> None:
    tried = 0
    for k in range(3, calls(quick / "clean", act, way) + 2, 7):
        for again in range(1, 100, 5):
            stage = staged(quick / f"{k}-{again}", act, way)
            do, cut = ACTS[act](stage), PowerCut(stage.home)
            with suppress(Stopped), disk_that(stop(k), WAYS[way], cut):
                do()
            stage.trash.mover.close()
            ended = False
            with suppress(Stopped), disk_that(stop(again), WAYS[way], cut):
                stage.trash = stage.opened()
                stage.trash.mover.recover([stage.base])
                ended = True
            if ended:
                stage.trash.mover.close()
            tried += assert_any_tree_recovers(stage, cut, act, way, k)
            if ended:
                break
    print(f"{tried} states of the disk")
