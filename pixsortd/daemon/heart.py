"""Signs of life: systemd is told that the daemon lives only while every thread does."""

import threading
import time
from collections.abc import Callable


class Heart:
    """Collects the beats of named threads.

    ``interval`` is how often each thread must beat, or None when nobody asks, so that an
    unwatched daemon sleeps undisturbed.
    """

    def __init__(self, interval: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.interval = interval
        self._clock = clock
        self._beats: dict[str, float] = {}
        self._lock = threading.Lock()

    def beat_of(self, name: str) -> Callable[[], None]:
        """The function that the thread ``name`` calls at least every ``interval`` seconds."""

        def beat() -> None:
            with self._lock:
                self._beats[name] = self._clock()

        beat()
        return beat

    def forget(self, name: str) -> None:
        """The thread ended on purpose."""
        with self._lock:
            self._beats.pop(name, None)

    def stuck(self, patience: float) -> list[str]:
        """Names of the threads silent for longer than ``patience`` seconds."""
        now = self._clock()
        with self._lock:
            return sorted(name for name, beat in self._beats.items() if now - beat > patience)
