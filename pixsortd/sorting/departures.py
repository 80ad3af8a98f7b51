"""Which photos were sorted away from where, so that what arrives for one of them later can follow it."""

import hashlib
from collections import OrderedDict

from pixsortd.records import Place, Record
from pixsortd.sorting import names
from pixsortd.sorting.journal import Deed, Move

REMEMBERED = 20_000
"""Photos, the last that were moved: they take a few megabytes."""


class Departure(Record, frozen=True, kw_only=True):
    """A photo that was moved."""

    image: bytes
    source: Place
    destination: Place
    rule: str
    """Digest of the rule that asked for it."""


class Departures:
    """A fold over finished moves. One thread at a time."""

    def __init__(self) -> None:
        self._gone: OrderedDict[bytes, Departure] = OrderedDict()

    def take(self, move: Move) -> None:
        """Take note of a move that was done: its photo has left one place, and is at another."""
        first = move.steps[0]
        if first.deed is not Deed.MOVE or first.destination is None or first.sha256 is None:
            return
        self._gone.pop(_key(first.destination, names.family(first.destination.name)), None)
        if first.source.in_trash:
            return
        departure = Departure(image=move.image, source=first.source, destination=first.destination, rule=move.rule)
        self._gone[_key(first.source, names.family(first.source.name))] = departure
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    def of(self, place: Place) -> Departure | None:
        """The photo that the file at a place may belong to, by its name, and that is gone from beside it."""
        found = (self._gone.get(_key(place, family)) for family in names.families([place.name]))
        return next((one for one in found if one is not None), None)


def _key(place: Place, family: str) -> bytes:
    directory = place.absolute.rpartition(b"/")[0]
    return hashlib.blake2b(directory + b"\0" + family.encode(errors="surrogatepass"), digest_size=16).digest()
