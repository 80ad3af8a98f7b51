"""Nearest neighbours across all spaces: which space is in use, and searches that keep up with the index."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import structlog

from pixsortd.config import Settings
from pixsortd.daemon.pipeline.wants import active_space
from pixsortd.errors import IndexProblem
from pixsortd.index.store import Store
from pixsortd.index.vectors import BORDER, Vectors
from pixsortd.records import Analysis, Photo, Space

log = structlog.get_logger()


class Searcher:
    """One ``Vectors`` a space, opened at start or with the first vector; callable from any thread."""

    def __init__(self, settings: Callable[[], Settings], store: Store, directory: Path, border: int = BORDER) -> None:
        """``border`` is the number of vectors from which a search is inverted."""
        self.border = border
        self._settings = settings
        self._store = store
        self._directory = directory
        self._spaces: dict[bytes, Vectors] = {}
        self._lock = threading.Lock()
        self._dirty = False
        self._saved = float("-inf")

    def open(self) -> list[Vectors]:
        """Load the search of every space the index knows; those that had to be rebuilt say why in ``origin``."""
        for state in self._store.spaces():
            if state.count:
                vectors = Vectors(self._directory, self._store, state.space)
                vectors.load()
                self._spaces[state.space.key] = vectors
        return self.opened()

    def opened(self) -> list[Vectors]:
        """The searches that are open, one a space."""
        return list(self._spaces.values())

    def active(self) -> Space | None:
        """The space that groups and like-search use now; None before the first vector."""
        states = self._store.spaces()
        counts = {state.space.key: state.count for state in states}
        return active_space(self._settings(), [state.space for state in states], counts)

    def add(self, results: Sequence[Analysis]) -> None:
        """Take in the vectors of committed results."""
        gathered: dict[bytes, tuple[Space, list[int], list[bytes]]] = {}
        for analysis in results:
            photo = self._store.photo(analysis.sha256) if analysis.embeddings else None
            if photo is None:
                continue
            for embedding in analysis.embeddings:
                key = embedding.space.key
                _, numbers, vectors = gathered.setdefault(key, (embedding.space, [], []))
                numbers.append(photo.number)
                vectors.append(embedding.vector)
        for space, numbers, vectors in gathered.values():
            self._of(space).add(numbers, vectors)
            self._dirty = True

    def forget(self, photos: Sequence[Photo]) -> None:
        """Take out photos that the index has deleted."""
        for vectors in list(self._spaces.values()):
            vectors.remove([photo.number for photo in photos])
        self._dirty = self._dirty or bool(photos)

    def changed(self) -> None:
        """A search lies in another way than its files; they are written at once, for reading it anew is long."""
        self._dirty = True
        self.save()

    def rest(self) -> None:
        """Nothing is to be done for now: give memory back."""
        for vectors in self.opened():
            vectors.rest()

    def near(self, space: Space, vector: bytes, k: int, exclude: Collection[bytes] = ()) -> list[tuple[bytes, float]]:
        """The ``k`` photos most like ``vector``: (sha256, cosine), nearest first."""
        return self._of(space).search(vector, k, exclude)

    def save(self, at_most_every: float = 0.0) -> None:
        """Write the search files that changed; a full disk is only logged, they are a cache.

        Each is written whole, so ``at_most_every`` seconds must have passed since the last time.
        """
        now = time.monotonic()
        if not self._dirty or now - self._saved < at_most_every:
            return
        self._dirty, self._saved = False, now
        for vectors in list(self._spaces.values()):
            try:
                self._dirty |= not vectors.save()
            except IndexProblem as error:
                log.warning("vector file not written", error=str(error))

    def _of(self, space: Space) -> Vectors:
        with self._lock:
            vectors = self._spaces.get(space.key)
            if vectors is None:
                vectors = Vectors(self._directory, self._store, space)
                vectors.rebuild()
                self._spaces[space.key] = vectors
            return vectors
