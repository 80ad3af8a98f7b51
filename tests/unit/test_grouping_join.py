"""The vote of a newcomer's nearest photos."""

from hypothesis import given
from hypothesis import strategies as st

from pixsortd.grouping.join import NEAREST, vote
from pixsortd.records import Membership

BEACH = {name: Membership(group="beach", strength=1.0, how="clustered") for name in (b"b1", b"b2", b"b3", b"b4", b"b5")}
FOREST = {name: Membership(group="forest", strength=1.0, how="clustered") for name in (b"f1", b"f2", b"f3")}
MEMBERS = BEACH | FOREST


def floor(_: str) -> float:
    return 0.5


def test_a_clear_majority_joins_and_says_why() -> None:
    joined = vote([(b"b1", 0.9), (b"f1", 0.6), (b"b2", 0.8), (b"b3", 0.7)], MEMBERS.get, floor, 5)
    assert joined is not None
    assert joined.group == "beach"
    assert joined.how == "joined"
    assert joined.nearest == (b"b1", b"b2", b"b3")
    assert joined.similarity is not None
    assert abs(joined.similarity - 0.8) < 1e-9
    assert 0.5 < joined.strength < 1


def test_unsure_without_neighbours_or_without_grouped_ones() -> None:
    assert vote([], MEMBERS.get, floor, 5) is None
    assert vote([(b"x", 0.9), (b"y", 0.9)], MEMBERS.get, floor, 5) is None


def test_unsure_between_two_groups() -> None:
    assert vote([(b"b1", 0.8), (b"f1", 0.8)], MEMBERS.get, floor, 5) is None


def test_ungrouped_neighbours_vote_against() -> None:
    assert vote([(b"b1", 0.8), (b"x", 0.8), (b"y", 0.8)], MEMBERS.get, floor, 5) is None


def test_unsure_below_the_floor() -> None:
    near = [(b"b1", 0.45), (b"b2", 0.45)]
    assert vote(near, MEMBERS.get, floor, 5) is None
    assert vote(near, MEMBERS.get, lambda _: 0.4, 5) is not None


def test_only_the_k_nearest_vote() -> None:
    near = [(b"x", 0.6), (b"y", 0.6), (b"b1", 0.9)]
    assert vote(near, MEMBERS.get, floor, 1) is not None
    assert vote([(b"x", 0.9), (b"b1", 0.8)], MEMBERS.get, floor, 1) is None


def test_a_tight_group_smaller_than_half_of_the_voters_wins() -> None:
    near = [(name, 0.95) for name in BEACH] + [(bytes([i]), 0.6) for i in range(5)]
    joined = vote(near, MEMBERS.get, floor, 10)
    assert joined is not None
    assert len(joined.nearest) == NEAREST


def test_opposite_photos_weigh_nothing() -> None:
    assert vote([(b"b1", -0.9), (b"b2", -0.8)], MEMBERS.get, lambda _: -1.0, 5) is None


voters = st.lists(
    st.tuples(st.sampled_from([*MEMBERS, b"x", b"y", b"z"]), st.floats(-1, 1)), unique_by=lambda pair: pair[0]
)


@given(voters, st.integers(1, 12), st.randoms())
def test_order_does_not_matter_and_the_answer_is_sound(near: list[tuple[bytes, float]], k: int, random: object) -> None:
    joined = vote(near, MEMBERS.get, floor, k)
    shuffled = list(near)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert vote(shuffled, MEMBERS.get, floor, k) == joined
    if joined is not None:
        assert 0.5 < joined.strength <= 1
        assert joined.similarity is not None
        assert joined.similarity >= 0.5
        assert joined.nearest
        assert all(MEMBERS[sha256].group == joined.group for sha256 in joined.nearest)
