"""A share of something scarce, waited for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """A total that threads hold parts of; a part above the total waits until it is alone."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def share(self, amount: float) -> Iterator[None]:
        """Hold ``amount`` (or the whole total, if that is less) for the length of the block."""
        amount = min(max(amount, 0.0), self._total)
        with self._changed:
            # The tolerance takes up what adding and subtracting fractions leaves behind.
            self._changed.wait_for(lambda: self._free >= amount - 1e-6)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()
