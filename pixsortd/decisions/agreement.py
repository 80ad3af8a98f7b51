"""What of all that was said of single photos can hold together: the later decision wins. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

from pixsortd.records import Relation

Pair = tuple[bytes, bytes]


class Said(NamedTuple):
    """A relation of photos, and how late it was said."""

    order: int
    relation: Relation
    photos: tuple[bytes, ...]


class Agreement(NamedTuple):
    """What holds."""

    placed: Mapping[bytes, str | None]
    barred: Mapping[bytes, frozenset[str]]
    together: tuple[tuple[bytes, ...], ...]
    """By their smallest hash, each by rising hash."""
    apart: frozenset[Pair]
    distinct: frozenset[Pair]
    conflicts: tuple[str, ...]
    """What does not hold, in words, the latest first."""


def pairs(photos: Iterable[bytes]) -> Iterator[Pair]:
    """Every two of them, the smaller hash first."""
    return combinations(sorted(set(photos)), 2)


def agreed(
    placed: Mapping[bytes, tuple[int, str | None]],
    barred: Mapping[bytes, Mapping[str, int]],
    relations: Sequence[Said],
) -> Agreement:
    """Take everything in, the latest first, and leave out what contradicts what is in.

    ``placed`` and ``barred`` give the order with each word. Other photos without a relation need no look:
    nothing about one alone can contradict.
    """
    binding = [said for said in relations if said.relation is not Relation.DISTINCT]
    # A merge may make the group that a photo is in the very one it was barred from.
    torn = {photo for photo, (_, group) in placed.items() if group in barred.get(photo, ())}
    related = sorted(torn.union(*(said.photos for said in binding)))
    weighed = _Weighed()
    steps: list[tuple[int, Callable[[], None]]] = []
    for photo in related:
        if photo in placed:
            order, group = placed[photo]
            steps.append((order, partial(weighed.place, photo, group)))
        steps += [(order, partial(weighed.bar, photo, group)) for group, order in barred.get(photo, {}).items()]
    take = {Relation.TOGETHER: weighed.join, Relation.APART: weighed.part}
    steps += [(said.order, partial(take[said.relation], said.photos)) for said in binding]
    for _, step in sorted(steps, key=lambda step: -step[0]):
        step()
    return Agreement(
        placed={photo: group for photo, (_, group) in placed.items() if photo not in weighed.unplaced},
        barred={
            photo: held for photo, groups in barred.items() if (held := frozenset(groups) - weighed.unbarred(photo))
        },
        together=weighed.together(),
        apart=frozenset(weighed.apart),
        distinct=frozenset(
            pair for said in relations if said.relation is Relation.DISTINCT for pair in pairs(said.photos)
        ),
        conflicts=tuple(dict.fromkeys(weighed.conflicts)),
    )


class _Together:
    """Photos that share their fate."""

    __slots__ = ("barred", "foes", "home", "photos")

    def __init__(self, photo: bytes) -> None:
        self.photos = [photo]
        self.home: tuple[str | None, ...] = ()
        """Where they were placed, if anywhere."""
        self.barred: set[str] = set()
        self.foes: set[bytes] = set()
        """Photos that they must not share a group with."""


class _Weighed:
    """What was taken in so far."""

    def __init__(self) -> None:
        self._sets: dict[bytes, _Together] = {}
        self._freed: dict[bytes, set[str]] = {}
        self.unplaced: set[bytes] = set()
        self.apart: set[Pair] = set()
        self.conflicts: list[str] = []

    def unbarred(self, photo: bytes) -> frozenset[str]:
        """Groups whose bar does not hold for the photo."""
        return frozenset(self._freed.get(photo, ()))

    def together(self) -> tuple[tuple[bytes, ...], ...]:
        """The sets of two or more."""
        sets = {id(one): tuple(sorted(one.photos)) for one in self._sets.values() if len(one.photos) > 1}
        return tuple(sorted(sets.values()))

    def place(self, photo: bytes, group: str | None) -> None:
        own = self._of(photo)
        foes = group is not None and any(self._of(foe).home == (group,) for foe in own.foes)
        alone = group is None and len(own.photos) > 1
        if foes or alone or group in own.barred or own.home not in ((), (group,)):
            self.unplaced.add(photo)
            where = "out of all groups" if group is None else f"into the group {group}"
            self._conflict(f"photo {_short(photo)} was put {where}, which a later decision rules out")
        else:
            own.home = (group,)

    def bar(self, photo: bytes, group: str) -> None:
        own = self._of(photo)
        if own.home == (group,):
            self._freed.setdefault(photo, set()).add(group)
            self._conflict(f"photo {_short(photo)} was kept out of the group {group}, which a later decision rules out")
        else:
            own.barred.add(group)

    def join(self, photos: Sequence[bytes]) -> None:
        for photo in photos[1:]:
            one, other = self._of(photos[0]), self._of(photo)
            if one is other:
                continue
            homes = {*one.home, *other.home}
            if (
                len(homes) > 1
                or None in homes
                or homes & (one.barred | other.barred)
                or not one.foes.isdisjoint(other.photos)
                or self._foes_at(homes, one.foes | other.foes)
            ):
                self._conflict(
                    f"photos {_short(photos[0])} and {_short(photo)} were said to belong together, "
                    "which a later decision rules out"
                )
                continue
            one.photos += other.photos
            one.home = tuple(homes)
            one.barred |= other.barred
            one.foes |= other.foes
            for moved in other.photos:
                self._sets[moved] = one

    def part(self, photos: Sequence[bytes]) -> None:
        for first, second in pairs(photos):
            one, other = self._of(first), self._of(second)
            if one is other or (one.home == other.home and one.home not in ((), (None,))):
                self._conflict(
                    f"photos {_short(first)} and {_short(second)} were said never to be in one group, "
                    "which a later decision rules out"
                )
                continue
            one.foes.add(second)
            other.foes.add(first)
            self.apart.add((first, second))

    def _foes_at(self, homes: set[str | None], foes: set[bytes]) -> bool:
        """Whether a foe was placed into the one home."""
        return bool(homes) and any(self._of(foe).home == tuple(homes) for foe in foes)

    def _of(self, photo: bytes) -> _Together:
        return self._sets.setdefault(photo, _Together(photo)) if photo not in self._sets else self._sets[photo]

    def _conflict(self, text: str) -> None:
        self.conflicts.append(f"{text}; the later one holds")


def _short(photo: bytes) -> str:
    """Enough of a photo's id to tell it from others."""
    return photo.hex()[:12]
