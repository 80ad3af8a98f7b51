"""Groups, and what the user does to them."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body, Ids, ImageId, Reason, Seconds, Total
from pixsortd.records import GroupChangeKind, GroupState, LineageEvent, Relation

GroupIds = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=128)]],
    Meta(min_length=1, max_length=1000, description="ids of groups"),
]
ChangeIds = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=128)]],
    Meta(min_length=1, max_length=1000, description="ids of waiting lines"),
]
SomeIds = Annotated[list[ImageId], Meta(max_length=10_000, description="ids of photos, each 64 hex digits")]


class LineageStep(Answer, frozen=True, kw_only=True):
    """One step of where a group comes from; `other` is the other group, null for a birth."""

    event: LineageEvent
    other: str | None
    at: Seconds


class Group(Answer, frozen=True, kw_only=True):
    """A set of look-alike photos with a permanent id."""

    id: str
    name: str | None
    size: int
    kind: str
    space: str
    created: Seconds
    exemplars: list[ImageId]
    state: GroupState
    locked: Annotated[bool, Meta(description="only the user changes who is in it")]
    touched: Annotated[bool, Meta(description="the user edited it: what a clustering would change waits")]
    cohesion: Annotated[
        float, Meta(description="1: two members are as alike as copies; 0: as any two photos of the library")
    ]
    lineage: Annotated[list[LineageStep], Meta(description="oldest first")]
    waiting: Annotated[int, Meta(ge=0, description="lines of the proposal that concern it")]


class Rival(Answer, frozen=True, kw_only=True):
    """A group near a photo that it is not in, and what it would need to take it in."""

    group: str
    name: str | None
    similarity: float
    needs: str


class Grouping(Answer, frozen=True, kw_only=True):
    """Why a photo is in its group, or in none: who speaks for it, what you decided, and what would change it."""

    group: str | None
    name: str | None
    how: str
    strength: float | None
    similarity: float | None
    nearest: list[ImageId]
    constraint: str | None
    unsure: str | None
    rivals: list[Rival]


class GroupPage(Answer, frozen=True, kw_only=True):
    """A page of groups, largest first."""

    items: list[Group]
    next_cursor: str | None
    total: Total


class GroupPatch(Body, frozen=True, kw_only=True):
    """A group's name; null takes it back."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None


class NamedGroup(Group, frozen=True, kw_only=True):
    """A group with the edit that named it; `edit` and `undo` are null when it had that name already."""

    edit: str | None
    summary: str
    undo: str | None
    left: list[str]


class GroupEdit(Answer, frozen=True, kw_only=True):
    """What an edit did. Nothing was to do when `edit` is null; `summary` says why."""

    edit: Annotated[str | None, Meta(description="its id in the history")]
    summary: Annotated[str, Meta(description="in words")]
    groups: Annotated[list[Group], Meta(description="those it concerned, as they are now, without those that ended")]
    undo: Annotated[str | None, Meta(description="path below /api; a POST to it takes the edit back")]
    left: Annotated[list[str], Meta(description="what was not done, in words: photos that were edited since")]


class GroupMembersBody(Body, frozen=True, kw_only=True):
    """Photos to put into a group (wherever they are now), to take out of it, or to keep out of it for ever.

    One of the three at a time, because each edit can be undone by itself.
    """

    add: SomeIds = []
    remove: SomeIds = []
    bar: SomeIds = []


class GroupMergeBody(Body, frozen=True, kw_only=True):
    """Groups that become part of this one."""

    groups: GroupIds


class GroupSplitBody(Body, frozen=True, kw_only=True):
    """Members that form a group of their own; null: as the tree of likeness divides the group."""

    images: Ids | None


class GroupLockBody(Body, frozen=True, kw_only=True):
    """Whether only the user changes who is in the group."""

    locked: bool


class RelationBody(Body, frozen=True, kw_only=True):
    """What photos are to one another. `apart` and `distinct` hold for every two of them, and take at most 100."""

    images: Annotated[list[ImageId], Meta(min_length=2, max_length=10_000)]
    relation: Relation


class FoundBody(Body, frozen=True, kw_only=True):
    """Photos that form a new group."""

    images: Ids


class ReleaseBody(Body, frozen=True, kw_only=True):
    """Photos whose pins, bars and relations are taken back."""

    images: Ids


class PastEdit(Answer, frozen=True, kw_only=True):
    """One edit of the history; `photos` is how many it concerned, `why_not` says why it cannot be undone."""

    edit: str
    at: Seconds
    what: str
    groups: list[str]
    photos: int
    undone: bool
    undoable: bool
    why_not: str | None


class PastEditPage(Answer, frozen=True, kw_only=True):
    """A page of the history, newest first."""

    items: list[PastEdit]
    next_cursor: str | None
    total: Total


class ProposedChange(Answer, frozen=True, kw_only=True):
    """One line of a proposal: these photos go from `group` to `to`, where null is no group."""

    id: str
    kind: GroupChangeKind
    group: str | None
    group_name: str | None
    to: str | None
    to_name: str | None
    photos: Annotated[int, Meta(description="how many")]
    images: Annotated[list[ImageId], Meta(description="the first 24 of them; all where one line is asked for")]
    waits: Annotated[bool, Meta(description="for the user; else it applied itself")]
    why: Annotated[str, Meta(description="why it waits, in words")]
    unsteady: Annotated[bool, Meta(description="these photos went back and forth in the last runs")]


class Proposal(Answer, frozen=True, kw_only=True):
    """What the last clustering would change (`items`) and what it changed by itself (`applied`).

    `run` and `at` are null before the first clustering; `photos` is how many it looked at, `changed` how many changed
    their group by themselves, `conflicts` what of the user's decisions could not be honoured.
    """

    run: str | None
    at: Seconds | None
    method: str
    photos: int
    changed: int
    conflicts: list[str]
    items: list[ProposedChange]
    applied: list[ProposedChange]
    waiting: Annotated[dict[GroupChangeKind, int], Meta(description="lines that wait by kind, on this page or not")]
    next_cursor: str | None
    total: Annotated[int, Meta(ge=0, description="lines that wait, and those that applied themselves")]


class SettleBody(Body, frozen=True, kw_only=True):
    """Photos of the line to settle; null: all. The rest goes on waiting."""

    images: Ids | None = None


class SettleManyBody(Body, frozen=True, kw_only=True):
    """Lines to settle whole, in this order."""

    ids: ChangeIds


class SettledChange(Answer, frozen=True, kw_only=True):
    """What became of one line; without an edit, `reason` says why."""

    id: str
    edit: GroupEdit | None
    reason: Reason | None


class SettledChanges(Answer, frozen=True, kw_only=True):
    """What became of each."""

    items: list[SettledChange]
