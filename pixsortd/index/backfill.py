"""Finding photos that lack something, without looking at all of them again and again."""

import threading
from collections.abc import Collection

from pixsortd.index import places, rows, scores
from pixsortd.index.engine import View
from pixsortd.index.schema import Table
from pixsortd.index.spaces import current_metrics
from pixsortd.records import FileRow, FileState, MetricInfo

ORDER = 8
"""Length of the time in front of a timeline key."""

_Wanted = tuple[frozenset[bytes], frozenset[str], frozenset[bytes]]


class Sweep:
    """One pass over all photos, newest first, for one set of wants; it resumes where it stopped.

    Each photo is offered once a pass. A pass begins anew when the wants change, or on ``restart``;
    what arrives meanwhile was analysed with the present wants anyway.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: _Wanted | None = None
        self._before: bytes | None = None
        self._ended = False

    def restart(self) -> None:
        """Let the next call begin a new pass."""
        with self._lock:
            self._wanted = None

    def next(
        self, view: View, spaces: Collection[bytes], metrics: Collection[str], limit: int, roots: Collection[str]
    ) -> list[FileRow]:
        """Up to ``limit`` files of further photos that lack a space, a metric or their thumbnail."""
        wanted = frozenset(spaces), frozenset(metrics), frozenset(map(rows.root_key, roots))
        with self._lock:
            if wanted != self._wanted:
                self._wanted, self._before, self._ended = wanted, None, False
            if self._ended:
                return []
            current, found = current_metrics(view), list[FileRow]()
            for number in view.keys_down(Table.NUMBERS, before=self._before):
                self._before = number
                sha256 = view.get(Table.NUMBERS, number)
                if sha256 is None or not _lacks(view, sha256, wanted, current):
                    continue
                row = _readable(view, sha256, wanted[2])
                if row is not None:
                    found.append(row)
                    if len(found) == limit:
                        return found
            self._ended = True
            return found

    @staticmethod
    def count(view: View, spaces: Collection[bytes], metrics: Collection[str]) -> int:
        """How many photos with a file lack something; looks at every photo."""
        wanted, current = (frozenset(spaces), frozenset(metrics), frozenset[bytes]()), current_metrics(view)
        return sum(_lacks(view, key[ORDER:], wanted, current) for key in view.keys(Table.TIMELINE))


def _lacks(view: View, sha256: bytes, wanted: _Wanted, current: dict[str, MetricInfo]) -> bool:
    spaces, metrics, _ = wanted
    return (
        any(not view.has(Table.EMBEDDINGS, space + sha256) for space in spaces)
        or not metrics <= scores.present(view, sha256, current)
        or places.needs_photo(view, sha256)
    )


def _readable(view: View, sha256: bytes, roots: frozenset[bytes]) -> FileRow | None:
    """A file that holds the photo and can be read now."""
    for key in places.places(view, sha256):
        if key[: rows.ROOT] in roots:
            row = places.file_at(view, key)
            if row is not None and row.state is FileState.INDEXED:
                return row
    return None
