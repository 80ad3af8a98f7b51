"""Every metric over the whole library: sorted values for percentiles, bins for plots.

Reading all scores of a large library takes seconds, so they are read in slices with rests between
them, and kept. They are read anew when somebody asks, the index has changed, and ``REST`` times as
long as the last reading took has passed: immediately for a small library, about once a minute for
a hundred thousand photos. A large library's old values are handed out while the new ones are read.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import structlog

from pixsortd.api.ports import Distribution
from pixsortd.errors import PixsortdError
from pixsortd.index.scored import ScoreSlice
from pixsortd.records import MetricInfo, Record

log = structlog.get_logger()

SLICE = 500
"""Scores read at a stretch: about a millisecond."""
PAUSE = 0.001
"""Seconds in which other threads come to their turn between two slices."""
REST = 20.0
PATIENCE = 0.2
"""Seconds a reading may take to be waited for, once there are older values."""
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
        self._clock = clock
        self._reading = threading.Lock()
        self._spreads: Mapping[str, Spread] = {}
        self._generation = -1
        """Of the index when it was read last."""
        self._ended = 0.0
        self._took = 0.0

    def spreads(self, asked: Collection[MetricInfo] = ()) -> Mapping[str, Spread]:
        """By name of the metric, in the version it is computed in now. *May block* (seconds, the first time).

        Metrics ``asked`` for that were new since the last reading are waited for.
        """
        if self._due() or self._lack(asked):
            if self._took < PATIENCE or self._lack(asked):
                with self._reading:
                    if self._due() or self._lack(asked):
                        self._read()
            elif self._reading.acquire(blocking=False):
                threading.Thread(target=self._read_behind, name="distributions", daemon=True).start()
        return self._spreads

    def histograms(self) -> tuple[Distribution, ...]:
        """The spreads as plots, by name. *May block* as ``spreads`` does."""
        return tuple(histogram(spread) for _, spread in sorted(self.spreads().items()))

    def _due(self) -> bool:
        if self._generation < 0:
            return True
        rested = self._clock() - self._ended >= REST * self._took
        return rested and self._source.generation != self._generation

    def _lack(self, asked: Collection[MetricInfo]) -> bool:
        here = {spread.metric for spread in self._spreads.values()}
        return not here.issuperset(asked) and self._source.generation != self._generation

    def _read_behind(self) -> None:
        """With the lock taken over from the thread that asked."""
        try:
            self._read()
        except PixsortdError as error:
            log.warning("distributions not read", error=str(error))
        finally:
            self._reading.release()

    def _read(self) -> None:
        generation, started = self._source.generation, self._clock()
        gathered: dict[bytes, list[Floats]] = {}
        after: bytes | None = None
        while True:
            part = self._source.score_slice(after, SLICE)
            for key, values in part.values.items():
                gathered.setdefault(key, []).append(np.array(values, np.float64))
            after = part.last
            if after is None:
                break
            time.sleep(PAUSE)
        infos, current = self._source.metric_infos()
        found = (Spread(metric=infos[key], rising=_rising(parts)) for key, parts in gathered.items())
        self._spreads = comparable(found, current)
        self._generation, self._ended = generation, self._clock()
        self._took = self._ended - started


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
