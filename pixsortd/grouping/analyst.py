"""The analyst process: ``python -m pixsortd.grouping.analyst PARENT``, one clustering and out.

A msgpack ``Request`` comes in on standard input up to its end; framed messages go out on standard
output. It never touches the index: the vectors lie in a file that the core made for this run.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from pixsortd.grouping.cluster import Clusters, cluster
from pixsortd.grouping.describe import describe
from pixsortd.grouping.frames import frame
from pixsortd.grouping.identity import match
from pixsortd.grouping.reduce import Array
from pixsortd.grouping.request import Failure, FoundGroup, Message, Progress, Reply, Request
from pixsortd.records import Membership, Reason

PHASES = ("reading", "clustering", "describing", "matching")
_PR_SET_PDEATHSIG = 1


def analyse(request: Request, say: Callable[[Progress], None]) -> Reply:
    """Cluster, describe and match. The same photos in any order give the same reply but for its times."""
    seconds: dict[str, float] = {}
    began = time.perf_counter()

    def phase(number: int) -> None:
        nonlocal began
        now = time.perf_counter()
        if number:
            seconds[PHASES[number - 1]] = round(now - began, 3)
        began = now
        if number < len(PHASES):
            say(Progress(done=number, total=len(PHASES), what=PHASES[number]))

    phase(0)
    # Ties fall by the order of rows, so that order must not be the one of arrival.
    order = sorted(range(len(request.contents)), key=request.contents.__getitem__)
    vectors = np.load(request.vectors, mmap_mode="r")[order] if order else np.empty((0, 1), np.float16)
    usable = np.flatnonzero(np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1))
    contents = [request.contents[order[row]] for row in usable]
    vectors = vectors[usable]
    phase(1)
    found = cluster(vectors, request.min_cluster_size, request.min_samples, request.dimensions)
    phase(2)
    described = [_describe(label, found, vectors, contents) for label in range(len(found.cohesions))]
    phase(3)
    assigned = match(request.previous, [group.members.keys() for group in described], request.named)
    groups = tuple(_named(group, name) for group, name in zip(described, assigned.ids, strict=True))
    phase(4)
    grouped = sum(len(group.members) for group in groups)
    return Reply(
        groups=groups,
        dormant=assigned.dormant,
        ended=assigned.ended,
        ungrouped=len(request.contents) - grouped,
        unusable=len(request.contents) - len(contents),
        method=f"PCA to {request.dimensions}, HDBSCAN {request.min_cluster_size}/{request.min_samples}",
        seconds=seconds,
    )


def _describe(label: int, found: Clusters, vectors: Array, contents: Sequence[bytes]) -> FoundGroup:
    """One group, still without its id."""
    rows = np.flatnonzero(found.labels == label)
    strengths = found.strengths[rows]
    described = describe(vectors[rows], strengths)
    names = [contents[row] for row in rows.tolist()]
    members = {
        name: Membership(
            group="",
            strength=float(strengths[place]),
            how="clustered",
            nearest=tuple(names[other] for other in described.nearest[place]),
            similarity=float(described.similarity[place]),
        )
        for place, name in enumerate(names)
    }
    return FoundGroup(
        id="",
        members=members,
        exemplars=tuple(names[place] for place in described.exemplars),
        floor=described.floor,
        cohesion=found.cohesions[label],
    )


def _named(group: FoundGroup, name: str) -> FoundGroup:
    members = {sha256: msgspec.structs.replace(one, group=name) for sha256, one in group.members.items()}
    return msgspec.structs.replace(group, id=name, members=members)


def follow(parent: int) -> None:
    """Die with the core; a core that is dead already takes this process along at once."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def main() -> int:
    """One request, its progress and its reply; 1 when it failed."""
    follow(int(sys.argv[1]))
    # Whatever a library prints must not land among the messages.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def say(message: Message) -> None:
        out.write(frame(message))
        out.flush()

    try:
        request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
        os.nice(request.niceness)
        say(analyse(request, say))
    except Exception as error:  # noqa: BLE001 - whatever went wrong is told to the core in words
        what = f"{type(error).__name__}: {error}"
        say(Failure(reason=Reason(code="clustering-failed", message=what, next_step="The groups stay as they are.")))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
