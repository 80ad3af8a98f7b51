"""What edits teach of likeness: pairs of photos that the user said belong together, or do not. Pure.

Everything comes from the edits alone: each keeps some members of the groups it speaks of (``beside``).
A later word takes the place of an earlier one about the same photos.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from pixsortd.records import (
    BarPhotos,
    Edit,
    GroupChangeKind,
    Held,
    MergeGroups,
    PlacePhotos,
    Record,
    RelatePhotos,
    Relation,
    ReleasePhotos,
    SettleChange,
    SplitGroup,
)

SUBJECTS = 24
"""Photos of one edit that pairs are made for: one large merge must not outvote a hundred single words."""

PARTNERS = 8
"""Photos that each of them is paired with on either side."""

MOST = 4000
"""Pairs kept in all, the newest."""

Pair = tuple[bytes, bytes]
Taught = Iterator[tuple[bytes, bytes, bool]]
"""(the photo an edit is about, another, whether they belong together)."""


class Lesson(Record, frozen=True, kw_only=True):
    """One labelled pair."""

    edit: int
    """Which edit it comes from: pairs of one edit are one word of the user, not many."""
    photo: bytes
    """The photo that the edit is about."""
    other: bytes
    same: bool


def lessons(edits: Iterable[Edit]) -> tuple[Lesson, ...]:
    """The pairs that these edits, the oldest first and none of them undone, amount to."""
    held: dict[Pair, Lesson] = {}
    for number, edit in enumerate(edits):
        kind = type(edit)
        if kind in _VOIDS:
            void = _VOIDS[kind](edit)
            held = {pair: lesson for pair, lesson in held.items() if not void(lesson)}
        for photo, other, same in _TEACH[kind](edit) if kind in _TEACH else ():
            pair = (min(photo, other), max(photo, other))
            held.pop(pair, None)  # the newest stand last
            if photo != other:
                held[pair] = Lesson(edit=number, photo=photo, other=other, same=same)
    return tuple(held.values())[-MOST:]


def spread(photos: Iterable[bytes], most: int) -> list[bytes]:
    """At most so many of these photos, evenly over the hashes."""
    ordered = sorted(set(photos))
    if len(ordered) <= most:
        return ordered
    return [ordered[round(place * (len(ordered) - 1) / (most - 1))] for place in range(most)]


def _with(photos: Iterable[bytes], others: Iterable[bytes], same: bool) -> Taught:
    """Each photo beside each of some others."""
    partners = spread(others, PARTNERS)
    return ((photo, other, same) for photo in spread(photos, SUBJECTS) for other in partners)


def _among(photos: Iterable[bytes], same: bool) -> Taught:
    """Each two of some photos."""
    return ((one, other, same) for one, other in combinations(spread(photos, PARTNERS), 2))


def _in(groups: Sequence[Held], group: str | None) -> list[bytes]:
    return [photo for held in groups if held.group == group and group is not None for photo in held.photos]


def _place(edit: PlacePhotos) -> Taught:
    yield from _with(edit.photos, _in(edit.beside, edit.group), True)
    for left in edit.before:
        if left.group != edit.group:
            yield from _with(set(left.photos) & set(edit.photos), _in(edit.beside, left.group), False)


def _bar(edit: BarPhotos) -> Taught:
    return _with(edit.photos, _in(edit.beside, edit.group), False)


def _relate(edit: RelatePhotos) -> Taught:
    if edit.relation is not Relation.DISTINCT:  # duplicates are another question than groups
        yield from _among(edit.photos, edit.relation is Relation.TOGETHER)


def _merge(edit: MergeGroups) -> Taught:
    moved = {photo for held in edit.before if held.group in edit.groups for photo in held.photos}
    return _with(moved, set(edit.members) - moved, True)


def _split(edit: SplitGroup) -> Taught:
    yield from _with(edit.photos, edit.rest, False)
    yield from _among(edit.photos, True)


def _settle(edit: SettleChange) -> Taught:
    """Accepted, the photos belong to where they went; refused, to where they stay."""
    change = edit.change
    home, strange = (change.to, change.group) if edit.accepted else (change.group, change.to)
    if home is not None:
        members = _in(edit.beside, home)
        yield from _with(change.photos, members, True) if members else _among(change.photos, True)
    if change.kind is not GroupChangeKind.MERGE or not edit.accepted:
        yield from _with(change.photos, _in(edit.beside, strange), False)


_TEACH: Mapping[type, Callable[[Any], Taught]] = {
    PlacePhotos: _place,
    BarPhotos: _bar,
    RelatePhotos: _relate,
    MergeGroups: _merge,
    SplitGroup: _split,
    SettleChange: _settle,
}

Voids = Callable[[Lesson], bool]
"""Whether an earlier lesson is void."""


def _about(edit: PlacePhotos | ReleasePhotos) -> Voids:
    photos = frozenset(edit.photos)
    return lambda lesson: lesson.photo in photos


def _parted_within(edit: MergeGroups) -> Voids:
    members = frozenset(edit.members)
    return lambda lesson: not lesson.same and lesson.photo in members and lesson.other in members


def _joined_across(edit: SplitGroup) -> Voids:
    photos, rest = frozenset(edit.photos), frozenset(edit.rest)
    return lambda lesson: (
        lesson.same
        and ((lesson.photo in photos and lesson.other in rest) or (lesson.photo in rest and lesson.other in photos))
    )


_VOIDS: Mapping[type, Callable[[Any], Voids]] = {
    PlacePhotos: _about,
    ReleasePhotos: _about,
    MergeGroups: _parted_within,
    SplitGroup: _joined_across,
}
