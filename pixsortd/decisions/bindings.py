"""What edits of groups amount to, taken in one after another: the constraints that bind every clustering."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from typing import Any

from pixsortd.decisions.agreement import Said, agreed
from pixsortd.records import (
    NEW,
    BarPhotos,
    Constraints,
    Edit,
    GroupChangeKind,
    Lineage,
    LineageEvent,
    LockGroup,
    MergeGroups,
    NameGroup,
    PlacePhotos,
    RelatePhotos,
    Relation,
    ReleasePhotos,
    Route,
    SettleChange,
    SplitGroup,
)

_NEWBORN = frozenset({GroupChangeKind.BIRTH, GroupChangeKind.SPLIT})


class Bindings:
    """The edits so far. Not for several threads at once."""

    def __init__(self) -> None:
        self._order = 0
        self._names: dict[str, str] = {}
        self._placed: dict[bytes, tuple[int, str | None]] = {}
        self._holding = Counter[str]()
        """Photos placed into each group."""
        self._barred: dict[bytes, dict[str, int]] = {}
        self._relations: list[Said] = []
        self._locked: dict[str, set[bytes]] = {}
        self._merged: dict[str, str] = {}
        self._born: dict[str, str] = {}
        self._shaped: set[str] = set()
        """Groups merged into, split, or born of a split."""
        self._owner: dict[bytes, str] = {}
        """The last word on which touched group a photo is in."""
        self._refused: dict[Route, None] = {}
        self._lineage: dict[str, list[Lineage]] = {}

    def copied(self) -> "Bindings":
        """The same once more, to see what an edit would amount to."""
        other = copy(self)
        other._names, other._placed, other._holding = self._names.copy(), self._placed.copy(), self._holding.copy()
        other._barred = {photo: groups.copy() for photo, groups in self._barred.items()}
        other._relations = self._relations.copy()
        other._locked = {group: members.copy() for group, members in self._locked.items()}
        other._merged, other._born, other._shaped = self._merged.copy(), self._born.copy(), self._shaped.copy()
        other._owner, other._refused = self._owner.copy(), self._refused.copy()
        other._lineage = {group: steps.copy() for group, steps in self._lineage.items()}
        return other

    def take(self, edit: NameGroup | Edit) -> None:
        """Take in one more edit."""
        self._order += 1
        _TAKES[type(edit)](self, edit)
        if isinstance(edit, Edit):
            for held in edit.after:
                self._own(held.group, held.photos)

    def constraints(self) -> Constraints:
        """What all of it amounts to."""
        agreement = agreed(self._placed, self._barred, self._relations)
        known: dict[str, list[bytes]] = {group: [] for group in self._touched()}
        for photo, group in self._owner.items():
            known[group].append(photo)
        return Constraints(
            names=dict(self._names),
            placed=agreement.placed,
            barred=agreement.barred,
            together=agreement.together,
            apart=agreement.apart,
            distinct=agreement.distinct,
            locked={group: frozenset(members) for group, members in self._locked.items()},
            merged=dict(self._merged),
            born=dict(self._born),
            known={group: tuple(photos) for group, photos in known.items()},
            refused=frozenset(map(self._present, self._refused)),
            conflicts=agreement.conflicts,
        )

    def lineage(self) -> Mapping[str, tuple[Lineage, ...]]:
        """What the user's merges and splits did to each group, the oldest first."""
        return {group: tuple(steps) for group, steps in self._lineage.items()}

    # --- edits -------------------------------------------------------------------------------

    def _name(self, edit: NameGroup) -> None:
        if edit.name is None:
            self._names.pop(edit.group, None)
            self._let_go([edit.group])
        else:
            self._names[edit.group] = edit.name
            self._own(edit.group, edit.members)

    def _place(self, edit: PlacePhotos) -> None:
        left = self._unplace(edit.photos)
        for photo in edit.photos:
            self._placed[photo] = self._order, edit.group
            if edit.group is not None:
                self._unbar(photo, edit.group)
        if edit.group is not None:
            self._holding[edit.group] += len(edit.photos)
        for held in edit.beside:
            if held.group == edit.group:
                self._own(held.group, held.photos)
        self._own(edit.group, edit.photos)
        self._let_go(left)

    def _bar(self, edit: BarPhotos) -> None:
        left = self._unplace([photo for photo in edit.photos if self._placed.get(photo, (0, None))[1] == edit.group])
        for photo in edit.photos:
            self._barred.setdefault(photo, {})[edit.group] = self._order
        self._own(None, [photo for photo in edit.photos if self._owner.get(photo) == edit.group])
        self._let_go(left)

    def _release(self, edit: ReleasePhotos) -> None:
        left = self._unplace(edit.photos)
        freed = frozenset(edit.photos)
        for photo in freed:
            self._barred.pop(photo, None)
        thinned = (
            said._replace(photos=tuple(photo for photo in said.photos if photo not in freed))
            for said in self._relations
        )
        self._relations = [said for said in thinned if len(said.photos) > 1]
        self._let_go(left)

    def _relate(self, edit: RelatePhotos) -> None:
        self._relations.append(Said(self._order, edit.relation, edit.photos))

    def _lock(self, edit: LockGroup) -> None:
        if edit.locked:
            self._locked[edit.group] = set(edit.members)
            self._own(edit.group, edit.members)
        else:
            self._locked.pop(edit.group, None)
            self._let_go([edit.group])

    def _merge(self, edit: MergeGroups) -> None:
        members = frozenset(edit.members)
        self._unite(edit.into, edit.groups, members, edit.at)
        # Whoever is in one of them now is in one group with all others.
        self._relations = [kept for said in self._relations for kept in _without(said, members)]
        self._own(edit.into, edit.members)

    def _split(self, edit: SplitGroup) -> None:
        self._born[edit.born] = edit.group
        self._shaped |= {edit.group, edit.born}
        for photo in edit.photos:
            if self._placed.get(photo, (0, None))[1] == edit.group:
                self._unplace([photo])
                self._placed[photo] = self._order, edit.born
                self._holding[edit.born] += 1
        self._own(edit.group, edit.rest)
        self._own(edit.born, edit.photos)
        self._tell(edit.group, LineageEvent.SPLIT_OFF, edit.born, edit.at)
        self._tell(edit.born, LineageEvent.SPLIT_FROM, edit.group, edit.at)

    def _settle(self, edit: SettleChange) -> None:
        change = edit.change
        # A refused birth may come true with other photos: then the group exists and is still refused.
        ends = (NEW, change.to) if change.kind in _NEWBORN else (change.to,)
        routes = [Route(photo=photo, group=change.group, to=to) for photo in change.photos for to in ends]
        if not edit.accepted:
            self._refused.update(dict.fromkeys(routes))
            return
        for route in routes:
            self._refused.pop(route, None)
        if change.kind is GroupChangeKind.MERGE and change.group is not None and change.to is not None:
            self._unite(change.to, (change.group,), frozenset(change.photos), edit.at)

    # --- what they share ----------------------------------------------------------------------

    def _unite(self, into: str, groups: Sequence[str], members: Set[bytes], at: float) -> None:
        """From now on ``into`` is what the others were; ``members`` are in it, whatever they were kept out of."""
        self._merged.pop(into, None)
        for old in groups:
            self._merged.update({one: into for one, end in self._merged.items() if end == old})
            self._merged[old] = into
            name = self._names.pop(old, None)
            if name is not None:
                self._names.setdefault(into, name)
            self._locked.pop(old, None)
            self._shaped.discard(old)
            self._holding[into] += self._holding.pop(old, 0)
            self._tell(into, LineageEvent.MERGED, old, at)
        gone = frozenset(groups)
        for photo, barred in self._barred.items():
            for group in {*gone, *((into,) if photo in members else ())} & barred.keys():
                order = barred.pop(group)
                if photo not in members:
                    barred[into] = order
        self._shaped.add(into)
        self._placed.update({photo: (order, into) for photo, (order, group) in self._placed.items() if group in gone})
        self._owner.update({photo: into for photo, group in self._owner.items() if group in gone})

    def _touches(self, group: str) -> bool:
        return group in self._names or group in self._locked or group in self._shaped or self._holding.get(group, 0) > 0

    def _touched(self) -> list[str]:
        groups = dict.fromkeys((*self._names, *self._locked, *sorted(self._shaped), *self._holding))
        return [group for group in groups if self._touches(group)]

    def _own(self, group: str | None, photos: Iterable[bytes]) -> None:
        """These photos are in that group now, which matters as long as it is a touched one."""
        chosen = tuple(photos)
        for locked, members in self._locked.items():
            (members.update if locked == group else members.difference_update)(chosen)
        for photo in chosen:
            if group is not None and self._touches(group):
                self._owner[photo] = group
            else:
                self._owner.pop(photo, None)

    def _let_go(self, groups: Iterable[str]) -> None:
        """Forget who was in groups that are no more the user's: clusterings change them from now on."""
        ended = {group for group in groups if not self._touches(group)}
        if ended:
            self._owner = {photo: owner for photo, owner in self._owner.items() if owner not in ended}

    def _unplace(self, photos: Iterable[bytes]) -> set[str]:
        """Take back where photos were placed; the groups that this concerns."""
        left = set()
        for photo in photos:
            _, group = self._placed.pop(photo, (0, None))
            if group is not None:
                self._holding[group] -= 1
                left.add(group)
        return left

    def _unbar(self, photo: bytes, group: str) -> None:
        bars = self._barred.get(photo, {})
        bars.pop(group, None)
        if not bars:
            self._barred.pop(photo, None)

    def _tell(self, group: str, event: LineageEvent, other: str, at: float) -> None:
        self._lineage.setdefault(group, []).append(Lineage(event=event, other=other, at=at))

    def _present(self, route: Route) -> Route:
        """The route with what its groups are part of by now."""
        group, to = (None if end is None else self._merged.get(end, end) for end in (route.group, route.to))
        return Route(photo=route.photo, group=group, to=to)


_TAKES: Mapping[type, Callable[[Bindings, Any], None]] = {
    NameGroup: Bindings._name,
    PlacePhotos: Bindings._place,
    BarPhotos: Bindings._bar,
    ReleasePhotos: Bindings._release,
    RelatePhotos: Bindings._relate,
    LockGroup: Bindings._lock,
    MergeGroups: Bindings._merge,
    SplitGroup: Bindings._split,
    SettleChange: Bindings._settle,
}


def _without(said: Said, members: frozenset[bytes]) -> Iterator[Said]:
    """The relation without what it says of ``members`` among themselves, if it keeps photos apart."""
    inside = [photo for photo in said.photos if photo in members]
    if said.relation is not Relation.APART or len(inside) < 2:
        yield said
        return
    outside = tuple(photo for photo in said.photos if photo not in members)
    if outside:
        yield from (said._replace(photos=(photo, *outside)) for photo in inside)
