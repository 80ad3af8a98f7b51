"""The line from a settled file to a committed photo: take a batch, have it analysed, commit, say so."""

import threading
import time
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Protocol

import structlog

from pixsortd.api.ports import StageName
from pixsortd.config import Settings
from pixsortd.daemon.pipeline.abilities import Abilities, AbilityStore
from pixsortd.daemon.pipeline.agenda import Agenda, Backlog
from pixsortd.daemon.pipeline.commits import Commits, Results, Taker
from pixsortd.daemon.pipeline.course import Course
from pixsortd.daemon.pipeline.orders import Order
from pixsortd.errors import IndexFull, WorkerFailed
from pixsortd.records import FileRow, Photo, Reason, Wants, WorkItem
from pixsortd.workers.dispatch import Dispatcher

log = structlog.get_logger()

PATIENCE = (1.0, 5.0, 15.0, 60.0)
"""Seconds between tries while the disk is full or no worker can be started."""


class Counts(Protocol):
    """The one figure of the index that matters here."""

    @property
    def photos(self) -> int: ...


class Queue(Backlog, AbilityStore, Taker, Protocol):
    """What the line needs of the index."""

    def counts(self) -> Counts: ...


class Ingest(threading.Thread):
    """The thread that feeds the worker and commits what it answers.

    Nothing is held that the index does not hold: the queue is the index's pending rows, so that a
    kill at any moment costs no more than the batch in flight and the results that are being committed.
    Both are bounded: a worker is asked for one batch at a time, and its answers wait for one commit.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        queue: Queue,
        dispatcher: Dispatcher,
        *,
        holds: Container[StageName],
        root_paths: Callable[[], Mapping[str, bytes]],
        on_commit: Callable[[Results, Sequence[Photo]], None],
        on_trouble: Callable[[FileRow, Reason | None], None],
        on_stall: Callable[[Reason], None],
        on_idle: Callable[[], None],
        on_abilities: Callable[[], None],
        beat: Callable[[], None],
        beat_every: float | None,
    ) -> None:
        """``root_paths`` gives the online roots; ``on_idle`` hears that no file waits any more, though photos
        may still be scored; ``on_trouble`` of failed (with reason) and changed files, ``on_stall`` why the
        line stands still, ``on_abilities`` of models and metrics that can be used now, or no longer.

        ``on_commit``, and ``on_trouble`` of a file that was read, are told by the thread that commits.

        While ``holds`` has the analysis, nothing is sent to the worker; while it has the scoring, new
        photos are taken in without scores and known ones are not completed.
        """
        super().__init__(name="ingest", daemon=True)
        self._settings = settings
        self._queue = queue
        self._dispatcher = dispatcher
        self._holds = holds
        self._root_paths = root_paths
        self._on_commit = on_commit
        self._on_stall = on_stall
        self._on_abilities = on_abilities
        self._beat, self._beat_every = beat, beat_every
        self._wake = threading.Event()
        self._stopping = False
        self._survey = False
        self._abilities = Abilities(settings, queue)
        self._agenda = Agenda(settings, queue, self._abilities, holds, on_idle)
        self.course = Course()
        """How fast it goes, and how long the rest takes."""
        self._commits = Commits(queue, self._committed, on_trouble)
        self._sent = 0
        """Files of the batch in work without a result yet."""
        self.trouble: Reason | None = None
        """Why the line stands still, while it does: disk full, no worker to be had."""

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def refill(self) -> None:
        """What the worker can do may have changed: look for known photos that lack something."""
        self._agenda.refill()
        self._wake.set()

    def order(self, order: Order) -> None:
        """Score these photos next, in turn with files that wait."""
        self._agenda.orders.add(order)
        self._wake.set()

    def withdraw(self, order: Order) -> None:
        """Nobody waits for it any more."""
        self._agenda.orders.withdraw(order)

    @property
    def in_flight(self) -> int:
        """Files that are being analysed or committed."""
        return self._sent + len(self._commits)

    @property
    def ordered(self) -> int:
        """Photos that somebody waits for and that were not sent to the worker yet."""
        return self._agenda.orders.depth

    @property
    def lane(self) -> StageName:
        """What the batch in work is for: new files, or the completion of known photos."""
        return self._agenda.lane

    @property
    def backfill(self) -> int:
        """Known photos that lack a space, a metric or their thumbnail, while they are being completed or held."""
        return self._agenda.backfill

    @property
    def unscored(self) -> int:
        """Photos that were taken in without all their scores, and are completed when no file waits any more."""
        return self._agenda.unscored

    def survey(self) -> None:
        """Have the worker try again to load what it could not load."""
        self._survey = True
        self._wake.set()

    def stop(self, timeout: float) -> None:
        """End at once; whatever is in flight stays pending."""
        self._stopping = True
        self._wake.set()
        self._dispatcher.stop()
        if self.is_alive():
            self.join(timeout)

    def run(self) -> None:
        """Work until stopped."""
        try:
            self._work()
        finally:
            self._commits.close()

    def _work(self) -> None:
        failures = 0
        self._survey = self._abilities.incomplete() and self._queue.counts().photos > 0
        while not self._stopping:
            self._beat()
            self._wake.clear()
            try:
                busy = self._step()
            except Exception as error:  # noqa: BLE001 - a line that ended would silently take in no photo any more
                if self._stopping:
                    return
                wait = PATIENCE[min(failures, len(PATIENCE) - 1)]
                failures += 1
                self._explain(error, wait)
                self._agenda.give_up(self.trouble)
                self.course.halt()
                self._sleep(wait)
                continue
            failures, self.trouble = 0, None
            if not busy:
                self._sleep(self._dispatcher.end_if_idle(self._settings().worker.idle))

    def _step(self) -> bool:
        """Do one batch of what is most worth doing; False when there is nothing to do."""
        if StageName.ANALYZE in self._holds:
            self.course.halt()
            return False
        if self._survey:
            self._survey = False
            self._dispatcher.survey()
            self._learn()
        rows = self._next_batch()
        if rows:
            cold, started = not self._dispatcher.running, time.monotonic()
            self.course.begin(self.lane, cold=cold)
            self._process(rows)
            self._agenda.processed(len(rows), None if cold else time.monotonic() - started)
        else:
            self.course.rest()
        return bool(rows)

    def _next_batch(self) -> list[FileRow]:
        """What comes next; beside it go on the commits of work of the same kind only."""
        roots, lane, busy = self._root_paths().keys(), self.lane, self._commits.files
        rows = self._agenda.next_batch(roots, busy)
        if self.lane is not lane or self._agenda.order is not None or not rows:
            self._commits.settle()
        return rows or (self._agenda.next_batch(roots) if busy else [])

    def _explain(self, error: Exception, wait: float) -> None:
        """Say why the line stands still."""
        if isinstance(error, IndexFull | WorkerFailed):
            self.trouble = error.reason()
            log.error("ingest waits", error=str(error), next_step=error.next_step, seconds=wait)
        else:
            what = f"{type(error).__name__}: {error}"
            self.trouble = Reason(code="internal", message=what, next_step="It is tried again; the log says more.")
            log.exception("ingest waits", seconds=wait)
        self._on_stall(self.trouble)

    def _sleep(self, seconds: float | None) -> None:
        """Until woken, or ``seconds`` passed, or the next beat is due."""
        bounds = [bound for bound in (seconds, self._beat_every) if bound is not None]
        self._wake.wait(min(bounds) if bounds else None)

    def _process(self, rows: Sequence[FileRow]) -> None:
        roots = self._root_paths()
        items = _items(rows, roots)
        self._sent = len(items)
        try:
            for outcome in self._dispatcher.run(items, self._needs, _items(self._agenda.ahead, roots)):
                self._beat()
                self._sent -= 1
                self._commits.add(rows[outcome.id], outcome)
        finally:
            self._sent = 0
            self._commits.flush()
            if self._agenda.order is not None:  # who waits for it is told once it is there
                self._commits.settle()

    def _learn(self) -> None:
        """What the worker can do anew is filled in for known photos."""
        before = self._abilities.offer
        news = self._abilities.learn(self._dispatcher.abilities())
        self._agenda.renew(self._abilities.offer != before, news)
        if news:
            self._on_abilities()

    def _needs(self, hashes: Mapping[int, bytes]) -> dict[int, Wants]:
        """What each item still wants."""
        self._learn()
        if self._commits.holds(hashes.values()):
            self._commits.settle()
        return {number: self._agenda.wants(sha256) for number, sha256 in hashes.items()}

    def _committed(self, results: Results, added: Sequence[Photo]) -> None:
        self.course.done(results)
        if self._agenda.order is not None:
            self._agenda.order.committed(sum(bool(analysis.scores) for _, analysis in results))
        self._on_commit(results, added)


def _items(rows: Sequence[FileRow], roots: Mapping[str, bytes]) -> list[WorkItem]:
    """What a worker is told of the rows that can be read now, each with its place among them as its number."""
    return [
        WorkItem(id=number, root=roots[row.root], path=row.path, stamp=row.stamp)
        for number, row in enumerate(rows)
        if row.root in roots and row.stamp is not None
    ]
