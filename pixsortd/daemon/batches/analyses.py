"""The analyses of batches: asked for, run as jobs, answered or called off.

What was asked for and what came of it are decisions, so an analysis that a crash or the daemon's
end cut short is run again at the next start; one that the user cancelled is not.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import structlog

from pixsortd.config import Settings
from pixsortd.daemon.batches.labels import earlier, given, labelled
from pixsortd.daemon.clustering import clustered
from pixsortd.daemon.jobs import Cancelled, Jobs, Progress
from pixsortd.decisions import BatchState, Decisions
from pixsortd.errors import Conflict, PixsortdError
from pixsortd.grouping.packing import packed, rows_of
from pixsortd.grouping.request import Request
from pixsortd.index.store import Store
from pixsortd.records import AnalyzeBatch, BatchAnalyzed, BatchParameters, CancelAnalysis, Job, JobState, Space

log = structlog.get_logger()

KIND = "batch"
"""The kind of the jobs."""


class Spaces(Protocol):
    """What is asked about vectors here."""

    def active(self) -> Space | None:
        """The space that photos are compared in."""
        ...


@dataclass
class _Run:
    """One analysis that waits or runs."""

    parameters: BatchParameters
    job: str = ""


class Analyses:
    """At most one analysis of each batch at a time. Callable from any thread."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Store,
        spaces: Spaces,
        decisions: Decisions,
        jobs: Jobs,
        scratch: Path,
        on_batch: Callable[[str], None],
    ) -> None:
        """``on_batch`` hears the id of a batch whose analysis began or ended."""
        self._settings = settings
        self._store = store
        self._spaces = spaces
        self._decisions = decisions
        self._jobs = jobs
        self._scratch = scratch
        self._on_batch = on_batch
        self._runs: dict[str, _Run] = {}
        self._numbers = count()
        self._closing = False
        self._lock = threading.RLock()

    def resume(self) -> None:
        """Queue what was asked for in an earlier run of the daemon and has no answer."""
        for state in self._decisions.batches().values():
            if state.asked:
                log.info("analysis of a batch taken up again", batch=state.id, photos=len(state.members))
                with self._lock:
                    self._begin(state.id, state.parameters)

    def close(self) -> None:
        """The daemon ends: what is cancelled from now on was cancelled by nobody."""
        self._closing = True

    def ask(self, batch: str, parameters: BatchParameters) -> Job:
        """Queue an analysis, durably; the one that waits or runs where it has these parameters, else instead of it."""
        with self._lock:
            run = self._runs.get(batch)
            if run is not None and run.parameters == parameters:
                return self._jobs.get(run.job)
            self._decisions.append(AnalyzeBatch(batch=batch, parameters=parameters, at=time.time()))
            self.call_off(batch)
            job = self._begin(batch, parameters)
        self._on_batch(batch)
        return job

    def job_of(self, batch: str) -> Job | None:
        """The analysis of a batch that waits or runs."""
        with self._lock:
            run = self._runs.get(batch)
            job = self._jobs.get(run.job) if run is not None else None
        return job if job is not None and not job.ended else None

    def call_off(self, batch: str) -> None:
        """End the analysis of a batch, if there is one, without a word in the log."""
        with self._lock:
            run = self._runs.pop(batch, None)
        if run is not None:
            with suppress(Conflict):  # it has just ended
                self._jobs.cancel(run.job)

    def heed(self, job: Job) -> None:
        """Hear what became of a job: one that a person cancelled is not to be run again at the next start."""
        if job.kind != KIND or not job.ended:
            return
        with self._lock:
            batch = next((batch for batch, run in self._runs.items() if run.job == job.id), None)
            if batch is None:
                return
            del self._runs[batch]
            if job.state is JobState.CANCELLED and not self._closing:
                try:
                    self._decisions.append(CancelAnalysis(batch=batch, at=time.time()))
                except PixsortdError as error:
                    log.error("cancelled analysis not recorded; the next start takes it up again", error=str(error))
        self._on_batch(batch)

    # --- the work ----------------------------------------------------------------------------------

    def _begin(self, batch: str, parameters: BatchParameters) -> Job:
        run = self._runs[batch] = _Run(parameters)
        # A subject of its own: the job that it takes the place of may be about to end.
        job = self._jobs.submit(KIND, partial(self._work, batch, run), subject=f"{batch} {next(self._numbers)}")
        run.job = job.id
        return job

    def _work(self, batch: str, run: _Run, progress: Progress) -> Mapping[str, int | float | str]:
        try:
            answer = self._answer(self._decisions.batches()[batch], run.parameters, progress)
        except Cancelled:
            raise
        except Exception as error:
            self._finish(batch, run, BatchAnalyzed(batch=batch, error=_in_words(error), at=time.time()))
            raise
        self._finish(batch, run, answer)
        grouped = sum(map(len, answer.groups.values()))
        log.info("batch analysed", batch=batch, groups=len(answer.groups), grouped=grouped)
        return {"groups": len(answer.groups), "grouped": grouped, "left_out": len(answer.left_out)}

    def _finish(self, batch: str, run: _Run, answer: BatchAnalyzed) -> None:
        """Record the answer, unless it was called off. Raises ``Cancelled`` then."""
        with self._lock:
            if self._runs.get(batch) is not run:
                raise Cancelled
            self._decisions.append(answer)
            del self._runs[batch]
        self._on_batch(batch)

    def _answer(self, state: BatchState, parameters: BatchParameters, progress: Progress) -> BatchAnalyzed:
        """The groups of the members that have a vector; too few of them are ungrouped, the others are left out."""
        space = self._spaces.active()
        contents, vectors = ([], None) if space is None else self._store.vectors_among(space.key, state.members)
        groups: dict[str, tuple[bytes, ...]] = {}
        method = ""
        if vectors is not None and len(contents) >= parameters.min_cluster_size:
            before, cluster = earlier(state), self._settings().cluster

            def fill(file: IO[bytes]) -> bytes:
                np.save(file, vectors)
                return b"".join(contents)

            def asked(path: str, hashes: bytes) -> Request:
                row_of = rows_of(hashes)
                return Request(
                    vectors=path,
                    contents=hashes,
                    previous={label: packed(members, row_of) for label, members in before.items()},
                    min_cluster_size=parameters.min_cluster_size,
                    min_samples=parameters.min_samples,
                    metric=parameters.metric,
                    weights=parameters.weights,
                    deadline=float(cluster.deadline),
                )

            _, reply = clustered(self._scratch, fill, asked, progress)
            # Asked now, not when the run began: a label given meanwhile is taken.
            taken = given(self._decisions.batches()[state.id])
            found = ((one.id, [contents[row] for row in one.members()]) for one in reply.groups)
            groups, method = labelled(found, before, taken), reply.method
        looked_at = frozenset(contents)
        return BatchAnalyzed(
            batch=state.id,
            groups=groups,
            ungrouped=tuple(sorted(looked_at.difference(*groups.values()))),
            left_out=tuple(sha256 for sha256 in state.members if sha256 not in looked_at),
            method=method,
            at=time.time(),
        )


def _in_words(error: Exception) -> str:
    """The error in a line, with what can be done."""
    if isinstance(error, PixsortdError):
        return f"{str(error).partition(chr(10))[0]} {error.next_step}".strip()
    return f"{type(error).__name__}: {error}"
