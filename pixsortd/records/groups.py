"""Groups and memberships."""

from pixsortd.records.base import Record


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
