"""Background work that a person can look at and cancel: one job at a time, in order.

Work that another thread does anyway, such as scoring in the ingest line, is a tracked job: it is
seen and cancelled like any other, but keeps none of them waiting.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec
import structlog

from pixsortd.errors import Conflict, NotFound, PixsortdError
from pixsortd.records import Job, JobState

log = structlog.get_logger()

KEPT = 200
"""Ended jobs that stay visible."""


class Cancelled(Exception):
    """Raised inside a job's work when a person asked for its end."""


class Progress:
    """What a job's work uses to say how far it is and to learn that it should stop."""

    def __init__(self, jobs: "Jobs", job_id: str) -> None:
        self._jobs, self._id = jobs, job_id

    def __call__(self, done: int, total: int, detail: str = "") -> None:
        """Report progress; raises ``Cancelled`` when the job was cancelled."""
        self._jobs.update(self._id, done=done, total=total, detail=detail)
        if self.cancelled():
            raise Cancelled

    def cancelled(self) -> bool:
        """True once a person cancelled the job or the daemon stops."""
        return self._jobs.is_cancelled(self._id)


class Tracked:
    """What the other thread uses to say how far a tracked job is, and how it ended."""

    def __init__(self, jobs: "Jobs", job_id: str) -> None:
        self._jobs, self._id = jobs, job_id

    def progress(self, done: int, total: int, detail: str = "") -> None:
        """Report progress; heard no more once the job has ended."""
        self._jobs.update(self._id, done=done, total=total, detail=detail)

    def conclude(self, work: Callable[[], "Result | None"]) -> None:
        """End the job with what the last step of it returns or raises."""
        self._jobs.conclude(self._id, work)


Result = Mapping[str, int | float | str]
Work = Callable[[Progress], Result | None]


class Jobs(threading.Thread):
    """The thread that runs jobs. A job of a kind that already waits is the same job."""

    def __init__(self, on_change: Callable[[Job], None], beat: Callable[[], None], beat_every: float | None) -> None:
        super().__init__(name="jobs", daemon=True)
        self._on_change = on_change
        self._beat, self._beat_every = beat, beat_every
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._work: dict[str, Work] = {}
        self._subjects: dict[str, tuple[str, str]] = {}
        """Kind and subject of the jobs that have not ended."""
        self._cancelled: set[str] = set()
        self._withdraw: dict[str, Callable[[], None]] = {}
        """How the work of a tracked job is taken back."""
        self._condition = threading.Condition()
        self._stopping = False

    def submit(self, kind: str, work: Work, subject: str = "") -> Job:
        """Queue ``work``; where one of that kind and subject waits or runs already, that is the job."""
        with self._condition:
            if (same := self._same(kind, subject)) is not None:
                return same
            job = Job(id=secrets.token_hex(6), kind=kind, state=JobState.QUEUED, created=time.time())
            self._jobs[job.id] = job
            self._work[job.id] = work
            self._subjects[job.id] = (kind, subject)
            self._condition.notify()
        self._on_change(job)
        return job

    def track(self, kind: str, begin: Callable[[Tracked], Callable[[], None]], subject: str = "") -> Job:
        """A job that another thread works on from now on; one of that kind and subject that runs is the same job.

        ``begin`` hands the work over and returns what takes it back when the job is cancelled.
        """
        now = time.time()
        with self._condition:
            if (same := self._same(kind, subject)) is not None:
                return same
            job = Job(id=secrets.token_hex(6), kind=kind, state=JobState.RUNNING, created=now, started=now)
            self._jobs[job.id] = job
            self._subjects[job.id] = (kind, subject)
            self._withdraw[job.id] = begin(Tracked(self, job.id))
        self._on_change(job)
        return self.get(job.id)

    def _same(self, kind: str, subject: str) -> Job | None:
        return next((self._jobs[job_id] for job_id, known in self._subjects.items() if known == (kind, subject)), None)

    def list(self) -> list[Job]:
        """All known jobs, newest first."""
        with self._condition:
            return list(reversed(self._jobs.values()))

    def get(self, job_id: str) -> Job:
        """One job; raises ``NotFound``."""
        with self._condition:
            if job_id not in self._jobs:
                raise NotFound(f"there is no job {job_id}", next_step="GET /api/jobs lists the known ones.")
            return self._jobs[job_id]

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end. Raises ``NotFound``, or ``Conflict`` when it has ended already."""
        job = self.get(job_id)
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            raise Conflict(f"job {job_id} has already ended ({job.state})")
        self._cancelled.add(job_id)
        withdraw = self._withdraw.get(job_id)
        if withdraw is not None:
            withdraw()
        if job.state is JobState.QUEUED or withdraw is not None:
            self._end(job_id, JobState.CANCELLED)
        return self.get(job_id)

    def busy(self, kind: str) -> bool:
        """True while a job of that kind waits or runs."""
        active = (JobState.QUEUED, JobState.RUNNING)
        return any(job.kind == kind and job.state in active for job in self.list())

    def is_cancelled(self, job_id: str) -> bool:
        """True once the job should end."""
        return self._stopping or job_id in self._cancelled

    def update(self, job_id: str, **fields: object) -> None:
        """Change a job's visible fields and tell whoever listens; one that has ended stays as it is."""
        with self._condition:
            before = self._jobs.get(job_id)
            if before is None or before.ended:
                return
            job = msgspec.structs.replace(before, **fields)
            if job == before:
                return
            self._jobs[job_id] = job
        if threading.current_thread() is self:
            self._beat()
        self._on_change(job)

    def stop(self, timeout: float) -> None:
        """Ask the running job to end and wait for it."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        if self.is_alive():
            self.join(timeout)

    def run(self) -> None:
        """Take queued jobs in order until stopped."""
        while (job_id := self._next()) is not None:
            self._run_one(job_id)

    def _next(self) -> str | None:
        with self._condition:
            while not self._stopping:
                self._beat()
                for job in self._jobs.values():
                    if job.state is JobState.QUEUED:
                        return job.id
                self._condition.wait(self._beat_every)
        return None

    def _run_one(self, job_id: str) -> None:
        self.update(job_id, state=JobState.RUNNING, started=time.time())
        work = self._work[job_id]
        self.conclude(job_id, lambda: work(Progress(self, job_id)))

    def conclude(self, job_id: str, work: Callable[[], Result | None]) -> None:
        """Do the work, or its last step, and end the job as it says."""
        kind = self.get(job_id).kind
        try:
            result = work() or {}
        except Cancelled:
            self._end(job_id, JobState.CANCELLED)
        except PixsortdError as error:
            log.error("job failed", kind=kind, error=str(error), next_step=error.next_step)
            self._end(job_id, JobState.FAILED, error=f"{error} {error.next_step}".strip())
        except Exception as error:
            log.exception("job failed", kind=kind)
            self._end(job_id, JobState.FAILED, error=f"{type(error).__name__}: {error}")
        else:
            self._end(job_id, JobState.COMPLETE, result=dict(result), done=self.get(job_id).total)

    def _end(self, job_id: str, state: JobState, **fields: object) -> None:
        with self._condition:
            if self._subjects.pop(job_id, None) is None:
                return  # another thread has just ended it
            self._work.pop(job_id, None)
            self._withdraw.pop(job_id, None)
            self._cancelled.discard(job_id)
        self.update(job_id, state=state, ended=time.time(), **fields)
        with self._condition:
            ended = [job.id for job in self._jobs.values() if job.ended]
            for old in ended[: max(0, len(ended) - KEPT)]:
                del self._jobs[old]
