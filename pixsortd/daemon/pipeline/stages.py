"""The stages of the pipeline: how much waits, how fast it goes, what went wrong last, and who holds it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import structlog

from pixsortd.api.ports import QueueReport, Reading, StageName, StageReport
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.rates import Rate
from pixsortd.daemon.pipeline.wants import told_of
from pixsortd.records import Ability, AbilityState, Change, Found, Job, Reason, Refused

log = structlog.get_logger()

_JOBS = {"recluster": StageName.GROUP, "quality": StageName.SCORE}
_ABILITIES = {"space": StageName.ANALYZE, "metric": StageName.SCORE}


class Waiting(Protocol):
    """Who knows which files wait."""

    def waiting(self) -> QueueReport: ...


class Line(Protocol):
    """Who analyses and scores."""

    analyzed: Rate
    completed: Rate

    @property
    def backfill(self) -> int: ...
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
        self, holds: Holds, figures: Waiting, line: Line, groups: Groups, on_change: Callable[[], None]
    ) -> None:
        """``on_change`` hears that a stage was held, let go, or met with trouble."""
        self._holds = holds
        self._figures = figures
        self._line = line
        self._groups = groups
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
        waiting, line, groups = self._figures.waiting(), self._line, self._groups
        return (
            self._report(StageName.SETTLE, waiting.settling, self._settled.per_second()),
            self._report(StageName.ANALYZE, waiting.ready, line.analyzed.per_second()),
            self._report(StageName.SCORE, line.backfill + line.ordered, line.completed.per_second()),
            self._report(StageName.GROUP, groups.unconsidered(), groups.grouped.per_second()),
        )

    def _report(self, name: StageName, depth: int, rate: float) -> StageReport:
        trouble = self._troubles.get(name)
        paused = name in self._holds
        return StageReport(
            name=name,
            depth=depth,
            rate=round(rate, 3),
            eta=round(depth / rate, 1) if depth and rate > 0 and not paused else None,
            paused=paused,
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
