"""Each stage of the way of a photo alone, made of the daemon's own parts: what it costs on some threads."""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pixsortd.analyze import plugins
from pixsortd.analyze.describe import Describer
from pixsortd.analyze.device import resolve_device
from pixsortd.analyze.forwards import Forwards
from pixsortd.analyze.reading import Content, named, read_stable
from pixsortd.analyze.shelf import Shelf
from pixsortd.analyze.work import Held, Work
from pixsortd.config import Settings
from pixsortd.index.store import Store
from pixsortd.records import FileStamp, Found, Wants, WorkItem, root_id
from pixsortd.workers.local import _surroundings

BATCHES = (8, 16, 32, 64)
"""Tried for the models; the best one counts."""
COMMIT = 64
"""Photos to a durable commit."""

T = TypeVar("T")
R = TypeVar("R")


class Stages:
    """The parts with their models loaded, and one round of photos on its way through them, stage by stage."""

    def __init__(self, files: Sequence[Path], settings: Settings, threads: int) -> None:
        """``files`` lie in one directory. ``seconds`` will hold each photo's times as the parts tell them."""
        self._settings = settings
        self._root = os.fsencode(files[0].parent)
        self._items = [
            WorkItem(id=number, root=self._root, path=os.fsencode(file.name), stamp=FileStamp.of(file.stat()))
            for number, file in enumerate(files)
        ]
        self.device = resolve_device(settings.embed.device)
        self._shelf = Shelf(settings, self.device, plugins.embedder, plugins.metric, lambda *_: None)
        missing = [ability.name for ability in self._shelf.survey() if ability.reason is not None]
        if missing:
            raise SystemExit(f"cannot be loaded: {', '.join(missing)}")
        self._describer = Describer(settings, self._shelf, lambda *_: None)
        self._forwards = Forwards(self._shelf, lambda *_: None)
        self._pool = ThreadPoolExecutor(threads)
        self._contents: list[Content] = []
        self._works: list[Work] = []
        self._quick: list[int] = []

    def read(self) -> float:
        """Read each file and hash it, on all threads."""

        def one(item: WorkItem) -> Content:
            return named(read_stable(item.root, item.path, item.stamp, self._settings.decode.max_bytes))

        seconds, self._contents = self._all(one, self._items)
        return seconds

    def describe(self) -> float:
        """Decode what ``read`` read; thumbnail, EXIF, inputs of the models, and the scores that are quick."""
        wants = Wants(photo=True, spaces=self._shelf.wanted_spaces, metrics=self._settings.score.metrics)
        need = self._describer.need

        def one(pair: tuple[WorkItem, Content]) -> Work:
            return self._describer.describe(Held(pair[0], pair[1], {}), wants, need)

        seconds, self._works = self._all(one, list(zip(self._items, self._contents, strict=True)))
        assert not any(work.failure for work in self._works)
        self._quick = [len(work.scores) for work in self._works]
        return seconds

    def forward(self, batch: int) -> float:
        """Run the models over what ``describe`` left them, so many photos at once."""
        for work, quick in zip(self._works, self._quick, strict=True):
            work.embeddings.clear()
            del work.scores[quick:]
        began = time.perf_counter()
        for start in range(0, len(self._works), batch):
            part = self._works[start : start + batch]
            self._forwards.embed(part)
            self._forwards.score(part)
        return time.perf_counter() - began

    def commit(self, home: Path) -> float:
        """Commit them durably to a new index, batch by batch."""
        store = Store.open(home, map_size=self._settings.index.map_size)
        try:
            root = root_id(self._root)
            store.record(root, [Found(path=item.path, stamp=item.stamp, settled=True) for item in self._items])
            rows = [store.file(root, item.path) for item in self._items]
            answers = [work.answer() for work in self._works]
            pairs = [(row, answer) for row, answer in zip(rows, answers, strict=True) if row is not None]
            assert len(pairs) == len(self._items)
            began = time.perf_counter()
            for start in range(0, len(pairs), COMMIT):
                store.commit(pairs[start : start + COMMIT])
            return time.perf_counter() - began
        finally:
            store.close()

    @property
    def told(self) -> list[dict[str, float]]:
        """Each photo's seconds by stage, as the parts themselves counted them."""
        return [
            {"hash": content.seconds, **work.seconds} for content, work in zip(self._contents, self._works, strict=True)
        ]

    def _all(self, one: Callable[[T], R], of: Sequence[T]) -> tuple[float, list[R]]:
        began = time.perf_counter()
        done = list(self._pool.map(one, of))
        return time.perf_counter() - began, done


def be_like_a_worker(threads: int) -> None:
    """Begin this program once more where it is not in the surroundings that a worker is started in."""
    wanted = _surroundings(threads)
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **wanted})


def best_batch(forward: Callable[[int], float], rounds: int = 3) -> int:
    """The batch size with the least median time."""
    return min(BATCHES, key=lambda batch: statistics.median(forward(batch) for _ in range(rounds)))
