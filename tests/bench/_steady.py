"""A running daemon with its models loaded, given one directory of new photos after the other."""

import time
from collections.abc import Sequence
from pathlib import Path

from pixsortd.config import Settings
from tests.bench import corpus
from tests.bench._setup import Tables
from tests.harness import Daemon, wait_until

EVERY = 0.1
"""Seconds between two looks at how far it is."""
WARM = 8
"""Photos before the first round, with which models are loaded."""


class Steady:
    """What the daemon needs for a photo in its steady state: from the first commit of a directory to its last."""

    def __init__(self, running: Daemon, root: Path, base: Sequence[Path], count: int) -> None:
        """``count`` photos a round, made of the ``base`` ones; ``root`` is the daemon's own."""
        self._running = running
        self._root = root
        self._base = base
        self._count = count
        self._dropped = 0
        self._drop(WARM)
        running.settled(WARM)
        at_rest(running)

    def __call__(self) -> float:
        """Seconds a photo of one round; returns when everything, also regrouping, is over."""
        seconds = self.take_in()
        at_rest(self._running)
        return seconds

    def take_in(self) -> float:
        """Seconds a photo of one round; returns with its last score."""
        before = self._running.ledger().get("indexed", 0)
        self._drop(self._count)
        return self._seconds(before)

    def _drop(self, count: int) -> None:
        """New photos, all at once, when they are safely on the disk."""
        aside = self._root.parent / f"aside-{self._dropped}"
        corpus.copies(self._base, aside, count, first=self._dropped)
        aside.rename(self._root / aside.name)
        self._dropped += count

    def _seconds(self, before: int) -> float:
        began, already, end = time.perf_counter(), before, before + self._count
        while True:
            now, indexed = time.perf_counter(), self._running.ledger().get("indexed", 0)
            if before == already < indexed < end:  # a round that is committed all at once counts from its arrival
                began, already = now, indexed
            if indexed == end and not _unscored(self._running):
                return (time.perf_counter() - began) / (end - already)
            time.sleep(EVERY)


def daemon(home: Path, root: Path, given: Tables) -> Daemon:
    """A daemon over ``root`` with the shipped worker settings, that keeps its worker and does not regroup by itself."""
    worker = {"batch_files": Settings().worker.batch_files, "idle": "1h"}
    return Daemon(home, [root], {**given, "worker": worker, "cluster": {"every": "365d"}})


def at_rest(running: Daemon, seconds: float = 600) -> None:
    """Wait until no file and no score waits any more and no job runs, twice in a row."""

    def done() -> bool:
        jobs = any(job["state"] in ("queued", "running") for job in running.get("/api/jobs")["items"])
        return not jobs and not running.ledger()["pending"] and not _unscored(running)

    for _ in range(2):
        wait_until(done, seconds, 0.5, "the daemon to be done")
        time.sleep(1)


def _unscored(running: Daemon) -> int:
    """Photos that are known and still lack a score or another part of their analysis."""
    return next(int(stage["depth"]) for stage in running.get("/api/pipeline")["items"] if stage["name"] == "score")
