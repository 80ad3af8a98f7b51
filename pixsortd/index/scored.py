"""Scores of many photos at once: side by side for a ranking, by metric for the whole library."""

from collections.abc import Iterable
from itertools import islice

import msgspec

from pixsortd.index import places, scores
from pixsortd.index.engine import Engine, View
from pixsortd.index.schema import Table
from pixsortd.index.spaces import current_metrics
from pixsortd.records import MetricInfo, Record, Score


class Scored(Record, frozen=True, kw_only=True):
    """A photo's scores and what decides between equal ones."""

    sha256: bytes
    pixels: int
    taken: float
    scores: tuple[Score, ...]


class ScoreSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Raw values of some photos that have a file, by key of their metric."""

    values: dict[bytes, list[float]]
    last: bytes | None
    """Where to go on; None at the end."""


class ManyScores:
    """The part of the store that reads scores of many photos."""

    _engine: Engine

    def scored(self, contents: Iterable[bytes]) -> dict[bytes, Scored]:
        """Scores of those among ``contents`` that are photos with a file."""
        with self._engine.read() as view:
            return {sha256: found for sha256 in contents if (found := _scored(view, sha256)) is not None}

    def some_scored(self, most: int) -> list[Scored]:
        """The first photos with a file by rising hash: a fair sample, and all of a small library."""
        with self._engine.read() as view:
            found = (_scored(view, sha256) for sha256 in view.keys(Table.PHOTOS))
            return list(islice((one for one in found if one is not None), most))

    def score_slice(self, after: bytes | None, limit: int) -> ScoreSlice:
        """The next ``limit`` scores of the library behind ``after``, in a transaction of their own.

        A whole walk reads each score that did not change meanwhile once; a library is never copied
        within one transaction, which would keep its pages from being used again.
        """
        values: dict[bytes, list[float]] = {}
        with self._engine.read() as view:
            seen, last, owner, counts = 0, after, b"", False
            for key, payload in view.items(Table.SCORES, after=after):
                if key[: places.SHA] != owner:
                    owner = key[: places.SHA]
                    counts = not view.has(Table.ORPHANS, owner)
                if counts:
                    metric, value, _ = scores.stored(payload)
                    values.setdefault(metric, []).append(value)
                seen, last = seen + 1, key
                if seen == limit:
                    return ScoreSlice(values=values, last=last)
        return ScoreSlice(values=values, last=None)

    def metric_infos(self) -> tuple[dict[bytes, MetricInfo], dict[str, MetricInfo]]:
        """(every metric that has or had scores by its key, the metrics as they are computed now by name)."""
        with self._engine.read() as view:
            return {key: scores.info(payload) for key, payload in view.items(Table.METRICS)}, current_metrics(view)


def _scored(view: View, sha256: bytes) -> Scored | None:
    photo = places.photo(view, sha256)
    if photo is None or view.has(Table.ORPHANS, sha256):
        return None
    return Scored(
        sha256=sha256,
        pixels=photo.width * photo.height,
        taken=photo.taken,
        scores=tuple(scores.of(view, sha256)),
    )
