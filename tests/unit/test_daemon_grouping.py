"""What becomes of the user's groups while a clustering runs, and of what it finds."""

from array import array
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from pixsortd.config import Settings
from pixsortd.daemon.clustering import Fill
from pixsortd.daemon.grouping import Book, Curator, Grouper, Outcomes, grouper
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.decisions import Decisions
from pixsortd.grouping.packing import hashes
from pixsortd.grouping.request import FoundGroup, Reply, Request
from pixsortd.index.store import Store
from pixsortd.records import GroupChangeKind, GroupState, LineageEvent, Membership
from tests.unit.index_material import SPACE, content, index, opened

NAMES = [b"%d" % i for i in range(12)]
PHOTOS = sorted(content(name) for name in NAMES)
ONE, TWO, LONERS = PHOTOS[:5], PHOTOS[5:10], PHOTOS[10:]


class Room:
    """Twelve photos, five in ``g1`` and five in ``g2``; ``analyst`` says what a clustering finds."""

    def __init__(self, home: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.decisions = Decisions.open(home / "decisions")
        self.book = Book(store, self.decisions, lambda: None)
        self.book.restore()
        self.curator = Curator(store, self.decisions, self.book, lambda *_: None)
        self.outcomes = Outcomes(store, self.book)
        self.analyst: Callable[[Request], dict[str, list[bytes]]] = lambda _: {"g1": ONE, "g2": TWO}
        self.grouper = Grouper(
            Settings,
            store,
            SimpleNamespace(active=lambda: SPACE),
            self.outcomes,
            SimpleNamespace(lessons=lambda: (), wanted=lambda: None, keep=lambda _: None),
            SimpleNamespace(),
            home / "scratch",
            home / "kept",
            lambda: None,
            lambda: None,
            Holds(store),
        )

        def clustered(_: Path, fill: Fill, asked: Callable[[str, bytes], Request], __: object) -> tuple[bytes, Reply]:
            contents = fill(BytesIO())
            return contents, reply(contents, self.analyst(asked("vectors.npy", contents)))

        monkeypatch.setattr(grouper, "clustered", clustered)

    def form(self) -> dict[str, object]:
        return dict(self.grouper._recluster(lambda *_: None))

    @property
    def groups(self) -> dict[str, set[bytes]]:
        return {group.id: set(self.store.members(group.id)) for group in self.store.groups()}


def reply(contents: bytes, groups: dict[str, list[bytes]]) -> Reply:
    """What the analyst answers for these groups."""
    photos = hashes(contents)
    return Reply(
        groups=tuple(
            FoundGroup(
                id=group,
                rows=array("i", (photos.index(photo) for photo in members)).tobytes(),
                strengths=array("f", [0.5] * len(members)).tobytes(),
                nearest=array("i", [photos.index(members[0])] * len(members)).tobytes(),
                similarities=array("f", [0.75] * len(members)).tobytes(),
                exemplars=tuple(members[:2]),
                floor=0.25,
                cohesion=0.5,
            )
            for group, members in groups.items()
        ),
        method="by hand",
    )


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    with opened(tmp_path / "index") as store:
        index(store, *NAMES)
        room = Room(tmp_path, store, monkeypatch)
        room.form()
        yield room
        room.decisions.close()


def test_the_first_clustering_applies_itself(room: Room) -> None:
    assert room.groups == {"g1": set(ONE), "g2": set(TWO)}
    assert room.store.membership(ONE[1]) == Membership(
        group="g1",
        strength=0.5,
        how="clustered",
        at=room.store.membership(ONE[1]).at,
        nearest=(ONE[0],),
        similarity=0.75,
    )
    group = room.book.get("g1")
    assert (group.floor, group.cohesion, group.space, group.exemplars) == (0.25, 0.5, SPACE.name, tuple(ONE[:2]))
    assert [step.event for step in group.lineage] == [LineageEvent.BORN]
    outlook = room.curator.proposal()
    assert {line.kind for line in outlook.proposal.applied} == {GroupChangeKind.BIRTH}
    assert (outlook.proposal.photos, outlook.proposal.changed, outlook.proposal.method) == (12, 10, "by hand")


def test_the_same_again_writes_and_changes_nothing(room: Room) -> None:
    run, before = room.curator.proposal().proposal.run, room.store.membership(ONE[0])
    assert room.form()["changed"] == 0
    assert room.store.membership(ONE[0]) == before, "not even its time"
    again = room.curator.proposal().proposal
    assert (again.run, again.changes, again.applied) == (run, (), ())


def test_a_group_named_while_a_clustering_dissolves_it_stays(room: Room) -> None:
    def dissolves(_: Request) -> dict[str, list[bytes]]:
        room.curator.rename("g1", "Beach 2019")
        return {"g2": TWO}

    room.analyst = dissolves
    room.form()
    group = room.book.get("g1")
    assert (group.name, group.size, group.state) == ("Beach 2019", 5, GroupState.RESTING)
    [line] = room.curator.proposal().proposal.changes
    assert (line.kind, line.group, set(line.photos)) == (GroupChangeKind.END, "g1", set(ONE))
    room.analyst = lambda _: {"g1": ONE, "g2": TWO}
    room.form()
    assert room.book.get("g1").state is GroupState.ACTIVE
    assert room.curator.proposal().proposal.changes == ()


def test_a_name_taken_back_while_a_clustering_runs_does_not_fail_it(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")

    def rests(_: Request) -> dict[str, list[bytes]]:
        room.curator.rename("g1", None)
        return {}

    room.analyst = rests
    assert room.form()["groups"] == 0
    assert room.store.groups() == []


def test_the_analyst_is_told_of_the_users_groups(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")
    room.curator.merge("g1", ["g2"])
    asked: list[Request] = []
    room.analyst = lambda request: asked.append(request) or {"g1": [*ONE, *TWO]}  # type: ignore[func-returns-value]
    room.form()
    [request] = asked
    assert request.touched == ("g1",)
    assert request.merged == {"g2": "g1"}
    assert set(array("i", request.previous["g1"])) == set(range(10))


def test_what_touches_a_named_group_waits_and_what_does_not_is_done(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")
    room.analyst = lambda _: {"g1": ONE[:3], "g2": [*TWO, LONERS[0]], "g3": [*ONE[3:], LONERS[1]]}
    room.form()
    assert room.groups["g1"] == set(ONE)
    assert room.groups["g2"] == {*TWO, LONERS[0]}
    proposal = room.curator.proposal().proposal
    waiting = {(line.kind, line.group, line.to): set(line.photos) for line in proposal.changes}
    assert waiting[GroupChangeKind.SPLIT, "g1", "g3"] == set(ONE[3:])
    assert room.curator.waiting()["g1"] == 1


def split(room: Room) -> str:
    """Let a clustering split two photos off the named g1; the id of the line."""
    room.curator.rename("g1", "Beach 2019")
    room.analyst = lambda _: {"g1": ONE[:3], "g2": TWO, "g3": ONE[3:]}
    room.form()
    [line] = room.curator.proposal().proposal.changes
    return line.id


def test_an_accepted_line_is_done_and_can_be_taken_back(room: Room) -> None:
    done = room.curator.settle(split(room), accepted=True)
    assert room.groups == {"g1": set(ONE[:3]), "g2": set(TWO), "g3": set(ONE[3:])}
    assert room.book.get("g3").floor == 0.25, "as the clustering found it"
    assert room.curator.proposal().proposal.changes == ()
    assert room.curator.waiting() == {}
    room.curator.undo(done.edit or "")
    assert room.groups == {"g1": set(ONE), "g2": set(TWO)}
    assert len(room.curator.proposal().proposal.changes) == 1, "it waits again"


def test_a_refused_line_does_not_come_again(room: Room) -> None:
    refused = room.curator.settle(split(room), accepted=False)
    assert room.curator.proposal().proposal.changes == ()
    for _ in range(3):
        room.form()
        assert room.curator.proposal().proposal.changes == ()
        assert room.groups["g1"] == set(ONE)
    room.curator.undo(refused.edit or "")
    assert len(room.curator.proposal().proposal.changes) == 1


def test_part_of_a_line_is_settled_and_the_rest_waits(room: Room) -> None:
    line = split(room)
    room.curator.settle(line, accepted=True, images=[ONE[3]])
    assert room.groups["g3"] == {ONE[3]}
    [rest] = room.curator.proposal().proposal.changes
    assert rest.photos == (ONE[4],)
    assert room.curator.settle_many([rest.id, "c0"], accepted=True)[1].reason is not None
    assert room.groups["g3"] == set(ONE[3:])


def test_an_edit_leaves_nothing_of_a_line_that_it_answers(room: Room) -> None:
    split(room)
    room.curator.place("g1", [ONE[3]])
    [line] = room.curator.proposal().proposal.changes
    assert line.photos == (ONE[4],), "the pinned one stays, whatever the clustering says"
    room.curator.lock("g1", True)
    assert room.curator.proposal().proposal.changes == ()


def test_a_merge_that_is_accepted_is_a_merge(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")
    room.analyst = lambda _: {"g1": [*ONE, *TWO]}
    room.form()
    [line] = room.curator.proposal().proposal.changes
    assert line.kind is GroupChangeKind.MERGE
    room.curator.settle(line.id, accepted=True)
    assert room.groups == {"g1": {*ONE, *TWO}}
    assert room.decisions.constraints().merged == {"g2": "g1"}
    assert room.form()["changed"] == 0


def test_a_group_that_comes_back_when_its_end_is_undone_is_the_one_it_was(room: Room) -> None:
    before = room.book.get("g2")
    merged = room.curator.merge("g1", ["g2"])
    assert room.store.group("g2") is None
    room.curator.undo(merged.edit)
    assert room.book.get("g2") == before
    room.curator.rename("g2", "Tower")
    moved = room.curator.place("g1", TWO)
    merged = room.curator.merge("g1", ["g2"])
    room.curator.undo(merged.edit)
    assert room.book.get("g2") == msgspec.structs.replace(before, name="Tower", touched=True, size=0, exemplars=()), (
        "one that was empty too"
    )
    room.curator.undo(moved.edit)
    assert room.book.get("g2").size == len(TWO)


def test_photos_never_looked_at_join_a_named_group_by_themselves(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")
    index(room.store, b"new")
    room.analyst = lambda _: {"g1": [*ONE, content(b"new"), LONERS[0]], "g2": TWO}
    room.form()
    assert room.groups["g1"] == {*ONE, content(b"new")}
    [line] = room.curator.proposal().proposal.changes
    assert (line.kind, line.photos) == (GroupChangeKind.JOIN, (LONERS[0],))


def test_groups_of_the_user_come_back_into_an_empty_index(room: Room, tmp_path: Path, monkeypatch) -> None:
    room.curator.rename("g1", "Beach 2019")
    room.curator.place("g2", [LONERS[0]])
    room.curator.lock("g1", True)
    with opened(tmp_path / "another") as store:
        index(store, *NAMES)
        again = Room(tmp_path, store, monkeypatch)
        group = again.book.get("g1")
        assert (group.name, group.locked, group.touched, group.size) == ("Beach 2019", True, True, 5)
        assert LONERS[0] in again.groups["g2"]
        again.decisions.close()


def test_another_embedding_model_changes_no_group_of_the_users(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")
    room.curator.place("g2", [LONERS[0]])
    other = msgspec.structs.replace(SPACE, model="another")
    contents = b"".join(PHOTOS)
    room.outcomes.apply(reply(contents, {"g1": [*ONE[:2], *TWO[3:]], "g3": TWO[:3]}), contents, other, len(PHOTOS))
    assert room.groups == {"g1": set(ONE), "g2": {*TWO, LONERS[0]}}
    assert room.outcomes.last() == (len(PHOTOS), other.key.hex())
    assert {line.waits for line in room.curator.proposal().proposal.changes} == {True}
    assert (room.book.get("g1").name, room.book.get("g2").touched) == ("Beach 2019", True)


def ways(room: Room) -> set[tuple[GroupChangeKind, str | None, str | None, frozenset[bytes]]]:
    return {
        (line.kind, line.group, line.to, frozenset(line.photos)) for line in room.curator.proposal().proposal.changes
    }


def test_waiting_lines_follow_a_merge_of_the_users_and_void_ones_leave(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")
    room.curator.rename("g2", "Harbour")
    room.analyst = lambda _: {"g1": [*ONE[:3], TWO[0]], "g2": [*TWO[2:], LONERS[0]], "g3": [*ONE[3:], TWO[1]]}
    room.form()
    room.curator.merge("g1", ["g2"])
    assert ways(room) == {
        (GroupChangeKind.SPLIT, "g1", "g3", frozenset(ONE[3:])),
        (GroupChangeKind.SPLIT, "g1", "g3", frozenset(TWO[1:2])),
        (GroupChangeKind.JOIN, None, "g1", frozenset(LONERS[:1])),
    }, "the one from g2 into g1 has nothing left to do"
    for settled in room.curator.settle_many([line.id for line in room.curator.proposal().proposal.changes], True):
        assert settled.edited is not None
    assert room.groups == {"g1": {*ONE[:3], TWO[0], *TWO[2:], LONERS[0]}, "g3": {*ONE[3:], TWO[1]}}


@pytest.mark.parametrize("accepted", [True, False])
def test_a_line_that_waits_again_is_of_the_groups_there_are(room: Room, accepted: bool) -> None:
    room.curator.rename("g2", "Harbour")
    room.analyst = lambda _: {"g1": ONE, "g2": [*TWO, LONERS[0]]}
    room.form()
    [line] = room.curator.proposal().proposal.changes
    answer = room.curator.settle(line.id, accepted)
    room.curator.merge("g1", ["g2"])
    undone = room.curator.undo(answer.edit or "")
    for line in room.curator.proposal().proposal.changes:
        assert (line.group, line.to) == (None, "g1")
        room.curator.settle(line.id, accepted=True)
    assert room.groups == {"g1": {*ONE, *TWO, LONERS[0]}}
    room.curator.undo(undone.edit or "")
    assert room.groups.keys() == {"g1"}
    assert ways(room) == set()


def test_nobody_stays_under_the_id_of_a_group_whose_merge_is_accepted(room: Room) -> None:
    room.curator.rename("g1", "Beach 2019")
    room.curator.rename("g2", "Harbour")
    room.analyst = lambda _: {"g1": [*ONE, *TWO[:4]]}
    room.form()
    merge, leave = room.curator.proposal().proposal.changes
    assert (merge.kind, leave.kind) == (GroupChangeKind.MERGE, GroupChangeKind.LEAVE)
    done = room.curator.settle(merge.id, accepted=True)
    assert room.groups == {"g1": {*ONE, *TWO}}
    assert ways(room) == {(GroupChangeKind.LEAVE, "g1", None, frozenset(TWO[4:]))}
    room.curator.settle(leave.id, accepted=True)
    assert room.groups == {"g1": {*ONE, *TWO[:4]}}
    room.curator.undo(done.edit or "")
    assert room.groups == {"g1": set(ONE), "g2": set(TWO[:4])}


def test_a_split_never_takes_an_id_that_was_ever_given(room: Room) -> None:
    first = room.curator.split("g1", ONE[:2])
    [born] = room.groups.keys() - {"g1", "g2"}
    room.curator.undo(first.edit or "")
    second = room.curator.split("g1", ONE[:3])
    assert born not in {group.id for group in second.groups}
