"""Groups."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body, ImageId, Seconds, Total


class Group(Answer, frozen=True, kw_only=True):
    """A set of look-alike photos with a permanent id."""

    id: str
    name: str | None
    size: int
    kind: str
    space: str
    created: Seconds
    exemplars: list[ImageId]


class GroupPage(Answer, frozen=True, kw_only=True):
    """A page of groups, largest first."""

    items: list[Group]
    next_cursor: str | None
    total: Total


class GroupPatch(Body, frozen=True, kw_only=True):
    """A group's name; null takes it back."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None
