"""Coarser and finer views of how photos belong together."""

from enum import StrEnum

from pixsortd.records.base import Record


class LevelName(StrEnum):
    """Views of a fixed meaning, the finest first."""

    NEAR_DUPLICATE = "near-duplicate"
    """The same picture: recompressed, resized, slightly cropped."""
    BURST = "burst"
    """Very alike, and taken within seconds of one another."""
    SCENE = "scene"
    """Alike, and taken within hours of one another."""
    THEME = "theme"
    """The groups themselves, with the names and corrections that the user gave them."""


class ViewGroup(Record, frozen=True, kw_only=True):
    """A set of photos that a view shows as one. It is no group of the user's: nothing can be done to it."""

    id: str
    """Stays over clusterings as long as most of its photos do. Means something at its own level only."""
    size: int
    exemplars: tuple[bytes, ...] = ()
    sample: tuple[bytes, ...] = ()
    """Some of its photos, evenly spread over all by hash."""


class View(Record, frozen=True, kw_only=True):
    """One cut through how photos belong together."""

    groups: tuple[ViewGroup, ...]
    """Those asked for, of all the largest first, ties by id."""
    count: int
    """All groups of the view."""
    grouped: int
    """Photos in any of them."""
    ungrouped: int
    """Photos that the clustering looked at and that are in none."""
    more: bool
    """Whether there are groups behind these."""
