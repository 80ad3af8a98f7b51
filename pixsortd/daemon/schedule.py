"""What happens by the clock. APScheduler keeps time; the last run of each job outlives a restart."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger()


class Memory(Protocol):
    """Where last runs are remembered."""

    def meta_get(self, key: str) -> bytes | None: ...
    def meta_set(self, key: str, value: bytes) -> None: ...


def next_run(last: float | None, every: float, now: float, settle: float = 60.0) -> float:
    """When a job is due: an interval after its last run, but not before the start has settled.

    A job that never ran waits a whole interval: its first run is triggered by the first photos,
    not by the clock. A clock that was set back does not postpone it for longer than one interval.
    """
    if last is None:
        return now + every
    return min(max(last + every, now + min(settle, every)), now + every)


class Schedule:
    """Periodic jobs with coalescing, never dropped for being late, one instance each."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.missed = 0
        """Runs that APScheduler reported as missed since the start."""
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._scheduler.add_listener(self._on_missed, EVENT_JOB_MISSED)

    def every(self, name: str, seconds: float, action: Callable[[], object], *, remember: bool = True) -> None:
        """Run ``action`` (quick, in the event loop's thread) every ``seconds``; again with new ``seconds`` replaces."""
        last = self.last_run(name) if remember else None
        if remember and last is None:
            # Otherwise a machine that restarts more often than the interval would never get there.
            self._remember(name)

        async def tick() -> None:
            # A coroutine runs in the event loop itself; a plain function would cost a thread pool.
            if remember:
                self._remember(name)
            action()

        first = datetime.fromtimestamp(next_run(last, seconds, time.time()), UTC)
        trigger = IntervalTrigger(seconds=max(1, round(seconds)), timezone=UTC)
        self._scheduler.add_job(tick, trigger, id=name, next_run_time=first, replace_existing=True)

    def ran(self, name: str) -> None:
        """The job ran for another reason: its interval starts anew."""
        self._remember(name)
        job = self._scheduler.get_job(name)
        if job is not None:
            job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=job.trigger.interval.total_seconds()))

    def _remember(self, name: str) -> None:
        self._memory.meta_set(f"last_run:{name}", repr(time.time()).encode())

    def last_run(self, name: str) -> float | None:
        """When the job last ran or was first planned, in this process or an earlier one."""
        text = self._memory.meta_get(f"last_run:{name}")
        return float(text) if text else None

    def upcoming(self) -> dict[str, float]:
        """Next run of each job, seconds since the epoch."""
        return {job.id: job.next_run_time.timestamp() for job in self._scheduler.get_jobs() if job.next_run_time}

    def start(self) -> None:
        """Start keeping time; needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop keeping time without waiting for anything."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _on_missed(self, event: JobExecutionEvent) -> None:
        self.missed += 1
        log.warning("scheduled run missed", job=event.job_id, planned=event.scheduled_run_time.isoformat())
