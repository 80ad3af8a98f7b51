"""The user's decisions on an assignment of photos to groups: each holds afterwards, or is said not to."""

import random
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.grouping.constraints import firm, partners, repaired, violations
from pixsortd.records import Constraints

A, B, C, D, E = (bytes([number]) * 4 for number in range(1, 6))
PHOTOS = [bytes([number]) * 4 for number in range(12)]
GROUPS = ["a", "b", "c", None]

assignments = st.fixed_dictionaries({photo: st.sampled_from(GROUPS) for photo in PHOTOS})
sets = st.lists(st.sampled_from(PHOTOS), min_size=2, max_size=4, unique=True).map(sorted).map(tuple)


def disjoint(units: list[tuple[bytes, ...]]) -> tuple[tuple[bytes, ...], ...]:
    seen: set[bytes] = set()
    kept = [unit for unit in units if seen.isdisjoint(unit) and not seen.update(unit)]
    return tuple(kept)


constraints = st.builds(
    Constraints,
    placed=st.dictionaries(st.sampled_from(PHOTOS), st.sampled_from(GROUPS), max_size=4),
    barred=st.dictionaries(
        st.sampled_from(PHOTOS), st.frozensets(st.sampled_from(["a", "b", "c"]), min_size=1), max_size=4
    ),
    together=st.lists(sets, max_size=4).map(disjoint),
    apart=st.frozensets(sets.map(lambda unit: unit[:2]), max_size=6),
    locked=st.dictionaries(
        st.sampled_from(["a", "b"]), st.frozensets(st.sampled_from(PHOTOS[:3]), max_size=2), max_size=1
    ),
    merged=st.sampled_from([{}, {"c": "a"}]),
)


def test_nothing_decided_changes_nothing() -> None:
    wanted = {A: "a", B: None}
    assert repaired(wanted, {}, Constraints()) == wanted
    assert violations(wanted, Constraints()) == ()


def test_a_placed_photo_is_where_it_was_put() -> None:
    decided = Constraints(placed={A: "x", B: None, E: "gone from the library"})
    assert repaired({A: "a", B: "a", C: "a"}, {}, decided) == {A: "x", B: None, C: "a"}


def test_a_barred_photo_stays_where_it_is_or_goes_nowhere() -> None:
    decided = Constraints(barred={A: frozenset({"a"}), B: frozenset({"a", "b"})})
    assert repaired({A: "a", B: "a"}, {A: "b", B: "b"}, decided) == {A: "b", B: None}


def test_together_goes_where_most_are_wanted() -> None:
    decided = Constraints(together=((A, B, C),))
    assert set(repaired({A: "a", B: "b", C: "b"}, {}, decided).values()) == {"b"}
    assert set(repaired({A: None, B: None, C: "b"}, {}, decided).values()) == {"b"}
    assert set(repaired({A: None, B: None, C: None}, {B: "z"}, decided).values()) == {"z"}


def test_together_and_wanted_nowhere_is_a_group_of_its_own_with_a_lasting_id() -> None:
    decided = Constraints(together=((A, B),))
    nowhere = {A: None, B: None, C: "a"}
    first = repaired(nowhere, nowhere, decided)
    assert first[A] == first[B]
    assert first[A] not in (None, "a")
    assert repaired(nowhere, first, decided) == first


def test_together_follows_the_photo_that_was_placed() -> None:
    decided = Constraints(together=((A, B, C),), placed={B: "x"})
    assert set(repaired({A: "a", B: "a", C: "a"}, {}, decided).values()) == {"x"}


def test_of_two_kept_apart_the_one_that_is_there_stays() -> None:
    decided = Constraints(apart=frozenset({(A, B)}))
    assert repaired({A: "a", B: "a"}, {A: "b", B: "a"}, decided) == {A: "b", B: "a"}
    assert repaired({A: "a", B: "a"}, {A: "a", B: "b"}, decided) == {A: "a", B: "b"}
    assert repaired({A: "a", B: "a"}, {}, decided) == {A: "a", B: None}


def test_sets_kept_apart_are_both_whole() -> None:
    decided = Constraints(together=((A, B), (C, D)), apart=frozenset({(B, C)}))
    found = repaired(dict.fromkeys((A, B, C, D), "a"), {}, decided)
    assert found[A] == found[B] != found[C] == found[D]
    assert None not in found.values()


def test_nobody_enters_a_locked_group_and_nobody_leaves_it() -> None:
    decided = Constraints(locked={"a": frozenset({A, B})})
    present = {A: "a", B: "a", C: "b", D: None}
    found = repaired({A: "b", B: None, C: "a", D: "a"}, present, decided)
    assert found == present


def test_a_place_and_a_bar_change_a_locked_group() -> None:
    decided = Constraints(locked={"a": frozenset({A, B})}, placed={A: "b", C: "a"}, barred={B: frozenset({"a"})})
    assert repaired({A: "a", B: "a", C: "b"}, {A: "a", B: "a", C: "b"}, decided) == {A: "b", B: None, C: "a"}


def test_merged_groups_are_followed() -> None:
    decided = Constraints(merged={"old": "a"}, placed={B: "old"}, barred={C: frozenset({"old"})})
    assert repaired({A: "old", B: "b", C: "a"}, {}, decided) == {A: "a", B: "a", C: None}


def test_what_contradicts_is_said_with_names() -> None:
    decided = Constraints(
        names={"a": "Beach"},
        placed={A: "a", B: "a", D: "b"},
        apart=frozenset({(A, B)}),
        together=((A, D),),
        barred={D: frozenset({"b"})},
    )
    found = repaired({A: None, B: None, D: None}, {}, decided)
    assert found == {A: "a", B: "a", D: "b"}
    words = violations(found, decided)
    assert len(words) == 3
    assert all("“Beach”" in text or "group b" in text for text in words)


@pytest.mark.parametrize("count", [3000])
def test_a_chain_of_thousands_is_no_trouble(count: int) -> None:
    photos = [number.to_bytes(4, "big") for number in range(count)]
    decided = Constraints(apart=frozenset(pairwise(photos)))
    found = repaired(dict.fromkeys(photos, "a"), {}, decided)
    assert violations(found, decided) == ()
    assert sum(group == "a" for group in found.values()) >= count // 3


@given(assignments, assignments, constraints, st.randoms(use_true_random=False))
def test_what_can_hold_holds(
    wanted: Mapping[bytes, str | None],
    present: Mapping[bytes, str | None],
    decided: Constraints,
    shuffle: random.Random,
) -> None:
    found = repaired(wanted, present, decided)
    assert found.keys() == wanted.keys()
    held = firm(decided)
    locked = {decided.merged.get(group, group) for group in decided.locked}
    stay = {photo for photo, group in present.items() if decided.merged.get(group, group) in locked}
    for photo, group in found.items():
        if photo in held:
            assert group == held[photo]
            continue
        assert group not in locked or photo in stay, "nobody enters a locked group"
        barred = {decided.merged.get(one, one) for one in decided.barred.get(photo, ())}
        assert group is None or group not in barred
        assert group not in decided.merged
    unit_of = {photo: unit for unit in decided.together for photo in unit}
    stiff = held.keys() | stay
    for unit in decided.together:
        loose = {found[photo] for photo in unit if photo not in stiff}
        assert len(loose) <= 1
        if stiff.isdisjoint(unit):
            assert None not in loose
    for one, others in partners(decided).items():
        for other in others:
            free = one not in stiff or other not in stiff
            if free and other not in unit_of.get(one, ()) and found[one] is not None:
                assert found[one] != found[other]

    again = repaired(found, found, decided)
    assert again == found, "what holds is not changed"
    items = list(wanted.items())
    shuffle.shuffle(items)
    others = list(present.items())
    shuffle.shuffle(others)
    assert repaired(dict(items), dict(others), decided) == found, "order does not matter"


@given(assignments, constraints)
def test_who_need_not_move_does_not(wanted: Mapping[bytes, str | None], decided: Constraints) -> None:
    """Photos that no decision speaks of are left alone."""
    found = repaired(wanted, wanted, decided)
    spoken = {
        *decided.placed,
        *decided.barred,
        *(photo for unit in decided.together for photo in unit),
        *(photo for pair in decided.apart for photo in pair),
        *(photo for members in decided.locked.values() for photo in members),
    }
    for photo, group in wanted.items():
        if photo not in spoken:
            assert found[photo] == decided.merged.get(group, group)
