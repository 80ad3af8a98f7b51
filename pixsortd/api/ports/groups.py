"""What the user does to groups, and what a clustering would do, as the API sees it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pixsortd.api.ports.photos import Page
from pixsortd.records import Group, Proposal, Reason, Record, Relation


class Edited(Record, frozen=True, kw_only=True):
    """What an edit did."""

    edit: str | None
    """Id to undo it by; None when there was nothing to do, and then nothing was recorded."""
    summary: str
    """What was done (or why nothing was) in words: ``Merged 3 groups into Beach (120 photos)``."""
    groups: tuple[Group, ...] = ()
    """The groups it concerned, as they are now; those that are no more are left out."""
    left: tuple[str, ...] = ()
    """What was not done, in words: on undoing, photos that were edited since."""


class PastEdit(Record, frozen=True, kw_only=True):
    """One edit of the history. An undoing is itself one."""

    edit: str
    at: float
    what: str
    """In words."""
    groups: tuple[str, ...] = ()
    """Ids of the groups it concerned, whether or not they are still there."""
    photos: int = 0
    """How many it concerned."""
    undone: bool = False
    undoable: bool = True
    why_not: str = ""
    """Why it cannot be undone, in words; empty when it can."""


class Outlook(Record, frozen=True, kw_only=True):
    """The last clustering's proposal. ``run`` is empty and ``at`` 0 before the first clustering."""

    proposal: Proposal
    names: Mapping[str, str] = {}
    """Of the groups in its lines, as far as they have one."""


class Settled(Record, frozen=True, kw_only=True):
    """What became of one line that was to be accepted or refused."""

    change: str
    edited: Edited | None = None
    """None when nothing was done; then ``reason`` says why."""
    reason: Reason | None = None


class Curation(Protocol):
    """Edits of groups, their history, and proposals. Each edit is one decision record, durable before it is answered.

    Every method *may block*. An unknown group or photo raises NotFound with nothing changed. What is so already is
    no error: the answer has no edit and says so. What the present state does not allow raises Conflict with the way
    out as next step. A lock binds clusterings, not these calls.
    """

    def rename(self, group: str, name: str | None) -> Edited:
        """Give or (None) take back a name; the answer has that group alone, also when there was nothing to do."""
        ...

    def found(self, images: Sequence[bytes]) -> Edited:
        """Make a new group of photos, wherever they were. The answer has that group first."""
        ...

    def place(self, group: str, images: Sequence[bytes]) -> Edited:
        """Put photos into a group, wherever they were, for good; those that are in it are pinned there."""
        ...

    def remove(self, group: str, images: Sequence[bytes]) -> Edited:
        """Take photos out of a group into no group, for good. Raises InvalidRequest when one is not in it."""
        ...

    def bar(self, group: str, images: Sequence[bytes]) -> Edited:
        """These photos are never to be in this group; members of it leave it for no group."""
        ...

    def merge(self, group: str, groups: Sequence[str]) -> Edited:
        """Make other groups part of this one. Raises InvalidRequest when it is among them."""
        ...

    def split(self, group: str, images: Sequence[bytes] | None) -> Edited:
        """Found a new group from these members, or with None from the smaller of the two parts that the tree shows.

        The answer has the old group, then the new one. Raises InvalidRequest when a photo is not in the group or
        none would stay, and Conflict when the tree shows no two parts (or none is kept yet).
        """
        ...

    def lock(self, group: str, locked: bool) -> Edited:
        """Keep everybody but the user from changing who is in the group, or open it again."""
        ...

    def relate(self, images: Sequence[bytes], relation: Relation) -> Edited:
        """Say what two or more photos are to one another."""
        ...

    def release(self, images: Sequence[bytes]) -> Edited:
        """Take back pins, bars and relations of these photos; they stay where they are."""
        ...

    def edits(self, cursor: str | None, limit: int) -> Page[PastEdit]:
        """The history, newest first. Raises InvalidRequest for a cursor that is not ours."""
        ...

    def undo(self, edit: str) -> Edited:
        """Take an edit back (an undoing: bring the edit back). Raises NotFound, Conflict (see ``PastEdit.why_not``)."""
        ...

    def proposal(self) -> Outlook:
        """What the last clustering would change and what it changed."""
        ...

    def waiting(self) -> Mapping[str, int]:
        """How many waiting lines concern each group; groups without any are left out. From memory."""
        ...

    def settle(self, change: str, accepted: bool, images: Sequence[bytes] | None = None) -> Edited:
        """Accept or refuse a waiting line, or only these photos of it; the rest of it goes on waiting.

        Raises NotFound for a line that is not (or no more) there, InvalidRequest for a photo that is not in it, and
        Conflict when the groups have changed so that it can no longer be done.
        """
        ...

    def settle_many(self, changes: Sequence[str], accepted: bool) -> Sequence[Settled]:
        """The same for whole lines, in the order given; each answers for itself."""
        ...
