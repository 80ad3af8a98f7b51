"""The trash."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body, ImageId, Reason, Seconds, Shown, Total

TrashIds = Annotated[list[Annotated[str, Meta(min_length=1, max_length=128)]], Meta(min_length=1, max_length=10_000)]


class TrashItem(Answer, frozen=True, kw_only=True):
    """One deleted file."""

    id: str
    image: ImageId
    root: str
    path: Shown
    name: Shown
    size: Annotated[int, Meta(description="bytes, companions included")]
    companions: int
    at: Seconds
    until: Seconds
    last_copy: bool


class TrashPage(Answer, frozen=True, kw_only=True):
    """A page of the trash, newest first; `bytes` is the size of all of it, `retention` in seconds."""

    items: list[TrashItem]
    next_cursor: str | None
    total: Total
    bytes: int
    retention: float


class Trashed(Answer, frozen=True, kw_only=True):
    """What became of a photo that was to go to the trash; `last_copy`: nothing with this content is left outside."""

    image: ImageId
    items: list[TrashItem]
    last_copy: bool
    reason: Reason | None


class TrashedList(Answer, frozen=True, kw_only=True):
    """The same for many; each answers for itself."""

    items: list[Trashed]


class RestoreBody(Body, frozen=True, kw_only=True):
    """Files of the trash to bring back."""

    ids: TrashIds


class Restored(Answer, frozen=True, kw_only=True):
    """Where a file is now, or why it stays in the trash."""

    id: str
    path: Shown
    reason: Reason | None


class RestoredList(Answer, frozen=True, kw_only=True):
    """What became of each."""

    items: list[Restored]


class PurgeBody(Body, frozen=True, kw_only=True):
    """Files of the trash to delete for good; null: all of it."""

    ids: TrashIds | None


class Purged(Answer, frozen=True, kw_only=True):
    """Bytes that were freed."""

    bytes: int
