"""Moves carried out: every file of a move ends at its destination, or all stay where they were.

On one file system a file gets its new name as a hard link and loses the old one when the new one is
durable; where there are no hard links it is renamed without replacing anything; on another file
system it is copied and compared first. Many moves share the waits for the disk. Files whose new name
is still another file's of the same move have their turn when that one has left.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum

import structlog

from pixsortd.records import Record
from pixsortd.sorting.copying import SourceChanged
from pixsortd.sorting.disk import Directories, sync
from pixsortd.sorting.journal import Move
from pixsortd.sorting.shifts import Shift, shift_of

log = structlog.get_logger()


class State(Enum):
    """How an attempt ended."""

    DONE = "done"
    UNDONE = "undone"
    """Everything is where it was."""
    UNCLEAR = "unclear"
    """Neither could be reached; recovery tries again. Every file has at least one of its names."""


class Outcome(Record, frozen=True, kw_only=True):
    """What became of a move."""

    state: State
    error: Exception | None = None
    """``OSError`` or ``SourceChanged``: why it is not done."""


def carry_out(moves: Sequence[Move], directories: Directories) -> Mapping[str, Outcome]:
    """Try each move; its outcome by its id. The moves have been journaled."""
    attempts = [_Attempt(move, directories) for move in moves]
    for turn in range(max((len(attempt.turns) for attempt in attempts), default=0)):
        for attempt in attempts:
            attempt.advance(turn, lambda shift: shift.publish())
        _make_durable(attempts, turn)
        for attempt in attempts:
            attempt.advance(turn, lambda shift: shift.release())
        # Should a power cut bring an old name back, the file has that one too, or only that one: none is lost.
        for descriptor in {
            each for attempt in attempts for shift in attempt.shifts(turn) for each in (shift.into, shift.out_of)
        } - {-1}:
            try:
                sync(descriptor)
            except OSError as error:
                log.warning("the disk does not confirm a move", error=str(error))
    return {attempt.move.id: attempt.outcome for attempt in attempts}


def _make_durable(attempts: Iterable["_Attempt"], turn: int) -> None:
    """Sync directories of new names; moves into one that fails are taken back."""
    for descriptor in {shift.into for attempt in attempts for shift in attempt.shifts(turn)} - {-1}:
        try:
            sync(descriptor)
        except OSError as error:
            for attempt in attempts:
                if any(shift.into == descriptor for shift in attempt.shifts(turn)):
                    attempt.take_back(error)


class _Attempt:
    """One move under way."""

    def __init__(self, move: Move, directories: Directories) -> None:
        self.move = move
        self.turns = [[shift_of(step, directories) for step in turn] for turn in move.turns]
        self.outcome = Outcome(state=State.DONE)

    def shifts(self, turn: int) -> Sequence[Shift]:
        """The files that have that turn."""
        return self.turns[turn] if turn < len(self.turns) else ()

    def advance(self, turn: int, action: Callable[[Shift], None]) -> None:
        """Do one thing for every file of a turn; where it fails for one, take all back."""
        if self.outcome.state is not State.DONE:
            return
        try:
            for shift in self.shifts(turn):
                action(shift)
        except (OSError, SourceChanged) as error:
            self.take_back(error)

    def take_back(self, error: Exception) -> None:
        """Bring every file back to where it was, as far as that can be done."""
        if self.outcome.state is not State.DONE:
            return
        state = State.UNDONE
        for shift in [shift for turn in reversed(self.turns) for shift in reversed(turn)]:
            try:
                shift.take_back()
            except (OSError, SourceChanged):
                state = State.UNCLEAR
        self.outcome = Outcome(state=state, error=error)
