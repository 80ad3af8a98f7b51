"""Training searches as they grow: when it is due, as a job, with the old search in service meanwhile."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import structlog

from pixsortd.config import Settings
from pixsortd.daemon.jobs import Cancelled, Jobs, Progress
from pixsortd.daemon.search import Searcher
from pixsortd.errors import PixsortdError, TrainingCancelled
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors, dropped, due
from pixsortd.index.vectors.request import TrainRequest
from pixsortd.index.vectors.training import train
from pixsortd.records import Reason

log = structlog.get_logger()

KIND = "train"
"""The kind of the jobs."""
_AGAIN = 1.25
"""How much larger a search has to be than it was when a training failed or was cancelled, before the next try."""


class Trainer:
    """Keeps each space's search in the tier that fits its size. Callable from any thread."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Store,
        searcher: Searcher,
        jobs: Jobs,
        directory: Path,
        on_change: Callable[[], None],
    ) -> None:
        """``directory`` is the index's; ``on_change`` hears when there is something else to tell in ``notices``."""
        self._settings = settings
        self._store = store
        self._searcher = searcher
        self._jobs = jobs
        self._directory = directory
        self._on_change = on_change
        self._tried: dict[bytes, int] = {}
        self._troubles: dict[bytes, Reason] = {}

    def submit_if_due(self, *, idle: bool = False) -> None:
        """Queue a training where a search has outgrown its tier; ``idle`` when nothing else is to be done."""
        if any(self._due(vectors, idle) for vectors in self._searcher.opened()):
            self._jobs.submit(KIND, lambda progress: self._work(progress, idle))

    def notices(self) -> Iterator[Reason]:
        """Searches that could not be trained and are slower for it."""
        yield from self._troubles.values()

    def _due(self, vectors: Vectors, idle: bool) -> bool:
        shape = vectors.shape
        tried = self._tried.get(vectors.space.key, 0)
        return due(shape, idle=idle, border=self._searcher.border) and (
            shape.inverted + shape.flat >= _AGAIN * tried or dropped(shape, border=self._searcher.border)
        )

    def _work(self, progress: Progress, idle: bool) -> Mapping[str, int | float | str]:
        trained = 0
        for vectors in self._searcher.opened():
            if self._due(vectors, idle):
                trained += self._one(vectors, progress)
        return {"vectors": trained}

    def _one(self, vectors: Vectors, progress: Progress) -> int:
        """Train one search, or make it flat again; how many vectors were trained on. Raises ``PixsortdError``."""
        if dropped(vectors.shape, border=self._searcher.border):
            vectors.rebuild()
            self._searcher.changed()
            return 0
        key = vectors.space.key
        self._tried[key] = vectors.count
        try:
            count = self._trained(vectors, progress)
        except TrainingCancelled as error:
            raise Cancelled from error
        except PixsortdError as error:
            text = f"The search of the space {vectors.space.name} could not be trained: {error.message}"
            self._troubles[key] = Reason(code="search-untrained", message=text, next_step=error.next_step)
            self._on_change()
            raise
        self._tried.pop(key)
        if self._troubles.pop(key, None) is not None:
            self._on_change()
        return count

    def _trained(self, vectors: Vectors, progress: Progress) -> int:
        target = self._directory / f"{vectors.space.key.hex()}-trained.faiss"
        request = TrainRequest(
            index=str(self._directory),
            map_size=int(self._settings().index.map_size),
            space=vectors.space.key,
            target=str(target),
        )
        vectors.begin_training()
        try:
            count = train(request, progress, progress.cancelled)
            began = time.perf_counter()
            vectors.adopt(target)
            seconds = round(time.perf_counter() - began, 2)
        finally:
            vectors.end_training()
            target.unlink(missing_ok=True)
            target.with_suffix(".tmp").unlink(missing_ok=True)
            self._store.engine.drop_dead_readers()
        shape = vectors.shape
        log.info(
            "search inverted",
            space=vectors.space.name,
            recall=shape.recall,
            probes=round(shape.probes, 1),
            seconds=seconds,
        )
        self._searcher.changed()
        return count
