"""The trash as the API sees it."""

from collections.abc import Sequence
from typing import Protocol

from pixsortd.api.ports.photos import Page
from pixsortd.records import Reason, Record


class TrashItem(Record, frozen=True, kw_only=True):
    """One file in the trash (its companions, such as an XMP sidecar, went with it)."""

    id: str
    """1 to 128 of ``A-Z a-z 0-9 _ -``."""
    image: bytes
    root: str
    path: bytes
    """Absolute path it came from."""
    size: int
    """Bytes, companions included."""
    companions: int = 0
    at: float = 0.0
    until: float = 0.0
    """It is kept at least until then."""
    last_copy: bool = False
    """No other file with this content is known."""


class Trashed(Record, frozen=True, kw_only=True):
    """What became of one photo that was to go to the trash."""

    image: bytes
    items: tuple[TrashItem, ...] = ()
    last_copy: bool = False
    """Nothing with this content is left outside the trash."""
    reason: Reason | None = None
    """Why nothing was moved."""


class Restored(Record, frozen=True, kw_only=True):
    """What became of one file that was to come back."""

    id: str
    path: bytes
    """Where it is now, absolute; another name than before where that one was taken meanwhile."""
    reason: Reason | None = None
    """Why it stays in the trash."""


class TrashPage(Page[TrashItem], frozen=True, kw_only=True):
    """A page of the trash, newest first, and the size of all of it."""

    bytes: int = 0
    retention: float = 0.0
    """Seconds a file is kept."""


class Trash(Protocol):
    """Files that were deleted and can come back. Every method *may block*."""

    def list(self, cursor: str | None, limit: int) -> TrashPage:
        """Newest first."""
        ...

    def discard(self, image: bytes, file: str | None = None) -> Trashed:
        """Move every file of a photo to the trash, or the one with that entry id.

        Raises NotFound, Conflict (a file lies in a read-only or absent root; nothing was moved; says the way out).
        """
        ...

    def discard_many(self, images: Sequence[bytes]) -> Sequence[Trashed]:
        """The same for many; each answers for itself."""
        ...

    def restore(self, items: Sequence[str]) -> Sequence[Restored]:
        """Bring files back to where they were. Raises NotFound for an unknown item with nothing moved."""
        ...

    def purge(self, items: Sequence[str] | None) -> int:
        """Delete for good what is in the trash (None: all of it); bytes freed. Raises NotFound."""
        ...
