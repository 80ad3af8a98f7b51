"""A plan by its folders: in which order, and what is counted."""

from msgspec.structs import replace

from pixsortd.api.ports import StepEntry
from pixsortd.daemon.sorting.outline import by_folder, by_reason, outlined
from pixsortd.records import (
    Action,
    FileStamp,
    Place,
    Plan,
    PlannedFile,
    PlanRecord,
    PlanState,
    PlanStep,
    StepState,
    Unmoved,
)

STAMP = FileStamp(size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1)


def entry(to: str, state: StepState = StepState.WAITING, rule: str = "A", waits: str = "", **more) -> StepEntry:
    file = PlannedFile(
        source=Place(base=b"/in", path=to.encode()), destination=Place(base=b"/p", path=to.encode()), stamp=STAMP
    )
    step = PlanStep(id=to, image=to.encode(), rule=rule, action=Action.MOVE, files=(file,), waits=waits, **more)
    return StepEntry(step=step, state=state)


def paths(entries: list[StepEntry]) -> list[str]:
    return [one.step.id for one in entries]


def test_steps_of_a_folder_stand_together_and_numbers_count_as_such():
    given = [entry(one) for one in ("2024/10/a.jpg", "2024/2/b10.jpg", "2024/2/x/c.jpg", "2024/2/b9.jpg")]
    assert paths(by_folder(given)) == ["2024/2/b9.jpg", "2024/2/b10.jpg", "2024/2/x/c.jpg", "2024/10/a.jpg"]
    assert paths(by_folder(reversed(given))) == paths(by_folder(given))


def test_what_goes_away_stands_where_it_is():
    back = entry("a.jpg", back=True)
    stays = entry("b.jpg")
    told = outlined(PlanRecord(id="p", at=0, state=PlanState.WAITING, root="i"), PLAN, [back, stays])
    assert [(one.path, one.steps) for one in told.folders] == [(b"/in", ("a.jpg",)), (b"/p", ("b.jpg",))]


PLAN = Plan(id="p", at=0, root="i")


def test_a_plan_is_counted_by_rule_by_what_it_waits_for_and_by_why_files_stay():
    steps = [
        entry("a.jpg", waits="first"),
        entry("b.jpg", rule="B", waits="unsure"),
        entry("c.jpg", rule="B", waits="unsure"),
        entry("d.jpg", StepState.DONE, rule="B"),
        entry("e.jpg", StepState.REFUSED),
        entry("f.jpg", StepState.UNDONE),
    ]
    left = [Unmoved(place=Place(base=b"/in", path=name), image=b"", why=why) for name, why in LEFT]
    told = outlined(
        PlanRecord(id="p", at=0, state=PlanState.WAITING, root="i"), replace(PLAN, unmoved=tuple(left)), steps
    )
    assert list(told.rules.items()) == [("A", 3), ("B", 3)]
    assert list(told.waits.items()) == [("unsure", 2), ("first", 1)]
    assert list(told.stays.items()) == [("no rule", 2), ("left", 1)]
    assert told.settled == ("e.jpg", "f.jpg")
    assert [one.place.path for one in by_reason(left)] == [b"2.jpg", b"10.jpg", b"1.jpg"]


LEFT = ((b"10.jpg", "no rule"), (b"1.jpg", "left"), (b"2.jpg", "no rule"))
