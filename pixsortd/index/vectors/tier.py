"""What a tier of the search answers, and when another one is due."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pixsortd.records import Record

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Numbers = npt.NDArray[np.int64]
Near = tuple[Floats, Numbers]
"""Cosines, the largest first, and the numbers of the photos."""

BORDER = 20_000
"""Vectors from which the search is inverted. At 512 dimensions comparing this many takes a millisecond."""


class Tier(Protocol):
    """One part of a space's search. No photo is in two parts at once."""

    @property
    def count(self) -> int:
        """Vectors that can be found."""
        ...

    def numbers(self) -> Numbers:
        """Photo numbers that can be found, in no order."""
        ...

    def nearest(self, query: Floats, k: int) -> Near:
        """The ``k`` nearest, or all there are."""
        ...

    def remove(self, numbers: Numbers) -> None:
        """Take out those of these photos that are held."""
        ...

    def pieces(self) -> Iterator[tuple[Numbers, Halves]]:
        """All (numbers, vectors), some thousands at a time."""
        ...

    def proven(self) -> bool:
        """Whether vectors that are held find themselves."""
        ...


class Shape(Record, frozen=True, kw_only=True, omit_defaults=False):
    """How the vectors of a search lie."""

    inverted: int = 0
    """Vectors in the inverted tier that can be found."""
    tombstones: int = 0
    """Vectors in the inverted tier that were deleted or replaced since it was trained."""
    flat: int = 0
    """Vectors in the flat tier."""
    probes: float = 0.0
    """Lists of the inverted tier that a search looks into, on average."""
    recall: float = 0.0
    """Share of the true ten nearest that it found when it was trained."""


def due(shape: Shape, *, idle: bool, border: int = BORDER) -> bool:
    """Whether the inverted tier should be trained anew, or dropped because it is hardly needed any more.

    A search costs what the flat part costs, so that part may grow to a quarter of the inverted one, and
    to a sixteenth once nothing else is to be done. Below half the border the flat tier is enough;
    between the two nothing is changed.
    """
    trained = shape.inverted + shape.tombstones
    if not trained:
        return shape.flat >= border
    if dropped(shape, border=border):
        return True
    part = 16 if idle else 4
    return shape.flat >= max(border * 4 // part, trained // part) or shape.tombstones * part >= max(trained, border)


def dropped(shape: Shape, *, border: int = BORDER) -> bool:
    """Whether an inverted tier is there and too few photos are left for it."""
    return bool(shape.inverted + shape.tombstones) and shape.inverted + shape.flat < border // 2
