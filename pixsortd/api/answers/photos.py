"""Photos and files."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from pixsortd.api.answers.base import Answer, Body, Ids, ImageId, Rating, Reason, Seconds, Shown, Total
from pixsortd.api.answers.quality import Score
from pixsortd.api.ports import ImageStatus
from pixsortd.records import ColourLabel, FileState


class File(Answer, frozen=True, kw_only=True):
    """One path that is known."""

    id: str
    root: str
    path: Shown
    name: Shown
    state: FileState
    settled: bool
    since: Seconds
    first_seen: Seconds
    size: int | None
    attempts: int
    image: ImageId | None
    reason: Reason | None


class Image(Answer, frozen=True, kw_only=True):
    """One photo, as lists show it."""

    id: ImageId
    name: Shown
    status: ImageStatus
    width: int | None
    height: int | None
    taken: Annotated[str, Meta(description="local time as the camera wrote it, ISO 8601")] | None
    taken_at: Seconds | None
    taken_from: str | None
    group: str | None
    group_name: str | None
    scores: Annotated[dict[str, float], Meta(description="raw score by metric; directions in /api/status")]
    rating: Rating | None
    label: ColourLabel | None
    caption: str | None
    format: str | None
    size: int | None
    reason: Reason | None
    files: list[File]


class ImagePage(Answer, frozen=True, kw_only=True):
    """A page of photos."""

    items: list[Image]
    next_cursor: str | None
    total: Total


class SimilarImage(Image, frozen=True, kw_only=True):
    """A photo and its likeness to the one asked for."""

    similarity: Annotated[float, Meta(description="cosine, -1 to 1")]


class SimilarPage(Answer, frozen=True, kw_only=True):
    """Photos like one, nearest first."""

    items: list[SimilarImage]
    next_cursor: str | None
    total: Total
    space: str


class Exif(Answer, frozen=True, kw_only=True):
    """What the camera wrote."""

    taken: str | None
    taken_at: Seconds | None
    camera_make: str | None
    camera_model: str | None
    lens: str | None
    exposure_seconds: float | None
    exposure: str | None
    f_number: float | None
    iso: int | None
    focal_length: float | None
    focal_length_35mm: float | None
    latitude: float | None
    longitude: float | None
    altitude: float | None
    orientation: int
    rating: int | None
    description: str | None
    software: str | None


class Membership(Answer, frozen=True, kw_only=True):
    """Why a photo is in a group."""

    group: str
    group_name: str | None
    strength: float
    how: str
    at: Seconds
    similarity: float | None
    nearest: list[ImageId]


class BatchName(Answer, frozen=True, kw_only=True):
    """A batch that a photo is in."""

    id: str
    name: str


class ImageDetail(Image, frozen=True, kw_only=True):
    """One photo with everything that is stored about it."""

    added: Seconds | None
    frames: int
    decoder: str
    exif: Exif | None
    quality: list[Score]
    groups: list[Membership]
    batches: list[BatchName]


class Marks(Body, frozen=True, kw_only=True):
    """What a user may put on photos; what is left out stays, null takes it back."""

    rating: Rating | UnsetType | None = UNSET
    label: ColourLabel | UnsetType | None = UNSET
    caption: Annotated[str, Meta(min_length=1, max_length=2000)] | UnsetType | None = UNSET


class MarksOfMany(Marks, frozen=True, kw_only=True):
    """The same marks for many photos."""

    ids: Ids


class MarkedImages(Answer, frozen=True, kw_only=True):
    """The photos as they are now."""

    items: list[Image]


class IdsBody(Body, frozen=True, kw_only=True):
    """Photos by id."""

    ids: Ids


class Bucket(Answer, frozen=True, kw_only=True):
    """A run of neighbours in a list."""

    key: Annotated[str, Meta(description="month YYYY-MM where the list is sorted by the time taken, else opaque")]
    count: int


class Outline(Answer, frozen=True, kw_only=True):
    """A list as its buckets, in the list's order."""

    items: list[Bucket]
    total: Total


class Cell(Answer, frozen=True, kw_only=True):
    """A photo as a grid shows it."""

    id: str
    name: Shown
    status: ImageStatus
    width: int | None
    height: int | None
    taken_at: Seconds | None
    rating: Rating | None
    label: ColourLabel | None
    group: str | None


class BucketCells(Answer, frozen=True, kw_only=True):
    """The photos of one bucket in the list's order."""

    key: str
    items: list[Cell]
