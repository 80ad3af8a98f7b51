"""The plans that wait: one for each inbox, made anew as files and rules change, and known by what their steps are."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from pixsortd.records import Plan, PlanRecord, PlanState, PlanStep
from pixsortd.sorting.planning.identity import named_plan

REMEMBERED = 1000
"""Former ids of waiting plans that are still told from ids that never were."""


class Drafts:
    """Any thread may ask."""

    def __init__(self) -> None:
        self._plans: dict[str, Plan] = {}
        self._former: OrderedDict[str, str] = OrderedDict()
        """The inbox by the id of a plan that has waited there, also of one that waits no more."""
        self._lock = threading.Lock()

    def put(self, root: str, plan: Plan | None) -> bool:
        """What waits in an inbox now; whether that is news."""
        with self._lock:
            before = self._plans.pop(root, None)
            if plan is not None and (plan.steps or plan.unmoved):
                self._plans[root] = plan
                self._former[plan.id] = root
                self._former.move_to_end(plan.id)
                while len(self._former) > REMEMBERED:
                    self._former.popitem(last=False)
            now = self._plans.get(root)
            return _said(before) != _said(now)

    def of(self, root: str) -> Plan | None:
        """What waits in an inbox."""
        with self._lock:
            return self._plans.get(root)

    def get(self, plan: str) -> Plan | None:
        """The waiting plan of that id."""
        with self._lock:
            return next((one for one in self._plans.values() if one.id == plan), None)

    def root_of(self, plan: str) -> str | None:
        """The inbox where a plan of that id waits or has waited."""
        with self._lock:
            return self._former.get(plan)

    def all(self) -> Sequence[Plan]:
        """Every waiting plan, in the order of their inboxes' ids."""
        with self._lock:
            return [self._plans[root] for root in sorted(self._plans)]

    def waiting(self) -> Mapping[str, int]:
        """Steps that wait, by the name of their rule."""
        return Counter(step.rule for plan in self.all() for step in plan.steps)


def record(plan: Plan) -> PlanRecord:
    """A waiting plan as a line of the history."""
    return PlanRecord(
        id=plan.id,
        at=plan.at,
        state=PlanState.WAITING,
        root=plan.root,
        rules=plan.rules,
        steps=len(plan.steps),
        bytes=sum(file.stamp.size for step in plan.steps for file in step.files),
    )


def part(plan: Plan, steps: Collection[str]) -> Plan:
    """A plan of these steps alone, under an id of its own."""
    return with_steps(plan, [step for step in plan.steps if step.id in steps])


def with_steps(plan: Plan, steps: Sequence[PlanStep]) -> Plan:
    """The plan with other steps, and nothing said of files that it does not concern."""
    return named_plan(replace(plan, steps=tuple(steps), unmoved=()))


def _said(plan: Plan | None) -> object:
    return None if plan is None else (plan.id, plan.unmoved, [step.waits for step in plan.steps])
