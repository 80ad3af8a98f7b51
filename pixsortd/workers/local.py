"""A worker as a spawned process of this machine: one object for one process's life."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import structlog

from pixsortd.config import Settings
from pixsortd.errors import WorkerFailed
from pixsortd.records import Ability, Analysis, Fingerprint, Reason, Wants, WorkItem
from pixsortd.workers.channel import Channel, ChannelBroken
from pixsortd.workers.flight import Flight, Overdue
from pixsortd.workers.protocol import (
    Abilities,
    Analysed,
    Batch,
    Busy,
    Done,
    Hello,
    Named,
    Order,
    Reply,
    Request,
    Survey,
    decode_reply,
    encode,
)
from pixsortd.workers.stderr import forward_lines

log = structlog.get_logger()

COMMAND = (sys.executable, "-P", "-m", "pixsortd.daemon.worker")
"""``-P``: the current directory may be full of photos, but never of modules."""
_TAIL = 30
"""Lines of standard error kept to explain a death."""
_PATIENCE = 0.5
"""Seconds between asking a process to end and ending it."""


class WorkerDied(WorkerFailed):
    """The process ended, or was ended because it did not answer in time, while it had work."""

    def __init__(self, reason: Reason, ids: tuple[int, ...]) -> None:
        super().__init__(reason.message, next_step=reason.next_step)
        self.cause = reason
        self.ids = ids
        """The files it was on."""


class Stopped(Exception):
    """The worker was told to stop while somebody waited for its answer."""


class LocalWorker:
    """Starts the process on ``start``, speaks with it from one thread; ``stop`` is safe from any."""

    def __init__(
        self,
        settings: Settings,
        *,
        command: Sequence[str] = COMMAND,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``environment`` adds to the process's own."""
        self._settings = settings
        self._command = command
        self._environment = environment or {}
        self._threads = settings.worker.threads or len(os.sched_getaffinity(0))
        self._life = threading.Lock()
        self._stopping = False
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._arrived: queue.SimpleQueue[tuple[float, Reply] | None] = queue.SimpleQueue()
        self._flight = Flight(settings.worker.timeout, 0.0)
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._threads_of_life: tuple[threading.Thread, ...] = ()
        self.abilities: tuple[Ability, ...] = ()
        """What it said last that it can do."""
        self.idle_since: float | None = None
        """Monotonic time since which it has had nothing to do."""

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's id, once started."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and learn what it can do; raises ``WorkerFailed`` with what it said last."""
        try:
            self._spawn()
            self._ask_abilities(Hello(settings=self._settings, threads=self._threads))
        except OSError as error:
            raise WorkerFailed(f"the worker process cannot be started: {error}") from error
        except WorkerDied as died:
            raise WorkerFailed(
                f"the worker process cannot start: {died.message}{self._last_words()}",
                next_step="Read the lines above; `pixsortd doctor` looks for the usual causes.",
            ) from died

    def survey(self) -> None:
        """Have it try again to load what could not be loaded; ``abilities`` is what came of it."""
        self._ask_abilities(Survey())

    def fingerprint(self, items: Sequence[WorkItem]) -> Iterator[Fingerprint]:
        """Read and name each file. Raises ``WorkerDied`` or ``Stopped``; to be read to its end."""
        for reply in self._ask(Batch(items=tuple(items))):
            if isinstance(reply, Named):
                yield reply.fingerprint

    def analyze(self, wants: Mapping[int, Wants], ahead: Sequence[WorkItem] = ()) -> Iterator[Analysis]:
        """What is wanted of the files fingerprinted last; ``ahead`` probably comes next. Raises as ``fingerprint``."""
        for reply in self._ask(Order(wants=dict(wants), ahead=tuple(ahead))):
            if isinstance(reply, Analysed):
                yield reply.analysis

    def rss(self) -> int:
        """Bytes of memory in use; 0 when it does not run."""
        try:
            with open(f"/proc/{self.pid}/statm", "rb") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0

    def stop(self) -> None:
        """End the process, whatever it is doing, within about a second. It cannot be started again."""
        with self._life:
            self._stopping = True
        self._end()

    # --- the process -----------------------------------------------------------------------------

    def _spawn(self) -> None:
        spawned: queue.SimpleQueue[OSError | Stopped | None] = queue.SimpleQueue()
        keeper = threading.Thread(target=self._keep, args=(spawned,), name="worker-keeper", daemon=True)
        keeper.start()
        if (problem := spawned.get()) is not None:
            raise problem
        assert self._channel is not None
        receiver = threading.Thread(target=self._receive, args=(self._channel,), name="worker-replies", daemon=True)
        receiver.start()
        self._threads_of_life = (keeper, receiver)
        log.info("worker started", pid=self.pid)

    def _keep(self, spawned: "queue.SimpleQueue[OSError | Stopped | None]") -> None:
        """Start the process and stay until it ends: it is told to die with the thread that started it."""
        with self._life:
            if self._stopping:
                spawned.put(Stopped())
                return
            try:
                process = self._process = self._popen()
            except OSError as error:
                spawned.put(error)
                return
            assert process.stdin is not None
            assert process.stdout is not None
            self._channel = Channel(os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno()))
            process.stdin.close()
            process.stdout.close()
        spawned.put(None)
        assert process.stderr is not None
        with process.stderr:
            forward_lines(process.stderr, self._tail)
        process.wait()

    def _popen(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_surroundings(self._threads), **self._environment},
            # Ctrl-C in a terminal is for the core, which then ends its workers.
            process_group=0,
        )

    def _receive(self, channel: Channel) -> None:
        """Its own thread, so that a slow consumer never makes the worker look slow.

        What it gathers is bounded by what was asked for: a worker speaks when asked only, of one batch at a time.
        """
        try:
            while (frame := channel.receive()) is not None:
                self._arrived.put((time.monotonic(), decode_reply(frame)))
        except (ChannelBroken, msgspec.DecodeError, OSError) as error:
            log.error("worker speaks nonsense", error=str(error))
        finally:
            self._arrived.put(None)

    def _end(self) -> int:
        """End the process if it still runs and tidy up; returns its exit status."""
        process, channel = self._process, self._channel
        if process is None:
            return 0
        process.terminate()
        try:
            status = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        for thread in self._threads_of_life:
            thread.join(_PATIENCE)
        with self._life:
            if channel is not None:
                channel.close()
        return status

    # --- the conversation ------------------------------------------------------------------------

    def _ask(self, request: Request) -> Iterator[Reply]:
        self.idle_since = None
        complete = False
        try:
            self._send(request)
            while not isinstance(reply := self._next(), Done):
                yield reply
            complete = True
            self.idle_since = time.monotonic()
        finally:
            if not complete:  # answers to a question nobody asks any more would be taken for the next one's
                self._end()

    def _ask_abilities(self, request: Request) -> None:
        self.idle_since = None
        self._send(request)
        self._flight.busy("start", (), time.monotonic())
        while not isinstance(self._next(), Abilities):
            pass
        self.idle_since = time.monotonic()

    def _send(self, request: Request) -> None:
        assert self._channel is not None, "start first"
        self._flight = Flight(self._settings.worker.timeout, time.monotonic())
        try:
            self._channel.send(encode(request))
        except OSError:
            raise self._death() from None

    def _next(self) -> Reply:
        """The next message that is not bookkeeping; raises ``WorkerDied`` or ``Stopped``."""
        while True:
            try:
                arrived = self._arrived.get(timeout=max(0.0, self._flight.deadline - time.monotonic()))
            except queue.Empty:
                if overdue := self._flight.overdue(time.monotonic()):
                    raise self._too_slow(overdue) from None
                continue
            if arrived is None:
                raise self._death()
            at, reply = arrived
            if isinstance(reply, Busy):
                self._flight.busy(reply.stage, reply.ids, at)
                continue
            self._flight.heard(at)
            if isinstance(reply, Abilities):
                self.abilities = reply.abilities
            return reply

    def _death(self) -> Exception:
        ids = self._flight.ids
        status = self._end()
        if self._stopping:
            return Stopped()
        log.warning("worker died", status=status, files=len(ids), said=self._last_words())
        return WorkerDied(
            Reason(
                code="worker-crashed",
                message=f"the analysis process ended: {_status_text(status)}",
                next_step="The file is probably damaged, or a decoder has a fault; look at it in a viewer, then retry.",
            ),
            ids,
        )

    def _too_slow(self, overdue: Overdue) -> Exception:
        self._end()
        if self._stopping:
            return Stopped()
        log.warning("worker ended, it took too long", stage=overdue.stage, seconds=round(overdue.seconds))
        return WorkerDied(
            Reason(
                code="timeout",
                message=f"the stage {overdue.stage!r} took longer than {overdue.seconds:.0f} seconds",
                next_step="Raise timeout in [worker] if the machine is just slow; then retry the file.",
            ),
            overdue.ids,
        )

    def _last_words(self) -> str:
        return "".join(f"\n  {line}" for line in self._tail)


def _surroundings(threads: int) -> dict[str, str]:
    """What has to be set before the libraries are imported."""
    counts = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        **dict.fromkeys(counts, str(threads)),
        # NumPy multiplies in the decode threads, of which each has its core; helpers of its own only get in their way.
        "OPENBLAS_NUM_THREADS": "1",
        # Models are fetched by `pixsortd models pull` and by nothing else.
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # Activations of a few megabytes are kept for the next batch instead of being mapped and zeroed again each
        # time, which took up to a third of a small convolutional net's CPU time; glibc would adapt to at most 64 MB.
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _status_text(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}, probably the system was out of memory" if name == "SIGKILL" else name
