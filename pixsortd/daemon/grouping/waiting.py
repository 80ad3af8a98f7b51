"""The stored proposal: its lines wait until they are settled, or until an edit leaves nothing of them."""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from pixsortd.index.store import Store
from pixsortd.records import Constraints, Group, GroupChange, GroupChangeKind, GroupEdit, Proposal, Record, SettleChange

_NOTE = "proposal"


class Kept(Record, frozen=True, kw_only=True):
    """What the index keeps of a proposal."""

    proposal: Proposal = Proposal(run="")
    born: Mapping[str, Group] = {}
    """Groups that would be born of waiting lines, as the clustering found them."""


class Lines:
    """The proposal in the index. Whoever changes it holds the book's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: Mapping[str, int] | None = None
        self._counting = threading.Lock()

    def now(self) -> Kept:
        """The last proposal, with the lines that still wait."""
        note = self._store.meta_get(_NOTE)
        return Kept() if note is None else msgspec.msgpack.decode(note, type=Kept)

    def counts(self) -> Mapping[str, int]:
        """Waiting lines by the groups they concern."""
        with self._counting:
            if self._counts is None:
                found = Counter(
                    group
                    for line in self.now().proposal.changes
                    for group in {line.group, line.to}
                    if group is not None
                )
                self._counts = dict(found)
            return self._counts

    def changed(self) -> None:
        """A note was written."""
        with self._counting:
            self._counts = None

    def note(self, kept: Kept) -> dict[str, bytes]:
        """The note that makes ``kept`` the proposal, to be written with whatever goes with it."""
        return {_NOTE: msgspec.msgpack.encode(kept)}

    def after(
        self, edit: GroupEdit, undone: bool, places: Mapping[bytes, str | None], constraints: Constraints
    ) -> dict[str, bytes]:
        """The note after an edit was made, or ``undone``; empty when the proposal stays as it is.

        ``places`` has where the photos are now that it moved or speaks of. A line that the edit settled waits
        no more, or again; whatever else it moved or decided is no longer the clustering's to propose.
        """
        kept = self.now()
        before = kept.proposal.changes
        lines = pruned(before, places, constraints)
        if isinstance(edit, SettleChange):
            own = pruned([edit.change], places, constraints)
            lines = (*without(lines, edit.change.photos), *(own if undone else ()))
        if lines == before:
            return {}
        return self.note(
            msgspec.structs.replace(kept, proposal=msgspec.structs.replace(kept.proposal, changes=tuple(lines)))
        )


def without(lines: Iterable[GroupChange], settled: Collection[bytes]) -> tuple[GroupChange, ...]:
    """The lines without photos of which one was settled: each photo is in one line at most."""
    gone = frozenset(settled)
    kept = (_only(line, tuple(photo for photo in line.photos if photo not in gone)) for line in lines)
    return tuple(line for line in kept if line is not None)


def pruned(
    lines: Iterable[GroupChange], places: Mapping[bytes, str | None], constraints: Constraints
) -> tuple[GroupChange, ...]:
    """The lines in words of the groups there are now, without what decisions rule out.

    ``places`` has where some photos are now: those that are no longer where their line has them leave it.
    """
    kept = (_allowed(_renamed(line, constraints.merged), places, constraints) for line in lines)
    return tuple(line for line in kept if line is not None)


def partly(line: GroupChange) -> GroupChange:
    """The line as one of some members of its group: with others left, no group goes into another or ends."""
    return msgspec.structs.replace(line, kind=_PARTLY.get(line.kind, line.kind))


_PARTLY = {GroupChangeKind.MERGE: GroupChangeKind.MOVE, GroupChangeKind.END: GroupChangeKind.LEAVE}


def _renamed(line: GroupChange, merged: Mapping[str, str]) -> GroupChange:
    """The line with what its groups are part of by now. The id stays: whoever has seen it may still answer it."""
    group, to = (None if end is None else merged.get(end, end) for end in (line.group, line.to))
    if (group, to) == (line.group, line.to):
        return line
    line = line if group == line.group else partly(line)
    return msgspec.structs.replace(line, group=group, to=to)


def _allowed(line: GroupChange, places: Mapping[bytes, str | None], constraints: Constraints) -> GroupChange | None:
    group, to = line.group, line.to
    if group == to or not constraints.locked.keys().isdisjoint({group, to}):
        return None
    return _only(
        line,
        tuple(
            photo
            for photo in line.photos
            if places.get(photo, group) == group
            and (photo not in constraints.placed or constraints.placed[photo] == to)
            and to not in constraints.barred.get(photo, ())
        ),
    )


def _only(line: GroupChange, photos: tuple[bytes, ...]) -> GroupChange | None:
    if len(photos) == len(line.photos):
        return line
    return msgspec.structs.replace(line, photos=photos) if photos else None
