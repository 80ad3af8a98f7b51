"""The daemon in figures: the status, the readings for ``/metrics``, the health questions."""

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pixsortd
from pixsortd.api.ports import IndexReport, MetricKind, Ping, QueueReport, Reading, StatusReport, WorkerReport
from pixsortd.config import Settings
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.ingest import Ingest
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.roots import Roots
from pixsortd.daemon.schedule import Schedule
from pixsortd.daemon.search import Searcher
from pixsortd.daemon.wants import BUILTIN, configured_spaces
from pixsortd.index.schema import VERSION
from pixsortd.index.store import Store
from pixsortd.records import Ability, AbilityState, Analysis, FileState, JobState, Reason, RootState, WatchMode
from pixsortd.workers.dispatch import Dispatcher

LOW_SPACE = 200 * 10**6
"""Bytes free on the state directory's disk below which a person is told."""


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
        state_dir: Path,
        store: Store,
        roots: Roots,
        searcher: Searcher,
        ingest: Ingest,
        dispatcher: Dispatcher,
        jobs: Jobs,
        schedule: Schedule,
        heart: Heart,
        tally: Tally,
        notices: Sequence[Reason],
    ) -> None:
        """``notices`` are what the start found out, such as an index restored from a backup."""
        self._settings = settings
        self._state_dir = state_dir
        self._store = store
        self._roots = roots
        self._searcher = searcher
        self._ingest = ingest
        self._dispatcher = dispatcher
        self._jobs = jobs
        self._schedule = schedule
        self._heart = heart
        self._tally = tally
        self._notices = tuple(notices)
        self._started = time.time()

    # --- status ----------------------------------------------------------------------------------

    def status(self) -> StatusReport:
        """The daemon in one look."""
        settings = self._settings()
        active = self._searcher.active()
        return StatusReport(
            version=pixsortd.__version__,
            started=self._started,
            pid=os.getpid(),
            roots=tuple(self._roots.entries()),
            queue=self.queue(),
            worker=self.worker(),
            index=self.index(),
            abilities=tuple(self.abilities()),
            space=active.name if active is not None else "",
            wanted_space=settings.embed.space,
            jobs=tuple(job for job in self._jobs.list() if job.state in (JobState.QUEUED, JobState.RUNNING)),
            notices=tuple(self.notices()),
        )

    def queue(self) -> QueueReport:
        """What waits."""
        files = self._store.counts().files
        pending = files.get(FileState.PENDING, 0)
        rate = self._ingest.rate.per_second()
        return QueueReport(
            settling=max(0, pending - self._store.queued()),
            ready=self._store.queued(),
            in_flight=self._ingest.in_flight,
            backfill=int(self._ingest.refilling),
            rate=round(rate, 3),
            eta=round(pending / rate, 1) if pending and rate > 0 else None,
        )

    def worker(self) -> WorkerReport:
        """The analysis process."""
        devices = {ability.device for ability in self.abilities() if ability.state is AbilityState.READY}
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

    def index(self) -> IndexReport:
        """The sidecar index."""
        counts = self._store.counts()
        return IndexReport(
            photos=counts.photos,
            groups=counts.groups,
            grouped=counts.grouped,
            quarantined=counts.files.get(FileState.FAILED, 0),
            bytes=_used(self._state_dir / "index"),
            free=shutil.disk_usage(self._state_dir).free,
            generation=self._store.generation,
            schema=VERSION,
        )

    def abilities(self) -> list[Ability]:
        """What is known of each configured space and metric, and of the space that stands in."""
        settings = self._settings()
        known = {(ability.kind, ability.name): ability for ability in self._store.abilities()}
        wanted = [("space", name) for name in configured_spaces(settings)]
        if ("space", BUILTIN) in known and ("space", BUILTIN) not in wanted:
            wanted.append(("space", BUILTIN))
        wanted += [("metric", name) for name in settings.score.metrics]
        return [
            known.get((kind, name)) or Ability(kind=kind, name=name, state=AbilityState.UNKNOWN)
            for kind, name in wanted
        ]

    def notices(self) -> Iterator[Reason]:
        """What a person should know now."""
        yield from self._notices
        if self._ingest.trouble is not None:
            yield self._ingest.trouble
        free = shutil.disk_usage(self._state_dir).free
        if free < LOW_SPACE:
            yield Reason(
                code="low-space",
                message=f"only {free // 10**6} MB of space are left for the index",
                next_step="Free some space on the disk of the state directory.",
            )
        for entry in self._roots.entries():
            record = entry.record
            if record.reason is not None and record.state is not RootState.ONLINE:
                yield record.reason
            if record.watch is WatchMode.DEGRADED and record.watch_reason is not None:
                yield record.watch_reason
        for ability in self.abilities():
            if ability.state is AbilityState.UNAVAILABLE and ability.reason is not None:
                yield Reason(
                    code=ability.reason.code,
                    message=f"{ability.kind} {ability.name}: {ability.reason.message}",
                    next_step=ability.reason.next_step,
                )

    # --- monitoring --------------------------------------------------------------------------------

    def readings(self) -> list[Reading]:
        """Numbers for ``/metrics``."""
        queue, worker, index = self.queue(), self.worker(), self.index()
        found = [
            Reading(name="photos", help="Photos that some file holds.", value=index.photos),
            Reading(name="groups", help="Groups.", value=index.groups),
            Reading(name="grouped_photos", help="Photos in a group.", value=index.grouped),
            Reading(name="quarantined_files", help="Files set aside with a reason.", value=index.quarantined),
            Reading(name="index_bytes", help="Bytes the index takes.", value=index.bytes),
            Reading(name="state_free_bytes", help="Bytes free beside the index.", value=index.free),
            Reading(name="queue_files", help="Settled files that wait.", value=queue.ready, labels={"lane": "ready"}),
            Reading(name="queue_files", help="", value=queue.settling, labels={"lane": "settling"}),
            Reading(name="files_per_second", help="Files analysed a second over a minute.", value=queue.rate),
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
        return [*found, *self._tally.readings()]

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


def _used(directory: Path) -> int:
    """Bytes the files directly in ``directory`` take on disk; sparse ones count what they hold."""
    try:
        return sum(entry.stat().st_blocks * 512 for entry in os.scandir(directory) if entry.is_file())
    except OSError:
        return 0
