"""Whatever is moved goes through here: journaled, carried out, told of, and only then recorded as done."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from pixsortd.errors import PixsortdError
from pixsortd.sorting.contents import Contents
from pixsortd.sorting.disk import Directories
from pixsortd.sorting.history import History
from pixsortd.sorting.journal import Ended, Entry, Journal, Move, Note, Stopped
from pixsortd.sorting.move import State, carry_out
from pixsortd.sorting.names import spelled
from pixsortd.sorting.plans import explanation
from pixsortd.sorting.recover import settle

log = structlog.get_logger()


class Mover:
    """The journal, and what follows from it. Any thread may call; one of them at a time does something."""

    def __init__(self, directory: Path, on_done: Callable[[Sequence[Move]], None]) -> None:
        """Opens the journal in ``directory``; nothing is touched yet.

        ``on_done`` hears of finished moves before their end is journaled, and once more where that was
        not reached. Raises ``JournalDamaged``, ``StateDirectoryError``.
        """
        self.directory = directory
        self._on_done = on_done
        self._untold: dict[str, Move] = {}
        """Finished moves that ``on_done`` could not take."""
        self.lock = threading.RLock()
        """Held while anything is done; to be held while contents and history are read."""
        self.contents = Contents()
        self.history = History()
        self._journal = Journal(directory, self._take, self.history.note)

    @property
    def torn(self) -> Path | None:
        """Where a cut-off last line of the journal was put, if there was one."""
        return self._journal.torn

    def close(self) -> None:
        """Wait for what is being done, and close the journal."""
        with self.lock:
            self._journal.close()

    def interrupted(self, base: bytes) -> bool:
        """Whether a move that touches this root has no recorded end."""
        with self.lock:
            return any(base in move.bases for move in self._journal.open.values())

    def under_way(self, run: str) -> frozenset[str]:
        """The steps of a run whose moves have no recorded end: only recovery can tell what became of them."""
        with self.lock:
            return frozenset(move.step for move in self._journal.open.values() if move.plan == run)

    def recover(self, writable: Collection[bytes]) -> None:
        """Bring interrupted moves to their old or new state, as far as their roots are ``writable`` and there."""
        with self.lock:
            ended: dict[str, bool] = {}
            due = [move for move in self._journal.open.values() if move.bases <= set(writable)]
            for move in due:
                with Directories() as directories:
                    state = State.DONE if move.id in self._untold else settle(move, directories)
                log.info("interrupted move", kind=move.kind, files=len(move.steps), state=state.value)
                if state is not State.UNCLEAR:
                    ended[move.id] = state is State.DONE
            with Directories() as directories:
                _tidy(due, ended, directories)
            self._conclude(due, ended)

    def do(self, moves: Sequence[Move], directories: Directories) -> Mapping[str, PixsortdError | None]:
        """Journal, carry out, record, journal the end; the lock is held. Why each move was not done, by its id.

        Raises ``PixsortdError`` where that cannot be journaled, or earlier moves not be told; nothing is moved then.
        """
        if not moves:
            return {}
        self._tell_again()
        self._journal.plan(moves)
        outcomes = carry_out(moves, directories)
        clear = {key: one.state is State.DONE for key, one in outcomes.items() if one.state is not State.UNCLEAR}
        _tidy(moves, clear, directories)
        errors = {move.id: explanation(move, outcomes[move.id]) for move in moves}
        self._conclude(moves, clear, errors)
        return errors

    def note(self, notes: Sequence[Note]) -> None:
        """Put notes on disk; they are part of the history then. Raises ``StateDirectoryError``."""
        with self.lock:
            self._journal.note(notes)

    def stopped(self, notes: Sequence[Stopped]) -> None:
        """Note steps that were not done; where the disk refuses, later."""
        with self.lock:
            self._journal.end((), notes)

    def of_run(self, run: str) -> list[Entry]:
        """What the journal says of a run, in order. Raises ``StateDirectoryError``."""
        with self.lock:
            return list(self._journal.of_run(run))

    def _conclude(
        self, moves: Sequence[Move], ended: Mapping[str, bool], errors: Mapping[str, PixsortdError | None] | None = None
    ) -> None:
        """Take note of moves that were done (True) or taken back, tell of them, and only then record their end."""
        done = {move.id: move for move in moves if ended.get(move.id) and move.id not in self._untold}
        for move in done.values():
            self._take(move)
        self._untold.update(done)
        try:
            self._tell_again()
        except PixsortdError as error:
            # Their end stays open: recovery finds the same on disk and tells it again.
            log.warning("moved files not yet recorded in the index", error=str(error), next_step=error.next_step)
        back = [move for move in moves if ended.get(move.id) is False]
        why = {key: spelled(str(one)) for key, one in (errors or {}).items() if one is not None}
        now = time.time()
        self._journal.end(
            [Ended(move=move.id, done=False, at=now, plan=move.plan) for move in back],
            [
                Stopped(plan=move.plan, step=move.step, why=why[move.id], at=now)
                for move in back
                if move.step and move.id in why
            ],
        )

    def _take(self, move: Move) -> None:
        self.contents.apply(move)
        self.history.take(move)

    def _tell_again(self) -> None:
        """Tell of finished moves that were not heard yet, and record their end. Raises what the hearer raises."""
        if self._untold:
            self._on_done(list(self._untold.values()))
            now = time.time()
            self._journal.end([Ended(move=key, done=True, at=now, plan=one.plan) for key, one in self._untold.items()])
            self._untold.clear()


def _tidy(moves: Sequence[Move], ended: Mapping[str, bool], directories: Directories) -> None:
    """Remove the empty directories that moves have made for nothing, or have emptied."""
    over = [move for move in moves if move.id in ended]
    spare = {place for move in over for place in (move.leaves if ended[move.id] else move.makes)}
    for place in sorted(spare, key=lambda one: len(one.path), reverse=True):
        with suppress(OSError):
            directories.remove_empty(place)
