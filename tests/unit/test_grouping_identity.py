"""Ids that survive a new clustering."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from pixsortd.grouping.identity import EXEMPLAR, TOUCHED, match

Groups = Mapping[str, frozenset[bytes]]


def photos(*numbers: int) -> frozenset[bytes]:
    return frozenset(number.to_bytes(2, "big") for number in numbers)


def span(start: int, stop: int) -> frozenset[bytes]:
    return photos(*range(start, stop))


def test_nothing_known_gives_new_ids_made_from_the_founders() -> None:
    first = match({}, [span(0, 5), span(5, 9)], ())
    assert first == match({}, [span(0, 5), span(5, 9)], ())
    assert len(set(first.ids)) == 2
    assert all(len(group) == 11 and group[0] == "g" and int(group[1:], 16) >= 0 for group in first.ids)
    assert first.dormant == first.ended == ()


def test_a_taken_id_is_salted() -> None:
    (born,) = match({}, [span(0, 5)], ()).ids
    assert match({born: span(50, 55)}, [span(0, 5)], ()).ids != (born,)
    assert match({}, [span(0, 5)], [born]).ids != (born,)


def test_no_groups_at_all() -> None:
    assert match({}, [], ()) == ((), (), ())
    assert match({"a": span(0, 5)}, [], ()) == ((), (), ("a",))


def test_a_split_keeps_the_id_on_the_larger_part() -> None:
    for parts in ([span(0, 7), span(7, 10)], [span(7, 10), span(0, 7)]):
        ids = match({"a": span(0, 10)}, parts, ()).ids
        assert [group == "a" for group in ids] == [len(part) == 7 for part in parts]


def test_a_merge_keeps_the_larger_id() -> None:
    outcome = match({"a": span(0, 4), "b": span(4, 10)}, [span(0, 10)], ())
    assert outcome == (("b",), (), ("a",))


def test_a_merge_keeps_the_named_id_even_if_smaller() -> None:
    outcome = match({"a": span(0, 4), "b": span(4, 10)}, [span(0, 10)], ["a"])
    assert outcome == (("a",), (), ("b",))


def test_a_name_does_not_spread_over_far_more_photos() -> None:
    size = 3 * TOUCHED + 1
    outcome = match({"a": span(0, 3), "b": span(3, 3 + size)}, [span(0, 3 + size)], ["a"])
    assert outcome == (("b",), ("a",), ())


def test_of_two_named_groups_that_merge_the_smaller_rests() -> None:
    outcome = match({"a": span(0, 4), "b": span(4, 10)}, [span(0, 10)], ["a", "b"])
    assert outcome == (("b",), ("a",), ())


def test_a_resting_group_wakes_when_its_photos_are_together_again() -> None:
    previous = {"a": span(0, 4), "b": span(0, 10)}  # a's photos went into b at an earlier run
    outcome = match(previous, [span(0, 4), span(4, 10)], ["a"])
    assert outcome == (("a", "b"), (), ())


def test_a_named_group_is_found_again_from_a_few_remembered_members() -> None:
    assert match({"a": span(0, 10)}, [span(0, 200)], ["a"]).ids == ("a",)


def test_a_named_group_without_known_members_rests() -> None:
    assert match({}, [span(0, 5)], ["a"]).dormant == ("a",)


def test_too_little_in_common_is_a_new_group() -> None:
    outcome = match({"a": span(0, 10)}, [span(8, 18)], ())
    assert outcome.ids[0] != "a"
    assert outcome.ended == ("a",)


def test_swapping_photos_moves_ids_so_that_most_photos_keep_theirs() -> None:
    previous = {"a": span(0, 10), "b": span(10, 20)}
    found = [span(0, 4) | span(10, 16), span(4, 10) | span(16, 20)]
    assert match(previous, found, ()).ids == ("b", "a")


universe = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=40)
"""For each photo its former and its new group, -1 for none."""


def grouped(labels: Sequence[int], names: str) -> dict[str, frozenset[bytes]]:
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    for photo, label in enumerate(labels):
        if label >= 0:
            found[names[label]].add(photo.to_bytes(2, "big"))
    return {name: frozenset(members) for name, members in found.items()}


@given(universe, st.sets(st.sampled_from("abcdexy")), st.sets(st.integers(0, 39)), st.randoms(use_true_random=False))
def test_properties(labels: list[tuple[int, int]], named: set[str], remembered: set[int], random: "object") -> None:
    previous = {**grouped([old for old, _ in labels], "abcde"), "x": photos(*remembered)}
    found = list(grouped([new for _, new in labels], "01234").values())
    outcome = match(previous, found, named)

    assert len(set(outcome.ids)) == len(outcome.ids) == len(found), "ids are unique"
    kept = set(outcome.ids) & (set(previous) | named)
    assert kept.isdisjoint(outcome.dormant)
    assert kept | set(outcome.dormant) | set(outcome.ended) == set(previous) | named, "no group is forgotten"
    assert set(outcome.dormant) <= named
    assert named.isdisjoint(outcome.ended), "a named group is never dropped"
    for group, members in zip(outcome.ids, found, strict=True):
        assert group not in previous or previous[group] & members, "an id goes on where photos do"

    order = list(range(len(found)))
    random.shuffle(order)  # type: ignore[attr-defined]
    names = list(previous)
    random.shuffle(names)  # type: ignore[attr-defined]
    shuffled = match({name: previous[name] for name in names}, [found[i] for i in order], sorted(named))
    assert list(shuffled.ids) == [outcome.ids[i] for i in order], "order does not matter"

    after = dict(zip(outcome.ids, found, strict=True))
    resting = {group: previous[group] for group in outcome.dormant if group in previous}
    again = match({**resting, **after}, found, named)
    assert again.ids == outcome.ids, "an unchanged clustering changes no id"
    assert again.dormant == outcome.dormant


@given(universe, st.sets(st.sampled_from("abcde")))
def test_an_unchanged_clustering_keeps_every_id(labels: list[tuple[int, int]], named: set[str]) -> None:
    groups = grouped([old for old, _ in labels], "abcde")
    outcome = match(groups, list(groups.values()), named)
    assert outcome.ids == tuple(groups)
    assert set(outcome.dormant) == named - set(groups)


@given(st.sets(st.integers(0, 99), min_size=6, max_size=60), st.integers(1, 4))
def test_an_arrival_and_a_departure_keep_the_id(members: set[int], churn: int) -> None:
    before = photos(*members)
    after = photos(*sorted(members)[churn:]) | photos(*range(200, 200 + churn))
    assert match({"a": before}, [after], ()).ids == ("a",)


def test_in_an_even_split_the_id_goes_with_the_exemplars() -> None:
    parts = [span(0, 10), span(10, 20)]
    for chosen, expected in ((photos(3), [True, False]), (photos(13), [False, True])):
        ids = match({"a": span(0, 20)}, parts, (), exemplars={"a": chosen}).ids
        assert [group == "a" for group in ids] == expected


def test_exemplars_do_not_outweigh_a_clear_majority() -> None:
    ids = match({"a": span(0, 20)}, [span(0, 16), span(16, 20)], (), exemplars={"a": span(16, 20)}).ids
    assert 4 * EXEMPLAR < 16
    assert ids[0] == "a"


def test_groups_the_user_merged_are_one_however_many_parts_are_found() -> None:
    merged = {"b": "a", "c": "a"}
    previous = {"a": span(0, 30)}
    assert match(previous, [span(0, 10), span(10, 20), span(20, 30)], ["a"], merged=merged).ids == ("a", "a", "a")
    known = {"a": span(0, 10), "b": span(10, 20), "c": span(20, 30)}
    assert match(known, [span(10, 20), span(0, 10), span(20, 30)], ["b"], merged=merged).ids == ("a", "a", "a")


def test_a_part_of_a_merged_group_must_be_mostly_of_it() -> None:
    ids = match({"a": span(0, 30)}, [span(0, 20), span(20, 30) | span(40, 55)], ["a"], merged={"b": "a"}).ids
    assert ids[0] == "a" != ids[1]


def test_the_id_of_a_merged_group_is_never_given_again() -> None:
    (born,) = match({}, [span(0, 5)], ()).ids
    assert match({}, [span(0, 5)], (), merged={born: "a"}).ids != (born,)


def test_a_proposed_group_keeps_its_id_while_sizes_swing() -> None:
    previous = {"a": span(0, 20), "proposed": span(9, 20)}  # nobody accepted yet, so all are still in a
    for border in (9, 10, 11, 12):
        assert match(previous, [span(0, border), span(border, 20)], ["a"]).ids == ("a", "proposed")


def test_many_groups_that_overlap_crosswise_are_matched() -> None:
    """Every group has a third of two found ones, as when another model sees the photos."""
    count = 3000
    previous = {f"p{n}": span(6 * n, 6 * n + 6) for n in range(count)}
    found = [span(6 * n + 3, 6 * n + 9) for n in range(count)]
    outcome = match(previous, found, ())
    assert len({*outcome.ids} & previous.keys()) == count
    assert outcome.ended == ()
