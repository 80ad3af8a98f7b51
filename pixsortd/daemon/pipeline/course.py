"""The course of the line: what it has got done, how fast, and how long the rest will take."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from pixsortd.api.ports import StageName
from pixsortd.daemon.pipeline.forecast import Done, Forecast
from pixsortd.daemon.pipeline.rates import MINUTE
from pixsortd.index.lots import suffix_of
from pixsortd.records import Analysis, FileRow, Lot

ALIKE = Done(suffix=b"", size=0, seconds=0.0)
"""Photos whose kinds nobody counts are taken to be alike."""


class Course:
    """The line tells what it does, any thread asks. Time in which nothing is worked on does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes = {stage: _Lane() for stage in (StageName.ANALYZE, StageName.SCORE)}
        self._lane = StageName.ANALYZE
        self._working = False
        self._mark: float | None = None
        """Since when files are worked on that are not done yet; None while none are, or a worker starts."""

    # --- being told ----------------------------------------------------------------------------------

    def begin(self, lane: StageName, cold: bool) -> None:
        """A batch of that stage is sent. ``cold``: to a worker that has to start first, which is no measure.

        It may be sent before the one before it is committed.
        """
        with self._lock:
            if cold:
                self._mark = None
            elif not self._working:
                self._mark = self._clock()
            self._lane, self._working = lane, True

    def done(self, results: Sequence[tuple[FileRow, Analysis]]) -> None:
        """These files of the batch are committed."""
        with self._lock:
            now = self._clock()
            wall = None if self._mark is None else now - self._mark
            # What was under way when the line was halted is committed a little later.
            self._mark = now if self._working else None
            self._lanes[self._lane].learn([self._done(row, analysis) for row, analysis in results], now, wall)

    def halt(self) -> None:
        """Nothing is worked on for now."""
        with self._lock:
            self._mark, self._working = None, False

    def rest(self) -> None:
        """There is nothing left to do."""
        with self._lock:
            self._mark, self._working = None, False
            for lane in self._lanes.values():
                lane.forecast.relax()

    def _done(self, row: FileRow, analysis: Analysis) -> Done:
        seconds = sum(analysis.seconds.values())
        if self._lane is StageName.SCORE or row.stamp is None:
            return Done(suffix=ALIKE.suffix, size=ALIKE.size, seconds=seconds)
        return Done(suffix=suffix_of(row.path), size=row.stamp.size, seconds=seconds)

    # --- asking --------------------------------------------------------------------------------------

    def per_second(self, stage: StageName) -> float:
        """Files a second while there was work, over the last minute; 0 when nothing was done in it."""
        with self._lock:
            return self._lanes[stage].per_second(self._clock())

    def seconds(self, stage: StageName, lots: Sequence[Lot]) -> float | None:
        """How long these will take; None as long as too little was seen."""
        with self._lock:
            return self._lanes[stage].forecast.seconds(lots)


def alike(photos: int) -> list[Lot]:
    """Photos of which only the number is known."""
    return [Lot(suffix=ALIKE.suffix, magnitude=ALIKE.size.bit_length(), files=photos, bytes=0)] if photos else []


class _Lane:
    """One stage of the line."""

    def __init__(self) -> None:
        self.forecast = Forecast()
        self._steps: deque[tuple[float, int, float]] = deque()

    def learn(self, done: Sequence[Done], now: float, wall: float | None) -> None:
        self.forecast.learn(done, wall)
        if wall is not None:
            self._steps.append((now, len(done), wall))

    def per_second(self, now: float) -> float:
        while self._steps and self._steps[0][0] < now - MINUTE:
            self._steps.popleft()
        wall = sum(seconds for _, _, seconds in self._steps)
        return sum(files for _, files, _ in self._steps) / wall if wall > 0.0 else 0.0
