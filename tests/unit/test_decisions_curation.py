"""What edits of groups amount to: replay, undoing, what contradicts, and the log as it was before there were edits."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixsortd.decisions import Projections
from pixsortd.decisions.agreement import agreed
from pixsortd.decisions.codec import decoded, encode
from pixsortd.decisions.curation import Curation
from pixsortd.records import (
    NEW,
    BarPhotos,
    Constraints,
    GroupChange,
    GroupChangeKind,
    GroupEdit,
    Held,
    LineageEvent,
    LockGroup,
    MergeGroups,
    NameGroup,
    PlacePhotos,
    RelatePhotos,
    Relation,
    ReleasePhotos,
    Route,
    SettleChange,
    SplitGroup,
    UndoEdit,
    UseLearned,
)

A, B, C, D, E = PHOTOS = tuple(bytes([i]) * 32 for i in range(5))


def after(*edits: GroupEdit | UndoEdit) -> Constraints:
    curation = Curation()
    for edit in edits:
        curation.take(edit)
    return curation.constraints()


def place(*photos: bytes, group: str | None = "g", edit: str = "", **fields: Any) -> PlacePhotos:
    return PlacePhotos(edit=edit, photos=photos, group=group, **fields)


def bar(*photos: bytes, group: str = "g") -> BarPhotos:
    return BarPhotos(edit="", photos=photos, group=group)


def relate(relation: Relation, *photos: bytes) -> RelatePhotos:
    return RelatePhotos(edit="", photos=photos, relation=relation)


def name(group: str = "g", name: str | None = "Beach", *members: bytes, edit: str = "") -> NameGroup:
    return NameGroup(group=group, name=name, members=members, edit=edit)


def settle(kind: GroupChangeKind, accepted: bool, *photos: bytes, group: str | None, to: str | None) -> SettleChange:
    change = GroupChange(id="c1", kind=kind, photos=photos, group=group, to=to)
    moved = (Held(group=to, photos=photos),) if accepted else ()
    return SettleChange(edit="", change=change, accepted=accepted, after=moved)


# --- each kind ------------------------------------------------------------------------------------


def test_nothing_said_binds_nothing() -> None:
    assert after() == Constraints()


def test_a_name_and_the_members_beside_it() -> None:
    held = after(name("g", "Beach", A, B), name("g", "Coast", B, C))
    assert held.names == {"g": "Coast"}
    assert set(held.known["g"]) == {A, B, C}
    assert after(name("g", "Beach", A), name("g", None)) == Constraints()


def test_a_place_is_the_last_one_said() -> None:
    held = after(place(A, B), place(B, group="h"), place(C, group=None))
    assert held.placed == {A: "g", B: "h", C: None}
    assert held.known == {"g": (A,), "h": (B,)}


def test_a_bar_and_a_place_take_each_other_back() -> None:
    assert after(place(A), bar(A)).placed == {}
    assert after(place(A), bar(A)).barred == {A: frozenset({"g"})}
    assert after(bar(A), bar(A, group="h"), place(A)).barred == {A: frozenset({"h"})}


def test_release_takes_back_all_that_was_said_of_a_photo() -> None:
    said = (place(A), bar(B), relate(Relation.APART, A, B, C), relate(Relation.TOGETHER, A, D))
    held = after(*said, ReleasePhotos(edit="", photos=(A, B)))
    assert held == Constraints()
    assert after(*said, ReleasePhotos(edit="", photos=(A,))).apart == {(B, C)}


def test_together_grows_to_one_set_and_apart_to_pairs() -> None:
    held = after(relate(Relation.TOGETHER, A, B), relate(Relation.TOGETHER, C, B), relate(Relation.APART, E, D, A))
    assert held.together == ((A, B, C),)
    assert held.apart == {(A, D), (A, E), (D, E)}
    assert held.conflicts == ()
    assert after(relate(Relation.DISTINCT, B, A)).distinct == {(A, B)}


def test_a_lock_follows_what_the_user_moves() -> None:
    lock = LockGroup(edit="", group="g", locked=True, members=(A, B))
    assert after(lock).locked == {"g": {A, B}}
    assert after(lock, place(C), place(A, group="h")).locked == {"g": {B, C}}
    assert after(lock, LockGroup(edit="", group="g", locked=False)) == Constraints()


def test_a_merge_takes_everything_along() -> None:
    merge = MergeGroups(edit="", into="g", groups=("h",), members=(A, B, C), at=5.0)
    held = after(name("h", "Beach", B), place(A, group="h"), bar(D, group="h"), bar(A, group="g"), merge)
    assert held.names == {"g": "Beach"}
    assert held.placed == {A: "g"}
    assert held.barred == {D: frozenset({"g"})}, "whoever is in the whole is not barred from it any more"
    assert held.merged == {"h": "g"}
    assert set(held.known) == {"g"}
    assert set(held.known["g"]) == {A, B, C}


def test_merges_of_merges_end_in_one_group() -> None:
    first = MergeGroups(edit="", into="g", groups=("h", "i"))
    assert after(first, MergeGroups(edit="", into="j", groups=("g",))).merged == {"h": "j", "i": "j", "g": "j"}


def test_a_merge_ends_being_kept_apart_within_it() -> None:
    merge = MergeGroups(edit="", into="g", groups=("h",), members=(A, B, C))
    assert after(relate(Relation.APART, A, B, D), merge).apart == {(A, D), (B, D)}


def test_a_split_is_remembered_with_both_parts() -> None:
    curation = Curation()
    curation.take(place(A))
    curation.take(SplitGroup(edit="", group="g", born="n", photos=(A, B), rest=(C,), at=5.0))
    held = curation.constraints()
    assert held.born == {"n": "g"}
    assert held.placed == {A: "n"}
    assert {group: set(photos) for group, photos in held.known.items()} == {"g": {C}, "n": {A, B}}
    assert [step.event for step in curation.lineage()["n"]] == [LineageEvent.SPLIT_FROM]
    assert [step.event for step in curation.lineage()["g"]] == [LineageEvent.SPLIT_OFF]


def test_a_refused_line_is_remembered_by_photo() -> None:
    refused = settle(GroupChangeKind.MOVE, False, A, B, group="g", to="h")
    assert after(refused).refused == {Route(photo=photo, group="g", to="h") for photo in (A, B)}
    born = settle(GroupChangeKind.SPLIT, False, A, group="g", to="n")
    assert after(born).refused == {Route(photo=A, group="g", to=to) for to in (NEW, "n")}
    again = settle(GroupChangeKind.MOVE, True, A, group="g", to="h")
    assert after(refused, again).refused == {Route(photo=B, group="g", to="h")}
    merged = MergeGroups(edit="", into="i", groups=("h",))
    assert Route(photo=A, group="g", to="i") in after(refused, merged).refused


def test_an_accepted_merge_is_one_of_the_users() -> None:
    assert after(settle(GroupChangeKind.MERGE, True, A, group="g", to="h")).merged == {"g": "h"}
    assert after(settle(GroupChangeKind.MOVE, True, A, group="g", to="h")) == Constraints()


def test_an_accepted_merge_takes_bars_along_and_the_later_word_holds() -> None:
    merged = settle(GroupChangeKind.MERGE, True, B, group="g", to="h")
    assert after(bar(A), merged).barred == {A: frozenset({"h"})}
    held = after(bar(A), place(A, group="h"), merged)
    assert (held.placed, held.barred) == ({A: "h"}, {})


def test_who_was_in_a_group_is_forgotten_once_it_is_the_users_no_more() -> None:
    held = after(name("g", "Beach", A, B), name("g", None), place(C))
    assert held.known == {"g": (C,)}, "clusterings moved the others since"


# --- what contradicts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ([relate(Relation.TOGETHER, A, B), relate(Relation.APART, A, B)], {"apart": {(A, B)}, "together": ()}),
        ([relate(Relation.APART, A, B), relate(Relation.TOGETHER, A, B)], {"apart": set(), "together": ((A, B),)}),
        (
            [relate(Relation.TOGETHER, A, B), relate(Relation.TOGETHER, B, C), relate(Relation.APART, A, C)],
            {"apart": {(A, C)}, "together": ((B, C),)},
        ),
        ([place(A, B), relate(Relation.APART, A, B)], {"apart": {(A, B)}}),
        ([relate(Relation.APART, A, B), place(A, B)], {"apart": set(), "placed": {A: "g", B: "g"}}),
        ([place(A), place(B, group="h"), relate(Relation.TOGETHER, A, B)], {"together": ((A, B),)}),
        (
            [relate(Relation.TOGETHER, A, B), place(A), place(B, group="h")],
            {"together": (), "placed": {A: "g", B: "h"}},
        ),
        ([relate(Relation.TOGETHER, A, B), place(A, group=None)], {"together": (), "placed": {A: None}}),
        ([bar(A), place(B), relate(Relation.TOGETHER, A, B)], {"together": ((A, B),)}),
        ([relate(Relation.TOGETHER, A, B), place(B), bar(A)], {"together": (), "barred": {A: {"g"}}}),
    ],
)
def test_the_later_decision_wins_and_it_is_said(said: list[GroupEdit], holds: dict[str, object]) -> None:
    held = after(*said)
    assert {field: getattr(held, field) for field in holds} == holds
    assert held.conflicts
    assert all("later" in text for text in held.conflicts)


# --- undoing ------------------------------------------------------------------------------------------


def test_an_undone_edit_counts_as_never_made() -> None:
    said = (name("g", "Beach", A, edit="e1"), name("g", "Coast", B, edit="e2"))
    undo, redo = UndoEdit(edit="u1", undoes="e2"), UndoEdit(edit="u2", undoes="u1")
    assert after(*said, undo) == after(said[0])
    assert after(*said, undo, redo) == after(*said)
    assert after(*said, undo, redo, UndoEdit(edit="u3", undoes="u2")) == after(said[0])
    assert after(*said, UndoEdit(edit="u1", undoes="e1")) == after(said[1])


def test_an_undoing_of_what_nobody_did_means_nothing() -> None:
    assert after(place(A), UndoEdit(edit="u", undoes="e404")) == after(place(A))


def test_the_history_names_what_was_undone() -> None:
    curation = Curation()
    for edit in (place(A, edit="e1"), place(B, edit="e2"), UndoEdit(edit="u1", undoes="e1")):
        curation.take(edit)
    assert [(past.edit, past.undone) for past in curation.newest(None, 9)] == [
        ("u1", False),
        ("e2", False),
        ("e1", True),
    ]
    assert [past.edit for past in curation.newest(2, 1)] == ["e2"]
    assert [past.edit for past in curation.since(1)] == ["e2", "u1"]
    assert curation.get("e404") is None


def test_a_name_of_an_earlier_version_can_be_undone() -> None:
    body = b'{"type":"NameGroup","group":"g1","name":"Beach","members":[],"at":1.0}'
    [old] = decoded([body])
    said = Projections([old])
    assert said.curation.constraints().names == {"g1": "Beach"}
    [past] = said.curation.newest(None, 1)
    assert past.edit.startswith("e")
    assert Projections([old]).curation.newest(None, 1)[0].edit == past.edit, "it never changes"
    said.fold(UndoEdit(edit="u1", undoes=past.edit))
    assert said.curation.constraints().names == {}


def test_whether_the_learned_likeness_is_used_is_the_last_word() -> None:
    assert Projections([]).use_learned() is None
    assert Projections([UseLearned(use=True), UseLearned(use=False)]).use_learned() is False
    assert Projections([UseLearned(use=True), UseLearned(use=None)]).use_learned() is None


# --- any history --------------------------------------------------------------------------------------

groups = st.sampled_from("ghij")
some = st.lists(st.sampled_from(PHOTOS), min_size=1, max_size=4, unique=True).map(tuple)
held = st.lists(st.builds(Held, group=st.none() | groups, photos=some), max_size=2).map(tuple)
kinds = st.sampled_from(list(GroupChangeKind))
edits: st.SearchStrategy[GroupEdit] = st.one_of(
    st.builds(NameGroup, group=groups, name=st.none() | st.text(max_size=3), members=some),
    st.builds(PlacePhotos, edit=st.just(""), photos=some, group=st.none() | groups, beside=held, after=held),
    st.builds(BarPhotos, edit=st.just(""), photos=some, group=groups, after=held),
    st.builds(ReleasePhotos, edit=st.just(""), photos=some),
    st.builds(RelatePhotos, edit=st.just(""), photos=some, relation=st.sampled_from(list(Relation))),
    st.builds(LockGroup, edit=st.just(""), group=groups, locked=st.booleans(), members=some),
    st.builds(
        MergeGroups, edit=st.just(""), into=st.just("g"), groups=st.sampled_from([("h",), ("i", "j")]), members=some
    ),
    st.builds(SplitGroup, edit=st.just(""), group=groups, born=st.sampled_from("nm"), photos=some, rest=some),
    st.builds(
        SettleChange,
        edit=st.just(""),
        change=st.builds(GroupChange, id=st.just("c"), kind=kinds, photos=some, group=groups, to=st.just("n")),
        accepted=st.booleans(),
        after=held,
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> list[GroupEdit | UndoEdit]:
    """Edits with ids, and undoings of some of them and of one another."""
    said: list[GroupEdit | UndoEdit] = []
    for position in range(draw(st.integers(0, 12))):
        if said and draw(st.integers(0, 3)) == 0:
            said.append(UndoEdit(edit=f"e{position}", undoes=f"e{draw(st.integers(0, position - 1))}"))
        else:
            said.append(msgspec.structs.replace(draw(edits), edit=f"e{position}"))
    return said


@settings(max_examples=200, deadline=None)
@given(said=histories())
def test_replaying_the_log_gives_the_same(said: list[GroupEdit | UndoEdit]) -> None:
    live = Curation()
    for edit in said:
        live.take(edit)
        live.constraints()
    assert Projections(decoded([encode(edit) for edit in said])).curation.constraints() == live.constraints()


@settings(max_examples=200, deadline=None)
@given(said=histories(), extra=edits)
def test_an_edit_and_its_undoing_leave_no_trace(said: list[GroupEdit | UndoEdit], extra: GroupEdit) -> None:
    before = after(*said)
    done = msgspec.structs.replace(extra, edit="extra")
    assert after(*said, done, UndoEdit(edit="undo", undoes="extra")) == before
    again = after(*said, done, UndoEdit(edit="undo", undoes="extra"), UndoEdit(edit="redo", undoes="undo"))
    assert again == after(*said, done)


@settings(max_examples=200, deadline=None)
@given(said=histories(), extra=edits)
def test_a_preview_shows_what_comes_and_changes_nothing(said: list[GroupEdit | UndoEdit], extra: GroupEdit) -> None:
    curation = Curation()
    for edit in said:
        curation.take(edit)
    before = curation.constraints()
    shown = curation.preview(extra)
    assert curation.constraints() == before
    curation.take(extra)
    assert curation.constraints() == shown


@settings(max_examples=300, deadline=None)
@given(said=histories())
def test_what_holds_can_hold_together(said: list[GroupEdit | UndoEdit]) -> None:
    found = after(*said)
    unit_of = {photo: unit for unit in found.together for photo in unit}
    for unit in found.together:
        homes = {found.placed[photo] for photo in unit if photo in found.placed}
        assert len(homes) <= 1
        assert None not in homes
        assert not homes & {group for photo in unit for group in found.barred.get(photo, ())}
    for one, other in found.apart:
        assert one < other
        assert unit_of.get(one) is None or unit_of[one] is not unit_of.get(other)
        if found.placed.get(one) is not None:
            assert found.placed[one] != found.placed.get(other)
    for photo, group in found.placed.items():
        assert group not in found.barred.get(photo, ())
        assert group is None or group in found.known
    photos = [photo for members in found.known.values() for photo in members]
    assert len(photos) == len(set(photos)), "nobody is known in two groups"


def test_a_bar_and_a_place_in_one_group_are_a_conflict() -> None:
    photo = b"p" * 32
    late = agreed({photo: (2, "g")}, {photo: {"g": 1}}, [])
    assert (late.placed, late.barred, len(late.conflicts)) == ({photo: "g"}, {}, 1)
    early = agreed({photo: (1, "g")}, {photo: {"g": 2}}, [])
    assert (early.placed, early.barred, len(early.conflicts)) == ({}, {photo: frozenset({"g"})}, 1)
