"""What was counted for lists, remembered as long as the index does not change."""

from collections.abc import Callable
from typing import Generic, TypeVar

from pixsortd.index.listing import Listing
from pixsortd.index.queries import PhotoQuery

T = TypeVar("T")
_HELD = 64


class Counted(Generic[T]):
    """Figures of lists, each for one query at one generation. Callable from any thread."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, PhotoQuery, frozenset[str]], T] = {}

    def of(self, listing: Listing, count: Callable[[], T]) -> T:
        """What ``count`` answers, asked once for each state of the index."""
        asked = (listing.view.generation, listing.query, listing.away)
        found = self._held.get(asked)
        if found is None:
            found = count()
            if len(self._held) >= _HELD:
                self._held.clear()
            self._held[asked] = found
        return found
