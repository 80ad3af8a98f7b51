"""What edits teach: pairs of photos that belong together, or do not."""

import pytest

from pixsortd.grouping.lessons import MOST, PARTNERS, SUBJECTS, lessons, spread
from pixsortd.records import (
    BarPhotos,
    GroupChange,
    GroupChangeKind,
    Held,
    LockGroup,
    MergeGroups,
    PlacePhotos,
    RelatePhotos,
    Relation,
    ReleasePhotos,
    SettleChange,
    SplitGroup,
)

P, Q = b"p", b"q"
BEACH, WOOD = (b"b1", b"b2"), (b"w1", b"w2")
BESIDE = (Held(group="beach", photos=BEACH), Held(group="wood", photos=WOOD))


def taught(*edits):
    return {(one.photo, one.other, one.same) for one in lessons(edits)}


def pairs(photos, others, same):
    return {(photo, other, same) for photo in photos for other in others}


def placed(photo, group, left):
    before = (Held(group=left, photos=(photo,)),)
    return PlacePhotos(edit="e1", photos=(photo,), group=group, before=before, beside=BESIDE)


def settled(kind, accepted, group="beach", to="wood", photos=(P, Q)):
    change = GroupChange(id="c", kind=kind, photos=photos, group=group, to=to)
    beside = tuple(held for held in BESIDE if held.group in (group, to))
    return SettleChange(edit="e1", change=change, accepted=accepted, beside=beside)


def test_a_move_says_where_a_photo_belongs_and_where_not():
    assert taught(placed(P, "beach", "wood")) == pairs([P], BEACH, True) | pairs([P], WOOD, False)
    assert taught(placed(P, "beach", None)) == pairs([P], BEACH, True)
    assert taught(placed(P, None, "wood")) == pairs([P], WOOD, False)


def test_bars_and_relations():
    assert taught(BarPhotos(edit="e1", photos=(P,), group="wood", beside=BESIDE)) == pairs([P], WOOD, False)
    assert taught(RelatePhotos(edit="e1", photos=(P, Q), relation=Relation.TOGETHER)) == {(P, Q, True)}
    assert taught(RelatePhotos(edit="e1", photos=(P, Q), relation=Relation.APART)) == {(P, Q, False)}
    assert taught(RelatePhotos(edit="e1", photos=(P, Q), relation=Relation.DISTINCT)) == set()


def test_merges_and_splits():
    merge = MergeGroups(edit="e1", into="beach", groups=("wood",), members=(*BEACH, *WOOD), before=BESIDE[1:])
    assert taught(merge) == pairs(WOOD, BEACH, True)
    split = SplitGroup(edit="e1", group="beach", born="g", photos=WOOD, rest=BEACH)
    assert taught(split) == pairs(WOOD, BEACH, False) | {(*WOOD, True)}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (settled(GroupChangeKind.MOVE, True), pairs([P, Q], WOOD, True) | pairs([P, Q], BEACH, False)),
        (settled(GroupChangeKind.MOVE, False), pairs([P, Q], BEACH, True) | pairs([P, Q], WOOD, False)),
        (settled(GroupChangeKind.JOIN, True, None), pairs([P, Q], WOOD, True)),
        (settled(GroupChangeKind.JOIN, False, None), pairs([P, Q], WOOD, False)),
        (settled(GroupChangeKind.LEAVE, True, to=None), pairs([P, Q], BEACH, False)),
        (settled(GroupChangeKind.LEAVE, False, to=None), pairs([P, Q], BEACH, True)),
        (settled(GroupChangeKind.MERGE, True), pairs([P, Q], WOOD, True)),
        (settled(GroupChangeKind.SPLIT, True, to="new"), {(P, Q, True)} | pairs([P, Q], BEACH, False)),
        (settled(GroupChangeKind.SPLIT, False, to="new"), pairs([P, Q], BEACH, True)),
        (settled(GroupChangeKind.BIRTH, True, None, "new"), {(P, Q, True)}),
        (settled(GroupChangeKind.BIRTH, False, None, "new"), set()),
    ],
)
def test_settled_lines(edit, expected):
    assert taught(edit) == expected


def test_later_words_take_the_place_of_earlier_ones():
    assert taught(placed(P, "beach", "wood"), placed(P, "wood", "beach")) == taught(placed(P, "wood", "beach"))
    assert taught(placed(P, "beach", "wood"), ReleasePhotos(edit="e2", photos=(P,))) == set()
    apart = RelatePhotos(edit="e1", photos=(BEACH[0], WOOD[0]), relation=Relation.APART)
    merge = MergeGroups(edit="e2", into="beach", groups=("wood",), members=(*BEACH, *WOOD), before=BESIDE[1:])
    assert taught(apart, merge) == taught(merge)
    split = SplitGroup(edit="e3", group="beach", born="g", photos=WOOD, rest=BEACH)
    assert taught(merge, split) == taught(split)


def test_what_says_nothing_of_likeness_teaches_nothing():
    assert taught(LockGroup(edit="e1", group="beach", locked=True, members=BEACH)) == set()


def test_one_large_edit_has_no_more_than_its_share():
    many = tuple(b"%05d" % i for i in range(3000))
    merge = MergeGroups(edit="e1", into="a", groups=("b",), members=many, before=(Held(group="b", photos=many[:1500]),))
    assert len(lessons([merge])) == SUBJECTS * PARTNERS
    assert len(lessons([placed(b"%05d" % i, "beach", "wood") for i in range(3000)])) == MOST


def test_edits_are_told_apart_and_the_newest_are_kept_last():
    found = lessons([placed(P, "beach", None), placed(Q, "wood", None)])
    assert [one.edit for one in found] == [0, 0, 1, 1]


def test_spread_is_even_and_whole_where_it_fits():
    assert spread([b"c", b"a", b"b", b"a"], 3) == [b"a", b"b", b"c"]
    assert spread([bytes([i]) for i in range(101)], 3) == [bytes([0]), bytes([50]), bytes([100])]
