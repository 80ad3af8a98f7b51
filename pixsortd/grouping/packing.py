"""Photos on their way to the analyst and back, without an object for each: hashes one behind the other, and rows."""

from array import array
from collections.abc import Iterable, Mapping

HASH = 32
"""Length of a photo's hash."""

ROW = 4
"""Length of a packed row."""


def hashes(contents: bytes) -> list[bytes]:
    """The hashes, in their order."""
    return [contents[start : start + HASH] for start in range(0, len(contents), HASH)]


def rows_of(contents: bytes) -> dict[bytes, int]:
    """The row of each hash."""
    return {photo: row for row, photo in enumerate(hashes(contents))}


def packed(photos: Iterable[bytes], row_of: Mapping[bytes, int]) -> bytes:
    """The rows of those among the photos that have one, packed."""
    return array("i", (row_of[photo] for photo in photos if photo in row_of)).tobytes()


def numbers(packed: bytes, kind: str = "i") -> array:  # type: ignore[type-arg] # of what, the kind says
    """Packed rows (or, with the kind "f", shares) as they were."""
    return array(kind, packed)
