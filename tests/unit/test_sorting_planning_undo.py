"""Plans that take others back: what comes back to where it was, and which steps cannot."""

import pytest
from msgspec.structs import replace

from pixsortd.config import SortRule
from pixsortd.records import Action, OnConflict, OnSame, Plan, PlanStep
from pixsortd.sorting.planning import inverse, plan
from tests.unit.planning_stage import INBOX, LIBRARY, Memory, choice, follow, goals, subject, terms

SOURCE, GOAL = INBOX + b"/a.jpg", LIBRARY + b"/a.jpg"


def done(disk: Memory, *rules: SortRule, companions: tuple[bytes, ...] = (), to: bytes = b"a.jpg") -> Plan:
    """A plan by which rules have done something with the file of the inbox, the first in the library itself."""
    choices = [choice(rule, b"%d/" % at + to if at else to) for at, rule in enumerate(rules)]
    found = plan([(subject(disk, SOURCE, *companions), choices)], disk, terms(*rules))
    follow(disk, found.steps)
    return found


def back(disk: Memory, found: Plan, *steps: PlanStep) -> Plan:
    return inverse(found, steps or found.steps, disk, at=2.0)


def rule(
    action: Action = Action.MOVE, conflict: OnConflict = OnConflict.NUMBER, same: OnSame = OnSame.CONFLICT
) -> SortRule:
    return SortRule(name=action.value, to="/library/", action=action, conflict=conflict, same=same)


@pytest.fixture
def disk() -> Memory:
    made = Memory()
    made.put(SOURCE, b"photo", mtime=5)
    return made


def test_a_move_is_taken_back_and_done_again(disk: Memory) -> None:
    disk.put(INBOX + b"/a.xmp", b"edits")
    before = dict(disk.files)
    found = done(disk, rule(), companions=(INBOX + b"/a.xmp",))
    after = dict(disk.files)
    undo = back(disk, found)
    assert (undo.undoes, undo.root, undo.unmoved) == (found.id, "inbox", ())
    assert undo.id not in (found.id, "")
    assert undo.steps[0].waits == ""
    assert found.id in undo.steps[0].why[0]
    follow(disk, undo.steps)
    assert disk.files == before
    redo = back(disk, undo)
    assert redo.undoes == undo.id
    assert redo.steps[0].id == found.steps[0].id, "the same is done again"
    follow(disk, redo.steps)
    assert disk.files == after


@pytest.mark.parametrize("action", [Action.COPY, Action.HARDLINK, Action.REFLINK, Action.SYMLINK])
def test_what_was_made_is_removed_and_made_again(disk: Memory, action: Action) -> None:
    before = dict(disk.files)
    found = done(disk, rule(action))
    after = set(disk.files)
    undo = back(disk, found)
    assert [(step.action, step.back) for step in undo.steps] == [(action, True)]
    assert goals(undo) == {SOURCE: GOAL}
    follow(disk, undo.steps)
    assert disk.files == before
    redo = back(disk, undo)
    assert goals(redo) == {GOAL: SOURCE}
    follow(disk, redo.steps)
    assert set(disk.files) == after


def test_a_copy_and_then_a_move_are_taken_back_last_first(disk: Memory) -> None:
    before = dict(disk.files)
    found = done(disk, rule(Action.COPY), rule())
    undo = back(disk, found)
    assert [(step.action, step.back) for step in undo.steps] == [(Action.MOVE, False), (Action.COPY, True)]
    assert undo.steps[1].files[0].destination.absolute == SOURCE, "by then the original is back"
    follow(disk, undo.steps)
    assert disk.files == before


def test_a_copy_alone_is_removed_while_the_moved_original_stays(disk: Memory) -> None:
    found = done(disk, rule(Action.COPY), rule())
    undo = back(disk, found, found.steps[0])
    assert goals(undo) == {LIBRARY + b"/1/a.jpg": GOAL}
    follow(disk, undo.steps)
    assert list(disk.files) == [LIBRARY + b"/1/a.jpg"]


def test_the_last_file_of_a_content_goes_to_the_trash(disk: Memory) -> None:
    disk.put(INBOX + b"/a.xmp", b"edits")
    found = done(disk, rule(Action.COPY), companions=(INBOX + b"/a.xmp",))
    del disk.files[SOURCE]
    undo = back(disk, found)
    (step,) = undo.steps
    assert (step.action, step.back) == (Action.MOVE, False)
    assert all(one.destination.in_trash for one in step.files)
    follow(disk, undo.steps)
    redo = back(disk, undo)
    follow(disk, redo.steps)
    assert disk.files[GOAL].content == b"photo"


def test_of_two_copies_one_is_kept_in_the_trash(disk: Memory) -> None:
    found = done(disk, rule(Action.COPY), rule(Action.HARDLINK))
    del disk.files[SOURCE]
    undo = back(disk, found)
    assert [step.back for step in undo.steps] == [True, False]
    follow(disk, undo.steps)
    assert [(b"trash" in path, file.content) for path, file in disk.files.items()] == [(True, b"photo")]


@pytest.mark.parametrize(
    ("policy", "mtime"),
    [(OnConflict.NEWER, 4), (OnConflict.NEWER, 6)],
    ids=["the other made room", "it went to the trash"],
)
def test_what_went_to_the_trash_comes_back(disk: Memory, policy: OnConflict, mtime: int) -> None:
    disk.put(LIBRARY + b"/A.jpg", b"there", mtime=mtime)
    disk.put(LIBRARY + b"/A.xmp", b"edits")
    before = dict(disk.files)
    found = done(disk, rule(conflict=policy))
    after = dict(disk.files)
    undo = back(disk, found)
    assert len(undo.steps[0].returned) == len(found.steps[0].displaced)
    follow(disk, undo.steps)
    assert disk.files == before
    follow(disk, back(disk, undo).steps)
    assert disk.files == after


def test_a_link_to_the_same_photo_is_taken_back(disk: Memory) -> None:
    disk.put(GOAL, b"photo")
    before = dict(disk.files)
    found = done(disk, rule(same=OnSame.LINK))
    after = dict(disk.files)
    undo = back(disk, found)
    follow(disk, undo.steps)
    assert disk.files == before
    follow(disk, back(disk, undo).steps)
    assert disk.files == after


def test_what_is_purged_does_not_hinder_the_rest(disk: Memory) -> None:
    disk.put(GOAL, b"there", mtime=4)
    found = done(disk, rule(conflict=OnConflict.NEWER))
    for path in [path for path in disk.files if b"trash" in path]:
        del disk.files[path]
    (step,) = back(disk, found).steps
    assert step.returned == ()
    assert step.conflict == "a.jpg cannot come back: not in the trash any more"
    follow(disk, [step])
    assert list(disk.files) == [SOURCE]


def test_a_photo_from_the_trash_that_is_gone_cannot_come_back(disk: Memory) -> None:
    disk.put(GOAL, b"there", mtime=6)
    found = done(disk, rule(conflict=OnConflict.NEWER))
    assert found.steps[0].files[0].destination.in_trash
    del disk.files[found.steps[0].files[0].destination.absolute]
    assert "is not there any more" in back(disk, found).unmoved[0].why


def test_what_was_changed_since_is_left(disk: Memory) -> None:
    found = done(disk, rule())
    file = disk.files[GOAL]
    disk.files[GOAL] = file._replace(content=b"other", stamp=replace(file.stamp, mtime_ns=9))
    undo = back(disk, found)
    assert (undo.steps, undo.unmoved[0].why) == ((), "/library/a.jpg was changed since")
    disk.files[GOAL] = file._replace(stamp=replace(file.stamp, mtime_ns=9, ctime_ns=9))
    assert len(back(disk, found).steps) == 1, "its content is the same"
    disk.pending.add(GOAL)
    assert back(disk, found).unmoved[0].why == "/library/a.jpg was changed since"


def test_what_was_moved_since_is_left_and_found(disk: Memory) -> None:
    found = done(disk, rule())
    disk.files[LIBRARY + b"/elsewhere.jpg"] = disk.files.pop(GOAL)
    why = back(disk, found).unmoved[0].why
    assert why == "/library/a.jpg is not there any more; /library/elsewhere.jpg holds the same photo"


def test_a_link_that_leads_elsewhere_is_left(disk: Memory) -> None:
    found = done(disk, rule(Action.SYMLINK))
    disk.files[GOAL] = disk.files[GOAL]._replace(target=b"/elsewhere")
    assert "not the link any more" in back(disk, found).unmoved[0].why


def test_nothing_comes_back_to_a_place_that_is_taken(disk: Memory) -> None:
    found = done(disk, rule())
    disk.put(INBOX + b"/A.jpg", b"another case of the name")
    assert len(back(disk, found).steps) == 1
    disk.put(SOURCE, b"new")
    assert back(disk, found).unmoved[0].why == "/inbox/a.jpg is taken by another file now"
    made = done(disk, rule(Action.COPY), to=b"copy.jpg")
    follow(disk, (undo := back(disk, made)).steps)
    disk.put(LIBRARY + b"/copy.jpg", b"in its place")
    assert back(disk, undo).unmoved[0].why == "/library/copy.jpg is taken by another file now"


def test_what_was_made_is_not_made_again_of_nothing(disk: Memory) -> None:
    found = done(disk, rule(Action.COPY))
    undo = back(disk, found)
    follow(disk, undo.steps)
    del disk.files[SOURCE]
    assert "of which it is to be made again" in back(disk, undo).unmoved[0].why


def test_taking_back_needs_room_too(disk: Memory) -> None:
    disk.devices[LIBRARY] = 2
    found = done(disk, rule())
    disk.files[GOAL] = disk.files[GOAL]._replace(stamp=replace(disk.files[GOAL].stamp, device=2))
    disk.free = 10
    undo = inverse(found, found.steps, disk, at=2.0, floor=6)
    assert undo.unmoved[0].why.startswith("there is no room for it")
    assert [(room.base, room.needed) for room in undo.rooms] == [(INBOX, 5)]
    assert len(inverse(found, found.steps, disk, at=2.0, floor=5).steps) == 1


def test_files_that_had_each_others_names_all_come_back(disk: Memory) -> None:
    """What one step takes away makes room for what comes back by the next."""
    disk.put(GOAL, b"older", mtime=4)
    first = done(disk, rule(conflict=OnConflict.NEWER))
    disk.put(SOURCE, b"newest", mtime=6)
    second = done(disk, rule(conflict=OnConflict.NEWER))
    follow(disk, back(disk, second).steps)
    disk.files[INBOX + b"/z.jpg"] = disk.files.pop(SOURCE)
    follow(disk, back(disk, first).steps)
    outside = {path: file.content for path, file in disk.files.items() if b"trash" not in path}
    assert outside == {SOURCE: b"photo", GOAL: b"older", INBOX + b"/z.jpg": b"newest"}
