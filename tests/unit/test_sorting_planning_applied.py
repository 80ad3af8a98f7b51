"""Plans of hostile names carried out for real: applied, taken back, and done again."""

import os
import random
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from pixsortd.records import Action, Place, Plan
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.planning import inverse, plan
from pixsortd.sorting.rules import digest_of
from pixsortd.sorting.sorter import Sorter
from tests.unit.planning_stage import Directory, terms
from tests.unit.test_sorting_planning_names import ENDS, INTO, PARTS, RULES, chosen_of, name_of


class Stage:
    """A real directory with a sorter."""

    def __init__(self, home: Path) -> None:
        self.disk = Directory(home / "disk")
        self.mover = Mover(home / "journal", lambda moves: None)
        self.sorter = Sorter(self.mover)

    def apply(self, found: Plan) -> str:
        """Approve a plan and do it; the id of its run."""
        run = self.sorter.approve(found, by="you", digests={rule.name: digest_of(rule) for rule in RULES})
        outcomes = self.sorter.apply(
            run,
            quiet=lambda roots: nullcontext(),
            refuse=lambda step: None,
            floor=0,
            progress=lambda done, total: None,
            stop=lambda: False,
        )
        assert len(outcomes) == len(found.steps)
        actions = {step.id: step.action for step in found.steps}
        for step, error in outcomes.items():  # most file systems of tests have no reflinks
            assert error is None or (actions[step] is Action.REFLINK and "cannot make such a link" in str(error))
        return run

    def take_back(self, run: str) -> str:
        """Undo a run; the id of the one that did."""
        undo = inverse(self.sorter.plan_of(run), self.sorter.done_steps(run), self.disk, at=2.0)
        assert undo.unmoved == ()
        return self.apply(undo)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "disk").mkdir()
    made = Stage(tmp_path)
    yield made
    made.mover.close()


def test_hostile_names_for_real(stage: Stage) -> None:
    disk, chance = stage.disk, random.Random(6)
    pool = sorted({name_of(chance.choices(PARTS, k=chance.randint(0, 5)), chance.choice(ENDS)) for _ in range(1200)})
    for name in pool[::3]:
        disk.put(disk.library + chance.choice([b"/", b"/Trip/"]) + name, b"%d" % chance.randrange(400), mtime=10**9)
    chosen = []
    for directory in (b"", b"more/"):
        for name in pool:
            content, mtime = b"%d" % chance.randrange(400), chance.randrange(4) * 10**9
            place = Place(base=disk.inbox, path=directory + name)
            stamp = disk.put(place.absolute, content, mtime=mtime)
            chosen.append(chosen_of(place, stamp, content, (), chance.choice(RULES), chance.choice(INTO), disk.library))
    before = disk.seen()
    inodes = {path: os.lstat(path).st_ino for path in before}
    found = plan(chosen, disk, terms(*RULES))
    assert {step.action for step in found.steps} == set(Action) - {Action.LEAVE}
    run = stage.apply(found)
    after = disk.seen()
    back = stage.take_back(run)
    assert disk.seen() == before
    assert {path: os.lstat(path).st_ino for path in before} == inodes
    stage.take_back(back)
    assert disk.seen() == after
