"""What the user decided."""

from pixsortd.records.base import Record


class NameGroup(Record, frozen=True, kw_only=True, tag=True):
    """The user named a group (or, with None, took the name back).

    ``members`` are enough photos of the group to find it again when the index is gone.
    """

    group: str
    name: str | None
    members: tuple[bytes, ...] = ()
    at: float = 0.0


class RatePhoto(Record, frozen=True, kw_only=True, tag=True):
    """The user gave a photo 0 to 5 stars; None takes the rating back."""

    sha256: bytes
    stars: int | None
    at: float = 0.0


class ConfirmGone(Record, frozen=True, kw_only=True, tag=True):
    """The user said that the files missing from a root are really gone."""

    root: str
    files: int
    at: float = 0.0


Decision = NameGroup | RatePhoto | ConfirmGone
