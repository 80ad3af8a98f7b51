"""Every metric over the whole library: sorted values for percentiles, bins for plots.

Reading all scores of a large library takes seconds, so they are read in slices with rests between
them, and kept. They are read anew when somebody asks, the index has changed, and ``REST`` times as
long as the last reading took has passed: immediately for a small library, about once a minute for
a hundred thousand photos. A large library's old values are handed out while the new ones are read.
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pixsortd.api.ports import Distribution
from pixsortd.daemon.kept import Kept, slices
from pixsortd.index.scored import ScoreSlice
from pixsortd.records import MetricInfo, Record

SLICE = 500
"""Scores read at a stretch: about a millisecond."""
REST = 20.0
BINS = 40
TAIL = 0.005
"""Share of the values at each end that may lie beyond the outermost edges."""

Floats = npt.NDArray[np.float64]


class Source(Protocol):
    """What is read of the index."""

    @property
    def generation(self) -> int: ...
    def score_slice(self, after: bytes | None, limit: int) -> ScoreSlice: ...
    def metric_infos(self) -> tuple[dict[bytes, MetricInfo], dict[str, MetricInfo]]: ...


class Spread(Record, frozen=True, kw_only=True):
    """One metric over the library."""

    metric: MetricInfo
    rising: Floats
    """All finite values, sorted."""


class Distributions:
    """The library's spreads. Any thread may ask; one at a time reads."""

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._kept = Kept("distributions", self._read, lambda: source.generation, REST, clock)

    def spreads(self, asked: Collection[MetricInfo] = ()) -> Mapping[str, Spread]:
        """By name of the metric, in the version it is computed in now. *May block* (seconds, the first time).

        Metrics ``asked`` for that were new since the last reading are waited for.
        """
        return self._kept.get(lambda spreads: not {spread.metric for spread in spreads.values()}.issuperset(asked))

    def histograms(self) -> tuple[Distribution, ...]:
        """The spreads as plots, by name. *May block* as ``spreads`` does."""
        return tuple(histogram(spread) for _, spread in sorted(self.spreads().items()))

    def _read(self) -> Mapping[str, Spread]:
        gathered: dict[bytes, list[Floats]] = {}
        for part in slices(lambda after: self._source.score_slice(after, SLICE)):
            for key, values in part.values.items():
                gathered.setdefault(key, []).append(np.array(values, np.float64))
        infos, current = self._source.metric_infos()
        found = (Spread(metric=infos[key], rising=_rising(parts)) for key, parts in gathered.items())
        return comparable(found, current)


def comparable(spreads: Iterable[Spread], current: Mapping[str, MetricInfo]) -> dict[str, Spread]:
    """One spread for each metric's name: of the present version, where none is known of the one with most values."""
    chosen: dict[str, Spread] = {}
    for spread in spreads:
        name, before = spread.metric.name, chosen.get(spread.metric.name)
        if not len(spread.rising) or current.get(name, spread.metric) != spread.metric:
            continue
        if before is None or len(before.rising) < len(spread.rising):
            chosen[name] = spread
    return chosen


def histogram(spread: Spread) -> Distribution:
    """About ``BINS`` bins between round numbers; what lies beyond them counts in the outermost ones."""
    rising = spread.rising
    last = len(rising) - 1
    low, high = float(rising[math.floor(TAIL * last)]), float(rising[math.ceil((1 - TAIL) * last)])
    step = _round_up(max(high - low, abs(low) * 1e-3, 1e-6) / BINS)
    first = math.floor(low / step)
    final = max(first + 1, math.ceil(high / step))
    edges = tuple(float(f"{number * step:.12g}") for number in range(first, final + 1))
    counts, _ = np.histogram(np.clip(rising, edges[0], edges[-1]), edges)
    return Distribution(
        metric=spread.metric,
        count=len(rising),
        median=float(np.median(rising)),
        edges=edges,
        counts=tuple(int(count) for count in counts),
    )


def _round_up(width: float) -> float:
    """The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is not below ``width``."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0) if factor * power >= width)


def _rising(parts: Sequence[Floats]) -> Floats:
    values = np.concatenate(parts)
    return np.sort(values[np.isfinite(values)])
