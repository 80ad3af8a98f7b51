"""What the user's decisions ask of an assignment of photos to groups: to make it hold, and to say what cannot. Pure.

Where decisions contradict one another, the log's replay has let the later win as far as one subject
goes (:class:`~pixsortd.records.Constraints`). What is left is ranked: a photo's own place, then a lock,
then what a photo is barred from, then what belongs together, then what is kept apart. Whatever is not
held by a place or a lock can always be honoured: a photo alone may be in no group, and photos that
belong together may have a group of their own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set

from pixsortd.grouping.ids import fresh
from pixsortd.records import Constraints

Groups = Mapping[bytes, str | None]
"""The group of every known photo, None for in no group. Photos that are not in it are nobody's concern."""


def repaired(wanted: Groups, present: Groups, constraints: Constraints) -> dict[bytes, str | None]:
    """``wanted`` changed as little as the constraints allow.

    A photo that may not be where it is wanted stays where it is at present, if it may be there, and
    else is in no group. Photos that belong together go where most of them are wanted, else where most
    are, else into a group of their own. Nobody enters a locked group, and who is in one at present stays.
    Time and memory grow with the photos plus the constraints.
    """
    return _Repair(wanted, present, constraints).groups


def violations(groups: Groups, constraints: Constraints) -> tuple[str, ...]:
    """What does not hold of this assignment, in words; nothing for photos it does not know."""
    return tuple(_violations(groups, constraints))


def title(group: str | None, constraints: Constraints) -> str:
    """A group in words."""
    if group is None:
        return "no group"
    name = constraints.names.get(group)
    return f"“{name}”" if name else f"group {group}"


class _Repair:
    """One repair on its way."""

    def __init__(self, wanted: Groups, present: Groups, constraints: Constraints) -> None:
        merged = constraints.merged
        self._wanted = wanted
        self._present = present
        self._merged = merged
        self._locked = {merged.get(group, group) for group in constraints.locked}
        self._barred = constraints.barred
        self._apart = partners(constraints)
        self._firm = {photo: group for photo, group in firm(constraints).items() if photo in wanted}
        self.groups: dict[bytes, str | None] = dict(wanted)
        self._follow_merges_and_locks()
        self.groups.update(self._firm)
        for photo in self._barred:
            if photo in self.groups and photo not in self._firm and not self._allowed(photo, self.groups[photo]):
                self.groups[photo] = self._fallback(photo)
        self._settle_units(constraints)

    def _follow_merges_and_locks(self) -> None:
        """Merged groups by the id they have now, and nobody new in a locked one."""
        affected = self._locked.union(self._merged)
        if not affected:
            return
        for photo, group in self._wanted.items():
            if group in affected and photo not in self._firm:
                home = self._home(group)
                self.groups[photo] = home if self._allowed(photo, home) else self._fallback(photo)
        for photo, group in self._present.items():
            if group in self._locked and photo in self.groups and self._allowed(photo, group):
                self._firm.setdefault(photo, group)

    def _settle_units(self, constraints: Constraints) -> None:
        """Photos that belong together as one, those kept apart one by one; who has a place first, then who may stay."""
        sets = [tuple(photo for photo in unit if photo in self.groups) for unit in constraints.together]
        united = {photo for unit in sets for photo in unit}
        singles = [(photo,) for photo in self._apart if photo in self.groups and photo not in united]
        units = [(unit, self._choices(unit)) for unit in (*sets, *singles) if unit]
        decided = set(self._firm)
        for unit, choices in sorted(units, key=lambda item: self._rank(*item)):
            group = next((group for group in choices if self._open(unit, group, decided)), None)
            if group is None and len(unit) > 1:
                group = fresh(min(unit), self._taken(constraints))
            for photo in unit:
                if photo not in self._firm:
                    self.groups[photo] = group
            decided.update(unit)

    def _rank(self, unit: Sequence[bytes], choices: Sequence[str]) -> tuple[bool, bool, int, bytes]:
        stays = bool(choices) and all(self._home(self._present.get(photo)) == choices[0] for photo in unit)
        return self._firm.keys().isdisjoint(unit), not stays, -len(unit), min(unit)

    def _choices(self, unit: Sequence[bytes]) -> list[str]:
        """Groups the unit could go into, the best first: where its places are, is wanted, and is."""
        places = Counter(self._firm[photo] for photo in unit if photo in self._firm)
        present = Counter(self._home(self._present.get(photo)) for photo in unit)
        wanted = Counter(self.groups[photo] for photo in unit)
        ordered = [
            *sorted(places, key=lambda group: (-places[group], group or "")),
            *sorted(wanted, key=lambda group: (-wanted[group], -present[group], group or "")),
            *sorted(present, key=lambda group: (-present[group], group or "")),
        ]
        return [group for group in dict.fromkeys(ordered) if group is not None]

    def _open(self, unit: Sequence[bytes], group: str, decided: Set[bytes]) -> bool:
        """Whether the movable part of a unit may be in this group, as far as the others are decided."""
        loose = [photo for photo in unit if photo not in self._firm]
        if not all(self._allowed(photo, group) for photo in loose):
            return False
        rivals = {other for photo in loose for other in self._apart.get(photo, ())}.difference(unit)
        return not any(other in decided and self.groups.get(other) == group for other in rivals)

    def _allowed(self, photo: bytes, group: str | None) -> bool:
        """Whether a photo without a place may be in this group, as far as it alone is concerned."""
        if group in self._locked and self._home(self._present.get(photo)) != group:
            return False
        return not any(self._home(one) == group for one in self._barred.get(photo, ()))

    def _fallback(self, photo: bytes) -> str | None:
        group = self._home(self._present.get(photo))
        return group if self._allowed(photo, group) else None

    def _home(self, group: str | None) -> str | None:
        return group if group is None else self._merged.get(group, group)

    def _taken(self, constraints: Constraints) -> set[str]:
        here = {*self.groups.values(), *self._present.values()}
        return mentioned(constraints).union(group for group in here if group is not None)


def mentioned(constraints: Constraints) -> set[str]:
    """The ids of all groups that the decisions speak of: none of them is to be given again."""
    barred = (group for groups in constraints.barred.values() for group in groups)
    placed = (group for group in constraints.placed.values() if group is not None)
    return {*constraints.known, *constraints.names, *constraints.merged, *constraints.born, *barred, *placed}


def firm(constraints: Constraints) -> dict[bytes, str | None]:
    """The group of each photo that a place or a lock holds. To bar a photo from a locked group takes it out."""
    merged, barred = constraints.merged, constraints.barred
    held: dict[bytes, str | None] = {}
    for group, members in constraints.locked.items():
        held.update((photo, merged.get(group, group)) for photo in members if group not in barred.get(photo, ()))
    for photo, place in constraints.placed.items():
        held[photo] = place if place is None else merged.get(place, place)
    return held


def partners(constraints: Constraints) -> dict[bytes, set[bytes]]:
    """For each photo those it is kept apart from."""
    found: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for one, other in constraints.apart:
        found[one].add(other)
        found[other].add(one)
    return dict(found)


def _violations(groups: Groups, constraints: Constraints) -> Iterator[str]:
    merged = constraints.merged
    held = firm(constraints)
    for photo, place in sorted(held.items()):
        if photo in groups and groups[photo] != place:
            yield f"photo {_short(photo)} is not in {title(place, constraints)}, where you keep it"
    for photo, barred in sorted(constraints.barred.items()):
        group = groups.get(photo)
        if group is not None and any(merged.get(one, one) == group for one in barred):
            yield f"photo {_short(photo)} is in {title(group, constraints)}, where you said it never belongs"
    for unit in constraints.together:
        known = [photo for photo in unit if photo in groups]
        places = {groups[photo] for photo in known}
        if len(known) > 1 and (len(places) > 1 or None in places):
            titles = ", ".join(sorted(title(place, constraints) for place in places))
            yield f"{len(known)} photos that you said belong together, with {_short(min(known))}, are in {titles}"
    for one, other in sorted(constraints.apart):
        group = groups.get(one)
        if group is not None and groups.get(other) == group:
            both = f"{_short(one)} and {_short(other)}"
            yield f"photos {both}, which you keep apart, are both in {title(group, constraints)}"


def _short(photo: bytes) -> str:
    return photo.hex()[:10]
