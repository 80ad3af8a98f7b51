"""The core's side of a clustering: start the analyst, follow it, end it when told or when it takes too long."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable

import msgspec
import structlog

from pixsortd.errors import WorkerFailed
from pixsortd.grouping.frames import Unframer
from pixsortd.grouping.request import Failure, Message, Progress, Reply, Request

log = structlog.get_logger()

COMMAND = (sys.executable, "-P", "-m", "pixsortd.grouping.analyst")
"""``-P``: the current directory may be full of photos, but never of modules."""

_LOOK = 0.2
"""Seconds between two looks at whether the run was cancelled."""

_TAIL = 2000
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class ClusteringCancelled(Exception):
    """The run was ended because somebody asked for it."""


def recluster(
    request: Request,
    on_progress: Callable[[int, int, str], None],
    cancelled: Callable[[], bool],
    command: tuple[str, ...] = COMMAND,
) -> Reply:
    """Run one clustering in a process of its own.

    Raises ``WorkerFailed`` when it fails, ends without an answer or passes its deadline, and
    ``ClusteringCancelled`` soon after ``cancelled()`` is true. The process never outlives the call.
    """
    environ = {**os.environ, **dict.fromkeys(_THREADS, str(request.threads))}
    try:
        process = subprocess.Popen(
            [*command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
        )
    except OSError as error:
        raise WorkerFailed(f"the analyst process cannot be started: {error}") from error
    try:
        return _Conversation(process, request, on_progress, cancelled).reply()
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


class _Conversation:
    """One request to one process, all three pipes served at once so that none can fill up."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        request: Request,
        on_progress: Callable[[int, int, str], None],
        cancelled: Callable[[], bool],
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._to_send = memoryview(msgspec.msgpack.encode(request))
        self._deadline = time.monotonic() + request.deadline if request.deadline else None
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._unframer = Unframer()
        self._tail = b""

    def reply(self) -> Reply:
        """The answer; see :func:`recluster`."""
        with selectors.DefaultSelector() as selector:
            for pipe, event in (
                (self._stdin, selectors.EVENT_WRITE),
                (self._stdout, selectors.EVENT_READ),
                (self._stderr, selectors.EVENT_READ),
            ):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, event)
            while selector.get_map():
                for key, _ in selector.select(_LOOK):
                    if key.fileobj is self._stdin:
                        self._send(selector)
                    elif key.fileobj is self._stdout:
                        reply = self._receive(selector)
                        if reply is not None:
                            return reply
                    else:
                        self._listen(selector)
                if self._cancelled():
                    raise ClusteringCancelled
                if self._deadline is not None and time.monotonic() > self._deadline:
                    raise WorkerFailed(
                        "the clustering took longer than its deadline and was ended; the groups stay as they are",
                        next_step="Raise cluster.deadline, or lower cluster.dimensions.",
                    )
        status = self._process.wait()
        said = self._tail.decode(errors="replace").strip()
        raise WorkerFailed(
            f"the analyst process ended with status {status} and no answer{': ' + said if said else ''}",
            next_step="The groups stay as they are; look at the log.",
        )

    def _send(self, selector: selectors.BaseSelector) -> None:
        try:
            sent = os.write(self._stdin.fileno(), self._to_send[: 1 << 16])
        except BlockingIOError:
            return
        except BrokenPipeError:
            sent = len(self._to_send)
        self._to_send = self._to_send[sent:]
        if not self._to_send:
            selector.unregister(self._stdin)
            self._stdin.close()

    def _receive(self, selector: selectors.BaseSelector) -> Reply | None:
        data = os.read(self._stdout.fileno(), 1 << 16)
        if not data:
            selector.unregister(self._stdout)
            return None
        for message in self._unframer.feed(data):
            reply = self._take(message)
            if reply is not None:
                return reply
        return None

    def _take(self, message: Message) -> Reply | None:
        if isinstance(message, Progress):
            self._on_progress(message.done, message.total, message.what)
            return None
        if isinstance(message, Failure):
            raise WorkerFailed(message.reason.message, next_step=message.reason.next_step)
        return message

    def _listen(self, selector: selectors.BaseSelector) -> None:
        data = os.read(self._stderr.fileno(), 1 << 16)
        if not data:
            selector.unregister(self._stderr)
        self._tail = (self._tail + data)[-_TAIL:]
