"""The whole of a list in outline, so that a page can jump anywhere in it."""

from collections.abc import Sequence
from typing import Protocol

from pixsortd.api.ports.photos import ImageQuery, ImageStatus
from pixsortd.records import ColourLabel, Record


class Bucket(Record, frozen=True, kw_only=True):
    """A run of neighbours in a list."""

    key: str
    """Month ``YYYY-MM`` (UTC, of the time the photo was taken) where the list is sorted by it; else opaque.
    1 to 40 of ``A-Z a-z 0-9 -``."""
    count: int


class Outline(Record, frozen=True, kw_only=True):
    """A list as its buckets, in the list's order."""

    buckets: Sequence[Bucket]
    total: int


class Cell(Record, frozen=True, kw_only=True):
    """A photo as a grid shows it."""

    id: str
    """SHA-256 in hex, or the entry id of a file that is no photo yet."""
    name: bytes
    status: ImageStatus
    width: int | None = None
    height: int | None = None
    taken: float | None = None
    rating: int | None = None
    label: ColourLabel | None = None
    group: str | None = None


class Timeline(Protocol):
    """Lists in outline."""

    def outline(self, query: ImageQuery) -> Outline:
        """Buckets of the list that ``images`` would page through. *May block.*"""
        ...

    def bucket(self, query: ImageQuery, key: str) -> Sequence[Cell]:
        """The photos of one bucket in the list's order; none for a bucket that is empty now. *May block.*

        Raises InvalidRequest for a key that is none of such a list.
        """
        ...
