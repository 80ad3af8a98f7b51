"""The daemon in figures: the status, the readings for ``/metrics``, the health questions."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

import pixsortd
from pixsortd.api.ports import (
    MetricKind,
    Ping,
    QueueReport,
    Reading,
    StageName,
    StageReport,
    StatusReport,
    WorkerReport,
)
from pixsortd.config import Settings
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.pipeline.ingest import Ingest
from pixsortd.daemon.pipeline.stages import Stages
from pixsortd.daemon.reports.figures import Figures
from pixsortd.daemon.roots import Roots
from pixsortd.daemon.schedule import Schedule
from pixsortd.daemon.search import Searcher
from pixsortd.daemon.sorting.room import DaemonSorting
from pixsortd.daemon.training import Trainer
from pixsortd.daemon.trash import DaemonTrash
from pixsortd.index.store import Store
from pixsortd.records import AbilityState, Analysis, JobState, Reason, RootState
from pixsortd.workers.dispatch import Dispatcher


class Tally:
    """What the worker has computed since the start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()

    def add(self, results: Sequence[Analysis]) -> None:
        """Count what these results hold."""
        with self._lock:
            for analysis in results:
                self._counts["photos_decoded"] += analysis.photo is not None
                self._counts["embeddings_computed"] += len(analysis.embeddings)
                self._counts["scores_computed"] += len(analysis.scores)
                self._counts["files_failed"] += analysis.failure is not None
                for stage, seconds in analysis.seconds.items():
                    self._seconds[stage.partition(":")[0]] += seconds  # type: ignore[assignment]

    def readings(self) -> Iterator[Reading]:
        """The counts, also those that are still zero."""
        helps = {
            "photos_decoded": "Photos decoded by the worker.",
            "embeddings_computed": "Vectors computed by the worker.",
            "scores_computed": "Quality scores computed by the worker.",
            "files_failed": "Files that could not be analysed.",
        }
        with self._lock:
            for name, text in helps.items():
                yield Reading(name=name, help=text, value=self._counts[name], kind=MetricKind.COUNTER)
            for stage, seconds in sorted(self._seconds.items()):
                yield Reading(
                    name="stage_seconds",
                    help="Worker time by stage.",
                    value=seconds,
                    kind=MetricKind.COUNTER,
                    labels={"stage": stage},
                )


class Report:
    """Reads from every room what a person or a monitor wants to know."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        figures: Figures,
        store: Store,
        roots: Roots,
        searcher: Searcher,
        trainer: Trainer,
        ingest: Ingest,
        dispatcher: Dispatcher,
        jobs: Jobs,
        schedule: Schedule,
        heart: Heart,
        tally: Tally,
        stages: Stages,
        trash: DaemonTrash,
        sorting: DaemonSorting,
        notices: Sequence[Reason],
    ) -> None:
        """``notices`` are what the start found out, such as an index restored from a backup."""
        self._settings = settings
        self._figures = figures
        self._store = store
        self._roots = roots
        self._searcher = searcher
        self._trainer = trainer
        self._ingest = ingest
        self._dispatcher = dispatcher
        self._jobs = jobs
        self._schedule = schedule
        self._heart = heart
        self._tally = tally
        self._stages = stages
        self._trash = trash
        self._sorting = sorting
        self._notices = tuple(notices)
        self._started = time.time()

    # --- status ----------------------------------------------------------------------------------

    def status(self) -> StatusReport:
        """The daemon in one look."""
        settings = self._settings()
        active, stages = self._searcher.active(), self._stages.reports()
        return StatusReport(
            version=pixsortd.__version__,
            started=self._started,
            pid=os.getpid(),
            roots=tuple(self._roots.entries()),
            queue=self._queue(stages),
            stages=stages,
            worker=self.worker(),
            index=self._figures.index(),
            abilities=tuple(self._figures.abilities()),
            space=active.name if active is not None else "",
            wanted_space=settings.embed.space,
            jobs=tuple(job for job in self._jobs.list() if job.state in (JobState.QUEUED, JobState.RUNNING)),
            notices=tuple(self.notices()),
        )

    def _queue(self, stages: Sequence[StageReport]) -> QueueReport:
        """What waits: files to be analysed, or when there are none photos to be completed."""
        waiting, by_name = self._figures.waiting(), {stage.name: stage for stage in stages}
        stage = by_name[StageName.ANALYZE if waiting.settling + waiting.ready else StageName.SCORE]
        return msgspec.structs.replace(
            waiting,
            in_flight=self._ingest.in_flight,
            backfill=self._ingest.backfill,
            rate=stage.rate,
            eta=stage.eta,
        )

    def worker(self) -> WorkerReport:
        """The analysis process."""
        devices = {ability.device for ability in self._figures.abilities() if ability.state is AbilityState.READY}
        trouble = self._ingest.trouble
        state = "failed" if trouble else "off"
        if self._dispatcher.running:
            state = "busy" if self._ingest.in_flight else "idle"
        return WorkerReport(
            state=state,
            pid=self._dispatcher.pid,
            device=", ".join(sorted(device for device in devices if device)),
            rss=self._dispatcher.rss(),
            crashes=self._dispatcher.died,
            reason=trouble,
        )

    def notices(self) -> Iterator[Reason]:
        """What a person should know now."""
        yield from self._notices
        if self._ingest.trouble is not None:
            yield self._ingest.trouble
        yield from self._stages.notices()
        yield from self._trainer.notices()
        yield from self._figures.notices(self._roots.entries())
        yield from self._trash.notices()
        yield from self._sorting.notices()

    # --- monitoring --------------------------------------------------------------------------------

    def readings(self) -> list[Reading]:
        """Numbers for ``/metrics``."""
        stages = self._stages.reports()
        queue, worker, index = self._queue(stages), self.worker(), self._figures.index()
        found = [
            Reading(name="photos", help="Photos that some file holds.", value=index.photos),
            Reading(name="groups", help="Groups.", value=index.groups),
            Reading(name="grouped_photos", help="Photos in a group.", value=index.grouped),
            Reading(name="quarantined_files", help="Files set aside with a reason.", value=index.quarantined),
            Reading(name="index_bytes", help="Bytes the index takes.", value=index.bytes),
            Reading(name="state_free_bytes", help="Bytes free beside the index.", value=index.free),
            Reading(name="queue_files", help="Settled files that wait.", value=queue.ready, labels={"lane": "ready"}),
            Reading(name="queue_files", help="", value=queue.settling, labels={"lane": "settling"}),
            Reading(name="files_per_second", help="Files analysed a second, over the last minute.", value=queue.rate),
            Reading(name="worker_running", help="1 while a worker process runs.", value=worker.pid is not None),
            Reading(name="worker_rss_bytes", help="Memory of the worker.", value=worker.rss),
            Reading(
                name="worker_starts", help="Workers started.", value=self._dispatcher.started, kind=MetricKind.COUNTER
            ),
            Reading(name="worker_deaths", help="Workers lost.", value=worker.crashes, kind=MetricKind.COUNTER),
            Reading(name="schedule_missed", help="Late runs.", value=self._schedule.missed, kind=MetricKind.COUNTER),
        ]
        for entry in self._roots.entries():
            labels = {"root": entry.record.id}
            online = entry.record.state is RootState.ONLINE
            found.append(Reading(name="root_online", help="1 while the root can be read.", value=online, labels=labels))
            for state in ("on_disk", "indexed", "excluded", "pending", "failed", "away"):
                count = getattr(entry.ledger, state)
                found.append(
                    Reading(name="ledger_files", help="Files by state.", value=count, labels={**labels, "state": state})
                )
        return [*found, *self._stages.readings(), *self._tally.readings()]

    def pings(self) -> Mapping[str, Ping]:
        """Health questions by room."""
        return {"index": self._ping_index, "threads": self._ping_threads, "ingest": lambda: self._ingest.trouble}

    def _ping_index(self) -> Reason | None:
        self._store.counts()
        return None

    def _ping_threads(self) -> Reason | None:
        if self._heart.interval is None:
            return None
        stuck = self._heart.stuck(3 * self._heart.interval)
        return Reason(code="stuck", message=f"no sign of life from: {', '.join(stuck)}") if stuck else None
