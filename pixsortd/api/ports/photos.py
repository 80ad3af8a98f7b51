"""Photos and files as the API sees them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from pixsortd.records import ColourLabel, FileRow, Membership, Photo, Reason, Record, Score, Step

T = TypeVar("T")


class ImageStatus(StrEnum):
    """Where a photo stands: the best state among the files that hold it."""

    PENDING = "pending"
    INDEXED = "indexed"
    FAILED = "failed"
    AWAY = "away"


class ImageSort(StrEnum):
    """Orders of the image list; a minus sign means newest first."""

    NEWEST = "-taken"
    OLDEST = "taken"
    ADDED = "-added"


class ImageQuery(Record, frozen=True, kw_only=True):
    """Filters of the image list; None leaves a filter out. Bounds are inclusive."""

    root: str | None = None
    batch: str | None = None
    """A batch id."""
    rating: int | None = None
    """At least this many stars."""
    label: ColourLabel | None = None
    group: str | None = None
    """A group id. See also `ungrouped`, which excludes it."""
    ungrouped: bool = False
    status: ImageStatus | None = None
    taken_from: float | None = None
    taken_to: float | None = None
    metric: str | None = None
    """Only photos with a stored score of this metric, within `low` and `high`."""
    low: float | None = None
    high: float | None = None
    sort: ImageSort = ImageSort.NEWEST


class Page(Record, Generic[T], frozen=True, kw_only=True):
    """A slice of a list. `next_cursor` is opaque, safe in a URL, and None at the end."""

    items: Sequence[T]
    next_cursor: str | None = None
    total: int = 0
    """How many the whole list has under the same filters."""


class FileEntry(Record, frozen=True, kw_only=True):
    """One path of the index, with what a person needs to recognise it."""

    id: str
    """Opaque and stable while the path stays: 1 to 128 of ``A-Z a-z 0-9 _ -``. It names a row of the
    index, never a path."""
    row: FileRow
    root_path: bytes
    """Absolute path of the root, raw bytes."""


class ImageEntry(Record, frozen=True, kw_only=True):
    """One photo as lists show it."""

    sha256: bytes | None
    """None for a pending or failed file whose content is not known yet; its one file then stands for it."""
    status: ImageStatus
    photo: Photo | None = None
    """None while (or because it cannot be) decoded; then `files` says why."""
    files: tuple[FileEntry, ...] = ()
    """All known locations, the best state first."""
    scores: tuple[Score, ...] = ()
    membership: Membership | None = None
    group_name: str | None = None
    rating: int | None = None
    """The user's 0 to 5 stars; the camera's own is in ``photo.exif.rating``."""
    label: ColourLabel | None = None
    caption: str | None = None
    batches: tuple[str, ...] = ()
    """Ids of the batches it is in; only for a single photo, not in lists."""


class SimilarEntry(Record, frozen=True, kw_only=True):
    """One answer of a like-search."""

    image: ImageEntry
    similarity: float
    """Cosine, -1 to 1."""


class Similar(Record, frozen=True, kw_only=True):
    """Photos most like one, nearest first, and the space they were compared in."""

    items: Sequence[SimilarEntry]
    space: str


class Original(Record, frozen=True, kw_only=True):
    """An open original. Who receives it owns `descriptor` and closes it."""

    descriptor: int
    """A readable regular file, opened without following links and found equal to its stamp."""
    size: int
    name: bytes
    """File name, for display only."""
    format: str
    """Pillow's name, as in `Photo.format`."""


class Rival(Record, frozen=True, kw_only=True):
    """A group near a photo that it is not in."""

    group: str
    name: str | None = None
    similarity: float
    """Mean cosine to its members that are nearest."""
    needs: str
    """What it would need to take the photo in, in words."""


class Grouping(Record, frozen=True, kw_only=True):
    """Why a photo is in its group, or in none."""

    group: str | None = None
    name: str | None = None
    how: str = "none"
    """``clustered``, ``joined``, ``decided``, or ``none`` for in no group by itself."""
    strength: float | None = None
    similarity: float | None = None
    nearest: tuple[bytes, ...] = ()
    """Members that speak for it, nearest first."""
    constraint: str | None = None
    """What the user said that decides, in words."""
    unsure: str | None = None
    """What speaks against its being where it is, and what would change it, in words."""
    rivals: tuple[Rival, ...] = ()
    """The best first."""


class Passport(Record, frozen=True, kw_only=True):
    """All that is known of how a file or photo came to be where it is."""

    files: tuple[FileEntry, ...]
    image: ImageEntry | None = None
    """None for a file whose content is not known (excluded, unreadable, still settling)."""
    steps: tuple[Step, ...] = ()
    """Oldest first."""
    excluded_by: Reason | None = None
    """For a path below an excluded directory: the rule that keeps it out."""
    grouping: Grouping | None = None
    """None for what is no photo of the index."""
