"""Scores that somebody waits for, worked on between the batches of the line."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable

from pixsortd.records import Reason


class Order:
    """Photos to be scored in some metrics. Only the line's thread works on it; any may withdraw it."""

    def __init__(
        self,
        contents: Iterable[bytes],
        metrics: Collection[str],
        again: bool,
        on_progress: Callable[["Order"], None],
        on_end: Callable[["Order"], None],
    ) -> None:
        """``again``: also where a score is stored. ``on_end`` is called once, unless the order is withdrawn."""
        self._contents = dict.fromkeys(contents)
        self._left = deque(self._contents)
        self.metrics = frozenset(metrics)
        self.again = again
        self._on_progress, self._on_end = on_progress, on_end
        self.total = len(self._left)
        self.done = 0
        """Photos that are dealt with, one way or the other."""
        self.scored = 0
        """Photos that got a score."""
        self.away = 0
        """Photos without a file that can be read now."""
        self.problem: Reason | None = None
        """Why the order was given up."""
        self.withdrawn = False

    def __contains__(self, sha256: bytes) -> bool:
        return sha256 in self._contents

    @property
    def left(self) -> int:
        """Photos not taken yet."""
        return len(self._left)

    def take(self, limit: int) -> list[bytes]:
        """The next photos."""
        return [self._left.popleft() for _ in range(min(limit, len(self._left)))]

    def wants(self, offered: Iterable[str], present: Collection[str]) -> tuple[str, ...]:
        """Metrics to compute for one of its photos."""
        return tuple(name for name in offered if name in self.metrics and (self.again or name not in present))

    def out_of_reach(self, photos: int) -> None:
        """``photos`` of those taken have no file that can be read."""
        self.away += photos
        self._advance(photos)

    def committed(self, photos: int) -> None:
        """``photos`` more have a new score."""
        self.scored += photos

    def processed(self, photos: int) -> None:
        """``photos`` of those taken are dealt with."""
        self._advance(photos)

    def give_up(self, problem: Reason | None = None) -> None:
        """End with what has been done; ``problem`` makes it a failure."""
        self.problem = problem
        self._left.clear()
        if not self.withdrawn:
            self._on_end(self)

    def _advance(self, photos: int) -> None:
        self.done += photos
        if self.withdrawn:
            return
        if photos:
            self._on_progress(self)
        if self.done >= self.total:
            self._on_end(self)


class Orders:
    """The orders that wait, a batch of each in turn, so that a short one is not kept waiting by a long one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Order] = deque()

    @property
    def depth(self) -> int:
        """Photos that wait."""
        with self._lock:
            return sum(order.left for order in self._waiting)

    def add(self, order: Order) -> None:
        """Queue an order."""
        with self._lock:
            self._waiting.append(order)

    def withdraw(self, order: Order) -> None:
        """Nobody waits for it any more; a batch in work is finished all the same."""
        order.withdrawn = True
        self.remove(order)

    def remove(self, order: Order) -> None:
        """Take out an order, if it still waits."""
        with self._lock:
            if order in self._waiting:
                self._waiting.remove(order)

    def take(self, limit: int) -> tuple[Order, list[bytes]] | None:
        """Up to ``limit`` photos of the order whose turn it is; None when none waits."""
        with self._lock:
            if not self._waiting:
                return None
            order = self._waiting.popleft()
            contents = order.take(limit)
            if order.left:
                self._waiting.append(order)
            return order, contents
