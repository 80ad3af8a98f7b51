"""The core's side of a clustering: start the analyst, listen, and end it when it must end.

Nothing here imports hdbscan, scikit-learn or scipy.
"""

import time
from collections.abc import Callable

import msgspec
import structlog

from pixsortd.analyst import Analyst, command, started
from pixsortd.errors import GroupingCancelled, GroupingFailed
from pixsortd.grouping.frames import Unframer
from pixsortd.grouping.packing import HASH
from pixsortd.grouping.request import Failure, Progress, Reply, Request

log = structlog.get_logger()

_ANALYST = command("pixsortd.grouping.analyst")


def recluster(request: Request, on_progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> Reply:
    """Cluster in a niced process of its own and wait for the answer.

    ``on_progress`` gets (done, total, what comes now). Raises ``GroupingCancelled`` soon after
    ``cancelled`` says so, and ``GroupingFailed`` when the deadline has passed or the analyst could
    not answer; the process is gone in every case.
    """
    began = time.monotonic()
    with started(_ANALYST, msgspec.msgpack.encode(request), request.threads) as analyst:
        try:
            reply = _listen(analyst, request.deadline, on_progress, cancelled)
        except GroupingFailed as error:
            raise _with_tail(error, analyst.tail()) from None
    log.info("clustering done", photos=len(request.contents) // HASH, seconds=round(time.monotonic() - began, 1))
    return reply


def _listen(
    analyst: Analyst,
    deadline: float,
    on_progress: Callable[[int, int, str], None],
    cancelled: Callable[[], bool],
) -> Reply:
    end = time.monotonic() + deadline if deadline else float("inf")
    unframer = Unframer()
    for data in analyst.pieces():
        if cancelled():
            raise GroupingCancelled("the clustering was cancelled")
        if time.monotonic() > end:
            raise GroupingFailed(
                f"grouping took longer than its deadline of {deadline:g} s",
                next_step="Raise cluster.deadline; the groups are as they were.",
            )
        for message in _messages(unframer, data):
            match message:
                case Progress(done=done, total=total, what=what):
                    on_progress(done, total, what)
                case Reply():
                    return message
                case Failure(reason=reason):
                    raise GroupingFailed(reason.message, next_step=reason.next_step)
    raise GroupingFailed(f"the analyst process ended ({analyst.ending()})")


def _messages(unframer: Unframer, data: bytes) -> list[Progress | Reply | Failure]:
    try:
        return list(unframer.feed(data))
    except msgspec.MsgspecError as error:
        raise GroupingFailed(f"the analyst process answered nonsense: {error}") from error


def _with_tail(error: GroupingFailed, tail: str) -> GroupingFailed:
    """The error with the last of what the analyst said."""
    log.warning("clustering failed", error=error.message, stderr=tail)
    message = f"{error.message}\n{tail}" if tail else error.message
    return GroupingFailed(message, next_step=error.next_step or "The groups are as they were; see the log.")
