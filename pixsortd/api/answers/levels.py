"""Coarser and finer views of the groups."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, ImageId, Seconds, Total
from pixsortd.records import LevelName

Place = Annotated[float, Meta(ge=0, le=1, description="place on the slider: 0 the coarsest cut, 1 the finest")]


class Level(Answer, frozen=True, kw_only=True):
    """A view with a fixed meaning; `cut` is its place on the slider, null where it is none of the slider's cuts."""

    name: LevelName
    cut: Place | None
    likeness: Annotated[
        float | None, Meta(description="least likeness: 0 as any two photos, 1 as copies; null for themes")
    ]
    gap: Annotated[
        float | None, Meta(description="seconds without a photo that divide a group; null: time is not asked")
    ]
    groups: Total
    grouped: Annotated[int, Meta(ge=0, description="photos in them")]


class Slider(Answer, frozen=True, kw_only=True):
    """Bounds of `at`, and where the clustering's own choice is."""

    least: float
    most: float
    default: float


class Levels(Answer, frozen=True, kw_only=True):
    """The levels, finest first; without any, and `space` and `made` null, until a clustering has kept its tree."""

    space: str | None
    made: Seconds | None
    items: list[Level]
    slider: Slider


class CutGroup(Answer, frozen=True, kw_only=True):
    """Photos that a view shows as one; its id stays over clusterings and means something in this view only.

    `group` is the group that most of its photos are in (as asked of some of them, evenly spread), null for none.
    """

    id: str
    size: int
    exemplars: list[ImageId]
    group: str | None
    group_name: str | None


class CutPage(Answer, frozen=True, kw_only=True):
    """A page of a view's groups, largest first. `at` is null for a level that is none of the slider's cuts."""

    at: Place | None
    level: LevelName | None
    groups: Total
    grouped: Annotated[int, Meta(ge=0, description="photos in them")]
    ungrouped: Annotated[int, Meta(ge=0, description="photos in none of them")]
    items: list[CutGroup]
    next_cursor: str | None
    total: Total
