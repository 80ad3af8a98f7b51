"""Coarser and finer views of the groups: cuts of the tree that the last clustering kept. They change nothing."""

from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter

from pixsortd.api import answers, ports, present
from pixsortd.api.parameters import Cursor, Lib, Limit, finite, plain_id
from pixsortd.errors import InvalidRequest
from pixsortd.records import LevelName

At = Annotated[
    float | None,
    QueryParameter(ge=0, le=1, description="place on the slider: 0 the coarsest cut, 1 the finest"),
]
Named = Annotated[LevelName | None, QueryParameter(description="a level instead of a place on the slider")]


def _cut(at: float | None, level: LevelName | None) -> ports.Cut:
    """The view that is asked for; without a word the themes. Raises InvalidRequest for two at once."""
    if at is not None and level is not None:
        raise InvalidRequest("Give either `at` or `level`", next_step="A level has no place on the slider.")
    place = finite(at)
    return (level or LevelName.THEME) if place is None else place


@get("/levels", summary="Levels of grouping", sync_to_thread=True)
def get_levels(library: Lib) -> answers.Levels:
    """Near-duplicates, bursts, scenes and themes, and what the slider ranges over."""
    return present.levels(library.levels.report())


@get("/cuts", summary="A coarser or finer view", sync_to_thread=True)
def get_cut(
    library: Lib, at: At = None, level: Named = None, cursor: Cursor = None, limit: Limit = 100
) -> answers.CutPage:
    """The groups of one view, largest first; without `at` and `level` the themes."""
    cut = _cut(at, level)
    return present.cut_page(cut, library.levels.cut(cut, cursor, limit))


@get("/cuts/{node:str}/images", summary="Photos of a view's group", sync_to_thread=True)
def list_cut_images(
    library: Lib,
    node: FromPath[str],
    at: At = None,
    level: Named = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> answers.ImagePage:
    """The photos that the same view shows as one, the earliest taken first."""
    found = library.levels.images(_cut(at, level), plain_id(node, "group of this view"), cursor, limit)
    return present.image_page(found)


HANDLERS = (get_levels, get_cut, list_cut_images)
