"""What the user decided of groups: edits that can be undone, and what all of them together ask of a clustering."""

from collections.abc import Mapping
from enum import StrEnum

from pixsortd.records.base import Record
from pixsortd.records.changes import GroupChange
from pixsortd.records.groups import Group


class Relation(StrEnum):
    """What the user said of photos among themselves."""

    TOGETHER = "together"
    """They belong to one group."""
    APART = "apart"
    """No two of them belong to one group."""
    DISTINCT = "distinct"
    """They are no duplicates of one another, however alike."""


class Held(Record, frozen=True, kw_only=True):
    """Photos of one group before an edit; None for those in no group."""

    group: str | None
    photos: tuple[bytes, ...]


class Edit(Record, frozen=True, kw_only=True):
    """What every edit has: an id to undo it by, and where its photos were, so that undoing needs no index."""

    edit: str
    before: tuple[Held, ...] = ()
    after: tuple[Held, ...] = ()
    """Where it put the photos of ``before``: a crash in the middle is made good from it."""
    at: float = 0.0
    beside: tuple[Held, ...] = ()
    """Some other members, as they were then, of the groups that it took photos from, put them into or kept them
    out of: what a metric can learn from it, without an index."""
    ended: tuple[Group, ...] = ()
    """The groups that it left nothing of, as they were: they come back when it is undone."""


class PlacePhotos(Edit, frozen=True, kw_only=True, tag=True):
    """These photos belong into this group (or, with None, into no group) and stay there: moved by hand, or pinned."""

    photos: tuple[bytes, ...]
    group: str | None
    founds: bool = False
    """Whether the group is one that they form."""


class BarPhotos(Edit, frozen=True, kw_only=True, tag=True):
    """These photos never belong into this group."""

    photos: tuple[bytes, ...]
    group: str


class ReleasePhotos(Edit, frozen=True, kw_only=True, tag=True):
    """Whatever was said of where these photos belong is taken back: pins, bars and relations."""

    photos: tuple[bytes, ...]


class RelatePhotos(Edit, frozen=True, kw_only=True, tag=True):
    """What these photos, two at least, are to one another."""

    photos: tuple[bytes, ...]
    relation: Relation


class LockGroup(Edit, frozen=True, kw_only=True, tag=True):
    """Nobody but the user changes who is in this group; ``locked`` false opens it again."""

    group: str
    locked: bool
    members: tuple[bytes, ...] = ()


class MergeGroups(Edit, frozen=True, kw_only=True, tag=True):
    """These groups are part of ``into`` from now on; ``members`` are all photos of the whole."""

    into: str
    groups: tuple[str, ...]
    members: tuple[bytes, ...] = ()


class SplitGroup(Edit, frozen=True, kw_only=True, tag=True):
    """``photos`` leave ``group`` and form the group ``born``; ``rest`` are those that stay."""

    group: str
    born: str
    photos: tuple[bytes, ...]
    rest: tuple[bytes, ...] = ()


class SettleChange(Edit, frozen=True, kw_only=True, tag=True):
    """The user accepted or refused (part of) a line of a proposal."""

    change: GroupChange
    accepted: bool


class UseLearned(Record, frozen=True, kw_only=True, tag=True):
    """Whether the metric learned from the user's corrections may be used; None leaves it to how well it does."""

    use: bool | None
    at: float = 0.0


class UndoEdit(Record, frozen=True, kw_only=True, tag=True):
    """An edit is taken back, as if it had never been made; undoing an undo (its own id) brings the edit back."""

    edit: str
    """Id of this undoing."""
    undoes: str
    at: float = 0.0
    before: tuple[Held, ...] = ()
    after: tuple[Held, ...] = ()
    """Where it put the photos of ``before``."""


class Route(Record, frozen=True, kw_only=True):
    """A way that the user refused for a photo. ``to`` is "new" for any group that would be born of it."""

    photo: bytes
    group: str | None
    to: str | None


NEW = "new"
"""A :class:`Route` to whatever group would be born."""


class Constraints(Record, frozen=True, kw_only=True):
    """All edits together, as they bind a clustering. Made from the decisions alone."""

    names: Mapping[str, str] = {}
    """By group."""
    placed: Mapping[bytes, str | None] = {}
    """The group of each photo placed by hand; None for no group."""
    barred: Mapping[bytes, frozenset[str]] = {}
    """The groups each photo must never be in."""
    together: tuple[tuple[bytes, ...], ...] = ()
    """Photos of one group, disjoint sets."""
    apart: frozenset[tuple[bytes, bytes]] = frozenset()
    """Pairs, the smaller hash first."""
    distinct: frozenset[tuple[bytes, bytes]] = frozenset()
    """Pairs that are no duplicates, the smaller hash first."""
    locked: Mapping[str, frozenset[bytes]] = {}
    """Members of each locked group."""
    merged: Mapping[str, str] = {}
    """The group that each merged one went into, in the end."""
    born: Mapping[str, str] = {}
    """The group that each one split off came from."""
    known: Mapping[str, tuple[bytes, ...]] = {}
    """For every group the user touched, members to find it again by."""
    refused: frozenset[Route] = frozenset()
    conflicts: tuple[str, ...] = ()
    """What cannot hold together, in words; the later decision won."""
