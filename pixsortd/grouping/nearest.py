"""Lists of the nearest rows while a graph is being made.

An entry is one number, the bits of its distance over its row: floats that are not negative sort as their
bits do, so entries sort by distance and then by row, and sorting them is the whole of keeping a list.
"""

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.rows import Array

Ints = npt.NDArray[np.int32]
Distances = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Entries = npt.NDArray[np.uint64]

NOBODY = -1
"""The row of an entry that is not there, at infinity."""

OFFERS = 50_000
"""Entries that wait before they go into the lists."""

_LOW = np.uint64(0xFFFFFFFF)
_HIGH = np.uint64(32)


def entries(rows: Array, distances: Distances) -> Entries:
    """One number for each row and its distance."""
    high = distances.astype(np.float32, copy=False).view(np.uint32).astype(np.uint64)
    packed: Entries = (high << _HIGH) | (rows.astype(np.int64) & int(_LOW)).astype(np.uint64)
    return packed


def rows_of(packed: Entries) -> Ints:
    """The rows of entries."""
    return (packed & _LOW).astype(np.uint32).view(np.int32)


def distances_of(packed: Entries) -> Distances:
    """The distances of entries."""
    return (packed >> _HIGH).astype(np.uint32).view(np.float32)


ABSENT = entries(np.array([NOBODY]), np.array([np.inf], np.float32))[0]


class Lists:
    """Of every row the nearest that were offered so far."""

    def __init__(self, packed: Entries, fresh: Rows) -> None:
        """``packed`` [n, k] are sorted. ``fresh`` rows have no list yet; any other list ends where it knows no more."""
        self.packed = packed
        last = np.maximum((packed != ABSENT).sum(1), 1) - 1
        ends = packed[np.arange(len(packed)), last]
        self._ends = np.where(ends == ABSENT, np.uint64(0), ends)
        self._ends[fresh] = ABSENT
        self._offers: list[tuple[Array, Entries]] = []
        self._waiting = 0

    def reach(self, rows: Array | slice) -> Distances:
        """How near a pair must be at least to count for these rows."""
        return distances_of(self._ends[rows])

    def put(self, rows: Array, packed: Entries) -> None:
        """Whole lists of some rows."""
        self.packed[rows] = packed

    def offer(self, rows: Array, others: Array, distances: Distances) -> None:
        """Pairs, none of them twice."""
        packed = entries(others, distances)
        near = packed < self._ends[rows]
        self._offers.append((rows[near], packed[near]))
        self._waiting += len(self._offers[-1][0])
        if self._waiting > OFFERS:
            self.settle()

    def settle(self) -> None:
        """Put what was offered into the lists."""
        rows = np.concatenate([np.empty(0, np.int64), *(offer[0] for offer in self._offers)])
        packed = np.concatenate([np.empty(0, np.uint64), *(offer[1] for offer in self._offers)])
        self._offers, self._waiting = [], 0
        order = np.argsort(rows, kind="stable")
        rows, packed = rows[order], packed[order]
        rank = ranks(rows)
        width = self.packed.shape[1]
        for start in range(0, int(rank.max(initial=-1)) + 1, width):  # a few rows may have very many
            turn = (rank >= start) & (rank < start + width)
            self._merge(rows[turn], rank[turn] - start, packed[turn])

    def _merge(self, rows: Rows, rank: Array, packed: Entries) -> None:
        width = self.packed.shape[1]
        touched, line = np.unique(rows, return_inverse=True)
        both = np.full((len(touched), width + int(rank.max()) + 1), ABSENT)
        both[:, :width] = self.packed[touched]
        both[line, width + rank] = packed
        both.sort(axis=1)
        self.packed[touched] = both[:, :width]
        full = both[:, width - 1] != ABSENT
        self._ends[touched[full]] = both[full, width - 1]


def ranks(rows: Array) -> Array:
    """Of sorted rows, the how manieth of its kind each is."""
    first: Array = np.arange(len(rows)) - np.searchsorted(rows, rows)
    return first
