"""What moves into and out of the trash mean for the index."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pixsortd.records import Arrived, Change, Departed, FileStamp
from pixsortd.sorting.contents import DISCARD
from pixsortd.sorting.disk import Directories, alike, look
from pixsortd.sorting.journal import Move


class Moved(NamedTuple):
    """By the path of a root."""

    changes: Mapping[bytes, Sequence[Change]]
    """To be recorded before any watcher looks."""
    arrived: Mapping[bytes, Sequence[bytes]]
    """Paths of files that came back, which the watchers have to look at."""


def changes_of(moves: Sequence[Move]) -> Moved:
    """What the index has to learn of moves that were just made. Raises ``OSError``."""
    changes: dict[bytes, list[Change]] = {}
    arrived: dict[bytes, list[bytes]] = {}
    with Directories() as directories:
        for kind, step in [(move.kind, step) for move in moves for step in move.steps]:
            source, destination = step.source, step.destination
            if destination is None:
                continue
            if kind == DISCARD:
                change = Departed(path=source.path, detail=f"to {_shown(destination.path)}")
                changes.setdefault(source.base, []).append(change)
                continue
            arrived.setdefault(destination.base, []).append(destination.path)
            seen = look(directories, destination)
            if step.sha256 is not None and seen is not None and alike(seen, step.stamp):
                back = Arrived(
                    path=destination.path,
                    stamp=FileStamp.of(seen),
                    sha256=step.sha256,
                    detail=f"from {_shown(source.path)}",
                )
                changes.setdefault(destination.base, []).append(back)
    return Moved(changes, arrived)


def _shown(path: bytes) -> str:
    return path.decode(errors="backslashreplace")
