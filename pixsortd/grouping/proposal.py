"""What a new clustering would change, as lines to be done at once or to be asked of the user. Pure.

A clustering never overwrites. Its target is first made to obey the user's decisions, then compared with
the present groups; photos that would go the same way for the same reason are one line. A line that
concerns no group of the user's applies itself, any other waits. What the user refused is not proposed
again, and photos that go back and forth are left where they are and said to be unsteady.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from itertools import accumulate
from typing import NamedTuple

from pixsortd.grouping.constraints import Groups, repaired, title, violations
from pixsortd.grouping.lines import Way, lines
from pixsortd.records import NEW, Constraints, GroupChange

RUNS = 8
"""Clusterings over which a photo's going back and forth is seen."""

TIRED = 2
"""Groups left in these runs, after which a photo does not go back to one of them by itself."""

SHARE, LEAST, FRESH = 0.05, 25, 4
"""Photos that one clustering may change by itself: a share of all, at least so many, and so many for each new one."""

DECIDED = "you decided so"
RESTLESS = "these photos went back and forth in the last runs"
BREAKS = "photos that you keep together or apart would not be, until other lines are accepted"
MOSTLY_YOURS = "most photos of the new group would come from groups of yours"
SUDDEN = "one run changes only so many photos by itself, and the largest changes wait"


class Outcome(NamedTuple):
    """What follows from one clustering. Lines are by falling size."""

    applied: tuple[GroupChange, ...]
    """To be done at once, all in one transaction."""
    waiting: tuple[GroupChange, ...]
    """For the user; each as it is once ``applied`` is done."""
    conflicts: tuple[str, ...]
    """Decisions that do not hold beside others once ``applied`` is done, in words."""


def allowance(photos: int, fresh: int) -> int:
    """Of so many photos, ``fresh`` of them new, how many may change their group in one clustering by themselves.

    A night on which little came and went, and yet a twentieth of the library would be grouped otherwise, is the
    clustering's doing: what goes beyond is for the user, or for the next nights.
    """
    return max(LEAST, round(SHARE * photos), FRESH * fresh)


def propose(
    now: Mapping[bytes, str],
    target: Groups,
    constraints: Constraints,
    touched: Set[str],
    fresh: Container[bytes] = (),
    recent: Sequence[Mapping[bytes, str]] = (),
    most: float = math.inf,
) -> Outcome:
    """The lines that lead from the present groups to those a clustering found.

    ``now`` has the photos that are in a group; ``target`` every photo the clustering looked at, None
    for in no group: a photo that it does not have stays where it is. ``touched`` are the groups that
    the user named, locked, merged, split or put photos into. ``fresh`` photos were never looked at by
    an earlier clustering: they alone join a touched group by themselves, if most of its members are found
    together. ``recent`` has, for each of the last ``RUNS`` clusterings,
    :func:`~pixsortd.grouping.lines.departures` of what it applied; leave out the last one if it was of the
    very same photos and decisions, so that the same again changes nothing.
    ``most`` photos that are not fresh may change by themselves, the smallest changes first: see :func:`allowance`.

    The order of the mappings changes nothing. To apply ``applied`` and ask again, for no more to change, gives no
    ``applied`` and the same ``waiting``.
    """
    present: dict[bytes, str | None] = {**dict.fromkeys(target), **now}
    base = repaired(present, present, constraints)
    goal = repaired({**base, **target}, base, constraints)
    existing = _existing(touched, base)
    ways = dict(_ways(base, goal, constraints, _Eyes(touched, fresh, recent, _seen_together(touched, base, target))))
    _hold_small_births(ways, goal, existing)
    _hold_what_breaks(ways, base, constraints, BREAKS)
    _hold_what_is_sudden(ways, existing, fresh, most)
    _hold_what_breaks(ways, base, constraints, SUDDEN)

    free = {photo: way for photo, way in ways.items() if not way.waits}
    at_once = {
        photo: Way(present[photo], group, why=DECIDED) for photo, group in base.items() if group != present[photo]
    }
    for photo, way in free.items():
        at_once[photo] = at_once.get(photo, way)._replace(to=way.to)
    after = {**base, **{photo: way.to for photo, way in free.items()}}
    return Outcome(
        lines(
            {photo: way for photo, way in at_once.items() if way.group != way.to}, present, _existing(touched, present)
        ),
        lines(
            {photo: way for photo, way in ways.items() if way.waits},
            after,
            _existing(touched, after),
        ),
        violations(after, constraints),
    )


def breaks(
    change: GroupChange, photos: Set[bytes], now: Mapping[bytes, str], constraints: Constraints
) -> tuple[str, ...]:
    """What would no longer hold, in words, if these photos of a waiting line went its way now."""
    before = dict.fromkeys(change.photos) | dict(now)
    after = before | dict.fromkeys(photos, change.to)
    known = set(violations(before, constraints))
    return tuple(words for words in violations(after, constraints) if words not in known)


def pending(waiting: Sequence[GroupChange], existing: Set[str]) -> dict[str, set[bytes]]:
    """Members of groups that are only proposed, so that the next clustering finds them under the same ids."""
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    for line in waiting:
        if line.to is not None and line.to not in existing:
            found[line.to].update(line.photos)
    return dict(found)


def _existing(touched: Set[str], groups: Groups) -> Set[str]:
    return {*touched, *(group for group in groups.values() if group is not None)}


def _seen_together(touched: Set[str], base: Groups, target: Groups) -> Set[str]:
    """The touched groups of whose members the clustering put more than half into them itself.

    Of any other, such as one that the user made of photos that have little in common, whoever resembles a
    part says nothing of the whole.
    """
    members = Counter(group for photo, group in base.items() if group in touched and photo in target)
    found = Counter(group for photo, group in base.items() if group in touched and target.get(photo) == group)
    return {group for group, count in found.items() if group is not None and 2 * count > members[group]}


class _Eyes(NamedTuple):
    """What a photo's way is judged with."""

    touched: Set[str]
    fresh: Container[bytes]
    recent: Sequence[Mapping[bytes, str]]
    open: Set[str]
    """Touched groups that fresh photos may join by themselves."""

    def left(self, photo: bytes) -> list[str]:
        """Groups that the photo left lately, once for each time."""
        return [run[photo] for run in self.recent[-RUNS:] if photo in run]


def _ways(
    base: Mapping[bytes, str | None], goal: Groups, constraints: Constraints, eyes: _Eyes
) -> Iterator[tuple[bytes, Way]]:
    """How each photo would go, without what was refused."""
    refused = _Refusals(constraints, eyes.touched)
    reasons: dict[tuple[str | None, str | None], str] = {}
    for photo, to in goal.items():
        group = base[photo]
        if group == to or refused(photo, group, to):
            continue
        left = eyes.left(photo)
        unsteady = to in left
        concerned = (
            group if group in eyes.touched else None,
            to if to in eyes.touched and not (photo in eyes.fresh and to in eyes.open) else None,
        )
        if concerned not in reasons:
            reasons[concerned] = _reason(concerned, constraints)
        why = reasons[concerned] or (RESTLESS if unsteady and len(left) >= TIRED else "")
        yield photo, Way(group, to, bool(why), why, unsteady)


class _Refusals:
    """Which ways of which photos the user does not want to hear of again."""

    def __init__(self, constraints: Constraints, touched: Set[str]) -> None:
        self._born = constraints.born
        split = {*constraints.born, *constraints.born.values()}
        self._said = {photo: group for group in split for photo in constraints.known.get(group, ())}
        self._touched = touched
        self._routes: defaultdict[bytes, set[tuple[str | None, str | None]]] = defaultdict(set)
        merged = constraints.merged
        for route in constraints.refused:
            group = route.group if route.group is None else merged.get(route.group, route.group)
            to = route.to if route.to is None else merged.get(route.to, route.to)
            self._routes[route.photo].add((group, to))

    def __call__(self, photo: bytes, group: str | None, to: str | None) -> bool:
        """Refused, or back over a split that the user made.

        Who was not to leave for a new group is not to leave for one that others have formed meanwhile.
        """
        if group is not None and to is not None and self._said.get(photo) == group and self._akin(group, to):
            return True
        routes = self._routes.get(photo)
        if routes is None or (group, to) in routes:
            return routes is not None
        return to is not None and to not in self._touched and (group, NEW) in routes

    def _akin(self, one: str, other: str) -> bool:
        """Whether both came from one group by splits."""
        return self._root(one) == self._root(other)

    def _root(self, group: str) -> str:
        seen: set[str] = set()
        while group in self._born and group not in seen:
            seen.add(group)
            group = self._born[group]
        return group


def _reason(concerned: tuple[str | None, str | None], constraints: Constraints) -> str:
    """Why a line waits that concerns these groups of the user's; empty for none."""
    return "; ".join(
        f"{title(group, constraints)} is yours: {_deed(group, constraints)}"
        for group in dict.fromkeys(concerned)
        if group is not None
    )


def _deed(group: str, constraints: Constraints) -> str:
    """What the user did to a group."""
    deeds = (
        ("you named it", group in constraints.names),
        ("you locked it", group in constraints.locked),
        ("you merged groups into it", group in constraints.merged.values()),
        ("you split it", group in constraints.born or group in constraints.born.values()),
        ("you put photos into it", group in constraints.placed.values()),
    )
    return next((words for words, done in deeds if done), "you changed it")


def _hold_small_births(ways: dict[bytes, Way], goal: Groups, existing: Set[str]) -> None:
    """A new group that less than half of its photos could form by themselves waits as a whole."""
    free = Counter(way.to for way in ways.values() if not way.waits and way.to not in existing)
    whole = Counter(group for group in goal.values() if group in free)
    small = {group for group, count in free.items() if group is not None and 2 * count < whole[group]}
    for photo, way in ways.items() if small else ():
        if way.to in small and not way.waits:
            ways[photo] = way._replace(waits=True, why=MOSTLY_YOURS)


def _hold_what_is_sudden(ways: dict[bytes, Way], existing: Set[str], fresh: Container[bytes], most: float) -> None:
    """Let the largest changes wait that are past ``most`` photos together; a new group is one change."""
    changes: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
    for photo, way in ways.items():
        if not way.waits and photo not in fresh:
            born = way.to is not None and way.to not in existing
            changes["" if born else way.group or "", way.to or ""].append(photo)
    sizes = sorted((len(photos), change) for change, photos in changes.items())
    for (_, change), total in zip(sizes, accumulate(size for size, _ in sizes), strict=True):
        for photo in changes[change] if total > most else ():
            ways[photo] = ways[photo]._replace(waits=True, why=SUDDEN)


def _hold_what_breaks(
    ways: dict[bytes, Way], base: Mapping[bytes, str | None], constraints: Constraints, why: str
) -> None:
    """Let wait what would break a constraint as long as other lines wait: ``base`` and the goal both hold."""
    units = [unit for unit in constraints.together if any(photo in ways for photo in unit)]
    pairs = [pair for pair in constraints.apart if pair[0] in ways or pair[1] in ways]

    def after(photo: bytes) -> str | None:
        way = ways.get(photo)
        return base[photo] if way is None or way.waits else way.to

    while True:
        torn = [unit for unit in units if len({after(photo) for photo in unit if photo in base}) > 1]
        joined = [
            (one, other)
            for one, other in pairs
            if one in base and other in base and after(one) is not None and after(one) == after(other)
        ]
        held = {photo for some in (*torn, *joined) for photo in some if photo in ways and not ways[photo].waits}
        if not held:
            return
        for photo in held:
            ways[photo] = ways[photo]._replace(waits=True, why=why)
