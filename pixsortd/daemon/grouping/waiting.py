"""The stored proposal: its lines wait until they are settled, or until an edit leaves nothing of them."""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from pixsortd.decisions import GroupEdit
from pixsortd.index.store import Store
from pixsortd.records import Constraints, Group, GroupChange, Proposal, Record, SettleChange

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
        self, edit: GroupEdit, undone: bool, moved: Collection[bytes], constraints: Constraints
    ) -> dict[str, bytes]:
        """The note after an edit was made, or ``undone``; empty when the proposal stays as it is.

        A line that the edit settled waits no more, or again; whatever else it moved or decided is no longer
        the clustering's to propose.
        """
        kept = self.now()
        before = kept.proposal.changes
        own = edit.change if isinstance(edit, SettleChange) else None
        lines = pruned(before, moved, constraints) if before else ()
        if own is not None:
            lines = again(lines, own) if undone else without(lines, own)
        if lines == before:
            return {}
        return self.note(
            msgspec.structs.replace(kept, proposal=msgspec.structs.replace(kept.proposal, changes=tuple(lines)))
        )


def without(lines: Iterable[GroupChange], settled: GroupChange) -> tuple[GroupChange, ...]:
    """The lines without the photos of one that was settled."""
    way, gone = (settled.group, settled.to), frozenset(settled.photos)
    kept = (_only(line, line.photos if (line.group, line.to) != way else _left(line, gone)) for line in lines)
    return tuple(line for line in kept if line is not None)


def again(lines: Iterable[GroupChange], back: GroupChange) -> tuple[GroupChange, ...]:
    """The lines and one that was settled before."""
    return (*without(lines, back), back)


def pruned(lines: Iterable[GroupChange], moved: Collection[bytes], constraints: Constraints) -> tuple[GroupChange, ...]:
    """The lines without what was moved and without what decisions rule out, in words of the groups there are now."""
    kept = (_allowed(line, moved, constraints) for line in lines)
    return tuple(line for line in kept if line is not None)


def _allowed(line: GroupChange, moved: Collection[bytes], constraints: Constraints) -> GroupChange | None:
    group, to = (None if end is None else constraints.merged.get(end, end) for end in (line.group, line.to))
    if group == to or not constraints.locked.keys().isdisjoint({group, to}):
        return None
    photos = tuple(
        photo
        for photo in line.photos
        if photo not in moved
        and (photo not in constraints.placed or constraints.placed[photo] == to)
        and to not in constraints.barred.get(photo, ())
    )
    if (group, to) != (line.group, line.to):
        line = msgspec.structs.replace(line, group=group, to=to)
    return _only(line, photos)


def _left(line: GroupChange, gone: Collection[bytes]) -> tuple[bytes, ...]:
    return tuple(photo for photo in line.photos if photo not in gone)


def _only(line: GroupChange, photos: tuple[bytes, ...]) -> GroupChange | None:
    if len(photos) == len(line.photos):
        return line
    return msgspec.structs.replace(line, photos=photos) if photos else None
