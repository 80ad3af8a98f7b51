"""Approved plans: kept whole, carried out in lots, remembered, and all that is needed to take them back."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager

from msgspec.structs import replace

from pixsortd.errors import NotFound, PixsortdError
from pixsortd.records import Place, Plan, PlanRecord, PlanStep, Record, StepState
from pixsortd.sorting.departures import Departure
from pixsortd.sorting.disk import Directories
from pixsortd.sorting.journal import Approved, Closed, Declined, Ended, Held, Move, Stopped
from pixsortd.sorting.lots import lots, places
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.names import spelled
from pixsortd.sorting.orders import Errand, Orders, Shelves, left_at, taken_back
from pixsortd.sorting.planfile import PlanFiles

Quiet = Callable[[Collection[bytes]], AbstractContextManager[None]]
"""While held, nobody else looks at the roots of these paths."""
Refuse = Callable[[PlanStep], PixsortdError | None]
"""Why a step cannot be done now, if so."""


class Told(Record, frozen=True, kw_only=True):
    """What became of a step of a run."""

    step: PlanStep
    state: StepState
    why: str = ""
    """Why it was not done, in words."""


class Sorter:
    """Does what plans say. Any thread may call; one of them at a time does something."""

    def __init__(self, mover: Mover) -> None:
        """Raises ``StateDirectoryError``."""
        self._mover = mover
        self._files = PlanFiles(mover.directory)

    # --- approving ---------------------------------------------------------------------------------

    def approve(self, plan: Plan, *, by: str, digests: Mapping[str, str]) -> str:
        """Keep a plan whole and durable; the id of its run. Nothing is moved yet.

        ``digests`` are those of the plan's rules, by name. Raises ``StateDirectoryError``; then it is not approved.
        """
        with self._mover.lock:
            run = f"{plan.id}-{self._mover.history.times(plan.id) + 1}"
            self._files.write(run, replace(plan, id=run))
            approved = Approved(
                run=run,
                plan=plan.id,
                at=time.time(),
                root=plan.root,
                by=by,
                rules=plan.rules,
                digests=digests,
                undoes=plan.undoes,
                steps=len(plan.steps),
            )
            self._mover.note([approved])
            return run

    def decline(self, refused: Collection[tuple[bytes, str]]) -> None:
        """Remember photos, and the digests of rules that they are not to follow. Raises ``StateDirectoryError``."""
        now = time.time()
        self._mover.note([Declined(image=image, rule=rule, at=now) for image, rule in refused])

    def hold(self, run: str, steps: Collection[PlanStep]) -> None:
        """Have rules ask again before they do what was left of a run. Raises ``StateDirectoryError``."""
        with self._mover.lock:
            digests, now = self._mover.history.digests(run), time.time()
            keys = dict.fromkeys((step.image, digests[step.rule]) for step in steps if step.rule in digests)
            self._mover.note([Held(image=image, rule=rule, at=now) for image, rule in keys])

    def close_run(self, run: str, why: str) -> None:
        """Leave the rest of a run undone. Raises ``StateDirectoryError``."""
        self._mover.note([Closed(plan=run, why=spelled(why), at=time.time())])

    # --- applying ----------------------------------------------------------------------------------

    def apply(
        self,
        run: str,
        *,
        quiet: Quiet,
        refuse: Refuse,
        floor: int,
        progress: Callable[[int, int], None],
        stop: Callable[[], bool],
    ) -> Mapping[str, PixsortdError | None]:
        """Do those steps of a run that were neither done nor refused yet; why each was not done, by its id.

        A step for which the world has changed is refused and said so in the history. What ``stop`` ends
        goes on with the next call. ``floor``: bytes that stay free on every file system. Raises ``NotFound``,
        ``JournalDamaged``, and whatever keeps all further steps from being done, which then stay open.
        """
        plan = self.plan_of(run)
        told = self.steps_of(run)
        under_way = self._mover.under_way(run)
        pending = [one.step for one in told if one.state is StepState.WAITING and one.step.id not in under_way]
        reversed_moves = {left_at(move): move for move in self.moves_of(plan.undoes)} if plan.undoes else {}
        shelves, outcomes = Shelves(), dict[str, PixsortdError | None]()
        for lot in lots(pending):
            if stop():
                break
            progress(len(told) - len(pending) + len(outcomes), len(told))
            with quiet({place.base for step in lot for place in places(step)}), self._mover.lock:
                outcomes.update(self._lot(run, lot, reversed_moves, shelves, refuse, floor))
        return outcomes

    def _lot(
        self,
        run: str,
        lot: Sequence[PlanStep],
        reversed_moves: Mapping[Place | None, Move],
        shelves: Shelves,
        refuse: Refuse,
        floor: int,
    ) -> Mapping[str, PixsortdError | None]:
        history, digests = self._mover.history, self._mover.history.digests(run)
        outcomes: dict[str, PixsortdError | None] = {}
        moves: list[Move] = []
        with Directories() as directories:
            orders = Orders(directories, shelves, floor)
            for step in lot:
                back = reversed_moves.get(taken_back(step))
                errand = Errand(run, digests.get(step.rule, ""))
                if back is not None:
                    emptied = dict.fromkeys(place for file in step.files for place in history.made(file.source))
                    errand = Errand(run, back.rule, back.id, tuple(emptied))
                planned = refuse(step) or orders.move(step, errand)
                if isinstance(planned, Move):
                    moves.append(planned)
                else:
                    outcomes[step.id] = planned
            errors = self._mover.do(moves, directories)
        now = time.time()
        self._mover.stopped(
            [Stopped(plan=run, step=step, why=spelled(str(why)), at=now) for step, why in outcomes.items()]
        )
        for move in moves:
            outcomes[move.step] = errors[move.id]
            if errors[move.id] is None:
                shelves.follow(move)
        return outcomes

    # --- what was done -----------------------------------------------------------------------------

    def record(self, run: str) -> PlanRecord:
        """The line of a run. Raises ``NotFound``."""
        with self._mover.lock:
            found = self._mover.history.get(run)
        if found is None:
            raise NotFound(
                f"there is no plan {run}", next_step="`pixsortd sort log` lists them, as the page's history does."
            )
        return found

    def redone(self, run: str) -> str:
        """The plan that is done again by taking a run back; empty where that run has not itself taken one back."""
        with self._mover.lock:
            return self._mover.history.redone(run)

    def history(self, before: str | None, limit: int) -> tuple[Sequence[PlanRecord], int]:
        """Up to ``limit`` runs, newest first, from behind the run ``before`` on, and how many there are in all."""
        with self._mover.lock:
            return self._mover.history.page(before, limit), len(self._mover.history)

    def unfinished(self) -> Sequence[str]:
        """The runs that are approved and not wholly applied, oldest first."""
        with self._mover.lock:
            return self._mover.history.unfinished()

    def plan_of(self, run: str) -> Plan:
        """The steps that were approved; the plan's id is the run's. Raises ``NotFound``, ``JournalDamaged``."""
        self.record(run)
        return self._files.read(run)

    def steps_of(self, run: str) -> Sequence[Told]:
        """What became of every step. Raises ``NotFound``, ``JournalDamaged``, ``StateDirectoryError``."""
        plan = self.plan_of(run)
        closed = ""
        states: dict[str, tuple[StepState, str]] = {}
        with self._mover.lock:
            history = self._mover.history
            for entry in self._mover.of_run(run):
                if isinstance(entry, Stopped):
                    states[entry.step] = (StepState.REFUSED, entry.why)
                elif isinstance(entry, Closed):
                    closed = entry.why
            for move in self._moves(run):
                undone = history.is_undone(move.id)
                states[move.step] = (StepState.UNDONE if undone else StepState.DONE, "")
        rest = (StepState.REFUSED, closed) if closed else (StepState.WAITING, "")
        found = ((step, states.get(step.id, rest)) for step in plan.steps)
        return [Told(step=step, state=state, why=why) for step, (state, why) in found]

    def done_steps(self, run: str) -> Sequence[PlanStep]:
        """The steps that were done and are not taken back, in the order in which they were.

        Raises as :meth:`steps_of`.
        """
        steps = {step.id: step for step in self.plan_of(run).steps}
        with self._mover.lock:
            moves = [move for move in self._moves(run) if not self._mover.history.is_undone(move.id)]
        return [steps[move.step] for move in moves if move.step in steps]

    def moves_of(self, run: str) -> Sequence[Move]:
        """The moves of a run that were done and are not taken back, in their order. Raises ``StateDirectoryError``."""
        with self._mover.lock:
            return [move for move in self._moves(run) if not self._mover.history.is_undone(move.id)]

    def _moves(self, run: str) -> list[Move]:
        found, done = dict[str, Move](), list[Move]()
        for entry in self._mover.of_run(run):
            if isinstance(entry, Move):
                found[entry.id] = entry
            elif isinstance(entry, Ended) and entry.done and entry.move in found:
                done.append(found[entry.move])
        return done

    # --- what planning has to know -----------------------------------------------------------------

    def approved(self, root: str) -> frozenset[str]:
        """Digests of the rules with which a plan for an inbox was approved."""
        with self._mover.lock:
            return self._mover.history.approved(root)

    def refused(self) -> frozenset[tuple[bytes, str]]:
        """Photos and digests of the rules that they are not to follow: refused, or done and taken back."""
        with self._mover.lock:
            return self._mover.history.refused()

    def departure(self, place: Place) -> Departure | None:
        """The photo that the file at a place may belong to, and that was moved away from beside it."""
        with self._mover.lock:
            return self._mover.history.departures.of(place)

    def held(self) -> frozenset[tuple[bytes, str]]:
        """Photos and digests of the rules that they are to follow only when that is asked for again."""
        with self._mover.lock:
            return self._mover.history.held()

    def done(self) -> frozenset[tuple[bytes, str]]:
        """Photos and digests of the rules that have made a copy or link of them before."""
        with self._mover.lock:
            return self._mover.history.done()
