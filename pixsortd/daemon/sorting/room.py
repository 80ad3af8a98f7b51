"""Sorting put together: the parts, the one thread, and who is told what."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from pixsortd.api.ports import (
    MetricKind,
    Page,
    PlanDetail,
    PlanOutline,
    Preview,
    Reading,
    Replayed,
    RulesReport,
    Started,
)
from pixsortd.config import Loaded, Settings, SortRule
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.photos.views import Said
from pixsortd.daemon.quality import DaemonQuality
from pixsortd.daemon.roots import Roots
from pixsortd.daemon.sorting.audit import Audit
from pixsortd.daemon.sorting.drafts import Drafts
from pixsortd.daemon.sorting.flow import Flow
from pixsortd.daemon.sorting.inforce import RulesInForce
from pixsortd.daemon.sorting.line import Line
from pixsortd.daemon.sorting.planner import Planner
from pixsortd.daemon.sorting.plans import Plans
from pixsortd.daemon.sorting.restless import Restless
from pixsortd.daemon.sorting.roles import Roles
from pixsortd.daemon.sorting.rulebook import RuleBook
from pixsortd.daemon.sorting.runs import Runs
from pixsortd.daemon.sorting.stragglers import Stragglers
from pixsortd.daemon.sorting.subjects import Subjects
from pixsortd.daemon.sorting.takeback import Undo
from pixsortd.index.store import Store
from pixsortd.records import Analysis, Change, FileRow, Found, Job, Plan, PlanRecord, Reason, Role, RootRecord
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.sorter import Sorter

_CONCERNS = frozenset(("groups", "batches"))
"""Events after which rules may say something else of photos."""
AT_ONCE = 256
"""Photos named in one event."""


class DaemonSorting:
    """Implements ``pixsortd.api.ports.Sorting``."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        loaded: Callable[[], Loaded],
        rules: RulesInForce,
        mover: Mover,
        store: Store,
        roots: Roots,
        said: Said,
        roles: Roles,
        quality: DaemonQuality,
        jobs: Jobs,
        heart: Heart,
        extensions: Collection[bytes],
        tell: Callable[[str, Mapping[str, object]], None],
        reread: Callable[[], object],
    ) -> None:
        """``reread`` has the settings file read again. Raises ``StateDirectoryError``."""
        compare = quality.comparison
        subjects = Subjects(store, roots, said, roles, compare, extensions)
        self._mover = mover
        self._roots = roots
        self._drafts = Drafts()
        self._restless = Restless()
        sorter = Sorter(mover)
        self._audit = Audit(store, roots.online, self._discarded)
        planner = Planner(
            settings,
            store,
            roots,
            subjects,
            Stragglers(store, roots, lambda: rules.rules, sorter, extensions),
            lambda: rules.rules,
            sorter,
            compare,
            quality.unscored,
            extensions,
        )
        self._flow = Flow(roots, lambda: rules.rules, planner, sorter, self._drafts, lambda: tell("plans", {}))
        self._line = Line(self._flow.look, lambda: settings().sort.delay, heart)
        self._runs = Runs(settings, sorter, roots, jobs, self._line, self._audit, self._over)
        self._flow.joined(self._line, self._runs)
        undo = Undo(settings, store, roots, sorter, compare, self._runs.start)
        self._plans = Plans(self._flow, self._drafts, sorter, undo)
        self._book = RuleBook(loaded, rules.checked, subjects, self._flow.inboxes, self._plans, jobs, reread)
        self._tell = tell

    # --- life --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look at the inboxes."""
        self._line.start()

    def stop(self, timeout: float) -> None:
        """End with the step that is under way; the rest of a plan is done after the next start."""
        self._line.stop(timeout)

    def afresh(self) -> None:
        """The settings were read again."""
        self._flow.afresh()
        self._tell("plans", {})

    # --- what is heard -----------------------------------------------------------------------------

    def root_changed(self, record: RootRecord, changes: Sequence[Change]) -> None:
        """A watcher recorded changes, or with none its root has another state."""
        if record.role is Role.INBOX:
            self._restless.hear(record, changes)
            # What is found is analysed first; then it is heard of again.
            if not changes or any(not isinstance(change, Found) for change in changes):
                self._line.touch([record.id])
        elif changes and record.writable:
            self._stir()
        if not changes:
            self._runs.resume()

    def committed(self, results: Sequence[tuple[FileRow, Analysis]]) -> None:
        """Files were analysed, and placed in groups."""
        self._line.touch({row.root for row, _ in results} & set(self._flow.inboxes()))

    def heard(self, kind: str, data: Mapping[str, object]) -> None:
        """An event was published."""
        if kind in _CONCERNS or (kind == "photos" and "added" not in data):
            self._stir()

    def _stir(self) -> None:
        """Facts about photos that wait may have changed."""
        self._line.touch([plan.root for plan in self._drafts.all()])

    def _over(self, plan: Plan, refused: Mapping[str, str], rest: float) -> None:
        """A plan was carried out."""
        changed = [step.image.hex() for step in plan.steps if step.id not in refused]
        for start in range(0, len(changed), AT_ONCE):
            self._tell("photos", {"changed": changed[start : start + AT_ONCE]})
        self._tell("trash", {})
        self._flow.over(plan, refused, rest)

    # --- what is told ------------------------------------------------------------------------------

    def readings(self) -> Iterator[Reading]:
        """Numbers for ``/metrics``."""
        for plan in self._drafts.all():
            labels = {"root": plan.root}
            yield Reading(name="sort_waiting", help="Steps that wait for a yes.", value=len(plan.steps), labels=labels)
            yield Reading(
                name="sort_unmoved", help="Photos that no step concerns.", value=len(plan.unmoved), labels=labels
            )
        with self._mover.lock:
            runs = self._mover.history.page(None, len(self._mover.history))
        for state, count in {
            "done": sum(run.done for run in runs),
            "refused": sum(run.refused for run in runs),
        }.items():
            yield Reading(
                name="sort_steps",
                help="Steps of approved plans by outcome.",
                value=count,
                kind=MetricKind.COUNTER,
                labels={"state": state},
            )
        counted = {
            "sort_audited": ("Plans after which all files were counted.", self._audit.plans),
            "sort_audit_failures": ("Photos whose files did not add up after a plan.", self._audit.failures),
        }
        for name, (words, value) in counted.items():
            yield Reading(name=name, help=words, value=value, kind=MetricKind.COUNTER)
        yield Reading(name="inbox_restless", help="Files that never rest.", value=self._restless.count())

    def notices(self) -> Iterator[Reason]:
        """What a person should know now."""
        for plan in self._drafts.all():
            if plan.steps:
                yield Reason(
                    code="plan-waits",
                    message=f"{len(plan.steps)} photos in {self._path(plan.root)} wait for your yes to be sorted",
                    next_step="Look at the plan in the page's Inbox, or with `pixsortd sort plan`.",
                )
        yield from self._restless.notices()
        yield from self._audit.notices()

    def _path(self, root: str) -> str:
        return self._roots.path_of(root).decode(errors="backslashreplace")

    def _discarded(self, image: bytes) -> int:
        with self._mover.lock:
            return self._mover.contents.copies(image)

    # --- the port ----------------------------------------------------------------------------------

    def rules(self) -> RulesReport:
        """The rules in force."""
        return self._book.rules()

    def write_rules(self, rules: Sequence[SortRule]) -> RulesReport:
        """Write rules into the settings file and use them."""
        return self._book.write_rules(rules)

    def preview(self, rules: Sequence[SortRule], limit: int) -> Preview:
        """What rules would do with some photos."""
        return self._book.preview(rules, limit)

    def replay(self, rules: Sequence[SortRule] | None, since: float | None) -> Job:
        """Try rules on the library."""
        return self._book.replay(rules, since)

    def replayed(self) -> Replayed:
        """What the last trial found."""
        return self._book.replayed()

    def plans(self, cursor: str | None, limit: int) -> Page[PlanRecord]:
        """What waits, then the history."""
        return self._plans.plans(cursor, limit)

    def plan(self, plan: str, cursor: str | None, limit: int, *, folders: bool = False) -> PlanDetail:
        """One plan."""
        return self._plans.plan(plan, cursor, limit, folders=folders)

    def outline(self, plan: str) -> PlanOutline:
        """One plan as a whole."""
        return self._plans.outline(plan)

    def propose(self, root: str | None) -> Sequence[PlanRecord]:
        """Plan anew, now."""
        return self._plans.propose(root)

    def apply(self, plan: str, steps: Sequence[str] | None) -> Started:
        """Approve what waits."""
        return self._plans.apply(plan, steps)

    def refuse(self, plan: str, steps: Sequence[str] | None) -> PlanRecord:
        """Leave photos where they are."""
        return self._plans.refuse(plan, steps)

    def undo(self, plan: str, steps: Sequence[str] | None) -> Started:
        """Take a plan back."""
        return self._plans.undo(plan, steps)
