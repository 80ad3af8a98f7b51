"""The line from a settled file to a committed photo: take a batch, have it analysed, commit, say so."""

import threading
import time
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from pixsortd.api.ports import StageName
from pixsortd.config import Settings
from pixsortd.daemon.pipeline.orders import Order, Orders
from pixsortd.daemon.pipeline.rates import Rate
from pixsortd.daemon.pipeline.wants import configured_spaces, offer, readable, wants
from pixsortd.errors import IndexFull, WorkerFailed
from pixsortd.records import Ability, AbilityState, Analysis, FileRow, Fingerprint, Photo, Reason, Wants, WorkItem
from pixsortd.workers.dispatch import Crashed, Dispatcher

log = structlog.get_logger()

COMMIT_FILES = 64
COMMIT_SECONDS = 1.0
"""A commit waits for this many results or this long, whichever comes first: each one costs an fsync."""

PATIENCE = (1.0, 5.0, 15.0, 60.0)
"""Seconds between tries while the disk is full or no worker can be started."""


class Counts(Protocol):
    """The one figure of the index that matters here."""

    @property
    def photos(self) -> int: ...


class Queue(Protocol):
    """What the line needs of the index."""

    def next_batch(self, files: int, size: int, roots: Collection[str]) -> list[FileRow]: ...
    def lacking(
        self, space_keys: Collection[bytes], metrics: Collection[str], limit: int, roots: Collection[str]
    ) -> list[FileRow]: ...
    def sweep_again(self) -> None: ...
    def locations(self, sha256: bytes) -> list[FileRow]: ...
    def lacking_count(self, space_keys: Collection[bytes], metrics: Collection[str]) -> int: ...
    def analysis_of(self, sha256: bytes) -> tuple[bool, frozenset[bytes], frozenset[str]]: ...
    def commit(self, results: Sequence[tuple[FileRow, Analysis]]) -> list[Photo]: ...
    def fail(self, row: FileRow, reason: Reason, sha256: bytes | None, attempts: int) -> None: ...
    def unsettle(self, row: FileRow) -> None: ...
    def save_ability(self, ability: Ability) -> None: ...
    def abilities(self) -> list[Ability]: ...
    def counts(self) -> Counts: ...


class Ingest(threading.Thread):
    """The thread that feeds the worker and commits what it answers.

    Nothing is held that the index does not hold: the queue is the index's pending rows, so that a
    kill at any moment costs no more than the batch in flight.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        queue: Queue,
        dispatcher: Dispatcher,
        *,
        holds: Container[StageName],
        root_paths: Callable[[], Mapping[str, bytes]],
        on_commit: Callable[[Sequence[tuple[FileRow, Analysis]], Sequence[Photo]], None],
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

        While ``holds`` has the analysis, nothing is sent to the worker; while it has the scoring, new
        photos are taken in without scores and known ones are not completed.
        """
        super().__init__(name="ingest", daemon=True)
        self._settings = settings
        self._queue = queue
        self._dispatcher = dispatcher
        self._holds = holds
        self._root_paths = root_paths
        self._on_commit, self._on_trouble, self._on_idle = on_commit, on_trouble, on_idle
        self._on_stall = on_stall
        self._on_abilities = on_abilities
        self._beat, self._beat_every = beat, beat_every
        self._wake = threading.Event()
        self._stopping = False
        self._backfill = True
        self._scoring = True
        self._unscored = False
        self._counted = False
        """Whether ``backfill`` has been counted since the scoring is held."""
        self._arrivals = False
        self._survey = False
        self._known = {
            (ability.kind, ability.name): msgspec.structs.replace(ability, at=0.0) for ability in queue.abilities()
        }
        self._offer = offer(settings(), self._known.values())
        self._offered = 0
        self._orders = Orders()
        self._order: Order | None = None
        """The order that the batch in work belongs to."""
        self._ordered_first = False
        self.lane = StageName.ANALYZE
        """What the batch in work is for: new files, or the completion of known photos."""
        self.backfill = 0
        """Known photos that lack a space, a metric or their thumbnail, while they are being completed or held."""
        self.analyzed = Rate()
        """Files that were new."""
        self.completed = Rate()
        """Photos that were known."""
        self.in_flight = 0
        self.trouble: Reason | None = None
        """Why the line stands still, while it does: disk full, no worker to be had."""

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def refill(self) -> None:
        """What the worker can do may have changed: look for known photos that lack something."""
        self._backfill = True
        self._wake.set()

    def order(self, order: Order) -> None:
        """Score these photos next, in turn with files that wait."""
        self._orders.add(order)
        self._wake.set()

    def withdraw(self, order: Order) -> None:
        """Nobody waits for it any more."""
        self._orders.withdraw(order)

    @property
    def ordered(self) -> int:
        """Photos that somebody waits for and that were not sent to the worker yet."""
        return self._orders.depth

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
        failures = 0
        self._survey = self._anything_unknown() and self._queue.counts().photos > 0
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
                self._give_up_order()
                self._sleep(wait)
                continue
            failures, self.trouble = 0, None
            if not busy:
                self._sleep(self._dispatcher.end_if_idle(self._settings().worker.idle))

    def _step(self) -> bool:
        """Do one batch of what is most worth doing; False when there is nothing to do."""
        if StageName.ANALYZE in self._holds:
            return False
        if self._survey:
            self._survey = False
            self._dispatcher.survey()
            self._learn()
        rows = self._next_rows()
        if rows:
            self._process(rows)
            if self._order is not None:
                self._order.processed(len(rows))
                self._order = None
        return bool(rows)

    def _give_up_order(self) -> None:
        """Whoever waits for scores is told that they cannot be had now, rather than kept waiting."""
        order, self._order = self._order, None
        if order is not None:
            self._orders.remove(order)
            order.give_up(self.trouble)

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

    def _next_rows(self) -> list[FileRow]:
        """What is most worth doing: orders and files that wait, in turn; then photos that lack something."""
        roots = self._root_paths().keys()
        self._ordered_first = not self._ordered_first
        both = (self._ordered_rows, self._waiting_rows)
        for rows_of in both if self._ordered_first else reversed(both):
            if rows := rows_of(roots):
                return rows
        return self._lacking_rows(roots)

    def _ordered_rows(self, roots: Collection[str]) -> list[FileRow]:
        """Photos whose scores somebody waits for."""
        if StageName.SCORE in self._holds:
            return []
        while (taken := self._orders.take(self._settings().worker.batch_files)) is not None:
            order, contents = taken
            if self._cannot_help(order):
                self._orders.remove(order)
                order.give_up()
                continue
            found = (readable(self._queue.locations(sha256), roots) for sha256 in contents)
            rows = [row for row in found if row is not None]
            if len(rows) < len(contents):
                order.out_of_reach(len(contents) - len(rows))
            if rows:
                self.lane, self._order = StageName.SCORE, order
                return rows
        return []

    def _cannot_help(self, order: Order) -> bool:
        """Whether every metric of the order is known to be unavailable."""
        return all(("metric", name) in self._known and name not in self._offer.metrics for name in order.metrics)

    def _waiting_rows(self, roots: Collection[str]) -> list[FileRow]:
        """Settled files, best first."""
        worker = self._settings().worker
        rows = self._queue.next_batch(worker.batch_files, worker.batch_bytes, roots)
        if rows:
            self.lane = StageName.ANALYZE
            # Scores cost many times what all the rest does: a backlog is made visible first and scored after.
            self._scoring = len(rows) < worker.batch_files and StageName.SCORE not in self._holds
            self._arrivals = True
        return rows

    def _lacking_rows(self, roots: Collection[str]) -> list[FileRow]:
        """Known photos that lack a space, a metric or their thumbnail."""
        if self._arrivals:
            self._arrivals = False
            self._on_idle()
        if self._unscored:
            self._unscored = False
            self._backfill = True
            self._queue.sweep_again()
        if not self._backfill:
            return []
        keys = [space.key for space in self._offer.spaces]
        if StageName.SCORE in self._holds:
            if not self._counted:
                self._counted = True
                self.backfill = self._queue.lacking_count(keys, self._offer.metrics)
            return []
        self._counted, self._scoring, self.lane = False, True, StageName.SCORE
        rows = self._queue.lacking(keys, self._offer.metrics, self._settings().worker.batch_files, roots)
        self._backfill = bool(rows)
        if rows and not self.backfill:
            self.backfill = self._queue.lacking_count(keys, self._offer.metrics)
        else:
            self.backfill = max(len(rows), self.backfill - self._offered) if rows else 0
        self._offered = len(rows)
        return rows

    def _process(self, rows: Sequence[FileRow]) -> None:
        paths = self._root_paths()
        batch = {number: row for number, row in enumerate(rows) if row.root in paths and row.stamp is not None}
        items = [
            WorkItem(id=number, root=paths[row.root], path=row.path, stamp=row.stamp)
            for number, row in batch.items()
            if row.stamp is not None
        ]
        self.in_flight = len(items)
        ready: list[tuple[FileRow, Analysis]] = []
        last = time.monotonic()
        try:
            for outcome in self._dispatcher.run(items, self._needs):
                self._beat()
                row = batch[outcome.id]
                if isinstance(outcome, Analysis):
                    ready.append((row, outcome))
                else:
                    self._set_aside(row, outcome)
                    self.in_flight -= 1
                if len(ready) >= COMMIT_FILES or time.monotonic() - last > COMMIT_SECONDS:
                    self._commit(ready)
                    last = time.monotonic()
        finally:
            self._commit(ready)
            self.in_flight = 0

    def _anything_unknown(self) -> bool:
        """Whether the settings name a model or metric that no worker has tried yet."""
        settings = self._settings()
        wanted = [("space", name) for name in configured_spaces(settings)]
        wanted += [("metric", name) for name in settings.score.metrics]
        return any(name not in self._known for name in wanted)

    def _learn(self) -> None:
        """Keep what the worker said it can do; what it can do anew is filled in for known photos."""
        news = [
            ability
            for ability in self._dispatcher.abilities()
            if self._known.get((ability.kind, ability.name)) != msgspec.structs.replace(ability, at=0.0)
        ]
        for ability in news:
            self._queue.save_ability(ability)
            self._known[ability.kind, ability.name] = msgspec.structs.replace(ability, at=0.0)
            if ability.state is AbilityState.UNAVAILABLE and ability.reason is not None:
                reason = ability.reason
                log.warning(
                    f"{ability.kind} unavailable", name=ability.name, reason=reason.message, next_step=reason.next_step
                )
        before, self._offer = self._offer, offer(self._settings(), self._known.values())
        if self._offer != before or news:
            self._backfill, self._counted = True, False
        if news:
            # The same metric in another version makes every score of the former one a missing one.
            self._queue.sweep_again()
            self._on_abilities()

    def _needs(self, hashes: Mapping[int, bytes]) -> dict[int, Wants]:
        """What each item still wants."""
        self._learn()
        answer: dict[int, Wants] = {}
        for number, sha256 in hashes.items():
            photo, spaces, metrics = self._queue.analysis_of(sha256)
            wanted = wants(self._offer, photo, spaces, metrics)
            if self._order is not None and sha256 in self._order:
                ordered = self._order.wants(self._offer.metrics, metrics)
                wanted = msgspec.structs.replace(wanted, metrics=ordered)
            elif wanted.metrics and not self._scoring:
                self._unscored = True
                self.backfill += self._counted
                wanted = msgspec.structs.replace(wanted, metrics=())
            answer[number] = wanted
        return answer

    def _set_aside(self, row: FileRow, outcome: Fingerprint | Crashed) -> None:
        if isinstance(outcome, Crashed):
            self._queue.fail(row, outcome.reason, outcome.sha256, outcome.attempts)
            log.warning("file quarantined", path=row.path, reason=outcome.reason.message, attempts=outcome.attempts)
            self._on_trouble(row, outcome.reason)
        elif outcome.changed:
            self._queue.unsettle(row)
            self._on_trouble(row, None)
        elif outcome.failure is not None:
            self._queue.fail(row, outcome.failure, outcome.sha256, row.attempts)
            self._on_trouble(row, outcome.failure)

    def _commit(self, ready: list[tuple[FileRow, Analysis]]) -> None:
        if not ready:
            return
        results = list(ready)
        ready.clear()
        self.in_flight -= len(results)
        added = self._queue.commit(results)
        (self.analyzed if self.lane is StageName.ANALYZE else self.completed).add(len(results))
        if self._order is not None:
            self._order.committed(sum(bool(analysis.scores) for _, analysis in results))
        for row, analysis in results:
            if analysis.failure is not None:
                log.warning("file quarantined", path=row.path, reason=analysis.failure.message)
                self._on_trouble(row, analysis.failure)
        self._on_commit(results, added)
