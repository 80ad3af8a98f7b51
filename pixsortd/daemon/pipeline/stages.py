"""The stages of the pipeline: how much waits, how fast it goes, what went wrong last, and who holds it."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from pixsortd.api.ports import QueueReport, Reading, StageName, StageReport
from pixsortd.daemon.pipeline.course import Course, alike
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.rates import Rate
from pixsortd.daemon.pipeline.wants import told_of
from pixsortd.records import (
    Ability,
    AbilityState,
    Change,
    Found,
    Job,
    Lot,
    Reason,
    Refused,
    RootRecord,
    RootState,
)

log = structlog.get_logger()

_JOBS = {"recluster": StageName.GROUP, "quality": StageName.SCORE}
_ABILITIES = {"space": StageName.ANALYZE, "metric": StageName.SCORE}


class Waiting(Protocol):
    """Who knows which files wait."""

    def waiting(self) -> QueueReport: ...
    def lots(self, roots: Collection[str]) -> Sequence[Lot]: ...


class Line(Protocol):
    """Who analyses and scores."""

    course: Course
    trouble: Reason | None

    @property
    def backfill(self) -> int: ...
    @property
    def unscored(self) -> int: ...
    @property
    def lane(self) -> StageName: ...
    @property
    def ordered(self) -> int: ...
    def wake(self) -> None: ...


class Groups(Protocol):
    """Who forms groups."""

    grouped: Rate

    def unconsidered(self) -> int: ...
    def resume(self) -> None: ...


class Stages:
    """Reports on the stages, and holds them for a person."""

    def __init__(
        self,
        holds: Holds,
        figures: Waiting,
        line: Line,
        groups: Groups,
        roots: Callable[[], Iterable[RootRecord]],
        on_change: Callable[[], None],
    ) -> None:
        """``on_change`` hears that a stage was held, let go, or met with trouble."""
        self._holds = holds
        self._figures = figures
        self._line = line
        self._groups = groups
        self._roots = roots
        self._on_change = on_change
        self._settled = Rate()
        self._troubles: dict[StageName, tuple[Reason, float]] = {}
        self._resume: Mapping[StageName, Callable[[], None]] = {
            StageName.ANALYZE: line.wake,
            StageName.SCORE: line.wake,
            StageName.GROUP: groups.resume,
        }

    # --- asking --------------------------------------------------------------------------------------

    def reports(self) -> tuple[StageReport, ...]:
        """All stages in their order."""
        return (
            self._report(StageName.SETTLE, self._figures.waiting().settling, self._settled.per_second()),
            *self._line_reports(),
            self._report(StageName.GROUP, self._groups.unconsidered(), self._groups.grouped.per_second()),
        )

    def _line_reports(self) -> tuple[StageReport, StageReport]:
        """Analysis and scoring, which come one after the other: the second is done when both are."""
        waiting, line, roots = self._figures.waiting(), self._line, tuple(self._roots())
        lots = self._figures.lots([root.id for root in roots if root.state is RootState.ONLINE])
        files, unscored = sum(lot.files for lot in lots), line.backfill + line.unscored + line.ordered
        first = line.course.seconds(StageName.ANALYZE, lots) if files else 0.0
        second = line.course.seconds(StageName.SCORE, alike(unscored))
        stands = line.trouble is not None or StageName.ANALYZE in self._holds
        growing = any(not root.last_scan and root.state in (RootState.STARTING, RootState.ONLINE) for root in roots)
        analyze = self._report(StageName.ANALYZE, waiting.ready, line.course.per_second(StageName.ANALYZE))
        score = self._report(StageName.SCORE, unscored, line.course.per_second(StageName.SCORE))
        return (
            msgspec.structs.replace(
                analyze,
                bytes=sum(lot.bytes for lot in lots),
                eta=None if stands or not files or first is None else round(first, 1),
                growing=growing,
                away=min(waiting.ready, max(0, waiting.settling + waiting.ready - files)),
            ),
            msgspec.structs.replace(
                score,
                eta=None
                if stands or score.paused or not unscored or first is None or second is None
                else round(first + second, 1),
                growing=growing,
            ),
        )

    def _report(self, name: StageName, depth: int, rate: float) -> StageReport:
        trouble = self._troubles.get(name)
        return StageReport(
            name=name,
            depth=depth,
            rate=round(rate, 3),
            paused=name in self._holds,
            can_pause=name in self._resume,
            error=trouble[0] if trouble is not None else None,
            error_at=trouble[1] if trouble is not None else None,
        )

    def notices(self) -> Iterator[Reason]:
        """What is held."""
        found = (self._holds.reason(stage) for stage in StageName)
        return (reason for reason in found if reason is not None)

    def readings(self) -> Iterator[Reading]:
        """Numbers for ``/metrics``."""
        for report in self.reports():
            labels = {"stage": report.name.value}
            yield Reading(name="stage_depth", help="What waits in a stage.", value=report.depth, labels=labels)
            yield Reading(name="stage_paused", help="1 while a person holds it.", value=report.paused, labels=labels)
            yield Reading(name="stage_rate", help="A second, over the last minute.", value=report.rate, labels=labels)
            if report.eta is not None:
                text = "Until what can be done now is done; absent while it is not known."
                yield Reading(name="stage_eta_seconds", help=text, value=report.eta, labels=labels)
            if report.name is StageName.ANALYZE:
                text = "Size of the files that wait and can be read."
                yield Reading(name="stage_waiting_bytes", help=text, value=report.bytes, labels=labels)

    # --- acting --------------------------------------------------------------------------------------

    def pause(self, stage: StageName, paused: bool) -> tuple[StageReport, ...]:
        """Hold a stage or let it go on, durably. Raises ``Conflict`` for one that cannot be held."""
        if self._holds.set(stage, paused):
            log.info("stage paused" if paused else "stage goes on", stage=stage.value)
            if not paused:
                self._resume[stage]()
            self._on_change()
        return self.reports()

    # --- being told ----------------------------------------------------------------------------------

    def files_changed(self, changes: Iterable[Change]) -> None:
        """A watcher recorded changes."""
        settled = 0
        for change in changes:
            if isinstance(change, Found):
                settled += change.settled
            elif isinstance(change, Refused):
                self._trouble(StageName.SETTLE, change.reason)
        if settled:
            self._settled.add(settled)

    def line_trouble(self, reason: Reason) -> None:
        """A file failed, or the line stands still."""
        self._trouble(self._line.lane, reason)

    def abilities_changed(self, abilities: Iterable[Ability]) -> None:
        """Models and metrics can be used now, or no longer."""
        for ability in abilities:
            if ability.state is AbilityState.UNAVAILABLE and ability.reason is not None:
                self._trouble(_ABILITIES[ability.kind], told_of(ability, ability.reason))

    def job_failed(self, job: Job) -> None:
        """A job ended with an error."""
        if job.kind in _JOBS and job.error:
            self._trouble(_JOBS[job.kind], Reason(code=f"{job.kind}-failed", message=job.error))

    def _trouble(self, stage: StageName, reason: Reason) -> None:
        """The last one of each stage is remembered."""
        before = self._troubles.get(stage)
        self._troubles[stage] = (reason, time.time())
        if before is None or before[0] != reason:
            self._on_change()
