"""The part of the analysis that runs models: decoded files in, vectors and scores on them."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import structlog

from pixsortd.analyze.batches import Failed, in_batches, is_out_of_memory
from pixsortd.analyze.ports import Embedder, Metric, PictureMetric
from pixsortd.analyze.shelf import Busy, Shelf, checked, scored
from pixsortd.analyze.work import AT_REST, Work, failure, first_words
from pixsortd.records import Embedding, Score

log = structlog.get_logger()

R = TypeVar("R")


class Forwards:
    """Runs each model over the files that have its input."""

    def __init__(self, shelf: Shelf, busy: Busy) -> None:
        self._shelf = shelf
        self._busy = busy

    def embed(self, works: Sequence[Work]) -> None:
        """Each space's unit vector; a file no model can take fails, a model that broke is put away."""
        for name in dict.fromkeys(name for work in works for name in work.inputs):
            embedder = self._shelf.embedder(name)
            if embedder is not None:
                self._embed(name, embedder, [w for w in works if name in w.inputs and w.failure is None])

    def score(self, works: Sequence[Work]) -> None:
        """Each metric's raw score where there is none yet, pictures of one size together."""
        alive = [work for work in works if work.failure is None]
        for name in dict.fromkeys(name for work in alive for name in work.pictures):
            members = [work for work in alive if name in work.pictures]
            for shape in dict.fromkeys(work.pictures[name].shape for work in members):
                metric = self._shelf.metric(name)
                if metric is not None:
                    self._score(name, metric, [work for work in members if work.pictures[name].shape == shape])

    def _embed(self, name: str, embedder: Embedder, works: Sequence[Work]) -> None:
        def forward(batch: Sequence[Work]) -> list[bytes]:
            vectors = embedder.embed(np.stack([work.inputs[name] for work in batch]))
            small = checked(vectors, len(batch), embedder.space.dim).astype("<f2")
            return [vector.tobytes() for vector in small]

        for batch, result in self._timed("embed", name, embedder, works, forward):
            if not isinstance(result, Failed):
                for work, vector in zip(batch, result, strict=True):
                    work.embeddings.append(Embedding(space=embedder.space, vector=vector))
            elif self._is_models_fault("space", name, result.error):
                return
            else:
                batch[0].failure = failure(result.error)

    def _score(self, name: str, metric: Metric | PictureMetric, works: Sequence[Work]) -> None:
        def forward(batch: Sequence[Work]) -> Sequence[float]:
            return scored(metric, [work.pictures[name] for work in batch])

        for batch, result in self._timed("score", name, metric, works, forward):
            if not isinstance(result, Failed):
                scores = result
            elif self._is_models_fault("metric", name, result.error):
                return
            else:
                # Some metrics have no answer for some pictures (too small, of one colour). That is kept, as
                # "not a number", so that it is not asked for again and again.
                log.info("metric has no answer", metric=name, error=first_words(result.error))
                scores = [float("nan")]
            now = time.time()
            for work, value in zip(batch, scores, strict=True):
                work.scores.append(Score(metric=metric.info, value=float(value), at=now))

    def _timed(
        self,
        stage: str,
        name: str,
        model: object,
        works: Sequence[Work],
        forward: Callable[[Sequence[Work]], Sequence[R]],
    ) -> Iterator[tuple[Sequence[Work], Sequence[R] | Failed]]:
        """Batches through a model, with times and word of what is in flight."""
        label = f"{stage}:{name}"

        def timed(batch: Sequence[Work]) -> Sequence[R]:
            ids = tuple(work.id for work in batch)
            self._busy(label, ids)
            started = time.perf_counter()
            try:
                return forward(batch)
            finally:
                share = (time.perf_counter() - started) / len(batch)
                for work in batch:
                    work.seconds[label] = work.seconds.get(label, 0.0) + share
                self._busy(AT_REST, ids)

        return in_batches(works, timed, self._shelf.limit(label, model))

    def _is_models_fault(self, kind: str, name: str, error: Exception) -> bool:
        """Whether the model itself is what is broken; it is then out of use, and no file is blamed."""
        if is_out_of_memory(error):
            self._shelf.put_away(kind, name, error)
            return True
        return not self._shelf.still_works(kind, name)
