"""The core's side of a clustering: start the analyst, listen, and end it when it must end.

Nothing here imports hdbscan, scikit-learn or scipy.
"""

import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO

import msgspec
import structlog

from pixsortd.errors import GroupingCancelled, GroupingFailed
from pixsortd.grouping.frames import Unframer
from pixsortd.grouping.request import Failure, Progress, Reply, Request

log = structlog.get_logger()

_LOOK = 0.2
"""Seconds between two looks at whether the run was cancelled."""

_READ = 1 << 16
_TAIL = 2000
_ANALYST = (sys.executable, "-P", "-m", "pixsortd.grouping.analyst")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")


def recluster(request: Request, on_progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> Reply:
    """Cluster in a niced process of its own and wait for the answer.

    ``on_progress`` gets (done, total, what comes now). Raises ``GroupingCancelled`` soon after
    ``cancelled`` says so, and ``GroupingFailed`` when the deadline has passed or the analyst could
    not answer; the process is gone in every case.
    """
    threads = dict.fromkeys(_THREADS, str(max(1, request.threads)))  # before numpy is imported there
    with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as stderr:
        question.write(msgspec.msgpack.encode(request))
        question.seek(0)
        started = time.monotonic()
        with subprocess.Popen(
            _ANALYST,
            stdin=question,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, **threads},
            start_new_session=True,  # a Ctrl-C is the core's to answer
        ) as analyst:
            try:
                reply = _listen(analyst, request.deadline, on_progress, cancelled)
            except GroupingFailed as error:
                raise _with_tail(error, stderr) from None
            finally:
                analyst.kill()
    log.info("clustering done", photos=len(request.contents), seconds=round(time.monotonic() - started, 1))
    return reply


def _listen(
    analyst: "subprocess.Popen[bytes]",
    deadline: float,
    on_progress: Callable[[int, int, str], None],
    cancelled: Callable[[], bool],
) -> Reply:
    assert analyst.stdout is not None
    end = time.monotonic() + deadline if deadline else float("inf")
    unframer = Unframer()
    with selectors.DefaultSelector() as selector:
        selector.register(analyst.stdout, selectors.EVENT_READ)
        while True:
            if cancelled():
                raise GroupingCancelled("the clustering was cancelled")
            if time.monotonic() > end:
                raise GroupingFailed(
                    f"grouping took longer than its deadline of {deadline:g} s",
                    next_step="Raise cluster.deadline; the groups are as they were.",
                )
            if not selector.select(_LOOK):
                continue
            data = os.read(analyst.stdout.fileno(), _READ)
            if not data:
                raise GroupingFailed(f"the analyst process ended ({_ending(analyst.wait())})")
            for message in _messages(unframer, data):
                match message:
                    case Progress(done=done, total=total, what=what):
                        on_progress(done, total, what)
                    case Reply():
                        return message
                    case Failure(reason=reason):
                        raise GroupingFailed(reason.message, next_step=reason.next_step)


def _messages(unframer: Unframer, data: bytes) -> list[Progress | Reply | Failure]:
    try:
        return list(unframer.feed(data))
    except msgspec.MsgspecError as error:
        raise GroupingFailed(f"the analyst process answered nonsense: {error}") from error


def _ending(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status}"


def _with_tail(error: GroupingFailed, stderr: IO[bytes]) -> GroupingFailed:
    """The error with the last of what the analyst said."""
    stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, stderr.tell() - _TAIL))
    tail = stderr.read().decode(errors="replace").strip()
    log.warning("clustering failed", error=error.message, stderr=tail)
    message = f"{error.message}\n{tail}" if tail else error.message
    return GroupingFailed(message, next_step=error.next_step or "The groups are as they were; see the log.")
