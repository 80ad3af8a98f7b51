"""A library of photos in groups, edited and reclustered by the pure parts alone: the daemon without its I/O."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from pixsortd.decisions.curation import Curation
from pixsortd.grouping.constraints import mentioned
from pixsortd.grouping.ids import fresh
from pixsortd.grouping.lines import departures
from pixsortd.grouping.proposal import RUNS, Outcome, allowance, pending, propose
from pixsortd.records import (
    BarPhotos,
    Constraints,
    GroupChange,
    GroupEdit,
    Held,
    LockGroup,
    MergeGroups,
    NameGroup,
    PlacePhotos,
    RelatePhotos,
    Relation,
    SettleChange,
    SplitGroup,
    UndoEdit,
)

Found = Mapping[str, Collection[bytes]]


class World:
    """Photos, who is in which group, the log of edits, and what the last clustering left to decide."""

    def __init__(self, photos: Iterable[bytes] = (), most: Callable[[int, int], int] = allowance) -> None:
        """``most`` says how many of so many photos may change by themselves, when so many are new."""
        self.photos = set(photos)
        self._most = most
        self.now: dict[bytes, str] = {}
        self.log = Curation()
        self.seen: set[bytes] = set()
        """Photos that a clustering has looked at."""
        self.recent: list[dict[bytes, str]] = []
        self.waiting: tuple[GroupChange, ...] = ()
        self._edits = 0

    @property
    def constraints(self) -> Constraints:
        """What all edits amount to."""
        return self.log.constraints()

    @property
    def touched(self) -> frozenset[str]:
        """The groups that are the user's."""
        return frozenset(self.constraints.known)

    def members(self, group: str | None) -> list[bytes]:
        """By rising hash."""
        return sorted(photo for photo in self.photos if self.now.get(photo) == group)

    def groups(self) -> list[str]:
        """Every group somebody is in."""
        return sorted(set(self.now.values()))

    def previous(self) -> dict[str, set[bytes]]:
        """What a clustering is matched with: groups as they are, remembered and proposed."""
        found: defaultdict[str, set[bytes]] = defaultdict(set)
        for photo, group in self.now.items():
            found[group].add(photo)
        for group, members in self.constraints.known.items():
            found.setdefault(group, set(members))
        return {**found, **pending(self.waiting, found.keys())}

    # --- the user ----------------------------------------------------------------------------

    def name(self, group: str, name: str | None) -> None:
        self.log.take(NameGroup(group=group, name=name, members=tuple(self.members(group)), at=0.0, edit=self._id()))

    def place(self, photos: Collection[bytes], group: str | None) -> None:
        self._take(PlacePhotos(photos=tuple(photos), group=group, **self._moved(photos, group)))

    def bar(self, photos: Collection[bytes], group: str) -> None:
        inside = [photo for photo in photos if self.now.get(photo) == group]
        self._take(BarPhotos(photos=tuple(photos), group=group, **self._moved(inside, None)))

    def lock(self, group: str, locked: bool = True) -> None:
        self._take(LockGroup(group=group, locked=locked, members=tuple(self.members(group)), edit=self._id()))

    def relate(self, photos: Collection[bytes], relation: Relation) -> None:
        """Said only; the next clustering makes it so."""
        self._take(RelatePhotos(photos=tuple(photos), relation=relation, edit=self._id()))

    def merge(self, into: str, group: str) -> None:
        moved = self._moved(self.members(group), into)
        self._take(MergeGroups(into=into, groups=(group,), members=tuple(self.members(into)), **moved))

    def split(self, group: str, photos: Collection[bytes]) -> str:
        born = fresh(min(photos), {*self.groups(), *mentioned(self.constraints)})
        moved = self._moved(photos, born)
        rest = tuple(self.members(group))
        self._take(SplitGroup(group=group, born=born, photos=tuple(photos), rest=rest, **moved))
        return born

    def undo(self, edit: str) -> None:
        self.log.take(UndoEdit(edit=self._id(), undoes=edit, at=0.0))

    def settle(self, change: GroupChange, accepted: bool) -> None:
        """Answer a waiting line."""
        moved = self._moved(change.photos, change.to) if accepted else {"edit": self._id()}
        self._take(SettleChange(change=change, accepted=accepted, **moved))
        self.waiting = tuple(line for line in self.waiting if line is not change)

    # --- photos and clusterings -----------------------------------------------------------------

    def arrive(self, photos: Iterable[bytes]) -> None:
        self.photos.update(photos)

    def depart(self, photos: Iterable[bytes]) -> None:
        for photo in list(photos):
            self.photos.discard(photo)
            self.now.pop(photo, None)

    def ask(
        self,
        target: Mapping[bytes, str | None],
        seen: Collection[bytes],
        recent: Sequence[Mapping[bytes, str]],
        again: bool = False,
    ) -> Outcome:
        """What a clustering with this outcome would change, if earlier ones looked at ``seen``, or ``again``."""
        fresh = {photo for photo in target if photo not in seen}
        return propose(
            self.now,
            target,
            self.constraints,
            self.touched,
            fresh=fresh,
            recent=recent,
            most=0 if again else self._most(len(target), len(fresh)),
        )

    def recluster(self, target: Mapping[bytes, str | None]) -> Outcome:
        """Take in the outcome of a clustering, with ids already matched."""
        outcome = self.ask(target, self.seen, self.recent)
        for line in outcome.applied:
            self._go(line.photos, line.to)
        self.recent = [*self.recent, departures(outcome.applied)][-RUNS:]
        self.waiting = outcome.waiting
        self.seen.update(target)
        return outcome

    # --- its own ---------------------------------------------------------------------------------

    def _take(self, edit: GroupEdit) -> None:
        self.log.take(edit)

    def _moved(self, photos: Collection[bytes], to: str | None) -> dict[str, object]:
        """Move them, and say so as every edit does."""
        before: defaultdict[str | None, list[bytes]] = defaultdict(list)
        for photo in photos:
            before[self.now.get(photo)].append(photo)
        self._go(photos, to)
        held = tuple(Held(group=group, photos=tuple(some)) for group, some in before.items())
        return {"edit": self._id(), "before": held, "after": (Held(group=to, photos=tuple(photos)),)}

    def _go(self, photos: Iterable[bytes], to: str | None) -> None:
        for photo in photos:
            if to is None:
                self.now.pop(photo, None)
            else:
                self.now[photo] = to

    def _id(self) -> str:
        self._edits += 1
        return f"e{self._edits}"
