"""Plans carried out, taken back, taken up again after a restart, and refused where the world has changed."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pixsortd.errors import Conflict, IndexFull, JournalDamaged, NotFound, PixsortdError, StateDirectoryFull
from pixsortd.records import Action, PlanState, PlanStep, StepState
from pixsortd.sorting.contents import DIRECTORIES, FILES
from pixsortd.sorting.journal import Move
from pixsortd.sorting.lots import lots, places
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.sorter import Sorter
from tests.faults import sort_stage
from tests.faults.faulty_disk import disk_that, never
from tests.faults.sort_stage import SCENARIOS, TRASH, Deed, Seen, done_steps, fill, moved, plan_of


class Stage(sort_stage.Stage):
    """Roots with files, and who sorts them."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        fill(self)
        self.quiet: list[frozenset[bytes]] = []
        """Whoever had to look away, lot by lot."""
        self.lots: list[tuple[int, int]] = []
        """What progress heard."""

    def carry_on(
        self,
        run: str,
        refuse: Callable[[PlanStep], PixsortdError | None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        floor: int = 0,
    ) -> Mapping[str, PixsortdError | None]:
        """Do what is still open of a run."""

        @contextlib.contextmanager
        def quiet(bases: Collection[bytes]) -> Iterator[None]:
            self.quiet.append(frozenset(bases))
            yield

        def progress(done: int, total: int) -> None:
            self.lots.append((done, total))

        return self.sorter.apply(run, quiet=quiet, refuse=refuse, floor=floor, progress=progress, stop=stop)

    def do(self, steps: Sequence[PlanStep]) -> str:
        """Approve and apply, without any fault."""
        run = self.approve(plan_of(steps))
        assert set(self.carry_on(run).values()) == {None}
        return run

    def undo(self, run: str) -> str:
        """Take a run back."""
        plan = self.inverse(run)
        assert plan.unmoved == ()
        back = self.approve(plan)
        assert set(self.carry_on(back).values()) == {None}
        return back

    def states(self, run: str) -> list[StepState]:
        """Of each step."""
        return [told.state for told in self.sorter.steps_of(run)]

    def why(self, run: str) -> list[str]:
        """Why steps were not done."""
        return [told.why for told in self.sorter.steps_of(run) if told.why]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """In memory where there is one, so that syncs take no time."""
    with contextlib.ExitStack() as stack:
        quick = os.access("/dev/shm", os.W_OK)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm"))) if quick else tmp_path
        stage = Stage(home)
        with disk_that(never):  # which makes reflinks, as some file systems do
            yield stage
        stage.close()


def steps_of(stage: Stage, deeds: Sequence[Deed]) -> list[PlanStep]:
    return [stage.step(deed) for deed in deeds]


@pytest.mark.parametrize("name", SCENARIOS)
def test_done_taken_back_and_done_again(stage: Stage, name: str) -> None:
    old, directories = stage.look(), stage.directories()
    steps = steps_of(stage, SCENARIOS[name])
    run = stage.do(steps)
    new = stage.look()
    assert done_steps(stage, steps, old, new) == [True] * len(steps)
    assert stage.sorter.record(run).state is PlanState.APPLIED
    back = stage.undo(run)
    assert stage.look() == old
    assert stage.directories() == directories, "a directory that was made is left"
    assert len(stage.mover.contents) == 0
    assert stage.sorter.record(run).state is PlanState.UNDONE
    assert stage.sorter.record(run).undone_by == back
    again = stage.undo(back)
    assert _without_trash(stage.look()) == _without_trash(new)
    states = [stage.sorter.record(one).state for one in (run, back, again)]
    assert states == [PlanState.APPLIED, PlanState.UNDONE, PlanState.APPLIED]
    before = {one: (stage.sorter.record(one), stage.sorter.steps_of(one)) for one in (run, back, again)}
    stage.restart()
    assert {one: (stage.sorter.record(one), stage.sorter.steps_of(one)) for one in before} == before
    stage.undo(run)
    assert stage.look() == old, "after undo, redo and a restart, the first plan can be taken back again"


def test_a_restart_takes_up_what_was_left(stage: Stage) -> None:
    steps = [stage.step(moved((f"in/{name}", f"lib/new/{name}"))) for name in ("a.jpg", "x.jpg", "deep/b.jpg")]
    # Each needs what the one before it leaves, so that each is a lot of its own.
    chain = [stage.step(moved(("in/stays.jpg", "in/a.jpg")))]
    run = stage.approve(plan_of([*steps, *chain]))
    calls = iter([False, True])
    stage.carry_on(run, stop=lambda: next(calls))
    assert stage.states(run) == [StepState.DONE] * 3 + [StepState.WAITING]
    assert stage.sorter.unfinished() == [run]
    assert stage.sorter.record(run).state is PlanState.APPLYING
    stage.restart()
    assert stage.sorter.unfinished() == [run]
    assert stage.carry_on(run) == {chain[0].id: None}
    assert stage.sorter.unfinished() == []
    assert stage.carry_on(run) == {}, "nothing is done twice"
    stage.undo(run)
    assert stage.path("in/stays.jpg").exists()
    assert stage.path("in/a.jpg").exists()


def test_what_is_closed_is_not_taken_up(stage: Stage) -> None:
    steps = [stage.step(moved(("in/a.jpg", "lib/a.jpg")))]
    run = stage.approve(plan_of(steps))
    assert stage.carry_on(run, stop=lambda: True) == {}
    stage.sorter.close_run(run, "you have cancelled it")
    for _ in range(2):
        assert stage.sorter.unfinished() == []
        assert stage.why(run) == ["you have cancelled it"]
        assert stage.carry_on(run) == {}
        assert (stage.sorter.record(run).refused, stage.sorter.record(run).done) == (1, 0)
        stage.restart()
    assert stage.path("in/a.jpg").exists()


def change(stage: Stage) -> str:
    stage.path("in/a.jpg").write_bytes(b"changed")
    return "changed since"


def remove(stage: Stage) -> str:
    stage.path("in/a.jpg").unlink()
    return "not there any more"


def take(stage: Stage) -> str:
    stage.write("lib/new/A.JPG")
    return "name is taken"


def link_the_directory(stage: Stage) -> str:
    (stage.home / "elsewhere").mkdir()
    stage.path("lib/new").symlink_to(stage.home / "elsewhere")
    return "a directory on the way is a link"


def replace_by_a_link(stage: Stage) -> str:
    stage.path("in/a.jpg").unlink()
    stage.path("in/a.jpg").symlink_to(stage.path("in/x.jpg"))
    return "changed since"


@pytest.mark.parametrize("action", [Action.MOVE, Action.COPY, Action.HARDLINK, Action.SYMLINK])
@pytest.mark.parametrize("meanwhile", [change, remove, take, link_the_directory, replace_by_a_link])
def test_a_changed_world_refuses_the_step_in_words(
    stage: Stage, meanwhile: Callable[[Stage], str], action: Action
) -> None:
    steps = steps_of(stage, [Deed(action, (("in/a.jpg", "lib/new/a.jpg"),)), moved(("in/x.jpg", "lib/x.jpg"))])
    run = stage.approve(plan_of(steps))
    words = meanwhile(stage)
    before = stage.look()
    outcomes = stage.carry_on(run)
    assert words in str(outcomes[steps[0].id])
    assert outcomes[steps[1].id] is None, "the others are done"
    assert stage.states(run) == [StepState.REFUSED, StepState.DONE]
    assert words in stage.why(run)[0]
    assert set(before) - set(stage.look()) == {"in/x.jpg"}
    assert not list((stage.home / "elsewhere").glob("*")), "a link leads outside"
    record = stage.sorter.record(run)
    assert (record.state, record.done, record.refused) == (PlanState.APPLIED, 1, 1)


def test_an_undo_refuses_what_was_changed_since(stage: Stage) -> None:
    steps = steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg")), moved(("in/x.jpg", "lib/x.jpg"))])
    run = stage.do(steps)
    plan = stage.inverse(run)
    stage.path("lib/a.jpg").write_bytes(b"edited")
    stage.write("in/x.jpg")
    back = stage.approve(plan)
    stage.carry_on(back)
    assert sorted(word.partition(":")[0] for word in stage.why(back)) == [
        "it was changed since",
        "the name is taken by another file now",
    ]
    assert stage.sorter.record(run).state is PlanState.APPLIED
    assert stage.path("lib/a.jpg").read_bytes() == b"edited"


def test_a_step_that_was_taken_back_is_not_wanted_again(stage: Stage) -> None:
    deeds = [moved(("in/a.jpg", "lib/a.jpg")), Deed(Action.COPY, (("in/x.jpg", "lib/x.jpg"),))]
    steps = steps_of(stage, deeds)
    moved_one, copied = ((step.image, "digest") for step in steps)
    run = stage.do(steps)
    assert stage.sorter.refused() == frozenset()
    assert stage.sorter.done() == {copied}
    back = stage.undo(run)
    assert stage.sorter.refused() == {moved_one, copied}
    stage.undo(back)
    assert stage.sorter.refused() == frozenset()
    stage.sorter.decline([(b"photo", "digest")])
    stage.restart()
    assert stage.sorter.refused() == {(b"photo", "digest")}
    assert stage.sorter.done() == {copied}
    assert stage.sorter.approved("in") == {"digest"}
    assert stage.sorter.approved("another") == frozenset()


def test_what_is_held_is_so_until_it_is_done(stage: Stage) -> None:
    steps = steps_of(stage, SCENARIOS["move two"])
    run = stage.approve(plan_of(steps))
    stage.sorter.hold(run, steps)
    stage.sorter.close_run(run, "cancelled")
    stage.restart()
    assert stage.sorter.held() == {(step.image, "digest") for step in steps}
    stage.do(steps[:1])
    stage.restart()
    assert stage.sorter.held() == {(steps[1].image, "digest")}


def test_what_made_room_is_in_the_trash(stage: Stage) -> None:
    old = stage.path("lib/there/x.jpg").read_bytes()
    run = stage.do(steps_of(stage, SCENARIOS["take the place"]))
    (item,) = stage.mover.contents.all()
    assert item.origin == stage.place("lib/there/x.jpg")
    assert (stage.paths["lib"] / TRASH / f"{item.id}-x.jpg").read_bytes() == old
    stage.restart()
    assert stage.mover.contents.all() == [item]
    stage.undo(run)
    assert stage.path("lib/there/x.jpg").read_bytes() == old


def test_nothing_makes_room_in_vain(stage: Stage) -> None:
    old = stage.path("lib/there/x.jpg").read_bytes()
    run = stage.approve(plan_of(steps_of(stage, SCENARIOS["take the place"])))

    class Ended(BaseException):
        """The process ends here."""

    made_room = False

    def fault(_count: int, name: str) -> None:
        nonlocal made_room
        if made_room and name == "link":
            raise Ended
        made_room = made_room or not stage.path("lib/there/x.jpg").exists()

    with disk_that(fault), pytest.raises(Ended):
        stage.carry_on(run)
    assert made_room
    stage.path("in/x.jpg").unlink()  # the user does
    stage.restart()
    assert stage.path("lib/there/x.jpg").read_bytes() == old
    assert len(stage.mover.contents) == 0
    assert list(stage.carry_on(run).values()) != [None], "it is tried again, and refused in words"
    assert "not there any more" in stage.why(run)[0]


def test_the_floor_stays_free(stage: Stage) -> None:
    room = os.statvfs(stage.home)
    steps = steps_of(stage, [Deed(Action.COPY, (("in/a.jpg", "lib/a.jpg"),)), moved(("in/x.jpg", "lib/x.jpg"))])
    run = stage.approve(plan_of(steps))
    outcomes = stage.carry_on(run, floor=room.f_bavail * room.f_frsize)
    assert "no room" in str(outcomes[steps[0].id])
    assert outcomes[steps[1].id] is None, "a new name takes no room"


def test_whoever_may_refuse_is_asked(stage: Stage) -> None:
    steps = steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg"))])
    run = stage.approve(plan_of(steps))
    stage.carry_on(run, refuse=lambda step: Conflict(f"not {step.rule}"))
    assert stage.why(run) == ["not rule"]
    assert stage.quiet == [frozenset(stage.bases)]
    assert stage.lots == [(0, 1)]


def test_links_that_cannot_be_made_are_refused_in_words(stage: Stage) -> None:
    deeds = [Deed(action, (("in/a.jpg", f"lib/{action}.jpg"),)) for action in (Action.HARDLINK, Action.REFLINK)]
    for code, words in ((errno.EXDEV, "another file system"), (errno.EOPNOTSUPP, "cannot make such a link")):
        steps = steps_of(stage, deeds)
        run = stage.approve(plan_of(steps))
        with disk_that(never, dict.fromkeys(("link", "ioctl"), code).get):
            stage.carry_on(run)
        assert [words in why for why in stage.why(run)] == [True, True]
    assert not [name for name in stage.look() if name.startswith("lib/") and "there" not in name]


def test_no_approval_without_room_for_it(stage: Stage) -> None:
    steps = steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg"))])
    for call in ("pwrite", "fsync"):
        with disk_that(never, {call: errno.ENOSPC}.get), pytest.raises(StateDirectoryFull):
            stage.approve(plan_of(steps))
    stage.restart()
    assert stage.sorter.history(None, 9) == ([], 0)
    stage.do(steps)


def test_a_journal_that_cannot_be_written_leaves_the_steps_open(stage: Stage) -> None:
    steps = steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg"))])
    run, before = stage.approve(plan_of(steps)), stage.look()
    with disk_that(never, {"pwrite": errno.ENOSPC}.get), pytest.raises(StateDirectoryFull):
        stage.carry_on(run)
    assert (stage.look(), stage.states(run)) == (before, [StepState.WAITING])
    assert stage.carry_on(run) == {steps[0].id: None}


def test_an_index_that_refuses_is_told_again_and_the_step_counts_once(stage: Stage) -> None:
    refusing = True

    def tell(moves: Sequence[Move]) -> None:
        if refusing:
            raise IndexFull("the disk is full")
        stage.told.extend(moves)

    stage.close()
    stage.mover = Mover(stage.home / "journal", tell)
    stage.sorter = Sorter(stage.mover)
    run = stage.approve(plan_of(steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg"))])))
    stage.carry_on(run)
    refusing = False
    stage.recover()
    assert len(stage.told) == 1
    assert stage.sorter.record(run).done == 1
    assert stage.states(run) == [StepState.DONE]


def test_a_damaged_plan_is_reported(stage: Stage) -> None:
    run = stage.do(steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg"))]))
    path = stage.home / "journal" / "plans" / run
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(JournalDamaged, match="checksum"):
        stage.sorter.steps_of(run)
    with pytest.raises(NotFound):
        stage.sorter.steps_of("nothing-1")
    assert len(stage.sorter.moves_of(run)) == 1, "the journal knows what was moved"


def test_history_is_paged_newest_first(stage: Stage) -> None:
    first = stage.do(steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg"))]))
    second = stage.undo(first)
    third = stage.do(steps_of(stage, [moved(("in/a.jpg", "lib/a.jpg"))]))
    assert third == first.replace("-1", "-2"), "the same plan, approved again"
    newest, total = stage.sorter.history(None, 2)
    assert ([one.id for one in newest], total) == ([third, second], 3)
    rest, _ = stage.sorter.history(second, 2)
    assert [(one.id, one.undone_by) for one in rest] == [(first, second)]
    assert stage.sorter.history(first, 2) == ([], 3)


def test_many_files_go_in_lots(stage: Stage) -> None:
    for number in range(FILES + 10):
        stage.write(f"in/many/{number}.jpg")
    steps = [stage.step(moved((f"in/many/{n}.jpg", f"lib/many/{n % 7}/{n}.jpg"))) for n in range(FILES + 10)]
    found = list(lots(steps))
    assert [step for lot in found for step in lot] == steps
    assert len(found) > 1
    for lot in found:
        concerned = [place for step in lot for place in places(step)]
        assert len(concerned) <= FILES
        assert len({(place.base, place.directory) for place in concerned}) <= DIRECTORIES
    run = stage.do(steps)
    assert stage.lots[0] == (0, len(steps))
    assert stage.sorter.record(run).done == len(steps)
    stage.undo(run)
    assert "lib/many" not in stage.directories()


def _without_trash(look: Mapping[str, Seen]) -> dict[str, Seen]:
    """Without the names in the trash, which are new each time."""
    return {name.rpartition("-")[2] if ".pixsortd-trash" in name else name: seen for name, seen in look.items()}
