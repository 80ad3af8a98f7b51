"""A clustering as lines: what is done at once, what waits, what is not said again."""

import random
from collections.abc import Iterable, Mapping

import pytest

from pixsortd.grouping.lines import departures, lineage
from pixsortd.grouping.proposal import (
    BREAKS,
    DECIDED,
    LEAST,
    MOSTLY_YOURS,
    RESTLESS,
    RUNS,
    SUDDEN,
    allowance,
    breaks,
    pending,
    propose,
)
from pixsortd.records import (
    Constraints,
    GroupChange,
    GroupChangeKind,
    Lineage,
    LineageEvent,
    Route,
)

Groups = Mapping[bytes, str | None]


def photo(number: int) -> bytes:
    return number.to_bytes(2, "big")


def groups(**members: Iterable[int]) -> dict[bytes, str]:
    return {photo(number): group for group, numbers in members.items() for number in numbers}


def told(lines: tuple[GroupChange, ...]) -> set[tuple[str, str | None, str | None, int]]:
    return {(line.kind.value, line.group, line.to, len(line.photos)) for line in lines}


NAMED = Constraints(names={"t": "Beach"}, known={"t": ()})


def test_nothing_changed_is_no_line() -> None:
    now = groups(a=range(5), b=range(5, 9))
    assert propose(now, {**now, photo(99): None}, Constraints(), set()) == ((), (), ())


def test_the_first_clustering_is_births() -> None:
    outcome = propose({}, groups(a=range(5), b=range(5, 8)), Constraints(), set())
    assert told(outcome.applied) == {("birth", None, "a", 5), ("birth", None, "b", 3)}
    assert not outcome.waiting


def test_every_kind_between_groups_that_are_nobodys() -> None:
    now = groups(a=range(10), b=range(10, 20), c=range(20, 24), d=range(24, 27))
    target: dict[bytes, str | None] = {
        **groups(a=range(5), new=range(5, 9), b=range(9, 20)),
        **dict.fromkeys(map(photo, range(20, 24)), "b"),
        **dict.fromkeys(map(photo, range(24, 27))),
        photo(30): "b",
        photo(0): None,
    }
    outcome = propose(now, target, Constraints(), set())
    assert told(outcome.applied) == {
        ("split", "a", "new", 4),
        ("move", "a", "b", 1),
        ("leave", "a", None, 1),
        ("merge", "c", "b", 4),
        ("end", "d", None, 3),
        ("join", None, "b", 1),
    }
    assert lineage(outcome.applied, 7.0) == {
        "new": (Lineage(event=LineageEvent.SPLIT_FROM, other="a", at=7.0),),
        "a": (Lineage(event=LineageEvent.SPLIT_OFF, other="new", at=7.0),),
        "b": (Lineage(event=LineageEvent.MERGED, other="c", at=7.0),),
    }


def test_what_concerns_a_group_of_the_users_waits_and_says_why() -> None:
    now = groups(t=range(10), a=range(10, 15))
    target: Groups = {**groups(t=range(4), new=range(4, 8), a=range(8, 9)), photo(9): None, photo(10): "t"}
    outcome = propose(now, target, NAMED, {"t"})
    assert not outcome.applied
    assert told(outcome.waiting) == {
        ("split", "t", "new", 4),
        ("move", "t", "a", 1),
        ("leave", "t", None, 1),
        ("move", "a", "t", 1),
    }
    assert all(line.why == "“Beach” is yours: you named it" for line in outcome.waiting)


def test_only_an_arrival_joins_a_group_of_the_users_by_itself() -> None:
    target = groups(t=range(7))
    outcome = propose(groups(t=range(5)), target, NAMED, {"t"}, fresh={photo(5)})
    assert [line.photos for line in outcome.applied] == [(photo(5),)]
    assert [line.photos for line in outcome.waiting] == [(photo(6),)]
    locked = Constraints(locked={"t": frozenset(map(photo, range(5)))}, known={"t": ()})
    assert propose(groups(t=range(5)), target, locked, {"t"}, fresh={photo(5)}) == ((), (), ())


def test_a_photo_that_the_clustering_did_not_look_at_stays() -> None:
    now = groups(a=range(6))
    assert propose(now, groups(a=range(5)), Constraints(), set()) == ((), (), ())


def test_what_was_decided_is_done_whoever_is_concerned() -> None:
    decided = Constraints(names=NAMED.names, known=NAMED.known, placed={photo(0): "b", photo(20): "t"})
    now = groups(t=range(5), b=range(5, 10))
    outcome = propose(now, {**now, photo(20): None}, decided, {"t", "b"})
    assert told(outcome.applied) == {("move", "t", "b", 1), ("join", None, "t", 1)}
    assert {line.why for line in outcome.applied} == {DECIDED}
    assert departures(outcome.applied) == {}


@pytest.mark.parametrize("to", ["new", "other"])
def test_a_refused_split_is_not_proposed_again(to: str) -> None:
    refused = frozenset(Route(photo=photo(number), group="t", to="new") for number in range(3))
    decided = Constraints(names=NAMED.names, known=NAMED.known, refused=refused)
    now = groups(t=range(10), other=range(10, 15))
    outcome = propose(now, {**now, **groups(**{to: range(4)})}, decided, {"t"})
    assert [line.photos for line in outcome.waiting] == [(photo(3),)]


def test_a_refusal_follows_a_merge() -> None:
    refused = frozenset({Route(photo=photo(0), group="old", to="a")})
    decided = Constraints(known={"t": ()}, merged={"old": "t"}, refused=refused)
    now = groups(t=range(5), a=range(5, 10))
    assert propose(now, {**now, photo(0): "a"}, decided, {"t"}) == ((), (), ())


def test_a_split_of_the_users_is_not_proposed_to_be_taken_back() -> None:
    known = {"t": tuple(map(photo, range(5))), "s": tuple(map(photo, range(5, 8))), "u": (photo(8),)}
    decided = Constraints(born={"s": "t", "u": "s"}, known=known)
    now = groups(t=range(5), s=range(5, 8), u=range(8, 10))
    outcome = propose(now, groups(t=range(10)), decided, set(known))
    assert [line.photos for line in outcome.waiting] == [(photo(9),)], "of this one the user has said nothing"


def test_back_and_forth_is_said_and_then_waits() -> None:
    now, there = groups(a=range(9), b=range(9, 20)), groups(a=range(10), b=range(10, 20))
    recent: list[dict[bytes, str]] = []
    seen = []
    state: dict[bytes, str | None] = {**now}
    for target in (there, now, there, now, there, now):
        present = {one: group for one, group in state.items() if group is not None}
        outcome = propose(present, target, Constraints(), set(), recent=recent)
        state.update((one, line.to) for line in outcome.applied for one in line.photos)
        recent = [*recent, departures(outcome.applied)][-RUNS:]
        lines = (*outcome.applied, *outcome.waiting)
        seen.append([(line.unsteady, line.waits, line.why) for line in lines])
    assert seen[0] == [(False, False, "")]
    assert seen[1] == [(True, False, "")]
    assert [(True, True, RESTLESS)] in seen
    assert sum(len(run) for run in recent) <= 3, "the photo came to rest"


def test_new_photos_join_a_group_of_the_users_only_where_most_of_it_is_found_together() -> None:
    now = {**groups(t=[0, 10, 20]), **groups(a=range(1, 8))}
    target = {**now, **groups(t=[0, 30], a=[10, 20])}
    outcome = propose(now, target, NAMED, {"t"}, fresh={photo(30)})
    assert photo(30) not in {one for line in outcome.applied for one in line.photos}
    together = {**now, **groups(t=[0, 10, 30], a=[20])}
    assert told(propose(now, together, NAMED, {"t"}, fresh={photo(30)}).applied) == {("join", None, "t", 1)}


def test_past_what_one_run_may_change_the_largest_changes_wait() -> None:
    now = groups(a=range(20), b=range(20, 40), c=range(40, 60))
    target = {**now, **groups(b=[0, 1], new=[*range(2, 6), *range(20, 24)], c=[60, 61, 62]), photo(63): None}
    outcome = propose(now, target, Constraints(), set(), fresh={photo(60), photo(61)}, most=3)
    assert told(outcome.applied) == {("move", "a", "b", 2), ("join", None, "c", 3)}, "two of the three are new"
    assert told(outcome.waiting) == {("split", "a", "new", 4), ("split", "b", "new", 4)}, "a new group is one change"
    assert {line.why for line in outcome.waiting} == {SUDDEN}
    after = {**now, **groups(b=[0, 1], c=[60, 61, 62])}
    assert propose(after, target, Constraints(), set(), most=0) == ((), outcome.waiting, ())
    assert not propose(after, target, Constraints(), set(), most=8).waiting, "the next nights"


def test_what_one_run_may_change_follows_the_library_and_what_is_new_in_it() -> None:
    assert allowance(10_000, 0) == 500
    assert allowance(40, 0) == LEAST
    assert allowance(10_000, 5_000) >= 10_000, "half of it came since: nothing is held"


def test_a_new_group_of_which_most_waits_waits_as_a_whole() -> None:
    outcome = propose(groups(t=range(10)), groups(t=range(4), new=range(4, 12)), NAMED, {"t"})
    assert not outcome.applied
    assert {line.why for line in outcome.waiting} == {"“Beach” is yours: you named it", MOSTLY_YOURS}


def test_half_of_a_change_that_would_bring_together_what_is_kept_apart_waits() -> None:
    decided = Constraints(names=NAMED.names, known=NAMED.known, apart=frozenset({(photo(0), photo(9))}))
    now = groups(a=range(5), b=range(5, 10), t=range(10, 15))
    target = {**now, photo(0): "t", photo(9): "a"}
    outcome = propose(now, target, decided, {"t"})
    assert not outcome.applied, "the first may not leave by itself, and the second would join it"
    assert {line.photos[0]: line.why for line in outcome.waiting}[photo(9)] == BREAKS
    free = propose(now, target, decided, {"t"}, fresh={photo(0)})
    assert told(free.applied) == {("move", "a", "t", 1), ("move", "b", "a", 1)}


def test_a_line_that_would_tear_what_belongs_together_waits() -> None:
    decided = Constraints(
        together=((photo(0), photo(1)),),
        refused=frozenset({Route(photo=photo(0), group="a", to="b")}),
    )
    now = groups(a=range(6), b=range(6, 12))
    outcome = propose(now, {**now, photo(0): "b", photo(1): "b"}, decided, set())
    assert not outcome.applied
    assert [(line.photos, line.why) for line in outcome.waiting] == [((photo(1),), BREAKS)]
    (line,) = outcome.waiting
    assert len(breaks(line, {photo(1)}, now, decided)) == 1
    assert breaks(line, {photo(2)}, now, decided) == ()


def test_proposed_groups_are_remembered_for_the_next_clustering() -> None:
    outcome = propose(groups(t=range(10)), groups(t=range(6), new=range(6, 10)), NAMED, {"t"})
    assert pending(outcome.waiting, {"t"}) == {"new": set(map(photo, range(6, 10)))}
    assert pending(outcome.waiting, {"t", "new"}) == {}


def test_a_line_has_the_same_id_in_every_run() -> None:
    now = groups(t=range(30), a=range(30, 60))
    target: Groups = {photo(number): random.Random(number).choice(["t", "a", "n", None]) for number in range(60)}
    first = propose(now, target, NAMED, {"t"})
    shuffled = random.Random(1).sample(sorted(target.items()), len(target))
    assert propose(dict(reversed(now.items())), dict(shuffled), NAMED, {"t"}) == first
    ids = [line.id for line in (*first.applied, *first.waiting)]
    assert len(set(ids)) == len(ids) > 4
    assert {line.kind for line in first.waiting} == {GroupChangeKind.LEAVE, GroupChangeKind.MOVE}
