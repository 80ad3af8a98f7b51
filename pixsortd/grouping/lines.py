"""Changes of groups as lines: photos that go the same way together, each line with a lasting id. Pure."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from pixsortd.records import GroupChange, GroupChangeKind, Lineage, LineageEvent


class Way(NamedTuple):
    """How one photo goes; photos of the same way are one line."""

    group: str | None
    to: str | None
    waits: bool = False
    why: str = ""
    unsteady: bool = False


def lines(ways: Mapping[bytes, Way], before: Mapping[bytes, str | None], existing: Set[str]) -> tuple[GroupChange, ...]:
    """The lines for these photos, the largest first.

    ``before`` is where all photos are before any of them goes, ``existing`` the groups there are then. A
    group that is left by all has one line of the kind ``merge`` or ``end``: that of most photos.
    """
    alike: defaultdict[Way, list[bytes]] = defaultdict(list)
    for photo, way in ways.items():
        alike[way].append(photo)
    pairs: Counter[tuple[str | None, str | None]] = Counter()
    for way, photos in alike.items():
        pairs[way.group, way.to] += len(photos)
    sizes = Counter(before.values())
    ending = _ending(pairs, sizes, existing)
    found = [_line(way, sorted(photos), _kind(way, ending, existing)) for way, photos in alike.items()]
    return tuple(sorted(found, key=lambda line: (-len(line.photos), line.id)))


def departures(changes: Iterable[GroupChange]) -> dict[bytes, str]:
    """The group that each photo left by these lines of itself; one with a ``why`` had to."""
    return {photo: line.group for line in changes if line.group is not None and not line.why for photo in line.photos}


def lineage(changes: Iterable[GroupChange], at: float) -> dict[str, tuple[Lineage, ...]]:
    """By group, what these lines add to where it comes from."""
    steps: defaultdict[str, set[tuple[LineageEvent, str | None]]] = defaultdict(set)
    for line in changes:
        match line:
            case GroupChange(kind=GroupChangeKind.BIRTH, to=str(to)):
                steps[to].add((LineageEvent.BORN, None))
            case GroupChange(kind=GroupChangeKind.SPLIT, group=str(group), to=str(to)):
                steps[to].add((LineageEvent.SPLIT_FROM, group))
                steps[group].add((LineageEvent.SPLIT_OFF, to))
            case GroupChange(kind=GroupChangeKind.MERGE, group=str(group), to=str(to)):
                steps[to].add((LineageEvent.MERGED, group))
    return {
        group: tuple(Lineage(event=event, other=other, at=at) for event, other in sorted(found, key=str))
        for group, found in steps.items()
    }


def _ending(
    pairs: Mapping[tuple[str | None, str | None], int], sizes: Mapping[str | None, int], existing: Set[str]
) -> dict[tuple[str, str | None], GroupChangeKind]:
    """The kind of the way that most photos of each emptied group go, where it ends by that."""
    left: Counter[str] = Counter()
    best: dict[str, tuple[int, str]] = {}
    lost: Counter[str] = Counter()
    for (group, to), count in pairs.items():
        if group is None:
            continue
        left[group] += count
        if to is None:
            lost[group] += count
        elif to in existing and (-count, to) < best.get(group, (1, "")):
            best[group] = (-count, to)
    kinds: dict[tuple[str, str | None], GroupChangeKind] = {}
    for group, count in left.items():
        if count == sizes[group] and group in best:
            kinds[group, best[group][1]] = GroupChangeKind.MERGE
        elif count == sizes[group] == lost[group]:
            kinds[group, None] = GroupChangeKind.END
    return kinds


def _kind(way: Way, ending: Mapping[tuple[str, str | None], GroupChangeKind], existing: Set[str]) -> GroupChangeKind:
    if way.group is None:
        return GroupChangeKind.JOIN if way.to in existing else GroupChangeKind.BIRTH
    if (way.group, way.to) in ending:
        return ending[way.group, way.to]
    if way.to is None:
        return GroupChangeKind.LEAVE
    return GroupChangeKind.MOVE if way.to in existing else GroupChangeKind.SPLIT


def _line(way: Way, photos: list[bytes], kind: GroupChangeKind) -> GroupChange:
    told = hashlib.blake2b(f"{kind} {way.group} {way.to} ".encode(), digest_size=8)
    told.update(b"".join(photos))
    return GroupChange(
        id="c" + told.hexdigest(),
        kind=kind,
        photos=tuple(photos),
        group=way.group,
        to=way.to,
        waits=way.waits,
        why=way.why,
        unsteady=way.unsteady,
    )
