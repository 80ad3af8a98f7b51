"""What takes long to read from the whole library: read in slices with rests between them, kept, read anew when due."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

import structlog

from pixsortd.errors import PixsortdError

log = structlog.get_logger()

T = TypeVar("T")

PAUSE = 0.001
"""Seconds in which other threads come to their turn between two slices."""
PATIENCE = 0.2
"""Seconds a reading may take to be waited for, once there is an older value."""


class Slice(Protocol):
    """A part of a table, read in a transaction of its own."""

    @property
    def last(self) -> bytes | None:
        """Where to go on; None at the end."""
        ...


S = TypeVar("S", bound=Slice)


def slices(read: Callable[[bytes | None], S]) -> Iterator[S]:
    """Every slice of a table, given ``read`` for the one behind a key."""
    part = read(None)
    yield part
    while part.last is not None:
        time.sleep(PAUSE)
        part = read(part.last)
        yield part


class Kept(Generic[T]):
    """A value that follows the index with some delay. Any thread may ask; one at a time reads."""

    def __init__(
        self,
        name: str,
        read: Callable[[], T],
        generation: Callable[[], int],
        rest: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A new value is read when the ``generation`` has changed and ``rest`` times the last reading's time passed."""
        self._name = name
        self._read = read
        self._generation = generation
        self._rest = rest
        self._clock = clock
        self._reading = threading.Lock()
        self._value: T | None = None
        self._seen = -1
        """The generation when it was read last."""
        self._ended = 0.0
        self._took = 0.0

    def get(self, lacking: Callable[[T], bool] | None = None) -> T:
        """The value; an older one while a long reading is under way.

        Something ``lacking`` in the value is waited for where the index has changed. *May block* for
        the time of a reading: the first time, and where that is short.
        """
        if self._due(lacking):
            if self._value is None or self._took < PATIENCE or (lacking and lacking(self._value)):
                with self._reading:
                    if self._due(lacking):
                        self._renew()
            elif self._reading.acquire(blocking=False):
                threading.Thread(target=self._renew_behind, name=self._name, daemon=True).start()
        assert self._value is not None
        return self._value

    def _due(self, lacking: Callable[[T], bool] | None) -> bool:
        if self._value is None:
            return True
        if self._generation() == self._seen:
            return False
        rested = self._clock() - self._ended >= self._rest * self._took
        return rested or (lacking is not None and lacking(self._value))

    def _renew(self) -> None:
        seen, began = self._generation(), self._clock()
        self._value = self._read()
        self._seen, self._ended = seen, self._clock()
        self._took = self._ended - began

    def _renew_behind(self) -> None:
        """With the lock taken over from the thread that asked."""
        try:
            self._renew()
        except PixsortdError as error:
            log.warning("not read anew", what=self._name, error=str(error))
        finally:
            self._reading.release()
