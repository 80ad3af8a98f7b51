"""How often something happens, now and over the last day; kept in memory."""

import threading
import time
from collections import deque
from collections.abc import Callable

from pixsortd.api.ports import ThroughputPoint

MINUTE = 60.0
DAY_MINUTES = 1440


class Rate:
    """How many a second over the last minute. Any thread may add and ask."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, window: float = MINUTE, *, bursts: bool = False
    ) -> None:
        """``window`` in seconds; with ``bursts`` it is always divided by all of it, since much comes at once."""
        self._clock, self._window, self._bursts = clock, window, bursts
        self._lock = threading.Lock()
        self._done: deque[tuple[float, int]] = deque()

    def add(self, count: int) -> None:
        """``count`` more are done."""
        with self._lock:
            self._done.append((self._clock(), count))
            self._forget()

    def per_second(self) -> float:
        """The rate since the first thing within the window; 0 when nothing happened in it."""
        with self._lock:
            self._forget()
            if not self._done:
                return 0.0
            seconds = self._window if self._bursts else max(1.0, self._clock() - self._done[0][0])
            return sum(count for _, count in self._done) / seconds

    def _forget(self) -> None:
        oldest = self._clock() - self._window
        while self._done and self._done[0][0] < oldest:
            self._done.popleft()


class Throughput:
    """How many photos became indexed in each minute of the last day. Any thread may add and ask."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: deque[tuple[int, int]] = deque()

    def add(self, photos: int) -> None:
        """``photos`` more have just become indexed."""
        minute = int(self._clock() // MINUTE)
        with self._lock:
            # A clock that was set back adds to the newest minute there is, so that minutes keep rising.
            if self._minutes and self._minutes[-1][0] >= minute:
                last, count = self._minutes.pop()
                self._minutes.append((last, count + photos))
            elif photos:
                self._minutes.append((minute, photos))
            self._forget()

    def points(self) -> tuple[ThroughputPoint, ...]:
        """The minutes of the last day in which photos were indexed, rising."""
        with self._lock:
            self._forget()
            return tuple(ThroughputPoint(at=minute * MINUTE, count=count) for minute, count in self._minutes)

    def _forget(self) -> None:
        oldest = int(self._clock() // MINUTE) - DAY_MINUTES
        while self._minutes and self._minutes[0][0] <= oldest:
            self._minutes.popleft()
