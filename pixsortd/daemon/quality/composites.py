"""The composites of the library, to tell how good one is: few photos lead in everything, so it is no percentile."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pixsortd.daemon.kept import Kept
from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.daemon.quality.distributions import REST
from pixsortd.index.scored import Scored

SAMPLE = 2000
"""Photos that stand for a larger library: a percentile is then within two or so of the true one."""


class Source(Protocol):
    """What is read of the index."""

    @property
    def generation(self) -> int: ...
    def some_scored(self, most: int) -> list[Scored]: ...


class Composites:
    """The composites of the library, kept for a while. Callable from any thread."""

    def __init__(self, source: Source, compare: Callable[[Iterable[Scored]], Comparison]) -> None:
        """``compare`` tells what scores mean in the library."""
        self._source = source
        self._compare = compare
        self._kept = Kept("composites", self._read, lambda: source.generation, REST)

    def rising(self) -> Sequence[float]:
        """Those of a sample of the library, in rising order. *May block* (tenths of a second, the first time)."""
        return self._kept.get()

    def _read(self) -> Sequence[float]:
        photos = self._source.some_scored(SAMPLE)
        comparison = self._compare(photos)
        return sorted(found.value for photo in photos if (found := comparison.composite(photo)) is not None)
