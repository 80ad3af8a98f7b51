"""Groups and who is in them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pixsortd.index.store import Store
from pixsortd.records import Gone, Group, Membership, Reason
from tests.unit.index_material import ROOT, adds_up, content, index, opened

A, B = Group(id="a", size=99, name="Beach"), Group(id="b", size=99)


def member(group: str, how: str = "clustered") -> Membership:
    return Membership(group=group, strength=0.9, how=how, at=5.0, nearest=(content(b"x"),), similarity=0.8)


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path / "index") as store:
        index(store, *(b"%d" % i for i in range(6)))
        store.regroup([(content(b"%d" % i), member("a" if i < 3 else "b")) for i in range(5)], [A, B])
        yield store


def sizes(store: Store) -> dict[str, int]:
    return {group.id: group.size for group in store.groups()}


def test_groups_as_they_were_formed(store: Store) -> None:
    assert sizes(store) == {"a": 3, "b": 2}
    assert store.members("a") == sorted(content(b"%d" % i) for i in range(3))
    assert store.membership(content(b"0")) == member("a")
    assert store.membership(content(b"5")) is None
    assert store.group_ids() == {content(b"%d" % i): "a" if i < 3 else "b" for i in range(5)}
    assert store.group_ids([content(b"0"), content(b"5")]) == {content(b"0"): "a"}
    assert store.some_members("a", 2) == store.members("a")[:2]
    assert store.group("a") == Group(id="a", size=3, name="Beach", exemplars=tuple(store.members("a")))
    assert store.group("c") is None
    assert [step.what for step in store.history(content(b"0"))] == ["found", "indexed", "grouped"]
    assert adds_up(store)


def test_joining_moving_and_leaving(store: Store) -> None:
    joined, moved, left = content(b"5"), content(b"0"), content(b"4")
    grown = store.regroup([(joined, member("a", "joined")), (moved, member("b", "decided")), (left, None)])
    assert grown == {"a": 0, "b": 0}
    assert sizes(store) == {"a": 3, "b": 2}
    assert store.membership(moved) == member("b", "decided")
    assert store.membership(left) is None
    assert [step.detail for step in store.history(left)[-2:]] == ["clustered into b", "taken out of b"]
    assert adds_up(store)


def test_what_is_not_known_is_passed_over(store: Store) -> None:
    assert not store.regroup([(content(b"5"), member("gone")), (content(b"never seen"), member("a"))])
    assert sizes(store) == {"a": 3, "b": 2}
    assert adds_up(store)


def test_nothing_but_another_time_is_not_written(store: Store) -> None:
    photo, steps = content(b"0"), len(store.history(content(b"0")))
    later = msgspec.structs.replace(member("a"), at=9.0)
    assert not store.regroup([(photo, later)])
    assert store.membership(photo) == member("a")
    assert not store.regroup([(photo, msgspec.structs.replace(later, strength=0.5))])
    assert store.membership(photo).strength == 0.5
    assert len(store.history(photo)) == steps, "it is where it was"


def test_a_group_without_photos_ends_unless_it_is_the_users(store: Store) -> None:
    kept = msgspec.structs.replace(A, touched=True)
    store.regroup([(content(b"%d" % i), None) for i in range(5)], [kept])
    assert sizes(store) == {"a": 0}
    store.regroup([], [A])
    assert sizes(store) == {}
    assert adds_up(store)


def test_exemplars_that_left_are_replaced(store: Store) -> None:
    members = store.members("a")
    store.regroup([], [msgspec.structs.replace(A, exemplars=tuple(members[:2]))])
    store.regroup([(members[0], member("b"))])
    assert store.group("a").exemplars == tuple(members[1:])


def test_groups_and_notes_are_written_together(store: Store) -> None:
    new = Group(id="c", size=7, name="Forest", touched=True)
    store.regroup([(content(b"5"), member("c"))], [new], {"mark": b"1"})
    assert store.group("c") == msgspec.structs.replace(new, size=1, exemplars=(content(b"5"),))
    assert store.meta_get("mark") == b"1"

    def broken() -> Iterator[tuple[bytes, Membership]]:
        yield content(b"5"), member("a")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.regroup(broken(), (), {"mark": b"2"})
    assert store.membership(content(b"5")).group == "c"
    assert store.meta_get("mark") == b"1"
    assert adds_up(store)


def test_a_forgotten_photo_leaves_its_group(store: Store) -> None:
    store.record(ROOT, [Gone(path=b"0", reason=Reason(code="t", message="t"))])
    assert sizes(store)["a"] == 3, "its group is kept while it may come back"
    store.forget(older_than=-1)
    assert sizes(store)["a"] == 2
    assert adds_up(store)
