"""The core's side of training a search: start the analyst, listen, and end it when it must end."""

import time
from collections.abc import Callable

import msgspec
import structlog

from pixsortd.analyst import Analyst, command, started
from pixsortd.errors import TrainingCancelled, TrainingFailed
from pixsortd.index.vectors.request import Lines, Trained, TrainFailure, TrainMessage, TrainProgress, TrainRequest

log = structlog.get_logger()

_ANALYST = command("pixsortd.index.vectors.analyst")
_STAYS = "Searches are answered as before, only slower; it is tried again when more photos have come."


def train(request: TrainRequest, on_progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> int:
    """Have the file made in a niced process of its own; how many vectors are in it.

    ``on_progress`` gets (done, total, what comes now). Raises ``TrainingCancelled`` soon after
    ``cancelled`` says so and ``TrainingFailed`` when there is no file; the process is gone in every case.
    """
    began = time.monotonic()
    with started(_ANALYST, msgspec.msgpack.encode(request), request.threads) as analyst:
        try:
            vectors = _listen(analyst, on_progress, cancelled)
        except TrainingFailed as error:
            tail = analyst.tail()
            log.warning("training failed", error=error.message, stderr=tail)
            raise
    log.info("search trained", vectors=vectors, seconds=round(time.monotonic() - began, 1))
    return vectors


def _listen(analyst: Analyst, on_progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> int:
    lines = Lines()
    for data in analyst.pieces():
        if cancelled():
            raise TrainingCancelled("the training was cancelled")
        for message in _messages(lines, data):
            match message:
                case TrainProgress(done=done, total=total, what=what):
                    on_progress(done, total, what)
                case Trained(vectors=vectors):
                    return vectors
                case TrainFailure(message=text):
                    raise TrainingFailed(text, next_step=_STAYS)
    raise TrainingFailed(f"the analyst process ended ({analyst.ending()})", next_step=_STAYS)


def _messages(lines: Lines, data: bytes) -> list[TrainMessage]:
    try:
        return list(lines.feed(data))
    except msgspec.MsgspecError as error:
        raise TrainingFailed(f"the analyst process answered nonsense: {error}", next_step=_STAYS) from error
