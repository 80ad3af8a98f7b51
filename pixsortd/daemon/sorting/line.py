"""The one thread that moves photos: what a person asked for first, then the inboxes whose time has come."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import structlog

from pixsortd.daemon.heart import Heart
from pixsortd.daemon.sorting.due import Due
from pixsortd.errors import PixsortdError

log = structlog.get_logger()

NAME = "sort"
"""Of the thread."""
AGAIN = 30.0
"""Seconds until an inbox that could not be looked at has its next turn."""


class Line(threading.Thread):
    """Nothing is kept here that the disk, the index and the journal do not hold."""

    def __init__(
        self,
        look: Callable[[str], None],
        delay: Callable[[], float],
        heart: Heart,
    ) -> None:
        """``look`` is called for an inbox whose files or rules have changed and have rested for ``delay`` seconds."""
        super().__init__(name=NAME, daemon=True)
        self._look = look
        self._delay = delay
        self._heart, self._beat = heart, heart.beat_of(NAME)
        self._due = Due()
        self._asked: deque[Callable[[], None]] = deque()
        self._condition = threading.Condition()
        self.stopping = False
        """Whether whatever is under way should end at its next step."""

    # --- from any thread ---------------------------------------------------------------------------

    def touch(self, roots: Iterable[str], delay: float | None = None) -> None:
        """Have inboxes looked at soon."""
        with self._condition:
            for root in roots:
                self._due.touch(root, time.monotonic(), self._delay() if delay is None else delay)
            self._condition.notify()

    def settled(self, root: str) -> bool:
        """Whether nothing is known to have changed since an inbox was looked at last."""
        with self._condition:
            return root not in self._due

    def looked(self, root: str) -> None:
        """An inbox has just been looked at by another thread."""
        with self._condition:
            self._due.drop(root)

    def ask(self, work: Callable[[], None]) -> None:
        """Have something done next. It must not raise."""
        with self._condition:
            self._asked.append(work)
            self._condition.notify()

    def stop(self, timeout: float) -> None:
        """Let what is under way end at its next step, and wait for that."""
        with self._condition:
            self.stopping = True
            self._condition.notify()
        if self.is_alive():
            self.join(timeout)

    # --- the thread --------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until stopped."""
        while (work := self._next()) is not None:
            self._heart.forget(NAME)  # a copy to another disk takes as long as it takes
            work()
        self._heart.forget(NAME)

    def _next(self) -> Callable[[], None] | None:
        with self._condition:
            while not self.stopping:
                self._beat()
                if self._asked:
                    return self._asked.popleft()
                now = time.monotonic()
                root = self._due.take(now)
                if root is not None:
                    return lambda: self._turn(root)
                due = self._due.next()
                waits = [one for one in (self._heart.interval, None if due is None else due - now) if one is not None]
                self._condition.wait(min(waits, default=None))
        return None

    def _turn(self, root: str) -> None:
        try:
            self._look(root)
        except PixsortdError as error:
            log.warning("inbox not looked at", root=root, error=str(error), next_step=error.next_step)
            self.touch([root], AGAIN)
        except Exception:  # a line that ended would silently sort no photo any more
            log.exception("inbox not looked at", root=root)
            self.touch([root], AGAIN)
