"""From a file that has settled in an inbox to where the rules would have it: planned, approved, and handed on."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import structlog
from msgspec.structs import replace

from pixsortd.daemon.sorting.drafts import Drafts, part, with_steps
from pixsortd.daemon.sorting.line import Line
from pixsortd.daemon.sorting.planner import UNSETTLED
from pixsortd.errors import Conflict, NotFound, PlanChanged
from pixsortd.records import FileStamp, Job, Plan, PlanStep, Role, RootRecord, RootState
from pixsortd.sorting.rules import Rules
from pixsortd.sorting.sorter import Sorter

log = structlog.get_logger()

YOU, RULES = "you", "rules"
"""Who approves plans."""
LISTED = "`pixsortd sort plan` shows what waits and `pixsortd sort log` what was done, as the page's Inbox does."
"""Where the ids of plans are found."""


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> list[RootRecord]: ...


class Planner(Protocol):
    """Who makes plans."""

    def plan(self, root: str, going: Collection[bytes]) -> Plan: ...


class Runs(Protocol):
    """Who carries approved plans out."""

    def start(self, run: str) -> Job: ...
    def sources(self) -> frozenset[bytes]: ...


class Flow:
    """Keeps what waits in step with the inboxes. Callable from any thread."""

    def __init__(
        self,
        roots: Roots,
        rules: Callable[[], Rules],
        planner: Planner,
        sorter: Sorter,
        drafts: Drafts,
        tell: Callable[[], None],
    ) -> None:
        """``tell`` says that plans have changed. Works once it has been :meth:`joined`."""
        self._roots = roots
        self._rules = rules
        self._planner = planner
        self._sorter = sorter
        self._drafts = drafts
        self._tell = tell
        self._stuck: dict[str, dict[str, tuple[FileStamp, str]]] = {}
        """By inbox the steps that could not be done, with what their file was then, and why: they wait for a person."""
        self._turn = threading.RLock()
        """Held while a plan is made and approved, so that no step is approved twice."""

    def joined(self, line: Line, runs: Runs) -> None:
        """Where approved plans go."""
        self._line, self._runs = line, runs

    def inboxes(self) -> Sequence[str]:
        """Every inbox."""
        return [record.id for record in self._roots.records() if record.role is Role.INBOX]

    # --- by itself ---------------------------------------------------------------------------------

    def look(self, root: str) -> None:
        """Plan what an inbox holds now, and have done what may be done without asking. Raises ``PixsortdError``."""
        with self._turn:
            plan = self._planned(root)
            ready = [step for step in plan.steps if not step.waits] if plan is not None else []
            if plan is not None and ready:
                run = self._approved(with_steps(plan, ready), RULES)
                if run is not None:
                    self._runs.start(run)
                    self._tell()

    def over(self, plan: Plan, refused: Mapping[str, str], rest: float) -> None:
        """A run has ended; its inbox is looked at in ``rest`` seconds.

        Steps that could not be done are not tried again by themselves while nothing changes.
        """
        stamps = {step.id: step.files[0].stamp for step in plan.steps}
        with self._turn:
            stuck = self._stuck.setdefault(plan.root, {})
            stuck.update((step, (stamps[step], why)) for step, why in refused.items())
        self._tell()
        self._line.touch([plan.root], rest)

    def afresh(self) -> None:
        """Rules or their terms have changed: every inbox is looked at, and what was tried in vain is tried again."""
        with self._turn:
            self._stuck.clear()
        self._line.touch(self.inboxes(), 0)

    def _planned(self, root: str) -> Plan | None:
        """The plan of an inbox, of which what waits is kept; None while there is nothing to plan."""
        self._line.looked(root)
        plan = None
        if self._standing(root) is RootState.ONLINE and self._rules().digests:
            plan = self._planner.plan(root, self._runs.sources())
            stuck = self._stuck.get(root, {})
            self._stuck[root] = {step.id: stuck[step.id] for step in plan.steps if step.id in stuck}
            plan = replace(plan, steps=tuple(_explained(step, stuck) for step in plan.steps))
            if any(one.why == UNSETTLED for one in plan.unmoved):
                self._line.touch([root])
        waiting = None
        if plan is not None:
            waiting = replace(with_steps(plan, [step for step in plan.steps if step.waits]), unmoved=plan.unmoved)
        if self._drafts.put(root, waiting):
            self._tell()
        return plan

    def _approved(self, plan: Plan, by: str) -> str | None:
        """The run of a plan, durable from now on; None where the rules are not those any more it was made with."""
        rules = self._rules()
        if rules.digest != plan.rules:
            self._line.touch([plan.root], 0)
            return None
        return self._sorter.approve(plan, by=by, digests={step.rule: rules.digests[step.rule] for step in plan.steps})

    def _standing(self, root: str) -> RootState | None:
        return next((record.state for record in self._roots.records() if record.id == root), None)

    # --- asked for ---------------------------------------------------------------------------------

    def propose(self, root: str | None) -> Sequence[Plan]:
        """Look at an inbox, or at all of them, now; what waits afterwards. Raises ``NotFound``, ``Conflict``."""
        if root is not None:
            self._require_inbox(root)
        for one in self.inboxes() if root is None else [root]:
            with self._turn:
                plan = self._planned(one)
            if plan is not None and any(not step.waits for step in plan.steps):
                self._line.touch([one], 0)
        return [plan for plan in self._drafts.all() if root in (None, plan.root)]

    def apply(self, plan: str, steps: Sequence[str] | None) -> tuple[str, Job]:
        """Approve what waits, or some steps of it: the run, and its job.

        Raises ``PlanChanged``, ``Conflict``, ``NotFound``.
        """
        with self._turn:
            chosen = self._chosen(plan, steps)
            run = self._approved(chosen, YOU)
            if run is None:
                raise self._changed(chosen.root)
            job = self._runs.start(run)
            self._planned(chosen.root)
        self._tell()
        return run, job

    def refuse(self, plan: str, steps: Sequence[str] | None) -> Plan | None:
        """Leave photos where they are until the rule changes; what waits then, if anything. Raises as ``apply``."""
        with self._turn:
            chosen = self._chosen(plan, steps)
            digests = self._rules().digests
            self._sorter.decline([(step.image, digests[step.rule]) for step in chosen.steps if step.rule in digests])
            self._planned(chosen.root)
            return self._drafts.of(chosen.root)

    def _chosen(self, plan: str, steps: Sequence[str] | None) -> Plan:
        """The part of a waiting plan that is meant."""
        root = self._drafts.root_of(plan)
        if root is None:
            raise NotFound(f"there is no plan {plan}", next_step=LISTED)
        if not self._line.settled(root):
            self._planned(root)
        waiting = self._drafts.of(root)
        if waiting is None or waiting.id != plan:
            raise self._changed(root)
        known = {step.id for step in waiting.steps}
        if steps is not None and not known.issuperset(steps):
            raise NotFound(
                "this plan has no such step",
                next_step=f"`pixsortd sort plan {plan} --json` lists its steps, as the page does.",
            )
        chosen = part(waiting, known if steps is None else steps)
        if not chosen.steps:
            raise Conflict("this plan has nothing to do", next_step="Its files are left where they are; it says why.")
        return chosen

    def former(self, plan: str) -> PlanChanged | None:
        """What to say of a plan that waited and does not any more; None where there never was such a one."""
        root = self._drafts.root_of(plan)
        return None if root is None else self._changed(root)

    def _changed(self, root: str) -> PlanChanged:
        waiting = self._drafts.of(root)
        return PlanChanged(
            "files or rules have changed since this plan was made, or it was approved already",
            plan=waiting.id if waiting is not None else "",
            next_step=f"Plan {waiting.id} waits now: look at it in the page's Inbox, or with `pixsortd sort plan`."
            if waiting is not None
            else "Nothing waits there now; `pixsortd sort log` and the page's history say what was done.",
        )

    def _require_inbox(self, root: str) -> None:
        standing = {record.id: record for record in self._roots.records()}
        if root not in standing:
            raise NotFound(
                f"there is no root {root}", next_step="`pixsortd status` lists the roots, as the page's Settings do."
            )
        if standing[root].role is not Role.INBOX:
            raise Conflict("that root is no inbox, so nothing is sorted from it", next_step="Name an inbox.")
        if standing[root].state is not RootState.ONLINE:
            raise Conflict(f"the inbox is {standing[root].state}", next_step="Bring its disk or share back.")


def _explained(step: PlanStep, stuck: Mapping[str, tuple[FileStamp, str]]) -> PlanStep:
    """A step that was tried in vain waits for a person while its file is as it was then."""
    stamp, why = stuck.get(step.id, (None, ""))
    if step.waits or stamp != step.files[0].stamp:
        return step
    return replace(step, waits=f"it could not be done by itself: {why}")
