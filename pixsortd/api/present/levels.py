"""Coarser and finer views of the groups."""

from pixsortd.api import answers, ports
from pixsortd.api.text import clean
from pixsortd.records import LevelName


def levels(given: ports.LevelsReport) -> answers.Levels:
    """The levels and the slider."""
    items = [
        answers.Level(
            name=one.name,
            cut=_place(one.name),
            likeness=one.likeness,
            gap=one.gap,
            groups=one.groups,
            grouped=one.grouped,
        )
        for one in given.items
    ]
    slider = answers.Slider(least=ports.COARSEST, most=ports.FINEST, default=ports.OWN)
    return answers.Levels(space=given.space, made=given.made, items=items, slider=slider)


def cut_page(cut: ports.Cut, given: ports.CutPage) -> answers.CutPage:
    """A page of a view."""
    return answers.CutPage(
        at=_place(cut),
        level=cut if isinstance(cut, LevelName) else None,
        groups=given.groups,
        grouped=given.grouped,
        ungrouped=given.ungrouped,
        items=[_group(one) for one in given.items],
        next_cursor=given.next_cursor,
        total=given.groups,
    )


def _place(cut: ports.Cut) -> float | None:
    if isinstance(cut, LevelName):
        return ports.OWN if cut is LevelName.THEME else None
    return cut


def _group(given: ports.CutGroup) -> answers.CutGroup:
    return answers.CutGroup(
        id=given.view.id,
        size=given.view.size,
        exemplars=[one.hex() for one in given.view.exemplars],
        group=given.group,
        group_name=None if given.group_name is None else clean(given.group_name),
    )
