"""The only wiring: which concrete rooms make a daemon, and what is told to whom."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from pixsortd.api.events import EventHub
from pixsortd.config import Loaded, applied, live_changes, worker_changes
from pixsortd.daemon import log as daemon_log
from pixsortd.daemon import moved
from pixsortd.daemon.batches import Analyses, Batches
from pixsortd.daemon.grouping import (
    Arrivals,
    Book,
    Curator,
    DaemonLevels,
    Grouper,
    GroupingReasons,
    LearnedLikeness,
    Outcomes,
)
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.library import DaemonLibrary
from pixsortd.daemon.photos.marks import Marks
from pixsortd.daemon.photos.originals import Originals
from pixsortd.daemon.photos.timeline import DaemonTimeline
from pixsortd.daemon.photos.views import PhotoViews
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.ingest import Ingest
from pixsortd.daemon.pipeline.rates import Throughput
from pixsortd.daemon.pipeline.stages import Stages
from pixsortd.daemon.places import merged_roots
from pixsortd.daemon.quality import DaemonQuality
from pixsortd.daemon.reports.figures import Figures
from pixsortd.daemon.reports.opening import index_opened, searches_rebuilt, torn
from pixsortd.daemon.reports.overview import DaemonOverview
from pixsortd.daemon.reports.settings import settings_report
from pixsortd.daemon.reports.status import Report, Tally
from pixsortd.daemon.roots import Roots
from pixsortd.daemon.schedule import Schedule
from pixsortd.daemon.search import Searcher
from pixsortd.daemon.sorting.inforce import RulesInForce
from pixsortd.daemon.sorting.roles import Roles
from pixsortd.daemon.sorting.room import DaemonSorting
from pixsortd.daemon.training import Trainer
from pixsortd.daemon.trash import DaemonTrash
from pixsortd.daemon.uploads import Reception
from pixsortd.daemon.weights import glance
from pixsortd.decisions import Decisions
from pixsortd.grouping.request import LEVELS
from pixsortd.index.backup import make_backup
from pixsortd.index.startup import close_index, open_index
from pixsortd.records import (
    AbilityState,
    Analysis,
    Change,
    FileRow,
    Job,
    JobState,
    Photo,
    Reason,
    RootRecord,
    RootState,
)
from pixsortd.workers.dispatch import Dispatcher
from pixsortd.workers.local import LocalWorker

log = structlog.get_logger()

EXTENSIONS = frozenset(b".jpg .jpeg .jpe .jfif .mpo .png .webp .tif .tiff .gif .avif .bmp .heic .heif .hif".split())
"""HEIC stays where its decoder is not installed: the file then fails with words that say what to install."""

SAVE_EVERY = 600.0
"""Seconds between two writings of the search files; after a crash they are rebuilt from the index."""


class Daemon:
    """All rooms of one running daemon. ``start`` and ``stop`` are called once each."""

    def __init__(self, loaded: Loaded, extra_roots: Sequence[Path], state_dir: Path, heart: Heart) -> None:
        """Opens the index and the decisions; nothing runs yet. Raises ``PixsortdError``."""
        self._loaded = loaded
        self._settings = loaded.settings
        self._reloading = threading.Lock()
        self.state_dir = state_dir
        self.rules = RulesInForce(loaded, extra_roots, state_dir)
        settings = lambda: self._settings  # noqa: E731 - rooms ask anew, so that a reload reaches them
        self.hub = EventHub()
        self._hearers: list[Callable[[str, Mapping[str, object]], None]] = []
        self.decisions = Decisions.open(state_dir / "decisions")
        index = self._settings.index
        self.store, opened = open_index(
            state_dir / "index", state_dir / "backups", map_size=index.map_size, keep=index.backups
        )
        self.searcher = Searcher(settings, self.store, state_dir / "index")
        found = [(one.space.name, one.origin) for one in self.searcher.open()]
        notices = [
            *index_opened(opened),
            *torn("decisions", "decisions log", self.decisions.torn),
            *searches_rebuilt((name, origin.reason) for name, origin in found if origin.kind == "rebuilt"),
        ]
        self.heart = heart
        self.jobs = Jobs(self._job_changed, heart.beat_of("jobs"), heart.interval)
        self.trainer = Trainer(
            settings, self.store, self.searcher, self.jobs, state_dir / "index", on_change=lambda: self._tell("status")
        )
        self.schedule = Schedule(self.store)
        holds = Holds(self.store)
        on_groups = lambda: self._tell("groups")  # noqa: E731 - all parts tell the same
        book = Book(self.store, self.decisions, on_groups)
        book.restore()
        outcomes = Outcomes(self.store, book)
        likeness = LearnedLikeness(self.store, self.decisions, on_groups)
        self.arrivals = Arrivals(self.store, self.searcher, book, lambda: outcomes.last()[1], on_groups)
        self.grouper = Grouper(
            settings,
            self.store,
            self.searcher,
            outcomes,
            likeness,
            self.jobs,
            state_dir / "run",
            state_dir / "index",
            on_groups,
            on_recluster=lambda: self.schedule.ran("recluster"),
            holds=holds,
        )
        self.roots = Roots(
            merged_roots(self._settings.roots, extra_roots),
            state_dir,
            self.store,
            self.decisions,
            self.jobs,
            heart,
            EXTENSIONS,
            self._files_changed,
        )
        self.uploads = Reception(settings, self.store, self.roots, EXTENSIONS)
        self.tally, self.throughput = Tally(), Throughput()
        self.dispatcher = Dispatcher(lambda: LocalWorker(self._settings), self._settings.worker)
        self.ingest = Ingest(
            settings,
            self.store,
            self.dispatcher,
            holds=holds,
            root_paths=self.roots.online,
            on_commit=self._committed,
            on_trouble=self._trouble,
            on_stall=lambda reason: self.stages.line_trouble(reason),
            on_idle=self._idle,
            on_abilities=self._abilities_changed,
            beat=heart.beat_of("ingest"),
            beat_every=heart.interval,
        )
        views = PhotoViews(self.store, self.roots, self.searcher, self.decisions)
        self.mover = moved.opened(state_dir / "journal", self.store, self.roots)
        self.trash = DaemonTrash(settings, self.mover, self.store, self.roots, views, EXTENSIONS, self._tell)
        notices += torn("journal", "journal of moves", self.mover.torn)
        self.figures = Figures(settings, state_dir, self.store)
        self.stages = Stages(holds, self.figures, self.ingest, self.grouper, self.roots.records, self._stages_changed)
        self.quality = DaemonQuality(
            settings,
            self.store,
            self.jobs,
            self.ingest,
            holds,
            online=self.roots.online,
            abilities=self.figures.abilities,
        )
        levels = DaemonLevels(state_dir / "index" / LEVELS, self.store, book.constraints, views.entries)
        self.sorting = DaemonSorting(
            settings,
            lambda: self._loaded,
            self.rules,
            self.mover,
            self.store,
            self.roots,
            self.decisions,
            Roles(self.store, self.searcher, levels, book.constraints, self.quality.comparison),
            self.quality,
            self.jobs,
            heart,
            EXTENSIONS,
            self._tell,
            reread=self.reload,
        )
        report = Report(
            settings=settings,
            figures=self.figures,
            store=self.store,
            roots=self.roots,
            searcher=self.searcher,
            trainer=self.trainer,
            ingest=self.ingest,
            dispatcher=self.dispatcher,
            jobs=self.jobs,
            schedule=self.schedule,
            heart=heart,
            tally=self.tally,
            stages=self.stages,
            trash=self.trash,
            sorting=self.sorting,
            notices=notices,
        )
        timeline = DaemonTimeline(self.store, self.roots, self.decisions)
        marks = Marks(self.store, self.decisions, views, lambda data: self._tell("photos", data))
        on_batch = lambda batch: self._tell("batches", {"id": batch})  # noqa: E731 - both parts tell the same
        self.analyses = Analyses(
            settings, self.store, self.searcher, self.decisions, self.jobs, state_dir / "run", on_batch
        )
        batches = Batches(self.store, timeline, self.decisions, self.analyses, self.quality, on_batch)
        self.library = DaemonLibrary(
            self.store,
            views,
            Originals(self.store, self.roots),
            marks,
            book,
            Curator(self.store, self.decisions, book, levels.smaller_half),
            levels,
            likeness,
            GroupingReasons(self.store, self.searcher, book.constraints),
            self.grouper,
            self.roots,
            self.jobs,
            self.ingest,
            report,
            self.hub,
            settings=lambda: settings_report(self._loaded, self._settings),
            uploads=self.uploads,
            trash=self.trash,
            sorting=self.sorting,
            quality=self.quality,
            batches=batches,
            timeline=timeline,
            overview=DaemonOverview(self.store, self.decisions, self.quality, self.throughput, self.stages),
        )

        self._hearers.append(self.sorting.heard)

    # --- life ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all threads and the clock; needs a running event loop."""
        self.trash.recover()
        self.jobs.start()
        self.analyses.resume()
        self.trainer.submit_if_due()
        self.ingest.start()
        self.sorting.start()
        self.roots.start(self._settings)
        self._look_for_weights()
        self._plan()
        self.schedule.start()

    def stop(self, timeout: float) -> None:
        """Stop in reverse order; whatever is in flight stays pending in the index."""
        end = time.monotonic() + timeout
        self.schedule.stop()
        self.analyses.close()
        self.sorting.stop(max(0.5, end - time.monotonic()))
        self.ingest.stop(max(0.5, end - time.monotonic()))
        self.roots.stop(max(0.5, end - time.monotonic()))
        self.jobs.stop(max(0.5, end - time.monotonic()))
        self.mover.close()
        self.searcher.save()
        self.decisions.close()
        close_index(self.store, end - time.monotonic())

    def reload(self) -> set[str]:
        """Apply what can change while running, read last by whoever comes last; the rest. Raises ``ConfigError``."""
        with self._reloading:
            loaded = self._loaded.again()
            self.rules.take(loaded)
            live, later = live_changes(self._settings, loaded.settings)
            self._loaded = loaded
            self._settings = applied(self._settings, loaded.settings, live)
            daemon_log.configure(self._settings.log)
            if any(key.startswith("watch.") for key in live):
                self.roots.stop(2.0)
                self.roots.start(self._settings)
            if worker_changes(live):
                self.dispatcher.restart()
                self.ingest.survey()
            self._plan()
            self.sorting.afresh()
        self._tell("status")
        log.info("settings read again", applied=sorted(live), restart_needed=sorted(later))
        return later

    def _plan(self) -> None:
        """What happens by the clock."""
        settings = self._settings
        self.schedule.every("recluster", settings.cluster.every, self.grouper.submit_unless_held)
        if settings.index.backups:
            self.schedule.every(
                "backup", settings.index.backup_every, lambda: self.jobs.submit("backup", lambda _: self._backup())
            )
        self.schedule.every("forget", 86400.0, lambda: self.jobs.submit("forget", lambda _: self._forget()))
        self.schedule.every("trash", 86400.0, lambda: self.jobs.submit("trash", self.trash.expire))
        self.schedule.every("models", settings.models.retry, self._look_for_weights, remember=False)

    # --- jobs by the clock -----------------------------------------------------------------------------

    def _backup(self) -> Mapping[str, str]:
        path = make_backup(self.store, self.state_dir / "backups", self._settings.index.backups)
        return {"path": str(path)}

    def _forget(self) -> Mapping[str, int]:
        gone = self.store.forget(self._settings.watch.forget, keep=self.trash.images())
        self.searcher.forget(gone)
        self.trainer.submit_if_due()
        return {"photos": len(gone)}

    def _look_for_weights(self) -> None:
        """When missing weights may have arrived, a worker looks again, and fills in what was missed."""
        seen = msgspec.json.encode(glance(self._settings), order="sorted")
        if seen == self.store.meta_get("weights"):
            return
        self.store.meta_set("weights", seen)
        if any(ability.state is AbilityState.UNAVAILABLE for ability in self.figures.abilities()):
            self.ingest.survey()

    # --- what is told to whom ----------------------------------------------------------------------------

    def _files_changed(self, record: RootRecord, changes: Sequence[Change]) -> None:
        """A watcher recorded changes, or with none its root has another state."""
        self.ingest.wake()
        self.stages.files_changed(changes)
        if not changes and record.state is RootState.ONLINE:
            self.uploads.clear(record)
            self.trash.root_is_there(record)
        self.sorting.root_changed(record, changes)
        self._tell("roots", {"id": record.id, "state": record.state, "changes": len(changes)})

    def _committed(self, results: Sequence[tuple[FileRow, Analysis]], added: Sequence[Photo]) -> None:
        analyses = [analysis for _, analysis in results]
        self.tally.add(analyses)
        self.throughput.add(len(added))
        self.searcher.add(analyses)
        self.trainer.submit_if_due()
        self.arrivals.place(analyses)
        self.grouper.submit_if_doubled()
        self.sorting.committed(results)
        new = {photo.sha256 for photo in added}
        if new:
            log.info(
                "photos indexed", photos=len(new), seconds=round(sum(sum(a.seconds.values()) for a in analyses), 2)
            )
        changed = [analysis.sha256.hex() for analysis in analyses if analysis.sha256 not in new]
        self._tell("photos", {"added": len(new), "ids": [sha256.hex() for sha256 in new], "changed": changed})

    def _trouble(self, row: FileRow, reason: Reason | None) -> None:
        if reason is None:
            self.roots.settle_again(row.root, row.path)
        else:
            self.stages.line_trouble(reason)
            self._tell("quarantine")

    def _abilities_changed(self) -> None:
        self.stages.abilities_changed(self.figures.abilities())
        self._tell("status")

    def _stages_changed(self) -> None:
        self._tell("pipeline")
        self._tell("status")

    def _idle(self) -> None:
        """The queue has run empty."""
        self.searcher.save(at_most_every=SAVE_EVERY)
        self._rest()
        self.trainer.submit_if_due(idle=True)
        self._tell("status")
        self.grouper.submit_if_stale()

    def _job_changed(self, job: Job) -> None:
        self._tell("job", msgspec.to_builtins(job))
        self.analyses.heed(job)
        if job.state is JobState.FAILED:
            self.stages.job_failed(job)
            self._tell("status")
        if job.kind == "recluster" and job.state is JobState.COMPLETE:
            self.grouper.submit_if_stale()  # photos may have come in meanwhile
        if job.ended:
            self._rest()

    def _rest(self) -> None:
        """Give memory back that only makes the next reads and searches faster."""
        self.searcher.rest()
        self.store.engine.rest()

    def _tell(self, kind: str, data: Mapping[str, object] | None = None) -> None:
        self.hub.publish(kind, told := dict(data or {}))
        for hear in self._hearers:
            hear(kind, told)
