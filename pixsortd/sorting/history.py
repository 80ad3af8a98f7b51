"""What became of plans, and what the user has said of rules: a fold over notes and finished moves of the journal."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from pixsortd.records import Place, PlanRecord, PlanState
from pixsortd.sorting.departures import Departures
from pixsortd.sorting.journal import Approved, Closed, Declined, Deed, Held, Move, Note, Stopped

SORT = "sort"
"""The kind of moves that belong to a plan."""
_MADE = frozenset((Deed.COPY, Deed.HARDLINK, Deed.REFLINK, Deed.SYMLINK))


class History:
    """Every run of a plan. One thread at a time."""

    def __init__(self) -> None:
        self._runs: dict[str, PlanRecord] = {}
        self._digests: dict[str, Mapping[str, str]] = {}
        self._closed: set[str] = set()
        self._order: list[str] = []
        self._times: Counter[str] = Counter()
        self._reversals: dict[str, tuple[str, str]] = {}
        """Of moves that took another one back: that one, and the run it was of."""
        self._undone: set[str] = set()
        """Moves that are taken back as things stand."""
        self._approved: dict[str, frozenset[str]] = {}
        self._declined: set[tuple[bytes, str]] = set()
        self._done: set[tuple[bytes, str]] = set()
        self._held: set[tuple[bytes, str]] = set()
        self._made: set[Place] = set()
        self.departures = Departures()
        """Photos that were moved, by where they were."""

    def __len__(self) -> int:
        return len(self._runs)

    def get(self, run: str) -> PlanRecord | None:
        """The line of a run."""
        return self._runs.get(run)

    def page(self, before: str | None, limit: int) -> Sequence[PlanRecord]:
        """Up to ``limit`` runs, newest first, from behind the run ``before`` on."""
        end = len(self._order) if before is None else self._order.index(before) if before in self._runs else 0
        return [self._runs[run] for run in reversed(self._order[max(0, end - limit) : end])]

    def unfinished(self) -> Sequence[str]:
        """The runs that are approved and not wholly applied, oldest first."""
        return [run for run in self._order if self._runs[run].state is PlanState.APPLYING]

    def times(self, plan: str) -> int:
        """How often a plan was approved."""
        return self._times[plan]

    def is_undone(self, move: str) -> bool:
        """Whether a move that was done is taken back as things stand."""
        return move in self._undone

    def approved(self, root: str) -> frozenset[str]:
        """Digests of the rules with which a plan for an inbox was approved."""
        return self._approved.get(root, frozenset())

    def refused(self) -> frozenset[tuple[bytes, str]]:
        """Photos and digests of the rules that they are not to follow: refused, or done and taken back."""
        return frozenset(self._declined)

    def held(self) -> frozenset[tuple[bytes, str]]:
        """Photos and digests of the rules that they are to follow only when that is asked for again."""
        return frozenset(self._held)

    def done(self) -> frozenset[tuple[bytes, str]]:
        """Photos and digests of the rules that have made a copy or link of them before."""
        return frozenset(self._done)

    def digests(self, run: str) -> Mapping[str, str]:
        """The digests of the rules of a run, by their names."""
        return self._digests.get(run, {})

    def made(self, place: Place) -> tuple[Place, ...]:
        """The directories of a place that were made for a move, the lowest first."""
        found, directory = [], place.directory
        while directory:
            above = Place(base=place.base, path=directory)
            if above in self._made:
                found.append(above)
            directory = above.directory
        return tuple(found)

    def redone(self, run: str) -> str:
        """The plan that is done again by taking a run back; empty where that run has not itself taken one back."""
        undone = self._runs.get(run)
        first = self._runs.get(undone.undoes) if undone is not None else None
        if first is None:
            return ""
        return first.redoes if first.undoes else first.id

    def note(self, note: Note) -> None:
        """Take note of what was said."""
        _NOTES[type(note)](self, note)

    def take(self, move: Move) -> None:
        """Take note of a move that was done."""
        run = self._runs.get(move.plan)
        if run is None:
            return
        self._made.update(move.makes)
        self.departures.take(move)
        size = sum(step.stamp.size for step in move.steps)
        self._change(replace(run, done=run.done + 1, bytes=run.bytes + size))
        key = (move.image, move.rule)
        self._held.discard(key)
        if move.reverses:
            self._reversals[move.id] = (move.reverses, run.undoes)
            self._turn(move, key)
        elif any(step.deed in _MADE for step in move.steps):
            self._done.add(key)

    def _turn(self, move: Move, key: tuple[bytes, str]) -> None:
        """A move was taken back, and with it what that one had taken back is valid again, and so on."""
        taken, back = move.id, False
        while taken in self._reversals:
            taken, of = self._reversals[taken]
            back = not back
            (self._undone.add if back else self._undone.discard)(taken)
            run = self._runs.get(of)
            if run is not None:
                self._change(replace(run, undone=run.undone + (1 if back else -1), undone_by=move.plan))
        # Whoever took a step back does not want the rule to do it again at once.
        (self._declined.add if back else self._declined.discard)(key)

    def _change(self, run: PlanRecord) -> None:
        over = run.done + run.refused >= run.steps
        state = PlanState.APPLIED if over or run.id in self._closed else PlanState.APPLYING
        if run.done and run.undone >= run.done and state is PlanState.APPLIED:
            state = PlanState.UNDONE
        self._runs[run.id] = replace(run, state=state, undone_by=run.undone_by if run.undone else "")

    def _approve(self, note: Approved) -> None:
        if note.run not in self._runs:
            self._order.append(note.run)
            self._times[note.plan] += 1
        self._digests[note.run] = note.digests
        self._approved[note.root] = self.approved(note.root) | frozenset(note.digests.values())
        self._change(
            PlanRecord(
                id=note.run,
                at=note.at,
                state=PlanState.APPLYING,
                root=note.root,
                by=note.by,
                rules=note.rules,
                undoes=note.undoes,
                redoes=self.redone(note.undoes),
                steps=note.steps,
            )
        )

    def _stop(self, note: Stopped) -> None:
        run = self._runs.get(note.plan)
        if run is not None:
            self._change(replace(run, refused=run.refused + 1))

    def _close(self, note: Closed) -> None:
        self._closed.add(note.plan)
        run = self._runs.get(note.plan)
        if run is not None:
            self._change(replace(run, refused=max(run.refused, run.steps - run.done)))

    def _decline(self, note: Declined) -> None:
        self._declined.add((note.image, note.rule))

    def _hold(self, note: Held) -> None:
        self._held.add((note.image, note.rule))


_NOTES: Mapping[type[Note], Callable[[History, Any], None]] = {
    Approved: History._approve,
    Stopped: History._stop,
    Closed: History._close,
    Declined: History._decline,
    Held: History._hold,
}
