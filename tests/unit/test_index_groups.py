"""Groups and who is in them."""

from pathlib import Path

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
        store.replace_groups([A, B], {content(b"%d" % i): member("a" if i < 3 else "b") for i in range(5)})
        yield store


def sizes(store: Store) -> dict[str, int]:
    return {group.id: group.size for group in store.groups()}


def test_groups_as_they_were_formed(store: Store) -> None:
    assert sizes(store) == {"a": 3, "b": 2}
    assert store.members("a") == sorted(content(b"%d" % i) for i in range(3))
    assert store.membership(content(b"0")) == member("a")
    assert store.membership(content(b"5")) is None
    assert set(store.memberships()) == {content(b"%d" % i) for i in range(5)}
    assert store.group("a") == Group(id="a", size=3, name="Beach")
    assert store.group("c") is None
    assert [step.what for step in store.history(content(b"0"))] == ["found", "indexed", "grouped"]
    assert adds_up(store)


def test_joining_and_moving(store: Store) -> None:
    assert store.join({content(b"5"): member("a", "joined")})
    assert store.join({content(b"0"): member("b", "decided")})
    assert not store.join({content(b"5"): member("gone")})
    assert not store.join({content(b"unknown"): member("a")})
    assert sizes(store) == {"a": 3, "b": 3}
    assert store.membership(content(b"0")) == member("b", "decided")
    assert adds_up(store)


def test_a_new_clustering_replaces_the_last(store: Store) -> None:
    store.join({content(b"5"): member("a", "joined")})
    store.replace_groups([Group(id="a", size=0), Group(id="c", size=0)], {content(b"4"): member("c")})
    assert sizes(store) == {"a": 0, "c": 1}
    assert set(store.memberships()) == {content(b"4")}
    named = store.group("a")
    assert named is not None
    assert named.name == "Beach", "a name stays with the id"
    assert adds_up(store)


def test_newcomers_that_the_clustering_did_not_see_stay_where_they_joined(store: Store) -> None:
    store.join({content(b"5"): member("a", "joined")})
    seen = [content(b"%d" % i) for i in range(5)]
    store.replace_groups([A], {content(b"0"): member("a")}, considered=seen)
    assert set(store.memberships()) == {content(b"0"), content(b"5")}
    store.replace_groups([B], {content(b"0"): member("b")}, considered=seen)
    assert set(store.memberships()) == {content(b"0")}, "the group it joined is no more"
    assert adds_up(store)


def test_an_unknown_photo_is_in_no_group(store: Store) -> None:
    store.replace_groups([A], {content(b"never seen"): member("a")})
    assert sizes(store) == {"a": 0}
    assert adds_up(store)


def test_names(store: Store) -> None:
    assert store.set_group_name("b", "Forest")
    assert not store.set_group_name("z", "Forest")
    assert {group.name for group in store.groups()} == {"Beach", "Forest"}
    store.set_group_name("b", None)
    assert {group.name for group in store.groups()} == {"Beach", None}


def test_a_forgotten_photo_leaves_its_group(store: Store) -> None:
    store.record(ROOT, [Gone(path=b"0", reason=Reason(code="t", message="t"))])
    assert sizes(store)["a"] == 3, "its group is kept while it may come back"
    store.forget(older_than=-1)
    assert sizes(store)["a"] == 2
    assert adds_up(store)
