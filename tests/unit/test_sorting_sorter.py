"""Plans carried out, taken back, taken up again after a restart, and refused where the world has changed."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pixsortd.errors import PixsortdError
from pixsortd.records import PlanState, PlanStep, StepState
from pixsortd.sorting.journal import Move
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.sorter import Sorter
from tests.faults.faulty_disk import disk_that, never
from tests.faults.sort_stage import SCENARIOS, Deed, Roots, Seen, done_steps, fill, plan_of


class Stage:
    """Roots with files, and who sorts them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.roots = Roots(home)
        fill(self.roots)
        self.told: list[Move] = []
        self.quiet: list[frozenset[bytes]] = []
        self.open()

    def open(self) -> None:
        self.mover = Mover(self.home / "journal", self.told.extend)
        self.sorter = Sorter(self.mover)

    def restart(self) -> None:
        """As after the end of the process."""
        self.mover.close()
        self.open()
        self.mover.recover(self.roots.bases)

    def approve(self, steps: Sequence[PlanStep], undoes: str = "") -> str:
        return self.sorter.approve(plan_of(steps, undoes), by="you", digests={"rule": "digest"})

    def apply(
        self,
        run: str,
        refuse: Callable[[PlanStep], PixsortdError | None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        floor: int = 0,
    ) -> Mapping[str, PixsortdError | None]:
        @contextlib.contextmanager
        def quiet(bases: Collection[bytes]) -> Iterator[None]:
            self.quiet.append(frozenset(bases))
            yield

        return self.sorter.apply(
            run, quiet=quiet, refuse=refuse, floor=floor, progress=lambda _done, _total: None, stop=stop
        )

    def do(self, steps: Sequence[PlanStep], undoes: str = "") -> str:
        """Approve and apply, without any fault."""
        run = self.approve(steps, undoes)
        assert set(self.apply(run).values()) == {None}
        return run

    def undo(self, run: str) -> str:
        """Take a run back."""
        return self.do([self.roots.back(step) for step in reversed(self.sorter.done_steps(run))], run)

    def states(self, run: str) -> list[StepState]:
        return [told.state for told in self.sorter.steps_of(run)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """In memory where there is one, so that syncs take no time."""
    with contextlib.ExitStack() as stack:
        quick = os.access("/dev/shm", os.W_OK)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm"))) if quick else tmp_path
        stage = Stage(home)
        with disk_that(never):  # which makes reflinks, as some file systems do
            yield stage
        stage.mover.close()


def steps_of(stage: Stage, deeds: Sequence[Deed]) -> list[PlanStep]:
    return [stage.roots.step(deed) for deed in deeds]


@pytest.mark.parametrize("name", SCENARIOS)
def test_done_taken_back_and_done_again(stage: Stage, name: str) -> None:
    old, directories = stage.roots.look(), stage.roots.directories()
    steps = steps_of(stage, SCENARIOS[name])
    run = stage.do(steps)
    new = stage.roots.look()
    assert done_steps(stage.roots, steps, old, new) == [True] * len(steps)
    assert stage.sorter.record(run).state is PlanState.APPLIED
    back = stage.undo(run)
    assert stage.roots.look() == old
    assert stage.roots.directories() == directories, "a directory that was made is left"
    assert len(stage.mover.contents) == 0
    assert stage.sorter.record(run).state is PlanState.UNDONE
    assert stage.sorter.record(run).undone_by == back
    again = stage.undo(back)
    assert _without_trash(stage.roots.look()) == _without_trash(new)
    states = [stage.sorter.record(one).state for one in (run, back, again)]
    assert states == [PlanState.APPLIED, PlanState.UNDONE, PlanState.APPLIED]
    before = {one: (stage.sorter.record(one), stage.sorter.steps_of(one)) for one in (run, back, again)}
    stage.restart()
    assert {one: (stage.sorter.record(one), stage.sorter.steps_of(one)) for one in before} == before
    stage.undo(run)
    assert stage.roots.look() == old, "after undo, redo and a restart, the first plan can be taken back again"


def _without_trash(look: Mapping[str, Seen]) -> dict[str, Seen]:
    """Without the names in the trash, which are new each time."""
    return {name.rpartition("-")[2] if ".pixsortd-trash" in name else name: seen for name, seen in look.items()}
