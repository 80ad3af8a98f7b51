"""What an edit does to who is in which group. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pixsortd.grouping.constraints import partners, repaired
from pixsortd.records import (
    BarPhotos,
    Constraints,
    Edit,
    GroupEdit,
    Held,
    LockGroup,
    MergeGroups,
    NameGroup,
    PlacePhotos,
    RelatePhotos,
    ReleasePhotos,
    SettleChange,
    SplitGroup,
)

Places = dict[bytes, str | None]
"""The group of each photo, None for in none."""


def held(places: Mapping[bytes, str | None]) -> tuple[Held, ...]:
    """The photos by group, in a fixed order."""
    found: defaultdict[str | None, list[bytes]] = defaultdict(list)
    for photo in sorted(places):
        found[places[photo]].append(photo)
    return tuple(Held(group=group, photos=tuple(found[group])) for group in sorted(found, key=lambda one: one or ""))


def places(lists: Iterable[Held]) -> Places:
    """The group of each photo in these lists."""
    return {photo: one.group for one in lists for photo in one.photos}


def mentioned(edit: GroupEdit) -> tuple[bytes, ...]:
    """The photos that an edit speaks of."""
    return _PHOTOS[type(edit)](edit)


def groups_of(edit: GroupEdit) -> tuple[str, ...]:
    """The groups that an edit speaks of."""
    spoken = _GROUPS[type(edit)](edit)
    moved = (one.group for one in (*edit.before, *edit.after)) if isinstance(edit, Edit) else ()
    return tuple(dict.fromkeys(group for group in (*spoken, *moved) if group is not None))


def concerned(photos: Iterable[bytes], constraints: Constraints) -> set[bytes]:
    """These photos and those whose place hangs on theirs."""
    together = {photo: unit for unit in constraints.together for photo in unit}
    rivals = partners(constraints)
    found: set[bytes] = set()
    waiting = list(photos)
    while waiting:
        photo = waiting.pop()
        if photo not in found:
            found.add(photo)
            waiting += (*together.get(photo, ()), *rivals.get(photo, ()))
    return found


def wanted(edit: GroupEdit, present: Mapping[bytes, str | None]) -> Places:
    """Where the edit itself puts the photos it speaks of."""
    return _WISHES[type(edit)](edit, present)


def goal(wishes: Mapping[bytes, str | None], present: Mapping[bytes, str | None], constraints: Constraints) -> Places:
    """The photos that move, and where to: the wishes, as far as what the user decided allows.

    A lock keeps clusterings out, not the user: who is to enter or leave a locked group counts as there already.
    """
    locked = constraints.locked.keys()
    through = {photo: group for photo, group in wishes.items() if not locked.isdisjoint({group, present[photo]})}
    settled = repaired({**present, **wishes}, {**present, **through}, constraints)
    return {photo: group for photo, group in settled.items() if group != present[photo]}


def taken_back(
    came_from: Iterable[Held], went_to: Iterable[Held], present: Mapping[bytes, str | None], since: Iterable[Held]
) -> Places:
    """The way back, for photos that are still where the edit put them and that no later edit put anywhere."""
    now, later = places(went_to), places(since)
    return {
        photo: group
        for photo, group in places(came_from).items()
        if photo not in later and photo in present and present[photo] == now.get(photo)
    }


def _merge_wishes(edit: MergeGroups, present: Mapping[bytes, str | None]) -> Places:
    return {photo: edit.into for photo in edit.members if present.get(photo) in edit.groups}


def _settle_wishes(edit: SettleChange, present: Mapping[bytes, str | None]) -> Places:
    change = edit.change
    going = (photo for photo in change.photos if edit.accepted and present.get(photo) == change.group)
    return dict.fromkeys(going, change.to)


def _nothing(_: object, __: object) -> Places:
    return {}


_WISHES: Mapping[type, Callable[[Any, Mapping[bytes, str | None]], Places]] = {
    NameGroup: _nothing,
    PlacePhotos: lambda edit, _: dict.fromkeys(edit.photos, edit.group),
    BarPhotos: lambda edit, now: {photo: None for photo in edit.photos if now.get(photo) == edit.group},
    ReleasePhotos: _nothing,
    RelatePhotos: _nothing,
    LockGroup: _nothing,
    MergeGroups: _merge_wishes,
    SplitGroup: lambda edit, _: dict.fromkeys(edit.photos, edit.born),
    SettleChange: _settle_wishes,
}

_PHOTOS: Mapping[type, Callable[[Any], tuple[bytes, ...]]] = {
    NameGroup: lambda _: (),
    PlacePhotos: lambda edit: edit.photos,
    BarPhotos: lambda edit: edit.photos,
    ReleasePhotos: lambda edit: edit.photos,
    RelatePhotos: lambda edit: edit.photos,
    LockGroup: lambda edit: edit.members,
    MergeGroups: lambda edit: edit.members,
    SplitGroup: lambda edit: edit.photos,
    SettleChange: lambda edit: edit.change.photos,
}

_GROUPS: Mapping[type, Callable[[Any], tuple[str | None, ...]]] = {
    NameGroup: lambda edit: (edit.group,),
    PlacePhotos: lambda edit: (edit.group,),
    BarPhotos: lambda edit: (edit.group,),
    ReleasePhotos: lambda _: (),
    RelatePhotos: lambda _: (),
    LockGroup: lambda edit: (edit.group,),
    MergeGroups: lambda edit: (edit.into, *edit.groups),
    SplitGroup: lambda edit: (edit.group, edit.born),
    SettleChange: lambda edit: (edit.change.group, edit.change.to),
}


def besides(
    groups: Iterable[str], without: Iterable[bytes], members: Callable[[str], Iterator[bytes]], most: int
) -> tuple[Held, ...]:
    """Up to ``most`` other members of each group."""
    left_out = frozenset(without)
    found = []
    for group in groups:
        others: dict[bytes, None] = {}
        for photo in members(group):
            if photo not in left_out:
                others[photo] = None
            if len(others) == most:
                break
        if others:
            found.append(Held(group=group, photos=tuple(others)))
    return tuple(found)
