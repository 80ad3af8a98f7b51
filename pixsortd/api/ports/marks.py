"""What the user puts on photos, as the API sees it."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from pixsortd.api.ports.photos import ImageEntry
from pixsortd.records import ColourLabel, Record


class MarkChange(Record, frozen=True, kw_only=True):
    """What to change on photos; a field that is left out (UNSET) stays, None takes the mark back."""

    stars: int | msgspec.UnsetType | None = msgspec.UNSET
    label: ColourLabel | msgspec.UnsetType | None = msgspec.UNSET
    caption: str | msgspec.UnsetType | None = msgspec.UNSET


class Marks(Protocol):
    """Stars, colour labels and captions, kept in the decisions log."""

    def mark(self, images: Sequence[bytes], change: MarkChange) -> Sequence[ImageEntry]:
        """Record the change for every photo durably, all in one write; the photos as they are now.

        *May block.* Raises NotFound for an unknown photo with nothing changed.
        """
        ...
