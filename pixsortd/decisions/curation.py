"""Every edit of groups, in the order it was made, and what those that were not taken back amount to."""

import hashlib
from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

import msgspec

from pixsortd.decisions.bindings import Bindings
from pixsortd.records import (
    Constraints,
    GroupEdit,
    Lineage,
    UndoEdit,
)

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[GroupEdit | UndoEdit] = msgspec.msgpack.Decoder(GroupEdit | UndoEdit)


class Past(NamedTuple):
    """One edit, or one undoing, in the history."""

    position: int
    """0 for the first of all."""
    edit: str
    decision: GroupEdit | UndoEdit
    undone: bool
    """It was taken back, and that was not."""


class Curation:
    """The history. Edits are kept packed: a lock may name thousands of photos. Not for several threads at once."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._positions: dict[str, int] = {}
        self._undoings: dict[int, int] = {}
        """Position of what each undoing takes back, by its own."""
        self._undone: frozenset[int] = frozenset()
        self._bindings = Bindings()
        self._constraints: Constraints | None = None

    def __len__(self) -> int:
        """How many edits and undoings there are."""
        return len(self._packed)

    def take(self, decision: GroupEdit | UndoEdit) -> None:
        """Take in one more; an undoing of what is not known, such as a later version's kind of edit, is passed over."""
        if isinstance(decision, UndoEdit) and decision.undoes not in self._positions:
            return
        position = len(self._packed)
        self._packed.append(_encode(decision))
        self._positions.setdefault(self._id(position, decision), position)
        self._constraints = None
        if not isinstance(decision, UndoEdit):
            self._bindings.take(decision)
        else:
            self._undoings[position] = self._positions[decision.undoes]
            self._undone = _undone(self._undoings)
            self._bindings = self._replayed(self._undone)

    def constraints(self) -> Constraints:
        """What all edits that hold ask of a clustering."""
        if self._constraints is None:
            self._constraints = self._bindings.constraints()
        return self._constraints

    def preview(self, decision: GroupEdit | UndoEdit) -> Constraints:
        """What they would be with one edit more, or with an undoing of one that is known."""
        if isinstance(decision, UndoEdit):
            undoings = self._undoings | {len(self._packed): self._positions[decision.undoes]}
            return self._replayed(_undone(undoings)).constraints()
        bindings = self._bindings.copied()
        bindings.take(decision)
        return bindings.constraints()

    def lineage(self) -> Mapping[str, tuple[Lineage, ...]]:
        """What the user's merges and splits did to each group, the oldest first."""
        return self._bindings.lineage()

    def get(self, edit: str) -> Past | None:
        """The edit or undoing of that id."""
        position = self._positions.get(edit)
        return None if position is None else self._at(position)

    def newest(self, before: int | None, limit: int) -> list[Past]:
        """The newest of those at positions below ``before`` (None: of all), newest first."""
        end = len(self._packed) if before is None else max(0, min(before, len(self._packed)))
        return [self._at(position) for position in range(end - 1, max(-1, end - 1 - limit), -1)]

    def since(self, position: int) -> Iterator[Past]:
        """Those from ``position`` on, the oldest first."""
        return (self._at(one) for one in range(position, len(self._packed)))

    def _at(self, position: int) -> Past:
        decision = _decoder.decode(self._packed[position])
        return Past(position, self._id(position, decision), decision, position in self._undone)

    def _replayed(self, undone: Set[int]) -> Bindings:
        """What the edits amount to if the undone ones were never made."""
        bindings = Bindings()
        for past in self.since(0):
            if past.position not in undone and not isinstance(past.decision, UndoEdit):
                bindings.take(past.decision)
        return bindings

    def _id(self, position: int, decision: GroupEdit | UndoEdit) -> str:
        """Its id; earlier versions gave names none, but their place in the log never changes."""
        if decision.edit:
            return decision.edit
        return "e" + hashlib.blake2b(b"%d" % position, digest_size=6).hexdigest()


def _undone(undoings: Mapping[int, int]) -> frozenset[int]:
    """Positions of what is undone, by undoings that are not undone themselves."""
    undone = set[int]()
    for position in sorted(undoings, reverse=True):
        if position not in undone:
            undone.add(undoings[position])
    return frozenset(undone)
