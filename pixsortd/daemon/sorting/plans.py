"""Plans as the API sees them: what waits, what was done, and what becomes of them."""

from collections.abc import Collection, Mapping, Sequence

from pixsortd.api.ports import Page, PlanDetail, PlanOutline, Started, StepEntry
from pixsortd.daemon.sorting.drafts import Drafts, record
from pixsortd.daemon.sorting.flow import YOU, Flow
from pixsortd.daemon.sorting.outline import by_folder, by_reason, outlined
from pixsortd.daemon.sorting.takeback import Undo
from pixsortd.errors import InvalidRequest, NotFound
from pixsortd.records import Job, Plan, PlanRecord, Unmoved
from pixsortd.sorting.sorter import Sorter

_FOREIGN = "this cursor is not one of this list"


class Plans:
    """The part of ``pixsortd.api.ports.Sorting`` that is about plans."""

    def __init__(self, flow: Flow, drafts: Drafts, sorter: Sorter, undo: Undo) -> None:
        self._flow = flow
        self._drafts = drafts
        self._sorter = sorter
        self._undo = undo

    # --- told --------------------------------------------------------------------------------------

    def plans(self, cursor: str | None, limit: int) -> Page[PlanRecord]:
        """What waits first, then the history, newest first. Raises ``InvalidRequest``."""
        drafts = [record(plan) for plan in self._drafts.all()]
        waiting = [one.id for one in drafts]
        start, before = 0, None
        if cursor is not None:
            if cursor in waiting:
                start = waiting.index(cursor) + 1
            else:
                start, before = len(drafts), self._known(cursor)
        found = drafts[start : start + limit]
        runs, total = self._sorter.history(before, limit - len(found) + 1)
        items = [*found, *runs][:limit]
        more = len(drafts) - start + len(runs) > limit
        return Page(items=items, next_cursor=items[-1].id if more and items else None, total=len(drafts) + total)

    def plan(self, plan: str, cursor: str | None, limit: int, *, folders: bool = False) -> PlanDetail:
        """One plan, with a slice of its steps and of the files that stay.

        Raises ``NotFound``, ``InvalidRequest``, and ``PlanChanged`` for one that waited and was replaced.
        """
        start = _place(cursor)
        line, found, entries = self._whole(plan)
        if folders:
            return _detail(line, found, by_folder(entries), by_reason(found.unmoved), start, limit)
        return _detail(line, found, entries, found.unmoved, start, limit)

    def outline(self, plan: str) -> PlanOutline:
        """One plan as a whole. Raises ``NotFound``."""
        return outlined(*self._whole(plan))

    def _whole(self, plan: str) -> tuple[PlanRecord, Plan, Sequence[StepEntry]]:
        draft = self._drafts.get(plan)
        if draft is not None:
            return record(draft), draft, [StepEntry(step=step) for step in draft.steps]
        former = self._flow.former(plan)
        if former is not None:
            raise former
        told = self._sorter.steps_of(plan)
        entries = [StepEntry(step=one.step, state=one.state, reason=one.why) for one in told]
        return self._sorter.record(plan), self._sorter.plan_of(plan), entries

    # --- done --------------------------------------------------------------------------------------

    def propose(self, root: str | None) -> Sequence[PlanRecord]:
        """Look at an inbox, or at all of them, now. Raises ``NotFound``, ``Conflict``."""
        return [record(plan) for plan in self._flow.propose(root)]

    def apply(self, plan: str, steps: Sequence[str] | None) -> Started:
        """Approve what waits, or some steps of it. Raises ``PlanChanged``, ``Conflict``, ``NotFound``."""
        return self._started(self._flow.apply(plan, steps))

    def refuse(self, plan: str, steps: Sequence[str] | None) -> PlanRecord:
        """Leave photos where they are. Raises ``PlanChanged``, ``NotFound``."""
        root = self._drafts.root_of(plan) or ""
        waiting = self._flow.refuse(plan, steps)
        return record(waiting if waiting is not None else Plan(id=plan, at=0.0, root=root))

    def undo(self, plan: str, steps: Sequence[str] | None) -> Started:
        """Take a plan back, or some steps of it. Raises ``NotFound``, ``Conflict``."""
        return self._started(self._undo.undo(plan, steps, YOU))

    def _started(self, begun: tuple[str, Job]) -> Started:
        run, job = begun
        return Started(record=self._sorter.record(run), job=job)

    # --- for the rules -----------------------------------------------------------------------------

    def approved(self) -> Collection[str]:
        """Digests of the rules with which a plan was approved for every inbox."""
        found = [self._sorter.approved(root) for root in self._flow.inboxes()]
        return frozenset.intersection(*found) if found else frozenset()

    def waiting(self) -> Mapping[str, int]:
        """Steps of waiting plans, by the name of their rule."""
        return self._drafts.waiting()

    def _known(self, cursor: str) -> str:
        try:
            return self._sorter.record(cursor).id
        except NotFound:
            raise InvalidRequest(_FOREIGN, next_step="Begin again without a cursor.") from None


def _place(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 9:
        raise InvalidRequest(_FOREIGN, next_step="Begin again without a cursor.")
    return int(cursor)


def _detail(
    line: PlanRecord, plan: Plan, entries: Sequence[StepEntry], unmoved: Sequence[Unmoved], start: int, limit: int
) -> PlanDetail:
    """A slice of the steps with the files that stay behind them."""
    end = start + limit
    whole = len(entries) + len(unmoved)
    return PlanDetail(
        record=line,
        steps=tuple(entries[start:end]),
        unmoved=tuple(unmoved[max(0, start - len(entries)) : max(0, end - len(entries))]),
        left=len(unmoved),
        rooms=plan.rooms,
        next_cursor=str(end) if end < whole else None,
    )
