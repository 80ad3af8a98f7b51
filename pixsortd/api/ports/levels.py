"""Coarser and finer views of the groups, as the API sees them."""

from collections.abc import Sequence
from typing import Protocol

from pixsortd.api.ports.photos import ImageEntry, Page
from pixsortd.records import LevelName, Record, ViewGroup

COARSEST, OWN, FINEST = 0.0, 0.5, 1.0
"""Places on the slider; in the middle are the groups as the clustering itself chose them."""

Cut = LevelName | float
"""A level by its name, or a place on the slider."""


class LevelReport(Record, frozen=True, kw_only=True):
    """One level and what it shows."""

    name: LevelName
    likeness: float | None = None
    """Photos at least this much alike are together: 0 is the background of the space, 1 a copy. None for themes."""
    gap: float | None = None
    """Seconds without a photo that divide a group; None where time says nothing."""
    groups: int
    grouped: int


class LevelsReport(Record, frozen=True, kw_only=True):
    """What can be shown; nothing but themes until a clustering has kept its tree."""

    space: str | None = None
    """None while no tree is kept."""
    made: float | None = None
    """When the clustering was that it is of."""
    items: Sequence[LevelReport] = ()
    """The finest first."""


class CutGroup(Record, frozen=True, kw_only=True):
    """One group of a view, and where its photos are."""

    view: ViewGroup
    group: str | None = None
    """The group that most of its photos are in, as asked of some of them evenly spread; None for in none."""
    group_name: str | None = None


class CutPage(Record, frozen=True, kw_only=True):
    """Some groups of one view, the largest first."""

    groups: int
    grouped: int
    ungrouped: int
    items: Sequence[CutGroup] = ()
    next_cursor: str | None = None


class Levels(Protocol):
    """Views of what the last clustering found. They change nothing; all *may block* for a few reads.

    Every cut but the themes raises Conflict while no tree is kept: none has been made yet, or its file was lost.
    """

    def report(self) -> LevelsReport:
        """The levels there are."""
        ...

    def cut(self, cut: Cut, cursor: str | None, limit: int) -> CutPage:
        """Groups of one view. Raises InvalidRequest for a cursor that is not ours or of an earlier tree."""
        ...

    def images(self, cut: Cut, group: str, cursor: str | None, limit: int) -> Page[ImageEntry]:
        """Photos of one group of a view, the earliest taken first. Raises NotFound, InvalidRequest as ``cut`` does."""
        ...
