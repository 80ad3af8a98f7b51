"""Who analyses what, and what happens when a worker dies.

A batch goes to one worker. When that dies, the files not answered yet are tried once more, each
alone; the one that takes its worker down again is what was wrong, and is never run a third time.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from pixsortd.config import WorkerSettings
from pixsortd.records import Ability, Analysis, Fingerprint, Reason, Wants, WorkItem
from pixsortd.workers.local import Stopped, WorkerDied
from pixsortd.workers.protocol import Crashed, Outcome

__all__ = ["Crashed", "Dispatcher", "Needs", "Outcome", "Worker"]

log = structlog.get_logger()

Needs = Callable[[Mapping[int, bytes]], Mapping[int, Wants]]
"""Asked once a batch with the SHA-256 of each item: what is still wanted of it?"""


class Worker(Protocol):
    """A process that analyses, here or elsewhere; one object for one process's life."""

    abilities: tuple[Ability, ...]
    idle_since: float | None

    @property
    def pid(self) -> int | None:
        """The process's id, once started."""

    @property
    def alive(self) -> bool:
        """Whether the process runs."""

    def start(self) -> None:
        """Start it; raises ``WorkerFailed``."""

    def survey(self) -> None:
        """Try again to load what could not be loaded."""

    def fingerprint(self, items: Sequence[WorkItem]) -> Iterator[Fingerprint]:
        """Read and name files; raises ``WorkerDied`` or ``Stopped``."""

    def analyze(self, wants: Mapping[int, Wants], ahead: Sequence[WorkItem]) -> Iterator[Analysis]:
        """What is wanted of the files fingerprinted last, while ``ahead`` may be read; raises as ``fingerprint``."""

    def rss(self) -> int:
        """Bytes of memory in use."""

    def stop(self) -> None:
        """End it at once."""


class Dispatcher:
    """Gives batches to a worker that is started on demand. One batch at a time; ``stop`` from any thread."""

    def __init__(self, worker_factory: Callable[[], Worker], settings: WorkerSettings) -> None:
        self._factory = worker_factory
        self._settings = settings
        self._using = threading.Lock()
        self._worker: Worker | None = None
        self._abilities: tuple[Ability, ...] = ()
        self._stopping = threading.Event()
        self._outdated = threading.Event()
        self.started = 0
        """Processes started so far."""
        self.died = 0
        """Processes that crashed or hung so far."""

    def abilities(self) -> tuple[Ability, ...]:
        """What the worker said last that it can do; empty before the first one has started."""
        worker = self._worker
        return worker.abilities if worker is not None and worker.abilities else self._abilities

    @property
    def running(self) -> bool:
        """Whether a worker process runs now."""
        worker = self._worker
        return worker is not None and worker.alive

    @property
    def pid(self) -> int | None:
        """Id of the running worker; None without one."""
        worker = self._worker
        return worker.pid if worker is not None and worker.alive else None

    def rss(self) -> int:
        """Bytes of memory of the running worker; 0 without one."""
        worker = self._worker
        return worker.rss() if worker is not None else 0

    def run(self, items: Sequence[WorkItem], needs: Needs, ahead: Sequence[WorkItem] = ()) -> Iterator[Outcome]:
        """The outcome of every item, as they come; fewer only after ``stop``.

        ``ahead`` names files of the run that probably follows, whatever their ids: the worker may read
        them meanwhile, which changes no outcome. Raises ``WorkerFailed`` when no worker can be started;
        what was not answered may be run again.
        """
        with self._using:
            try:
                yield from _Run(self._ready, self._lost, items, needs, ahead).outcomes()
            except Stopped:
                return

    def survey(self) -> tuple[Ability, ...]:
        """Load again what could not be loaded, between two batches; starts a worker if none runs."""
        with self._using:
            try:
                fresh = not self.running
                worker = self._ready()
                if not fresh:
                    worker.survey()
            except WorkerDied as died:
                self._lost(died)
            except Stopped:
                pass
            return self.abilities()

    def end_if_idle(self, idle: float) -> float | None:
        """End the worker if it has been idle that long; else the seconds until then. None: none runs."""
        if not self._using.acquire(blocking=False):
            return idle
        try:
            worker = self._worker
            if worker is None or not worker.alive:
                return None
            since = worker.idle_since
            left = idle - (time.monotonic() - since) if since is not None else idle
            if left > 0:
                return left
            log.info("worker ends, it has been idle")
            self._drop()
            return None
        finally:
            self._using.release()

    def restart(self) -> None:
        """Let the next batch begin in a fresh worker, with the settings of then."""
        self._outdated.set()

    def stop(self) -> None:
        """End the worker at once and start no other; a run in another thread ends without an error."""
        self._stopping.set()
        worker = self._worker
        if worker is not None:
            worker.stop()

    def _ready(self) -> Worker:
        """A running worker."""
        if self._stopping.is_set():
            raise Stopped
        worker = self._worker
        if worker is not None and worker.alive and not self._outdated.is_set():
            return worker
        self._drop()
        self._outdated.clear()
        worker = self._worker = self._factory()
        if self._stopping.is_set():
            worker.stop()
        self.started += 1
        try:
            worker.start()
        except BaseException:
            self._drop()
            raise
        self._abilities = worker.abilities
        return worker

    def _lost(self, died: WorkerDied) -> None:
        self.died += 1
        log.warning("worker lost", reason=died.cause.message)
        self._drop()

    def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._abilities = worker.abilities or self._abilities
            worker.stop()


class _Run:
    """One batch until every item has its outcome."""

    def __init__(
        self,
        ready: Callable[[], Worker],
        lost: Callable[[WorkerDied], None],
        items: Sequence[WorkItem],
        needs: Needs,
        ahead: Sequence[WorkItem],
    ) -> None:
        self._ready = ready
        self._lost = lost
        self._open = {item.id: item for item in items}
        self._needs = needs
        self._ahead = ahead
        self._hashes: dict[int, bytes] = {}
        self._known: dict[bytes, Analysis | Crashed] = {}
        """What became of each content, so that its copies are not run (and cannot kill) again."""

    def outcomes(self) -> Iterator[Outcome]:
        suspects: tuple[int, ...] = ()
        try:
            yield from self._attempt(list(self._open.values()), self._ahead)
        except WorkerDied as died:
            self._lost(died)
            suspects = died.ids
        # Those it was not on when it died come first: they are most likely fine.
        for item in sorted(self._open.values(), key=lambda item: item.id in suspects):
            if item.id not in self._open:
                continue
            try:
                yield from self._attempt([item])
            except WorkerDied as died:
                self._lost(died)
                yield from self._settle(_crashed(item.id, died.cause, self._hashes.get(item.id)))

    def _attempt(self, items: Sequence[WorkItem], ahead: Sequence[WorkItem] = ()) -> Iterator[Outcome]:
        """Every outcome one worker gives of these items."""
        items = [item for item in items if not self._is_copy_of_known(item.id)]
        if not items:
            yield from self._copies()
            return
        worker = self._ready()
        for fingerprint in worker.fingerprint(items):
            if fingerprint.sha256 is None:
                del self._open[fingerprint.id]
                yield fingerprint
            else:
                self._hashes[fingerprint.id] = fingerprint.sha256
        yield from self._copies()
        # Of equal contents only the first is analysed; the others share what becomes of it.
        firsts: dict[bytes, int] = {}
        for item in items:
            if item.id in self._open and item.id in self._hashes:
                firsts.setdefault(self._hashes[item.id], item.id)
        wishes = self._needs({number: sha256 for sha256, number in firsts.items()})
        for sha256, number in firsts.items():
            if not wishes.get(number):
                yield from self._settle(Analysis(id=number, sha256=sha256))
        # An empty order is given too: it makes the worker forget the bytes.
        for analysis in worker.analyze({number: wish for number, wish in wishes.items() if wish}, ahead):
            yield from self._settle(analysis)
        if any(item.id in self._open for item in items):
            raise WorkerDied(
                Reason(code="no-answer", message="the analysis process gave no answer", next_step="Retry the file."), ()
            )

    def _settle(self, outcome: Analysis | Crashed) -> Iterator[Outcome]:
        """The outcome, and the same for every copy that waits."""
        del self._open[outcome.id]
        yield outcome
        if outcome.sha256 is not None:
            self._known[outcome.sha256] = outcome
            yield from self._copies()

    def _copies(self) -> Iterator[Outcome]:
        for number in [number for number in self._open if self._is_copy_of_known(number)]:
            del self._open[number]
            yield _same(self._known[self._hashes[number]], number)

    def _is_copy_of_known(self, number: int) -> bool:
        return self._hashes.get(number) in self._known


def _same(outcome: Analysis | Crashed, number: int) -> Outcome:
    """What became of a content, told of another file that holds it."""
    if isinstance(outcome, Crashed):
        return msgspec.structs.replace(outcome, id=number)
    return Analysis(id=number, sha256=outcome.sha256, failure=outcome.failure)


def _crashed(number: int, cause: Reason, sha256: bytes | None) -> Crashed:
    return Crashed(
        id=number,
        reason=msgspec.structs.replace(cause, message=f"{cause.message}, twice while this file was analysed"),
        attempts=2,
        sha256=sha256,
    )
