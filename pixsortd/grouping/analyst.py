"""``python -m pixsortd.grouping.analyst``: one clustering in a process of its own.

Reads one request (msgpack) from standard input, writes frames to standard output: progress, then a
reply or, with exit status 1, a failure in words. Whatever a library prints goes to standard error.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from pixsortd.analyst import own_output
from pixsortd.grouping.frames import frame
from pixsortd.grouping.packing import HASH
from pixsortd.grouping.request import Failure, Message, Progress, Reply, Request
from pixsortd.records import Reason


def main() -> int:
    """Answer the request on standard input; the exit status says whether it could be done."""
    out = own_output()
    return serve(sys.stdin.buffer, out)


def serve(source: BinaryIO, sink: BinaryIO) -> int:
    """Answer one request; 0 when a reply was written, 1 when a failure was."""

    def say(message: Message) -> None:
        sink.write(frame(message))
        sink.flush()

    try:
        request = msgspec.msgpack.decode(source.read(), type=Request)
        os.nice(request.niceness)
        say(answer(request, lambda done, total, what: say(Progress(done=done, total=total, what=what))))
    except MemoryError:
        say(Failure(reason=Reason(code="memory", message="there is not enough memory to group this many photos")))
    except Exception as error:  # noqa: BLE001 - the parent must hear of whatever numpy or hdbscan raise
        import traceback

        traceback.print_exc()
        say(Failure(reason=Reason(code="grouping-failed", message=f"{type(error).__name__}: {error}")))
    else:
        return 0
    return 1


def answer(request: Request, on_progress: Callable[[int, int, str], None]) -> Reply:
    """Do the whole run. Raises ``OSError`` or ``ValueError`` for vectors that cannot be used."""
    on_progress(0, 4, "reading the vectors")
    # Here, so that a broken request is answered before seconds of imports.
    from pixsortd.grouping import steps

    started = time.perf_counter()
    seconds: dict[str, float] = {}

    def done(phase: str) -> None:
        nonlocal started
        seconds[phase] = time.perf_counter() - started
        started = time.perf_counter()

    rows = steps.read(request)
    done("read")
    taught = steps.taught(rows, request)
    done("learn")
    on_progress(1, 4, "looking for groups")
    clusters = steps.cluster_rows(steps.seen(rows, taught), request)
    done("cluster")
    on_progress(2, 4, "matching them to the earlier groups")
    assignment = steps.matched(rows, clusters, request)
    done("match")
    on_progress(3, 4, "describing them")
    groups = steps.described(rows, clusters, assignment.ids)
    done("describe")
    if request.kept:
        steps.keep(rows, clusters, request, time.time())
        done("keep")
    return Reply(
        groups=groups,
        dormant=assignment.dormant,
        ended=assignment.ended,
        ungrouped=len(request.contents) // HASH - sum(group.size for group in groups),
        unusable=len(request.contents) // HASH - len(rows.contents),
        method=steps.method(request, taught, clusters.proved),
        learning=taught.learning,
        seconds=seconds,
    )


if __name__ == "__main__":
    sys.exit(main())
