"""Taking plans back: the plan that does it, made of what was really done and of how the disk is now."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pixsortd.config import Settings
from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.daemon.sorting.world import Look
from pixsortd.errors import Conflict, NotFound
from pixsortd.index.scored import Scored
from pixsortd.index.store import Store
from pixsortd.records import Job, PlanState, RootRecord
from pixsortd.sorting.planning.undo import inverse
from pixsortd.sorting.sorter import Sorter


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> list[RootRecord]: ...


class Undo:
    """Callable from any thread."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Store,
        roots: Roots,
        sorter: Sorter,
        compare: Callable[[Iterable[Scored]], Comparison],
        start: Callable[[str], Job],
    ) -> None:
        """``start`` has a run carried out."""
        self._settings = settings
        self._store = store
        self._roots = roots
        self._sorter = sorter
        self._compare = compare
        self._start = start

    def undo(self, run: str, steps: Sequence[str] | None, by: str) -> tuple[str, Job]:
        """Take back a run, or some steps of it: the run that does so, and its job.

        Raises ``NotFound``, ``Conflict``.
        """
        if self._sorter.record(run).state is PlanState.APPLYING:
            raise Conflict("this plan is still being carried out", next_step="Wait for its job, or cancel it first.")
        plan, done = self._sorter.plan_of(run), self._sorter.done_steps(run)
        if steps is not None:
            if not {step.id for step in plan.steps}.issuperset(steps):
                raise NotFound(
                    "this plan has no such step",
                    next_step=f"`pixsortd sort log {run} --json` lists its steps, as the page does.",
                )
            done = [step for step in done if step.id in set(steps)]
        if not done:
            raise Conflict(
                "nothing of it is left to take back: it was not done, or was taken back already",
                next_step="What took it back can be taken back: `pixsortd sort log` and the page's history have it.",
            )
        world = Look(self._store, self._roots.records(), self._compare)
        opposite = inverse(
            plan,
            done,
            world,
            at=time.time(),
            floor=self._settings().sort.free_floor,
            redoes=self._sorter.redone(run),
        )
        if not opposite.steps:
            raise Conflict(
                f"nothing of it can be taken back: {opposite.unmoved[0].why}",
                next_step="Its files stay as they are; move them by hand where you want them.",
            )
        back = self._sorter.approve(opposite, by=by, digests={})
        return back, self._start(back)
