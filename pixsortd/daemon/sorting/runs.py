"""Approved plans carried out: each as a job, lot by lot, with the watchers of its roots quiet, and then audited."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Protocol

import structlog

from pixsortd.config import Settings
from pixsortd.daemon.jobs import Jobs, Result, Tracked
from pixsortd.daemon.sorting.audit import Audit, concerned
from pixsortd.daemon.sorting.line import AGAIN, Line
from pixsortd.daemon.trash.allowed import refusal
from pixsortd.errors import PixsortdError
from pixsortd.records import Action, Job, Plan, PlanStep, RootRecord, RootState, StepState, root_id
from pixsortd.sorting.sorter import Sorter

log = structlog.get_logger()

KIND = "sort"
"""The kind of the jobs."""
_CANCELLED = "the job was cancelled before its turn came"


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> list[RootRecord]: ...
    def quiet(self, roots: Iterable[str]) -> AbstractContextManager[None]: ...


class Runs:
    """Hands approved plans to the line, one after the other. Callable from any thread."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        sorter: Sorter,
        roots: Roots,
        jobs: Jobs,
        line: Line,
        audit: Audit,
        over: Callable[[Plan, Mapping[str, str], float], None],
    ) -> None:
        """``over`` hears of a run that has ended, why steps of it were not done, by their ids, and in how many
        seconds the rest can be tried."""
        self._settings = settings
        self._sorter = sorter
        self._roots = roots
        self._jobs = jobs
        self._line = line
        self._audit = audit
        self._over = over
        self._under_way: dict[str, frozenset[bytes]] = {}
        """Absolute paths of the files that a run is about to move, by the run."""
        self._lock = threading.Lock()

    def start(self, run: str) -> Job:
        """Have a run carried out as soon as the line is free. Raises ``NotFound``, ``JournalDamaged``."""
        plan = self._sorter.plan_of(run)
        with self._lock:
            self._under_way[run] = frozenset(file.source.absolute for step in plan.steps for file in step.files)
        cancelled = threading.Event()

        def begin(tracked: Tracked) -> Callable[[], None]:
            self._line.ask(lambda: tracked.conclude(lambda: self._work(plan, tracked, cancelled)))
            return cancelled.set

        return self._jobs.track(KIND, begin, subject=run)

    def sources(self) -> frozenset[bytes]:
        """Absolute paths of files that are about to be moved."""
        with self._lock:
            return frozenset().union(*self._under_way.values())

    def resume(self) -> None:
        """Go on with runs that the end of the daemon has cut short, as far as their roots are there."""
        online = {record.path for record in self._roots.records() if record.state is RootState.ONLINE}
        for run in self._sorter.unfinished():
            with self._lock:
                if run in self._under_way:
                    continue
            try:
                if _bases(self._sorter.plan_of(run).steps) <= online:
                    log.info("plan taken up again", plan=run)
                    self.start(run)
            except PixsortdError as error:
                log.warning("plan not taken up again", plan=run, error=str(error), next_step=error.next_step)

    # --- the line's thread -------------------------------------------------------------------------

    def _work(self, plan: Plan, tracked: Tracked, cancelled: threading.Event) -> Result:
        """Carry a run out, as far as it is to be done."""
        refused: dict[str, str] = {}
        broken = True
        try:
            waiting = [told.step for told in self._sorter.steps_of(plan.id) if told.state is StepState.WAITING]
            before = self._audit.counted(concerned(waiting))
            standing = {record.id: record for record in self._roots.records()}
            roots = [root_id(base) for base in _bases(waiting)]
            outcomes = self._sorter.apply(
                plan.id,
                quiet=lambda _: self._roots.quiet(roots),
                refuse=lambda step: _refusal(step, standing),
                floor=self._settings().sort.free_floor,
                progress=lambda done, total: tracked.progress(done, total),
                stop=lambda: cancelled.is_set() or self._line.stopping,
            )
            refused = {step: str(error) for step, error in outcomes.items() if error is not None}
            done = [step for step in waiting if step.id in outcomes and step.id not in refused]
            for wrong in self._audit.judge(plan.id, before, done):
                log.error("files do not add up", plan=plan.id, photo=wrong.image.hex(), expected=wrong.expected,
                          found=wrong.found)  # fmt: skip
            if cancelled.is_set():
                # Else the rules would go on at once with what somebody has just stopped.
                self._sorter.hold(plan.id, [step for step in waiting if step.id not in outcomes])
                self._sorter.close_run(plan.id, _CANCELLED)
            broken = False
            tracked.progress(len(plan.steps), len(plan.steps))
            log.info("plan carried out", plan=plan.id, done=len(done), refused=len(refused))
            return {"plan": plan.id, "done": len(done), "refused": len(refused)}
        except Exception as error:
            with suppress(PixsortdError):
                self._sorter.close_run(plan.id, f"it was broken off: {error}")
            raise
        finally:
            with self._lock:
                self._under_way.pop(plan.id, None)
            self._over(plan, refused, AGAIN if broken else 0.0)


def _bases(steps: Sequence[PlanStep]) -> set[bytes]:
    """Paths of the roots that steps concern."""
    files = [file for step in steps for file in (*step.files, *step.displaced, *step.returned)]
    return {place.base for file in files for place in (file.source, file.destination)}


def _refusal(step: PlanStep, standing: Mapping[str, RootRecord]) -> PixsortdError | None:
    """Why a step cannot be done now: a root that it writes to is not there, or must not be written."""
    written = {file.destination.base for file in (*step.displaced, *step.returned)}
    written |= {file.source.base for file in (*step.displaced, *step.returned)}
    for file in step.files:
        written |= {file.source.base} if step.back or step.action is Action.MOVE else set()
        written |= set() if step.back else {file.destination.base}
    return next((found for base in sorted(written) if (found := refusal(base, standing)) is not None), None)
