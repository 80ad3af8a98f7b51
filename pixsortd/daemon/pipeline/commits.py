"""What became of files, on its way into the index: in a thread of its own, so that the worker goes on meanwhile."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import structlog

from pixsortd.records import Analysis, FileRow, Fingerprint, Photo, Reason
from pixsortd.workers.protocol import Crashed, Outcome

log = structlog.get_logger()

Results = Sequence[tuple[FileRow, Analysis]]

COMMIT_FILES = 64
COMMIT_SECONDS = 1.0
"""A commit waits for this many results, or until the first has waited this long: each one costs an fsync."""


class Taker(Protocol):
    """The part of the index that takes outcomes."""

    def commit(self, results: Results) -> list[Photo]: ...
    def fail(self, row: FileRow, reason: Reason, sha256: bytes | None, attempts: int) -> None: ...
    def unsettle(self, row: FileRow) -> None: ...


class Commits:
    """Takes the outcomes of the line's thread. One lot is being committed, one is being gathered, and no more."""

    def __init__(
        self,
        index: Taker,
        on_commit: Callable[[Results, Sequence[Photo]], None],
        on_trouble: Callable[[FileRow, Reason | None], None],
    ) -> None:
        """``on_commit`` is told by the thread that commits, ``on_trouble`` by that or the line's."""
        self._index = index
        self._on_commit, self._on_trouble = on_commit, on_trouble
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._gathered: list[tuple[FileRow, Analysis]] = []
        self._since = 0.0
        self._results: Results = ()
        self._done: Future[None] | None = None

    def add(self, row: FileRow, outcome: Outcome) -> None:
        """Take in what became of a file; raises what the commit before came to grief over."""
        if not isinstance(outcome, Analysis):
            self._set_aside(row, outcome)
        else:
            self._since = self._since if self._gathered else time.monotonic()
            self._gathered.append((row, outcome))
        if len(self._gathered) >= COMMIT_FILES or time.monotonic() - self._since > COMMIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Begin to commit what has been gathered; raises what the commit before came to grief over."""
        if not self._gathered:
            return
        results, self._gathered = self._gathered, []
        self.settle()
        self._results = results
        self._done = self._thread.submit(self._commit, results)

    def settle(self) -> None:
        """Wait until nothing is being committed; raises what it came to grief over."""
        done, self._done = self._done, None
        try:
            if done is not None:
                done.result()
        finally:
            self._results = ()

    @property
    def files(self) -> frozenset[tuple[str, bytes]]:
        """(root, path) of results that the index may not know yet."""
        return frozenset((row.root, row.path) for row, _ in self._results)

    def holds(self, contents: Iterable[bytes]) -> bool:
        """Whether the index may not know yet what became of one of these contents."""
        return not {analysis.sha256 for _, analysis in self._results}.isdisjoint(contents)

    def __len__(self) -> int:
        """Results that wait or are being committed. Any thread may ask."""
        done = self._done
        return len(self._gathered) + (0 if done is None or done.done() else len(self._results))

    def close(self) -> None:
        """Finish what is being committed and begin no more."""
        self._thread.shutdown(wait=True)

    def _commit(self, results: Results) -> None:
        added = self._index.commit(results)
        for row, analysis in results:
            if analysis.failure is not None:
                log.warning("file quarantined", path=row.path, reason=analysis.failure.message)
                self._on_trouble(row, analysis.failure)
        self._on_commit(results, added)

    def _set_aside(self, row: FileRow, outcome: Fingerprint | Crashed) -> None:
        if isinstance(outcome, Crashed):
            self._index.fail(row, outcome.reason, outcome.sha256, outcome.attempts)
            log.warning("file quarantined", path=row.path, reason=outcome.reason.message, attempts=outcome.attempts)
            self._on_trouble(row, outcome.reason)
        elif outcome.changed:
            self._index.unsettle(row)
            self._on_trouble(row, None)
        elif outcome.failure is not None:
            self._index.fail(row, outcome.failure, outcome.sha256, row.attempts)
            self._on_trouble(row, outcome.failure)
