"""Every edit of groups, in the order it was made, and what those that were not taken back amount to."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from pixsortd.decisions.bindings import Bindings
from pixsortd.records import (
    BarPhotos,
    Constraints,
    Lineage,
    LockGroup,
    MergeGroups,
    NameGroup,
    PlacePhotos,
    RelatePhotos,
    ReleasePhotos,
    SettleChange,
    SplitGroup,
    UndoEdit,
)

GroupEdit = (
    NameGroup
    | PlacePhotos
    | BarPhotos
    | ReleasePhotos
    | RelatePhotos
    | LockGroup
    | MergeGroups
    | SplitGroup
    | SettleChange
)
"""What can be undone."""

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[GroupEdit | UndoEdit] = msgspec.msgpack.Decoder(
    NameGroup
    | PlacePhotos
    | BarPhotos
    | ReleasePhotos
    | RelatePhotos
    | LockGroup
    | MergeGroups
    | SplitGroup
    | SettleChange
    | UndoEdit
)


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
        """Take in one more. An undoing of what nobody did means nothing, but is kept in the count."""
        position = len(self._packed)
        self._packed.append(_encode(decision))
        self._positions.setdefault(self._id(position, decision), position)
        self._constraints = None
        if not isinstance(decision, UndoEdit):
            self._bindings.take(decision)
        elif decision.undoes in self._positions:
            self._undoings[position] = self._positions[decision.undoes]
            self._replay()

    def constraints(self) -> Constraints:
        """What all edits that hold ask of a clustering."""
        if self._constraints is None:
            self._constraints = self._bindings.constraints()
        return self._constraints

    def preview(self, edit: GroupEdit) -> Constraints:
        """What they would be with one edit more."""
        bindings = self._bindings.copied()
        bindings.take(edit)
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

    def _replay(self) -> None:
        """Find anew which edits hold, and what they amount to: an undone one counts as never made."""
        undone = set[int]()
        for position in sorted(self._undoings, reverse=True):
            if position not in undone:
                undone.add(self._undoings[position])
        self._undone = frozenset(undone)
        self._bindings = Bindings()
        for past in self.since(0):
            if not past.undone and not isinstance(past.decision, UndoEdit):
                self._bindings.take(past.decision)

    def _id(self, position: int, decision: GroupEdit | UndoEdit) -> str:
        """Its id; earlier versions gave names none, but their place in the log never changes."""
        if decision.edit:
            return decision.edit
        return "e" + hashlib.blake2b(b"%d" % position, digest_size=6).hexdigest()
