"""Why a photo is in its group, or in none."""

from types import SimpleNamespace

import pytest

from pixsortd.daemon.grouping.why import GroupingReasons
from pixsortd.records import Constraints, Group, Membership

PHOTO = b"p" * 32
BEACH = {b"b%031d" % i: Membership(group="beach", strength=0.9, how="clustered", similarity=0.8) for i in range(6)}
WOOD = {b"w%031d" % i: Membership(group="wood", strength=0.9, how="clustered", similarity=0.8) for i in range(6)}
STRANGERS = [(b"s%031d" % i, 0.2) for i in range(6)]
NAMES = Constraints(names={"beach": "Beach"})


def told(cosines, constraints=NAMES, own=None, embedded=True):
    """The reasons for a photo with these cosines to the members of the beach and of the wood."""
    members = {**BEACH, **WOOD} | ({} if own is None else {PHOTO: own})
    near = [(photo, cosines[0]) for photo in BEACH] + [(photo, cosines[1]) for photo in WOOD] + STRANGERS
    store = SimpleNamespace(
        membership=members.get,
        group=lambda group: Group(id=group, size=6, locked=group in constraints.locked),
        embedding=lambda *_: b"vector" if embedded else None,
    )
    searcher = SimpleNamespace(active=lambda: SimpleNamespace(key=b"space"), near=lambda *_, **__: near)
    return GroupingReasons(store, searcher, lambda: constraints).of(PHOTO)


def test_a_grouped_photo_names_its_speakers_and_what_others_would_need():
    own = Membership(group="beach", strength=0.7, how="clustered", nearest=tuple(BEACH)[:3], similarity=0.81)
    said = told((0.8, 0.4), own=own)
    assert (said.group, said.name, said.how, said.strength, said.similarity) == (
        "beach",
        "Beach",
        "clustered",
        0.7,
        0.81,
    )
    assert said.nearest == tuple(BEACH)[:3]
    assert (said.constraint, said.unsure) == (None, None)
    (rival,) = said.rivals
    assert (rival.group, rival.name, rival.similarity) == ("wood", None, pytest.approx(0.4))
    assert "0.82" in rival.needs
    assert "0.40" in rival.needs


def test_an_unsure_photo_says_what_would_change_it():
    said = told((0.5, 0.3))
    assert (said.group, said.how, said.strength) == (None, "none", None)
    assert said.unsure is not None
    assert "“Beach”" in said.unsure
    assert "0.70 would do" in said.unsure
    assert [rival.group for rival in said.rivals] == ["beach", "wood"]


def test_a_photo_that_would_rather_be_elsewhere():
    said = told((0.3, 0.8), own=Membership(group="beach", strength=0.2, how="clustered"))
    assert said.unsure == "By its nearest photos it would rather be in group wood."
    assert said.nearest == tuple(BEACH)[:5]
    assert said.similarity == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("constraints", "own", "decided", "needs"),
    [
        ({"placed": {PHOTO: "beach"}}, "beach", "You put it into group beach.", "only you can move it there"),
        ({"placed": {PHOTO: None}}, None, "You took it out of all groups.", "only you can move it there"),
        ({"locked": {"beach": frozenset({PHOTO})}}, "beach", "Its group is locked", "A mean likeness of"),
        ({"locked": {"wood": frozenset()}}, "beach", None, "only you can put it there"),
        ({"barred": {PHOTO: frozenset({"wood"})}}, "beach", None, "never belongs there"),
        (
            {"together": ((PHOTO, b"q" * 32),)},
            "beach",
            "You keep it together with 1 other photo.",
            "A mean likeness of",
        ),
    ],
)
def test_what_the_user_said_comes_first(constraints, own, decided, needs):
    place = None if own is None else Membership(group=own, strength=1.0, how="decided")
    said = told((0.8, 0.4), Constraints(**constraints), place)
    assert (said.constraint or "").startswith(decided or "")
    assert (said.constraint is None) == (decided is None)
    rival = next(one for one in said.rivals if one.group == "wood")
    assert needs in rival.needs


def test_without_a_vector_there_is_only_the_place():
    said = told((0.8, 0.4), embedded=False)
    assert said.rivals == ()
    assert said.unsure == "None of the photos most like it is in a group."
