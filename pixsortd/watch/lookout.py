"""How changes in one root are noticed: by events, by polling, or by events with gaps."""

import threading
from collections.abc import Callable

from pixsortd.records import Reason, WatchMode
from pixsortd.watch.hints import Doubt, Hints
from pixsortd.watch.observer import LOST, STOPPED, UNWATCHED, Observer, limit_reached

_GATHER = 0.1
"""Seconds in which events gather before they are looked into, at least ..."""
_GATHER_COST = 4
"""... and this many times what the last look cost, up to ..."""
_GATHER_MOST = 2.0
"""... this many seconds."""
_POLL = 30.0
"""Seconds between full scans where events do not tell all, and at least ..."""
_POLL_COST = 20
"""... this many times the duration of a scan."""


class Lookout:
    """Gathers the events of one root, and knows what is wrong with them. ``wake`` is set when some came."""

    def __init__(self, wake: threading.Event, observe: Callable[[Hints], Observer]) -> None:
        self._hints = Hints(wake.set)
        self._observe = observe
        self._silence: Reason | None = None
        self._trouble: Reason | None = None
        self._gathered: float | None = None
        self._cost = 0.0
        self.observer: Observer | None = None
        """Who watches directories, if anyone does."""

    def open(self, silence: Reason | None) -> None:
        """Start to watch, unless ``silence`` says why that is of no use."""
        self.close()
        self._silence, self._trouble = silence, None
        if silence is None:
            try:
                self.observer = self._observe(self._hints)
            except OSError as error:
                self._trouble = limit_reached(error)

    def close(self) -> None:
        """Stop watching, and forget events that nobody has looked into."""
        if self.observer is not None:
            self.observer.close()
            self.observer = None
        self._hints.drain()

    @property
    def mode(self) -> tuple[WatchMode, Reason | None]:
        """How changes are noticed now, and why not by complete events, if so."""
        if self._silence is not None:
            return WatchMode.POLLING, self._silence
        trouble = self._trouble or (self.observer.problem if self.observer is not None else None)
        return (WatchMode.EVENTS, None) if trouble is None else (WatchMode.DEGRADED, trouble)

    def pause(self, rescan: float, seconds: float) -> float:
        """Seconds until the next full scan, after one that took ``seconds``; ``rescan`` with complete events."""
        if self.mode[0] is WatchMode.EVENTS:
            return rescan
        return min(rescan, max(_POLL, _POLL_COST * seconds))

    def has_ended(self) -> bool:
        """Whether the event reader has ended by itself; said once, and watching goes on without."""
        if self.observer is None or self.observer.alive():
            return False
        self.close()
        self._trouble = STOPPED
        return True

    def begin_scan(self) -> None:
        """A full scan begins, in which every watch is tried again."""
        if self.observer is not None:
            self.observer.problem = None

    def end_scan(self, directories: int) -> int:
        """A full scan has met ``directories``; returns how many of them the kernel watches."""
        if self._trouble in (LOST, UNWATCHED):
            self._trouble = None
        if self.observer is None:
            return 0
        watched = self.observer.count()
        if watched < directories and self.observer.problem is None:
            self._trouble = UNWATCHED
        return watched

    def doubt(self, path: bytes) -> None:
        """Have ``path`` looked at as if there had been an event."""
        directory, _, name = path.rpartition(b"/")
        self._hints.name(directory, name)

    def next_due(self, now: float) -> float | None:
        """When gathered events are to be looked into; None when there are none."""
        if not self._hints:
            return None
        if self._gathered is None:
            self._gathered = now + min(_GATHER_MOST, max(_GATHER, _GATHER_COST * self._cost))
        return self._gathered

    def take(self, now: float) -> Doubt | None:
        """The gathered events, once it is time."""
        due = self.next_due(now)
        if due is None or now < due:
            return None
        self._gathered, self._cost = None, 0.0
        doubt = self._hints.drain()
        if doubt.lost:
            self._trouble = LOST
        return doubt

    def spent(self, seconds: float) -> None:
        """Looking into events has cost ``seconds``; the more it costs, the longer they gather."""
        self._cost += seconds

    def forget(self) -> None:
        """Drop the events gathered so far."""
        self._hints.drain()
