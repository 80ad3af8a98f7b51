"""What a list is asked for and what it answers."""

from typing import Generic, TypeVar

import msgspec

from pixsortd.records import FileRow, FileState, Membership, Photo, Record, Score

T = TypeVar("T")


class MetricRange(Record, frozen=True, kw_only=True):
    """Photos whose raw score in a metric is within these bounds, ends included."""

    metric: str
    low: float = float("-inf")
    high: float = float("inf")


class PhotoQuery(Record, frozen=True, kw_only=True):
    """Which photos, in which order. Filters add up."""

    root: str | None = None
    group: str | None = None
    ungrouped: bool = False
    """Only photos that are in no group."""
    among: frozenset[bytes] | None = None
    """Only these photos; files that are no photos yet are not among any."""
    status: str | None = None
    """``indexed`` or ``away`` photos, or the files that are ``pending`` or ``failed``; None: all photos."""
    taken_from: float | None = None
    taken_until: float | None = None
    """Seconds since the epoch, ends included; for files that are no photos yet their mtime counts."""
    metrics: tuple[MetricRange, ...] = ()
    sort: str = "-taken"
    """``-taken`` (newest first), ``taken`` or ``-added``."""


class PhotoItem(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A photo with all that is known of it, or a file that is no photo yet (then without ``photo``)."""

    sha256: bytes | None
    status: FileState
    """The best state among its files, where those in absent roots are away."""
    files: tuple[FileRow, ...]
    """At least one; those that are not away first."""
    photo: Photo | None = None
    scores: tuple[Score, ...] = ()
    membership: Membership | None = None
    group_name: str | None = None

    @property
    def name(self) -> bytes:
        """File name of its first file."""
        return self.files[0].path.rpartition(b"/")[2]


class PhotoCell(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The little of a photo, or of a file that is no photo yet, that a grid shows."""

    sha256: bytes | None
    name: bytes
    """File name of its first file."""
    status: FileState
    entry: str = ""
    """Entry id of a file that is no photo yet."""
    width: int | None = None
    height: int | None = None
    taken: float | None = None
    group: str | None = None


class Bucket(Record, frozen=True, kw_only=True):
    """A run of neighbours in a list."""

    key: str
    """Month of the time taken, ``YYYY-MM`` in UTC, or opaque."""
    count: int


class Outline(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A whole list as its buckets, in the list's order; none is empty."""

    buckets: tuple[Bucket, ...]
    total: int


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list, how to get the next part, and the length of the whole."""

    items: list[T]
    next_cursor: str | None
    total: int


class Counts(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The index in figures."""

    photos: int
    """Contents that some file holds."""
    orphans: int
    """Contents that no file holds any more, kept for a while."""
    groups: int
    grouped: int
    """Photos that are in a group."""
    files: dict[FileState, int]
