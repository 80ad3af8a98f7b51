"""What a clustering would change of groups, line by line."""

from enum import StrEnum

from pixsortd.records.base import Record


class GroupChangeKind(StrEnum):
    """What one line of a proposal would do."""

    JOIN = "join"
    """Photos of no group would enter ``to``."""
    LEAVE = "leave"
    """Photos of ``group`` would be in no group."""
    MOVE = "move"
    """Photos of ``group`` would be in ``to``, which was there before."""
    SPLIT = "split"
    """Photos of ``group`` would form ``to``, a new group."""
    MERGE = "merge"
    """What is left of ``group`` would go into ``to``, and ``group`` would end."""
    BIRTH = "birth"
    """Photos of no group would form ``to``, a new group."""
    END = "end"
    """``group`` would lose its last photos to no group."""


class GroupChange(Record, frozen=True, kw_only=True):
    """One line of a proposal: the same photos would go the same way."""

    id: str
    """Made from what it does, so that the same line has the same id in every run."""
    kind: GroupChangeKind
    photos: tuple[bytes, ...]
    """By rising hash."""
    unlisted: int = 0
    """How many more it had, where a stored line was kept without its photos."""
    group: str | None = None
    """Where they are; None for in no group."""
    to: str | None = None
    """Where they would be; None for in no group."""
    waits: bool = False
    """The user decides; without, it applies itself."""
    why: str = ""
    """Why it waits, in words."""
    unsteady: bool = False
    """These photos went back and forth in the last runs."""
