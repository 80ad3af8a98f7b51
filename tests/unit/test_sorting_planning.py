"""Plans of an inbox: names that are taken, what becomes of losers, room, and what waits."""

from dataclasses import dataclass

import msgspec
import pytest
from msgspec.structs import replace

from pixsortd.config import SortRule
from pixsortd.errors import Unreadable
from pixsortd.records import Action, FileStamp, OnConflict, OnSame, Place, Plan, PlanStep, Subject
from pixsortd.sorting.planning import Entry, Known, Volume, plan
from pixsortd.sorting.rules import Choice, digest_of
from tests.unit.planning_stage import INBOX, LIBRARY, Memory, choice, follow, goals, sha, subject, terms

MAKING = (Action.COPY, Action.HARDLINK, Action.REFLINK, Action.SYMLINK)


def rule(
    action: Action = Action.MOVE,
    conflict: OnConflict = OnConflict.NUMBER,
    same: OnSame = OnSame.CONFLICT,
    *,
    auto: bool = True,
    name: str = "rule",
) -> SortRule:
    return SortRule(name=name, to="/library/", action=action, conflict=conflict, same=same, auto=auto)


@dataclass
class Meeting:
    """An incoming a.jpg, and the one that has its name in the library."""

    disk: Memory

    def plan(self, by: SortRule, composite: float | None = None) -> Plan:
        incoming = subject(self.disk, INBOX + b"/a.jpg", composite=composite)
        return plan([(incoming, [choice(by, b"a.jpg")])], self.disk, terms(by))

    def step(self, by: SortRule, composite: float | None = None) -> PlanStep:
        (step,) = self.plan(by, composite).steps
        return step

    def why(self, by: SortRule, composite: float | None = None) -> str:
        found = self.plan(by, composite)
        assert not found.steps
        return found.unmoved[0].why


@pytest.fixture
def meeting() -> Meeting:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"incoming", mtime=20)
    disk.put(LIBRARY + b"/A.jpg", b"there", mtime=10)
    return Meeting(disk)


def one(disk: Memory, path: bytes, by: SortRule, to: bytes, *companions: bytes) -> tuple[Subject, list[Choice]]:
    return subject(disk, INBOX + path, *(INBOX + each for each in companions)), [choice(by, to)]


def test_a_free_name_is_taken_as_it_is() -> None:
    disk = Memory()
    disk.put(INBOX + b"/\xff.jpg", b"x")
    found = plan([one(disk, b"/\xff.jpg", rule(), b"2024/\xff.jpg")], disk, terms(rule()))
    assert goals(found) == {LIBRARY + b"/2024/\xff.jpg": INBOX + b"/\xff.jpg"}
    assert (found.steps[0].waits, found.steps[0].why, found.unmoved) == ("", ("every photo",), ())


def test_numbers(meeting: Meeting) -> None:
    step = meeting.step(rule())
    assert step.files[0].destination.path == b"a (2).jpg"
    assert step.conflict == "there is another A.jpg already; it becomes a (2).jpg"


def test_skips(meeting: Meeting) -> None:
    assert meeting.why(rule(conflict=OnConflict.SKIP)) == "there is another A.jpg already"


@pytest.mark.parametrize(
    ("policy", "winning", "losing"),
    [
        (OnConflict.NEWER, {"mtime": 10}, {"mtime": 30}),
        (OnConflict.LARGER, {"content": b"less"}, {"content": b"much, much more"}),
        (OnConflict.BEST, {"quality": 40.0}, {"quality": 60.0}),
    ],
)
def test_the_loser_goes_to_the_trash(policy: OnConflict, winning: dict, losing: dict) -> None:
    for there, wins in ((winning, True), (losing, False)):
        disk = Memory()
        disk.put(INBOX + b"/a.jpg", b"incoming", mtime=20)
        content = there.get("content", b"there")
        disk.put(LIBRARY + b"/A.jpg", content, mtime=there.get("mtime", 20))
        disk.put(LIBRARY + b"/A.xmp", b"edits")
        disk.composites[content] = there.get("quality", 0.0)
        step = Meeting(disk).step(rule(conflict=policy), composite=50.0)
        follow(disk, [step])
        kept = {path: file.content for path, file in disk.files.items() if b"trash" not in path}
        trashed = {path.rpartition(b"-")[2]: file.content for path, file in disk.files.items() if b"trash" in path}
        if wins:
            assert kept == {LIBRARY + b"/a.jpg": b"incoming"}
            assert trashed == {b"A.jpg": content, b"A.xmp": b"edits"}
            assert all(one.destination.base == LIBRARY for one in step.displaced)
        else:
            assert kept == {LIBRARY + b"/A.jpg": content, LIBRARY + b"/A.xmp": b"edits"}
            assert trashed == {b"a.jpg": b"incoming"}
            assert step.files[0].destination.base == INBOX, "no byte is copied"
            assert step.files[0].destination.in_trash


def test_a_tie_keeps_both(meeting: Meeting) -> None:
    best = rule(conflict=OnConflict.BEST)
    assert "nobody knows yet" in meeting.why(best, composite=50.0)
    meeting.disk.composites[b"there"] = 50.0
    step = meeting.step(best, composite=50.0)
    assert (step.files[0].destination.path, "neither" in step.conflict) == (b"a (2).jpg", True)


def test_what_may_not_make_room_does_not(meeting: Meeting) -> None:
    newer = rule(conflict=OnConflict.NEWER)
    meeting.disk.kept[LIBRARY + b"/A.jpg"] = "it lies in a read-only root"
    assert meeting.why(newer).endswith("cannot make room: it lies in a read-only root")
    meeting.disk.pending.add(LIBRARY + b"/A.jpg")
    assert meeting.why(newer).endswith("cannot make room: it is pending")
    assert goals(meeting.plan(rule())) == {LIBRARY + b"/a (2).jpg": INBOX + b"/a.jpg"}, "a number displaces nobody"


def test_more_than_one_file_of_the_name_is_not_compared(meeting: Meeting) -> None:
    meeting.disk.put(LIBRARY + b"/a.JPG", b"other")
    assert meeting.step(rule(conflict=OnConflict.NEWER)).files[0].destination.path == b"a (2).jpg"
    assert "there already" in meeting.why(rule(conflict=OnConflict.SKIP))


def test_a_directory_or_link_of_the_name_is_not_displaced() -> None:
    for path in (b"/a.jpg/x", b"/a.jpg"):
        disk = Memory()
        disk.put(INBOX + b"/a.jpg", b"incoming", mtime=20)
        disk.put(LIBRARY + path, target=b"/elsewhere")
        assert Meeting(disk).step(rule(conflict=OnConflict.NEWER)).files[0].destination.path == b"a (2).jpg"


@pytest.mark.parametrize("same", [OnSame.TRASH, OnSame.LINK])
@pytest.mark.parametrize("there", [b"/A.jpg", b"/a (2).jpg"])
def test_the_very_same_photo(same: OnSame, there: bytes) -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    disk.put(LIBRARY + there, b"x")
    if there != b"/A.jpg":
        disk.put(LIBRARY + b"/a.jpg", b"another")
    step = Meeting(disk).step(rule(same=same))
    follow(disk, [step])
    outside = {path: file for path, file in disk.files.items() if b"trash" not in path}
    if same is OnSame.TRASH:
        assert INBOX + b"/a.jpg" not in outside
        assert LIBRARY + there in outside
    else:
        assert outside[step.files[0].destination.absolute].stamp == outside[LIBRARY + there].stamp
    assert [file.content for path, file in disk.files.items() if b"trash" in path] == [b"x"]


def test_the_same_photo_counts_as_any_other_unless_said_otherwise() -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    disk.put(LIBRARY + b"/a.jpg", b"x")
    assert Meeting(disk).step(rule()).files[0].destination.path == b"a (2).jpg"


def test_the_same_photo_with_edits_of_its_own_is_kept() -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    disk.put(INBOX + b"/a.xmp", b"edits")
    disk.put(LIBRARY + b"/a.jpg", b"x")
    trash = rule(same=OnSame.TRASH)
    (step,) = plan([one(disk, b"/a.jpg", trash, b"a.jpg", b"/a.xmp")], disk, terms(trash)).steps
    assert [file.destination.path for file in step.files] == [b"a (2).jpg", b"a (2).xmp"]
    disk.put(LIBRARY + b"/A.xmp", b"edits")
    (step,) = plan([one(disk, b"/a.jpg", trash, b"a.jpg", b"/a.xmp")], disk, terms(trash)).steps
    assert all(file.destination.in_trash for file in step.files)


def test_while_a_content_is_not_known_nothing_is_decided_by_it() -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    disk.put(LIBRARY + b"/a.jpg", b"y")
    disk.pending.add(LIBRARY + b"/a.jpg")
    for by in (rule(same=OnSame.TRASH), rule(Action.COPY)):
        assert "nobody knows yet" in Meeting(disk).why(by)


@pytest.mark.parametrize("action", MAKING)
def test_a_copy_or_link_is_made_once(action: Action) -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    disk.put(LIBRARY + b"/a.jpg", b"another")
    making = Meeting(disk)
    step = making.step(rule(action))
    assert (step.action, step.files[0].destination.path) == (action, b"a (2).jpg")
    follow(disk, [step])
    assert "already" in making.why(rule(action))
    assert disk.files[INBOX + b"/a.jpg"].content == b"x"


@pytest.mark.parametrize("action", MAKING)
def test_a_copy_that_was_taken_away_is_not_made_again(action: Action) -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    by = rule(action)
    done = replace(terms(by), done=frozenset({(sha(b"x"), digest_of(by))}))
    assert plan([one(disk, b"/a.jpg", by, b"a.jpg")], disk, done).unmoved[0].why == "that was done already"


def test_what_loses_by_copying_stays(meeting: Meeting) -> None:
    meeting.disk.put(LIBRARY + b"/B.jpg", b"newer", mtime=30)
    meeting.disk.put(INBOX + b"/b.jpg", b"incoming too", mtime=20)
    copying = rule(Action.COPY, OnConflict.NEWER)
    found = plan([one(meeting.disk, b"/b.jpg", copying, b"b.jpg")], meeting.disk, terms(copying))
    assert (found.steps, found.unmoved[0].why) == ((), "the B.jpg that is there is newer")


def test_files_of_one_plan_are_numbered_by_their_content() -> None:
    disk = Memory()
    contents = sorted((b"1", b"2", b"3"), key=sha)
    for number, content in enumerate(contents):
        disk.put(INBOX + b"/%d/IMG.jpg" % (3 - number), content)
    chosen = [one(disk, b"/%d/IMG.jpg" % (3 - number), rule(), b"img.jpg") for number in range(3)]
    found = plan(chosen, disk, terms(rule()))
    assert plan(chosen[::-1], disk, terms(rule())) == found
    by_name = {
        file.destination.path: disk.files[file.source.absolute].content for step in found.steps for file in step.files
    }
    assert by_name == dict(zip((b"img.jpg", b"img (2).jpg", b"img (3).jpg"), contents, strict=True))
    assert [step.files[0].source.path for step in found.steps] == [b"1/IMG.jpg", b"2/IMG.jpg", b"3/IMG.jpg"]


@pytest.mark.parametrize("policy", [OnConflict.NEWER, OnConflict.LARGER, OnConflict.BEST, OnConflict.SKIP])
def test_files_of_one_plan_are_compared_when_the_first_is_there(policy: OnConflict) -> None:
    disk = Memory()
    by = rule(conflict=policy)
    for number in range(3):
        content = b"x" * (number + 1)
        disk.composites[content] = number
        disk.put(INBOX + b"/%d/a.jpg" % number, content, mtime=number)
    for _ in range(3):
        left = [path for path in disk.files if path.startswith(INBOX) and b"trash" not in path]
        chosen = [
            (subject(disk, path, composite=disk.composites[disk.files[path].content]), [choice(by, b"a.jpg")])
            for path in left
        ]
        follow(disk, plan(chosen, disk, terms(by)).steps)
    kept = disk.files[LIBRARY + b"/a.jpg"].content
    if policy is OnConflict.SKIP:
        assert kept == min((b"x", b"xx", b"xxx"), key=sha)
    else:
        assert kept == b"xxx"
        assert sorted(file.content for path, file in disk.files.items() if b"trash" in path) == [b"x", b"xx"]


def test_companions_get_the_same_number_and_the_new_name() -> None:
    disk = Memory()
    names = (b"/IMG_1.JPG", b"/img_1.MOV", b"/IMG_1.JPG.xmp")
    for name in names:
        disk.put(INBOX + name, name)
    disk.put(LIBRARY + b"/day 1.mov", b"somebody else's")
    (step,) = plan([one(disk, names[0], rule(), b"day 1.JPG", *names[1:])], disk, terms(rule())).steps
    assert [file.destination.path for file in step.files] == [
        b"day 1 (2).JPG",
        b"day 1 (2).MOV",
        b"day 1 (2).JPG.xmp",
    ]
    skipped = plan([one(disk, names[0], rule(conflict=OnConflict.SKIP), b"day 1.JPG", *names[1:])], disk, terms(rule()))
    assert skipped.unmoved[0].why == "day 1.MOV is there already"


def test_nobody_makes_room_for_nothing(meeting: Meeting) -> None:
    """Where a companion's name stays taken by something else, displacing the photo would not help."""
    meeting.disk.put(INBOX + b"/a.mov", b"film")
    meeting.disk.put(LIBRARY + b"/a.mov", b"another film")
    meeting.disk.put(LIBRARY + b"/a.png", b"to which it may belong")
    newer = rule(conflict=OnConflict.NEWER)
    (step,) = plan([one(meeting.disk, b"/a.jpg", newer, b"a.jpg", b"/a.mov")], meeting.disk, terms(newer)).steps
    assert [file.destination.path for file in step.files] == [b"a (2).jpg", b"a (2).mov"]
    assert (step.displaced, step.conflict.startswith("a.mov is there already and belongs")) == ((), True)


def test_a_unit_whose_names_would_become_one_stays() -> None:
    disk = Memory()
    for name in (b"/a.jpg", b"/a.xmp", b"/A.xmp"):
        disk.put(INBOX + name, name)
    found = plan([one(disk, b"/a.jpg", rule(), b"b.jpg", b"/a.xmp", b"/A.xmp")], disk, terms(rule()))
    assert "same name" in found.unmoved[0].why


def test_directories_are_entered_as_they_are_spelled() -> None:
    disk = Memory()
    disk.put(LIBRARY + "/Été/x.jpg".encode(), b"x")
    chosen = []
    for number, directory in enumerate(("e\u0301te\u0301", "NEW/Sub", "new/sub", "ÉTÉ")):
        disk.put(INBOX + b"/%d.jpg" % number, b"%d" % number)
        chosen.append(one(disk, b"/%d.jpg" % number, rule(), directory.encode() + b"/%d.jpg" % number))
    found = plan(chosen, disk, terms(rule()))
    directories = {file.destination.directory.decode() for step in found.steps for file in step.files}
    assert len(directories) == 2
    assert "Été" in directories
    assert plan(chosen[::-1], disk, terms(rule())) == found


def test_what_is_no_directory_is_not_entered() -> None:
    for obstacle in (b"", b"/elsewhere"):
        disk = Memory()
        disk.put(LIBRARY + b"/Trip", b"a file", target=obstacle)
        disk.put(INBOX + b"/a.jpg", b"x")
        found = plan([one(disk, b"/a.jpg", rule(), b"trip/a.jpg")], disk, terms(rule()))
        assert "cannot be made" in found.unmoved[0].why


def test_a_file_and_a_directory_of_one_plan_do_not_meet() -> None:
    disk = Memory()
    first, second = sorted((b"1", b"2"), key=sha)
    for path, content in ((b"/f.jpg", first), (b"/g.jpg", second)):
        disk.put(INBOX + path, content)
    inside, instead = one(disk, b"/g.jpg", rule(), b"X.jpg/g.jpg"), one(disk, b"/f.jpg", rule(), b"x.jpg")
    found = plan([inside, instead], disk, terms(rule()))
    assert goals(found) == {LIBRARY + b"/x.jpg": INBOX + b"/f.jpg"}
    assert "cannot be made" in found.unmoved[0].why
    inside, instead = one(disk, b"/f.jpg", rule(), b"X.jpg/g.jpg"), one(disk, b"/g.jpg", rule(), b"x.jpg")
    assert set(goals(plan([inside, instead], disk, terms(rule())))) == {
        LIBRARY + b"/X.jpg/g.jpg",
        LIBRARY + b"/x (2).jpg",
    }


def test_names_are_cut_to_what_the_file_system_takes() -> None:
    class Short(Memory):
        def volume(self, base: bytes, directory: bytes) -> Volume:
            return Volume(device=1, free=10**12, longest=143)

    disk = Short()
    name = "ü".encode() * 100 + b".jpg"
    disk.put(INBOX + b"/" + name, b"x")
    disk.put(INBOX + b"/o/" + name, b"y")
    found = plan([one(disk, each + name, rule(), name) for each in (b"/", b"/o/")], disk, terms(rule()))
    for goal in goals(found):
        assert len(goal.rpartition(b"/")[2]) <= 143
        goal.decode()


def test_what_stays_says_why() -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    photo = subject(disk, INBOX + b"/a.jpg")
    leave, keep = rule(Action.LEAVE, name="keep"), rule()
    refused = replace(terms(keep), refused=frozenset({(photo.image, digest_of(keep))}))

    def why(choices: list[Choice], by: object = None) -> str:
        return plan([(photo, choices)], disk, by or terms(keep)).unmoved[0].why

    assert why([]) == "no rule takes it"
    assert why([replace(choice(leave, b""), destination=None)]) == 'the rule "keep" leaves it: every photo'
    assert why([replace(choice(keep, b""), destination=None, missing="when it was taken is not known")]).startswith(
        "when"
    )
    assert why([choice(keep, b"a.jpg")], refused) == "you said leave it"
    home = choice(keep, b"")
    assert why([replace(home, destination=photo.place)]) == "it is where it belongs"
    link, move = choice(rule(Action.SYMLINK, name="link"), b"l.jpg"), choice(rule(name="move"), b"m.jpg")
    found = plan([(photo, [link, move])], disk, terms(keep))
    assert [step.rule for step in found.steps] == ["move"]
    assert "lead nowhere" in found.unmoved[0].why


@pytest.mark.parametrize("action", [Action.HARDLINK, Action.REFLINK])
def test_links_do_not_lead_to_another_file_system(action: Action) -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    disk.devices[LIBRARY] = 2
    assert Meeting(disk).why(rule(action)).endswith("cannot lead to another file system")


def test_what_cannot_be_looked_at_is_left_alone() -> None:
    class Away(Memory):
        def listing(self, base: bytes, directory: bytes) -> list[Entry]:
            raise Unreadable("the disk is away", path=base)

    disk = Away()
    disk.put(INBOX + b"/a.jpg", b"x")
    assert Meeting(disk).why(rule()).startswith("the disk is away")


def test_words_can_be_written_down_whatever_the_names() -> None:
    class Failing(Memory):
        def known(self, place: Place, stamp: FileStamp) -> Known:
            raise Unreadable("the disk fails", path=place.absolute)

    for disk in (Memory(), Failing()):
        disk.put(INBOX + b"/\xff.jpg", b"x")
        disk.put(LIBRARY + b"/\xff.jpg", b"y")
        photo, choices = one(disk, b"/\xff.jpg", rule(), b"\xff.jpg")
        told = [replace(choices[0], why=("its name is \udcff.jpg",))]
        found = plan([(photo, told)], disk, terms(rule()))
        assert msgspec.json.decode(msgspec.json.encode(found), type=Plan) == found
        words = [*found.steps[0].why, found.steps[0].conflict] if found.steps else [found.unmoved[0].why]
        assert all("\\xff.jpg" in text for text in words)


def test_room_is_counted_where_bytes_are_written() -> None:
    disk = Memory()
    for number in range(4):
        disk.put(INBOX + b"/%d.jpg" % number, b"x" * 10 + b"%d" % number)
    disk.devices[LIBRARY], disk.free = 2, 40
    chosen = [one(disk, b"/%d.jpg" % number, rule(), b"%d.jpg" % number) for number in range(4)]
    found = plan(chosen, disk, replace(terms(rule()), floor=10))
    assert ["no room" in step.waits for step in found.steps] == [False, False, True, True]
    assert [(room.base, room.needed, room.free) for room in found.rooms] == [(LIBRARY, 44, 40)]
    disk.devices[LIBRARY] = 1
    assert plan(chosen, disk, terms(rule())).rooms == (), "a move on one file system takes no room"
    copied = [(photo, [choice(rule(Action.COPY), b"c/%d" % at)]) for at, (photo, _) in enumerate(chosen)]
    assert plan(copied, disk, terms(rule())).rooms[0].needed == 44


def test_what_waits_says_why() -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    photo, sure, asking = subject(disk, INBOX + b"/a.jpg"), rule(), rule(auto=False)

    def waits(by: SortRule, approved: tuple[SortRule, ...], confidence: float = 1.0) -> str:
        return plan([(photo, [choice(by, b"a.jpg", confidence)])], disk, terms(*approved)).steps[0].waits

    assert waits(sure, (sure,)) == ""
    assert waits(sure, ()) == "the first plan of an inbox waits for you"
    assert "is new, or does something else" in waits(sure, (rule(conflict=OnConflict.SKIP),))
    assert waits(asking, (asking,)) == 'the rule "rule" asks each time'
    assert waits(sure, (sure,), 0.5) == 'it is only 50% sure, and the rule "rule" asks below 80%'
    assert waits(sure, (sure,), 0.8) == ""


def test_a_file_is_not_moved_before_its_copy_was_approved() -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x")
    photo, copying, moving = subject(disk, INBOX + b"/a.jpg"), rule(Action.COPY, auto=False), rule(name="move")
    choices = [choice(copying, b"copy.jpg"), choice(moving, b"a.jpg")]
    steps = plan([(photo, choices)], disk, terms(copying, moving)).steps
    assert [(step.action, bool(step.waits)) for step in steps] == [(Action.COPY, True), (Action.MOVE, True)]
    assert "something else" in steps[1].waits


def test_ids_say_what_is_done() -> None:
    disk = Memory()
    disk.put(INBOX + b"/a.jpg", b"x", mtime=1)
    disk.put(LIBRARY + b"/a.jpg", b"there", mtime=0)
    newer = rule(conflict=OnConflict.NEWER)
    first = Meeting(disk).plan(newer)
    again = Meeting(disk).plan(newer)
    assert first == again
    disk.files[LIBRARY + b"/a.jpg"] = disk.files[LIBRARY + b"/a.jpg"]._replace(
        stamp=replace(disk.files[LIBRARY + b"/a.jpg"].stamp, ctime_ns=5)
    )
    touched = Meeting(disk).plan(newer)
    assert (touched.id, touched.steps[0].id) == (first.id, first.steps[0].id)
    assert touched.steps[0].displaced != first.steps[0].displaced, "its name in the trash is another one"
    other = replace(rule(conflict=OnConflict.NUMBER))
    assert Meeting(disk).plan(other).id != first.id
