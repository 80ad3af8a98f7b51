"""A share of something scarce, waited for."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """A total that threads hold parts of, served in the order they came.

    A part above the total waits until it is alone; what comes after it waits too, so that no stream of
    small parts keeps a large one waiting for ever.
    """

    def __init__(self, total: float) -> None:
        self._total = total
        self._free = total
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def share(self, amount: float) -> Iterator[None]:
        """Hold ``amount`` (or the whole total, if that is less) for the length of the block."""
        amount = min(max(amount, 0.0), self._total)
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                # The tolerance takes up what adding and subtracting fractions leaves behind.
                self._changed.wait_for(lambda: self._waiting[0] is turn and self._free >= amount - 1e-6)
                self._free -= amount
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()
