"""Groups, memberships, and what a clustering would change."""

from enum import StrEnum

from pixsortd.records.base import Record
from pixsortd.records.changes import GroupChange


class Membership(Record, frozen=True, kw_only=True):
    """One photo's place in a group, and why it has it."""

    group: str
    strength: float
    """0 to 1: HDBSCAN's probability, or the vote's share for a photo that joined between runs."""
    how: str
    """``clustered``, ``joined`` or ``decided``."""
    at: float = 0.0
    nearest: tuple[bytes, ...] = ()
    """Members that speak for it, nearest first."""
    similarity: float | None = None
    """Mean cosine to ``nearest``."""


class Selection(StrEnum):
    """Which clusters of the condensed tree are taken."""

    EOM = "eom"
    """Those of most excess of mass, at any height."""
    LEAF = "leaf"
    """Those that do not divide any further."""


class GroupState(StrEnum):
    """Whether the last clustering found the group."""

    ACTIVE = "active"
    RESTING = "resting"
    """Named or otherwise touched by the user, and not found by the last clustering; it is kept."""


class LineageEvent(StrEnum):
    """What happened to a group."""

    BORN = "born"
    SPLIT_FROM = "split-from"
    SPLIT_OFF = "split-off"
    """Photos of it formed the other group."""
    MERGED = "merged"
    """The other group went into it."""


class Lineage(Record, frozen=True, kw_only=True):
    """One step of where a group comes from."""

    event: LineageEvent
    other: str | None = None
    """The other group, None for a birth."""
    at: float = 0.0


class Group(Record, frozen=True, kw_only=True):
    """A set of look-alike photos with a permanent id."""

    id: str
    size: int
    exemplars: tuple[bytes, ...] = ()
    kind: str = "visual"
    space: str = ""
    name: str | None = None
    """The user's; it lives in the decisions log and is only mirrored here."""
    created: float = 0.0
    floor: float = 0.0
    """A newcomer whose mean cosine to its nearest members is below this does not join."""
    state: GroupState = GroupState.ACTIVE
    lineage: tuple[Lineage, ...] = ()
    """The oldest first."""
    locked: bool = False
    touched: bool = False
    """The user named, locked, merged, split or or put photos into it: what a clustering would change waits."""
    cohesion: float = 0.0
    """How much more alike two members are than a member and any other photo: 1 for copies, 0 for chance."""


class Proposal(Record, frozen=True, kw_only=True):
    """What the last clustering would change and what of it was done at once."""

    run: str
    """The same for the same photos, parameters and decisions."""
    at: float = 0.0
    method: str = ""
    changes: tuple[GroupChange, ...] = ()
    """Those that wait; settled ones leave the list."""
    applied: tuple[GroupChange, ...] = ()
    """Those that applied themselves, their photos left out when there are many."""
    photos: int = 0
    """Photos the clustering looked at."""
    changed: int = 0
    """Photos whose group changed by itself."""
    conflicts: tuple[str, ...] = ()
    """What could not be honoured, in words."""
