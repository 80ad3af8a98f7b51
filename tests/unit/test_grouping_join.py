"""Whether a newcomer belongs to a group: near enough for its density, and nearer than to others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.grouping.join import CONTRAST, NEAREST, OUTLYING, judged
from pixsortd.records import Group, Membership


def members(group, count, similarity):
    return {
        f"{group}{i}".encode(): Membership(group=group, strength=1.0, how="clustered", similarity=similarity)
        for i in range(count)
    }


TIGHT = members("tight", 6, 0.95)
LOOSE = members("loose", 6, 0.6)
MEMBERS = TIGHT | LOOSE
GROUPS = {
    "tight": Group(id="tight", size=6, floor=0.9),
    "loose": Group(id="loose", size=6, floor=0.5),
    "closed": Group(id="closed", size=6, floor=0.5, locked=True),
}
STRANGERS = [(bytes([i]), 0.3) for i in range(6)]


def near(group, cosine):
    return [(photo, cosine) for photo in group]


def verdict(neighbours, barred=()):
    return judged(neighbours, MEMBERS.get, GROUPS.get, barred)


def test_joins_the_nearest_group_and_says_why():
    joined = verdict(near(LOOSE, 0.6) + STRANGERS).membership
    assert joined is not None
    assert (joined.group, joined.how) == ("loose", "joined")
    assert joined.nearest == tuple(LOOSE)[:NEAREST]
    assert joined.similarity == pytest.approx(0.6)
    assert 0.5 < joined.strength <= 1


def test_the_density_of_a_group_decides_how_near_is_near_enough():
    assert verdict(near(LOOSE, 0.6) + STRANGERS).membership is not None
    assert verdict(near(TIGHT, 0.6) + STRANGERS).membership is None
    assert verdict(near(TIGHT, 0.94) + STRANGERS).membership is not None


def test_unsure_without_neighbours_or_without_grouped_ones():
    assert verdict([]) == (None, ())
    assert verdict(STRANGERS) == (None, ())


def test_unsure_where_others_are_as_near():
    assert verdict(near(LOOSE, 0.6) + [(bytes([i]), 0.58) for i in range(6)]).membership is None
    assert verdict(near(LOOSE, 0.94) + near(TIGHT, 0.94)).membership is None


def test_what_it_needs_is_enough():
    unsure = verdict(near(LOOSE, 0.5) + [(bytes([i]), 0.48) for i in range(6)])
    assert unsure.membership is None
    (candidate,) = unsure.candidates
    assert not candidate.fits
    enough = candidate.needs + 1e-9
    assert verdict(near(LOOSE, enough) + [(bytes([i]), 0.48) for i in range(6)]).membership is not None


def test_locked_groups_and_bars_are_honoured_but_shown():
    closed = members("closed", 6, 0.6)
    shut = judged(near(closed, 0.6) + STRANGERS, closed.get, GROUPS.get)
    assert shut.membership is None
    assert shut.candidates[0].fits
    barred = verdict(near(LOOSE, 0.6) + STRANGERS, barred={"loose"})
    assert barred.membership is None
    assert barred.candidates[0].fits


def test_a_group_that_is_gone_is_no_candidate():
    ghosts = members("ghost", 6, 0.6)
    assert judged(near(ghosts, 0.6) + STRANGERS, ghosts.get, GROUPS.get) == (None, ())


def test_members_that_are_not_among_the_neighbours_count_as_far():
    few = dict(list(LOOSE.items())[:1])
    assert judged(near(few, 0.65) + STRANGERS, few.get, GROUPS.get).membership is None


def test_where_all_neighbours_are_members_their_density_decides():
    assert verdict(near(TIGHT, 0.95)).membership is not None
    assert verdict(near(TIGHT, 0.85)).membership is None


def test_copies_join_their_like():
    copies = members("tight", 6, 1.0)
    assert judged([*near(copies, 1.0), *STRANGERS], copies.get, GROUPS.get).membership is not None


def test_members_placed_by_hand_are_judged_by_their_groups_floor():
    placed = {photo: Membership(group="loose", strength=1.0, how="decided") for photo in LOOSE}
    candidate = judged([*near(placed, 0.4), (b"x", -1.0)], placed.get, GROUPS.get).candidates[0]
    assert 1 - candidate.needs == pytest.approx(OUTLYING * 0.5)


neighbours = st.lists(
    st.tuples(st.sampled_from([*MEMBERS, b"x", b"y", b"z"]), st.floats(-1, 1)), unique_by=lambda pair: pair[0]
)


@given(neighbours, st.randoms())
def test_order_does_not_matter_and_the_answer_is_sound(given_neighbours, random):
    said = verdict(given_neighbours)
    shuffled = list(given_neighbours)
    random.shuffle(shuffled)
    assert verdict(shuffled) == said
    for one in said.candidates:
        assert 0 <= one.strength <= 1
        assert len(one.nearest) <= NEAREST
    if said.membership is not None:
        (chosen,) = [one for one in said.candidates if one.group == said.membership.group]
        assert chosen.fits
        assert chosen.strength >= min(1 / (1 + CONTRAST**4), 1 / OUTLYING) - 1e-9
