"""The event hub: any thread publishes, every subscriber reads one shared, bounded history.

A subscriber is only a position in that history, so a slow one costs nothing: when what it has not
read yet is overwritten, it gets one ``gap`` event and goes on from the newest, and refetches.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence

from pixsortd.api.ports import Event


class _Bell:
    """Wakes one subscriber in its own event loop; ringing twice before it looks costs one wake-up."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.event = asyncio.Event()
        self.rung = False

    def ring(self) -> None:
        if not self.rung:
            self.rung = True
            self.loop.call_soon_threadsafe(self.event.set)


class EventHub:
    """Publishes events with rising ids and keeps the last ``keep`` of them for reconnecting clients."""

    def __init__(self, keep: int = 1024, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.Lock()
        self._history: deque[Event] = deque(maxlen=keep)
        self._bells: set[_Bell] = set()
        # Microseconds since the epoch, so that ids go on rising after a restart; below 2**53 for JavaScript.
        self._last = int(clock() * 1_000_000)

    @property
    def last_id(self) -> int:
        """Id of the newest event, or the starting point when there was none."""
        return self._last

    @property
    def subscribers(self) -> int:
        """How many subscriptions are being read."""
        return len(self._bells)

    def publish(self, kind: str, data: dict[str, object]) -> Event:
        """Add an event; callable from any thread. ``data`` must be encodable as JSON."""
        with self._lock:
            self._last += 1
            event = Event(id=self._last, kind=kind, data=data)
            self._history.append(event)
            for bell in self._bells:
                bell.ring()
        return event

    def _after(self, position: int) -> list[Event]:
        """Events after ``position``, or one gap when they are no longer all here. Needs the lock."""
        if position == self._last:
            return []
        oldest = self._history[0].id if self._history else self._last + 1
        if not oldest - 1 <= position <= self._last:
            return [Event(id=self._last, kind="gap", data={"after": position, "resume": self._last})]
        return [event for event in self._history if event.id > position]

    def subscribe(self, last_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        """Batches of events after ``last_id`` (None: from now on), for ever. To be called on an event loop."""
        with self._lock:
            position = self._last if last_id is None else last_id
        return self._read(position)

    async def _read(self, position: int) -> AsyncGenerator[Sequence[Event], None]:
        bell = _Bell()
        with self._lock:
            self._bells.add(bell)
        try:
            while True:
                with self._lock:
                    bell.rung = False
                    bell.event.clear()
                    batch = self._after(position)
                if batch:
                    position = batch[-1].id
                    yield batch
                else:
                    await bell.event.wait()
        finally:
            with self._lock:
                self._bells.discard(bell)
