"""Sorting in memory: rules that are looked at by name alone, plans that are done as soon as they are approved."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from pixsortd import records
from pixsortd.api import ports
from pixsortd.config import SortRule
from pixsortd.daemon.sorting.outline import by_folder, outlined
from pixsortd.errors import Conflict, InvalidRequest, NotFound, PlanChanged, RulesNotWritten, RulesRefused
from pixsortd.records import PlanState, StepState
from tests.api.fake_parts import Entries

FIELDS = (
    ports.RuleField(name="camera", type="text", examples=("Canon*",), words="make and model"),
    ports.RuleField(name="place", type="place", examples=("none",), words="where it was taken", template=False),
)
FILTERS = (ports.RuleFilter(name="truncate", examples=("truncate(40)",), words="cut off behind so many characters"),)


@dataclass
class FakeSorting:
    """Implements `ports.Sorting`: a plan for the inbox ``r1`` that moves every photo but the refused into Sorted."""

    entries: Entries
    work: dict[str, records.Job]
    written: list[SortRule] = field(default_factory=lambda: [SortRule(name="All", to="Sorted/")])
    writable: bool = True
    refused: set[bytes] = field(default_factory=set)
    past: dict[str, ports.PlanDetail] = field(default_factory=dict)
    """Newest first."""
    tried: ports.Replayed = field(default_factory=ports.Replayed)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def _job(self, kind: str) -> records.Job:
        job = records.Job(id=f"{kind}{len(self.work)}", kind=kind, state=records.JobState.COMPLETE, created=1.0)
        self.work[job.id] = job
        return job

    # --- rules -------------------------------------------------------------------------------

    def rules(self) -> ports.RulesReport:
        items = [
            ports.RuleEntry(rule=one, digest=one.name, approved=bool(self.past), photos=len(self._steps()))
            for one in self.written
        ]
        return ports.RulesReport(
            items=tuple(items), fields=FIELDS, filters=FILTERS, file="/etc/p.toml", writable=self.writable
        )

    def _wrong(self, rules: Sequence[SortRule]) -> tuple[records.RuleProblem, ...]:
        return tuple(
            records.RuleProblem(
                index=index,
                rule=rule.name,
                key=f"when.{name}",
                message="there is no such field",
                next_step="Ask camera.",
            )
            for index, rule in enumerate(rules)
            for name in rule.when
            if name != "camera"
        )

    def write_rules(self, rules: Sequence[SortRule]) -> ports.RulesReport:
        if wrong := self._wrong(rules):
            raise RulesRefused("A rule cannot be used", wrong, next_step="Change it.")
        if not self.writable:
            raise RulesNotWritten("The file is only read", toml='[[sort.rules]]\nname = "All"\n', path="/etc/p.toml")
        self.written = list(rules)
        return self.rules()

    def preview(self, rules: Sequence[SortRule], limit: int) -> ports.Preview:
        items = []
        for image, entry in list(self.entries.items())[:limit]:
            source = os.path.join(entry.files[0].root_path, entry.files[0].row.path)
            taken = not rules or rules[0].name
            items.append(
                ports.PreviewItem(
                    image=image,
                    source=source,
                    to=os.path.join(entry.files[0].root_path, b"Sorted", entry.files[0].row.path) if rules else None,
                    rule=taken if isinstance(taken, str) else "",
                    why=("every photo",) if rules else (),
                    waits="" if rules else "no rule takes it",
                )
            )
        return ports.Preview(items=tuple(items), problems=self._wrong(rules))

    def replay(self, rules: Sequence[SortRule] | None, since: float | None) -> records.Job:
        self.asked.append(("replay", rules, since))
        if wrong := self._wrong(rules or ()):
            raise RulesRefused("A rule cannot be used", wrong)
        first = next(iter(self.entries))
        differ = records.Difference(
            image=first, rule="All", now=b"/photos/a\xff.jpg", would=b"/photos/Sorted/a\xff.jpg"
        )
        tried = records.Tried(
            photos=3, matched={"All": 3}, agree=2, differ=1, directories={"/photos/Sorted": 3}, examples=(differ,)
        )
        job = self._job("replay")
        self.tried = ports.Replayed(tried=tried, at=7.0, since=since, rules=("All",), job=job)
        return job

    def replayed(self) -> ports.Replayed:
        return self.tried

    # --- plans -------------------------------------------------------------------------------

    def _steps(self) -> tuple[ports.StepEntry, ...]:
        steps = []
        for image, entry in self.entries.items():
            if image in self.refused:
                continue
            where = entry.files[0]
            name = os.path.basename(where.row.path)
            assert where.row.stamp is not None
            file = records.PlannedFile(
                source=records.Place(base=where.root_path, path=where.row.path),
                destination=records.Place(base=where.root_path, path=b"Sorted/" + name),
                stamp=where.row.stamp,
                sha256=image,
            )
            step = records.PlanStep(
                id=image.hex()[:16],
                image=image,
                rule="All",
                action=records.Action.MOVE,
                files=(file,),
                why=("every photo",),
                waits="the first plan of an inbox waits for you",
            )
            steps.append(ports.StepEntry(step=step))
        done = {one.step.id for detail in self.past.values() for one in detail.steps}
        return tuple(one for one in steps if one.step.id not in done)

    def _draft(self) -> ports.PlanDetail:
        steps = self._steps()
        unmoved = tuple(
            records.Unmoved(
                place=records.Place(base=entry.files[0].root_path, path=entry.files[0].row.path),
                image=image,
                rule="All",
                why="you said leave it",
            )
            for image, entry in self.entries.items()
            if image in self.refused
        )
        name = sha256(b"".join(one.step.image for one in steps)).hexdigest()[:16]
        record = records.PlanRecord(id=name, at=5.0, state=PlanState.WAITING, root="r1", steps=len(steps))
        room = records.Room(base=b"/photos", needed=0, free=10**9)
        return ports.PlanDetail(record=record, steps=steps, unmoved=unmoved, left=len(unmoved), rooms=(room,))

    def _known(self, plan: str) -> ports.PlanDetail:
        known = {detail.record.id: detail for detail in (self._draft(), *self.past.values())}
        if plan not in known:
            raise NotFound("There is no plan with that id")
        return known[plan]

    def _waiting(self, plan: str, steps: Sequence[str] | None) -> list[ports.StepEntry]:
        """The steps of the draft that are meant."""
        draft = self._draft()
        if plan in self.past:
            raise Conflict("That plan was applied")
        if plan != draft.record.id:
            raise PlanChanged("The files have changed since", plan=draft.record.id, next_step="Look at it again.")
        if steps is not None and not set(steps) <= {one.step.id for one in draft.steps}:
            raise NotFound("There is no step with that id in this plan")
        return [one for one in draft.steps if steps is None or one.step.id in steps]

    def plans(self, cursor: str | None, limit: int) -> ports.Page[records.PlanRecord]:
        if cursor is not None and not cursor.isdigit():
            raise InvalidRequest("That cursor is not ours")
        every = [self._draft().record, *(one.record for one in self.past.values())]
        start = int(cursor or 0)
        more = str(start + limit) if start + limit < len(every) else None
        return ports.Page(items=every[start : start + limit], next_cursor=more, total=len(every))

    def plan(self, plan: str, cursor: str | None, limit: int, *, folders: bool = False) -> ports.PlanDetail:
        whole, start = self._known(plan), int(cursor or 0)
        if folders:
            whole = msgspec.structs.replace(whole, steps=tuple(by_folder(whole.steps)))
        end, steps = start + limit, len(whole.steps)
        return msgspec.structs.replace(
            whole,
            steps=whole.steps[start:end],
            unmoved=whole.unmoved[max(0, start - steps) : max(0, end - steps)],
            next_cursor=str(end) if end < steps + whole.left else None,
        )

    def outline(self, plan: str) -> ports.PlanOutline:
        whole = self._known(plan)
        made = records.Plan(id=plan, at=5.0, root="r1", unmoved=whole.unmoved, rooms=whole.rooms)
        return outlined(whole.record, made, whole.steps)

    def propose(self, root: str | None) -> Sequence[records.PlanRecord]:
        if root not in (None, "r1"):
            raise NotFound("There is no root with that id")
        return [self._draft().record]

    def _keep(self, steps: Sequence[ports.StepEntry], undoes: str = "") -> ports.Started:
        record = records.PlanRecord(
            id=f"p{len(self.past)}",
            at=6.0,
            state=PlanState.APPLIED,
            root="r1",
            by="you",
            undoes=undoes,
            steps=len(steps),
            done=len(steps),
        )
        done = tuple(msgspec.structs.replace(one, state=StepState.DONE) for one in steps)
        self.past = {record.id: ports.PlanDetail(record=record, steps=done)} | self.past
        return ports.Started(record=record, job=self._job("sort"))

    def refuse_done(self, started: ports.Started, reason: str) -> ports.Started:
        """As if the world had changed between approving and doing."""
        record = msgspec.structs.replace(started.record, done=0, refused=started.record.steps)
        steps = self.past[record.id].steps
        refused = [msgspec.structs.replace(one, state=StepState.REFUSED, reason=reason) for one in steps]
        self.past[record.id] = ports.PlanDetail(record=record, steps=tuple(refused))
        return ports.Started(record=record, job=started.job)

    def apply(self, plan: str, steps: Sequence[str] | None) -> ports.Started:
        return self._keep(self._waiting(plan, steps))

    def refuse(self, plan: str, steps: Sequence[str] | None) -> records.PlanRecord:
        self.refused |= {one.step.image for one in self._waiting(plan, steps)}
        return self._draft().record

    def undo(self, plan: str, steps: Sequence[str] | None) -> ports.Started:
        whole = self._known(plan)
        if whole.record.state is not PlanState.APPLIED:
            raise Conflict("Nothing of that plan is left to take back")
        started = self._keep([one for one in whole.steps if steps is None or one.step.id in steps], plan)
        record = msgspec.structs.replace(whole.record, state=PlanState.UNDONE, undone_by=started.record.id)
        self.past[plan] = msgspec.structs.replace(whole, record=record)
        return started
