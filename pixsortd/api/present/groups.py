"""Groups."""

from collections.abc import Mapping

from pixsortd import records
from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields
from pixsortd.api.text import clean

Waiting = Mapping[str, int]
"""How many lines of the proposal concern each group; those without any may be left out."""


def group(given: records.Group, waiting: Waiting) -> answers.Group:
    """One group."""
    return answers.Group(
        id=given.id,
        name=given.name,
        size=given.size,
        kind=given.kind,
        space=given.space,
        created=given.created,
        exemplars=[one.hex() for one in given.exemplars],
        state=given.state,
        locked=given.locked,
        touched=given.touched,
        cohesion=given.cohesion,
        lineage=[answers.LineageStep(**fields(one)) for one in given.lineage],
        waiting=waiting.get(given.id, 0),
    )


def group_page(page: ports.Page[records.Group], waiting: Waiting) -> answers.GroupPage:
    """A page of groups."""
    items = [group(one, waiting) for one in page.items]
    return answers.GroupPage(items=items, next_cursor=page.next_cursor, total=page.total)


def grouping(given: ports.Grouping) -> answers.Grouping:
    """Why a photo is in its group, or in none."""
    return answers.Grouping(
        group=given.group,
        name=None if given.name is None else clean(given.name),
        how=given.how,
        strength=given.strength,
        similarity=given.similarity,
        nearest=[one.hex() for one in given.nearest],
        constraint=None if given.constraint is None else clean(given.constraint),
        unsure=None if given.unsure is None else clean(given.unsure),
        rivals=[
            answers.Rival(
                group=one.group,
                name=None if one.name is None else clean(one.name),
                similarity=one.similarity,
                needs=clean(one.needs),
            )
            for one in given.rivals
        ],
    )
