"""What is in the trash: a fold over the finished moves of the journal."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence

from pixsortd.records import Place, Record
from pixsortd.sorting.journal import Deed, Move, Parcel

DISCARD, RESTORE, PURGE = "discard", "restore", "purge"
"""The kinds of moves that change the trash."""
FILES, DIRECTORIES = 256, 64
"""So many files and directories share a journal line's wait for the disk, and are open at once."""


class Item(Record, frozen=True, kw_only=True):
    """One discarded photo's file with its companions."""

    parcel: Parcel
    """Its steps lead from where the files were to where they are in the trash."""
    at: float

    @property
    def id(self) -> str:
        """The parcel's."""
        return self.parcel.id

    @property
    def image(self) -> bytes:
        """The photo's SHA-256."""
        return self.parcel.image

    @property
    def origin(self) -> Place:
        """Where the photo's file was."""
        return self.parcel.steps[0].source

    @property
    def size(self) -> int:
        """Bytes, companions included."""
        return sum(step.stamp.size for step in self.parcel.steps)


class Contents:
    """The items in the trash. One thread at a time."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._order: list[tuple[float, str]] = []
        self._copies: Counter[bytes] = Counter()
        self.bytes = 0
        """Size of all items."""

    def __len__(self) -> int:
        return len(self._items)

    def apply(self, move: Move) -> None:
        """Take note of a move that was done."""
        for parcel in move.parcels:
            if move.kind == DISCARD or any(step.deed is Deed.DISPLACE for step in parcel.steps):
                self._add(Item(parcel=parcel, at=move.at))
            else:  # what sorting moves has an id of its own, unless it comes from here
                self._remove(parcel.id)

    def get(self, item: str) -> Item | None:
        """The item of that id."""
        return self._items.get(item)

    def all(self) -> list[Item]:
        """Every item, oldest first."""
        return [self._items[item] for _, item in self._order]

    def older_than(self, at: float) -> list[Item]:
        """The items discarded before a time."""
        return [self._items[item] for _, item in self._order[: bisect_left(self._order, (at, ""))]]

    def page(self, before: tuple[float, str] | None, limit: int) -> Sequence[Item]:
        """Up to ``limit`` items, newest first, from behind the place ``before`` on."""
        end = len(self._order) if before is None else bisect_left(self._order, before)
        return [self._items[item] for _, item in reversed(self._order[max(0, end - limit) : end])]

    def images(self) -> frozenset[bytes]:
        """The photos that have a file in the trash."""
        return frozenset(self._copies)

    def copies(self, image: bytes) -> int:
        """How many files of a photo are in the trash."""
        return self._copies[image]

    def sizes(self) -> dict[bytes, int]:
        """Bytes by root."""
        found: Counter[bytes] = Counter()
        for item in self._items.values():
            found[item.origin.base] += item.size
        return dict(found)

    def _add(self, item: Item) -> None:
        if item.id in self._items:
            return
        self._items[item.id] = item
        insort(self._order, (item.at, item.id))
        self._copies[item.image] += 1
        self.bytes += item.size

    def _remove(self, gone: str) -> None:
        item = self._items.pop(gone, None)
        if item is None:
            return
        del self._order[bisect_left(self._order, (item.at, item.id))]
        self._copies[item.image] -= 1
        if not self._copies[item.image]:
            del self._copies[item.image]
        self.bytes -= item.size


def in_runs(wanted: Iterable[Sequence[Place]], files: int, directories: int) -> list[int]:
    """How many consecutive groups of files go into each run, so that none has too many files or directories."""
    runs, count, seen = [], 0, set[tuple[bytes, bytes]]()
    total = 0
    for places in wanted:
        here = {(place.base, place.directory) for place in places}
        if count and (total + len(places) > files or len(seen | here) > directories):
            runs.append(count)
            count, total, seen = 0, 0, set()
        count, total = count + 1, total + len(places)
        seen |= here
    return [*runs, count] if count else runs
